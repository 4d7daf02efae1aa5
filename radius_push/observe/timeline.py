"""A login as its evidence tells it: from the request to what the gateway was told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from radius_push.evidence import EvidenceRow
from radius_push.model import Reason

ASKED = "asked"
ENDS = ("accepted", "rejected", "unanswered")
"""The events by which a login ends. Each has one of them, unless it is open or its server died."""

JOINED = "joined"
"""A later request waits for the same question; it may end by itself, and the login goes on."""
RANG = "rang"
"""A push service was asked: beside the login, at any time, for a device that may be another than answers."""
RECEIVED = "push_received"
"""A device says that a push has reached it: beside the login as well, hours later perhaps."""
SHOWN = "shown"
"""A phone was given the question: beside the login as well, which may go on or be over by then."""
SESSION = ("session_started", "session_ended")
"""What came of the login, hours later perhaps: it says nothing about the login itself."""
CONTESTED = "contested"
"""The person looked again, and says that the yes was not theirs. What the login came to stays."""
BESIDE = (RANG, RECEIVED, SHOWN, CONTESTED, *SESSION)

LONGEST = 3600.0
"""Seconds between two events beyond which they are no longer of one login."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a login."""

    number: int
    at: float
    kind: str
    fields: Mapping[str, object]

    def text(self, name: str) -> str | None:
        """A field that holds text; None if it is empty or not there."""
        value = self.fields.get(name)
        return value if isinstance(value, str) and value else None

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that holds a list of texts."""
        value = self.fields.get(name)
        return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()


@dataclass(frozen=True, slots=True)
class Login:
    """The events of one login, in order; at least one."""

    code: str
    steps: tuple[Step, ...]

    @property
    def number(self) -> int:
        """Of its first event: no two logins share it."""
        return self.steps[0].number

    @property
    def end(self) -> Step | None:
        """An accept, whatever was said to earlier tries of the same question; else the last reject, else the
        last silence."""
        found: dict[str, Step] = {}
        for step in self.steps:
            if step.kind in ENDS and not (step.kind == "accepted" and step.kind in found):
                found[step.kind] = step
        return next((found[kind] for kind in ENDS if kind in found), None)

    @property
    def question(self) -> str | None:
        """The id of what the phones were asked."""
        return self.text("question")

    @property
    def contested(self) -> bool:
        """Did the person say afterwards that it was not them?"""
        return self.step(CONTESTED) is not None

    @property
    def reason(self) -> Reason | None:
        """Why it ended without an accept; None for an accept, and for a reason of another release."""
        return reason_of(self.end) if self.end else None

    @property
    def began(self) -> float:
        """When the request came, UTC seconds."""
        for step in self.steps:
            at = step.fields.get("arrived_at")
            if isinstance(at, int | float):
                return float(at)
        return self.steps[0].at

    @property
    def ended(self) -> float | None:
        """When its verdict was written."""
        return None if self.end is None else self.end.at

    def step(self, kind: str) -> Step | None:
        return next((step for step in self.steps if step.kind == kind), None)

    def first(self, name: str) -> str | None:
        """What its oldest event that has this field says."""
        return next((said for step in self.steps if (said := step.text(name))), None)

    def text(self, name: str) -> str | None:
        """What its newest event that has this field says."""
        walked = (step for step in reversed(self.steps) if step.kind not in BESIDE)
        return next((said for step in walked if (said := step.text(name))), None)


def reason_of(step: Step) -> Reason | None:
    """Why no accept was said at this step; None if one was, and for a reason of another release."""
    said = step.text("reason")
    return Reason(said) if said in set(Reason) else None


def tell(rows: Iterable[EvidenceRow]) -> list[Login]:
    """The logins in these rows, which are in order and share a trace code; oldest first.

    Codes are short, so two logins may have drawn the same one.
    """
    told: list[list[Step]] = []
    for number, at, kind, fields in rows:
        step = Step(number, at, kind, fields)
        if not told or _begins_another(told[-1], step):
            told.append([])
        told[-1].append(step)
    return [Login(str(steps[0].fields.get("login", "")), tuple(steps)) for steps in told]


def _begins_another(steps: list[Step], step: Step) -> bool:
    if step.kind in SESSION or _ends_a_try_that_joined(steps, step):
        return False
    question = next((found for before in steps if (found := before.text("question"))), None)
    if question is not None and step.text("question") == question:
        return False  # also when its packet came back after a restart, or long after nobody did
    last = max((before.at for before in steps if before.kind not in SESSION), default=step.at)
    if step.kind == ASKED or step.at - last > LONGEST:
        return True
    if step.kind in ENDS and any(before.kind in ENDS for before in steps):
        return True
    return question is not None and step.text("question") not in (None, question)


def _ends_a_try_that_joined(steps: list[Step], step: Step) -> bool:
    """A server that stops, or crashes, notes the end of each request without its question."""
    joined = any(before.kind == JOINED and step.at - before.at <= LONGEST for before in steps)
    return joined and step.kind in ENDS and step.text("question") is None
