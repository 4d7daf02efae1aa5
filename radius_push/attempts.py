"""The requests of one attempt: who waits for which question, and what becomes of a newcomer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from radius_push.model import ProofName, Question, Reason


@dataclass(frozen=True, slots=True)
class Rider:
    """A request that is held for a question: the first of its attempt, or a later try that joins it."""

    packet: bytes = field(repr=False)
    """32 octets: what makes another packet the same one."""
    client: str
    source: str
    """Address of the gateway."""
    source_port: int
    proof: ProofName
    arrived_at: float
    until: float
    """When its gateway gives up, UTC seconds."""
    ends_at: float
    """When the phone's bar ends, if it were for this request alone."""
    may_join: bool = False
    """The user's address is known by the gateway's own attribute: somebody else can't claim it."""
    may_skip: bool = False
    """And it is sealed, by a gateway that shares its secret with few: it may be let in without a ring."""
    follow_on: float = 0.0
    """As its client's."""


Without = Literal["ticket", "follow_on"]
"""What lets a request in without a ring."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A new question, about which nobody was asked before."""

    rings: bool
    """False: too many rang in vain; the open app shows it."""
    before: Question | None = None
    """The last one of its attempt, if it was let in: then perhaps its gateway did not hear so."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The question was there: this request is the one that hears of it now."""

    question: Question


@dataclass(frozen=True, slots=True)
class Owed:
    """A yes was said already: this request may be let in by it, once."""

    question: Question
    by: Without


Met = Opened | Joined | Owed | Reason
"""What a request with a right password meets; a reason says why it asks nobody."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """What becomes of a question for which nobody waits any more."""

    window: float
    """Seconds in which the next try opens it again; 0: it is over."""
    counts: bool
    """And a yes lets that try in."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a question stands, as one of its requests sees it."""

    question: Question
    newest: bool
    """It is this request's turn: no other one that came later still waits."""
