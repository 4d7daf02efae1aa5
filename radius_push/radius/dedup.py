"""Which Access-Requests are new, and what a gateway that repeats itself is told (RFC 5080 2.2.2).

Every rule about duplicates is here. Time is an argument: seconds of a clock that never goes back.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

from radius_push.radius.patience import CROSSED, Repeats

IDENTIFIERS_WORTH_A_WARNING = 200
"""Of the 256 that one source port has: soon the gateway must reuse one that is in flight."""
WARNING_INTERVAL = 60.0


class Slot(NamedTuple):
    """Where one Identifier is used: a gateway has one request at a time there."""

    source: tuple[str, int]
    """Address and port of the gateway."""
    server: tuple[str, int]
    """Address and port of ours, or the connection: what was answered on one is not said on another."""
    identifier: int


class Key(NamedTuple):
    """What makes two packets the same one."""

    slot: Slot
    authenticator: bytes
    digest: bytes
    """Hash of exactly Length octets: Cisco keeps the Authenticator across a challenge."""

    def packet(self, whose: str | None = None) -> bytes:
        """The key as 32 octets, for the store: after a restart the same packet is known by it.

        `whose`: who sent it by a connection, which comes from another port every time (RFC 6613 2.6.1).
        """
        (source, source_port), (server, server_port), identifier = self.slot
        place = f"{source}\0{source_port}\0{server}\0{server_port}\0{identifier}\0"
        if whose is not None:
            place = f"{whose}\0{identifier}\0"
        return hashlib.sha256(place.encode() + self.authenticator + self.digest).digest()


class Ticket:
    """One new request, from its arrival until `finish` or `forget`."""

    __slots__ = (
        "authentic", "ended", "finished", "genuine", "heard", "key", "login", "owner", "repeats", "reply",
        "seen_again", "seen_again_at", "superseded", "until",
    )  # fmt: skip

    def __init__(self, key: Key, owner: str, now: float, *, authentic: bool) -> None:
        self.key = key
        self.repeats = Repeats(now)
        self.genuine = False
        """Somebody's password was right, and it is no replay."""
        self.heard = True
        """As far as anybody knows, its gateway took the reply."""
        self.authentic = authentic
        """It proves where it comes from: it may supersede."""
        self.owner = owner
        """The client's name."""
        self.login = ""
        """The trace code that it arrived under."""
        self.superseded = False
        """The gateway gave this request up for a newer one: never answer it."""
        self.finished = False
        self.ended = 0.0
        """When it was finished."""
        self.reply: bytes | None = None
        self.until = 0.0
        """When a finished one is forgotten."""
        self.seen_again = 0
        """How often the same packet came again before it was finished."""
        self.seen_again_at = 0.0
        """When it did last."""

    def missed(self, now: float) -> float | None:
        """It is here again behind its reply. Seconds since that left, the first time that this says that the
        gateway did not take it; else None."""
        if not self.heard or now - self.ended < CROSSED:
            return None
        self.heard = False
        return now - self.ended


@dataclass(frozen=True, slots=True)
class New:
    """Work on it."""

    ticket: Ticket
    crowded: bool = False
    """Time to warn that this source port runs out of Identifiers; true at most once a minute."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """Seen, and there is nothing to say: it is worked on, or it ended in silence."""


@dataclass(frozen=True, slots=True)
class Again:
    """Answered already: send these octets, the same ones as then."""

    reply: bytes
    ticket: Ticket | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Full:
    """Too many requests in flight: silence."""

    of_owner: bool
    """Of this client; else of all."""


Met = New | InFlight | Again | Full


class Dedup:
    """The requests of the last `hold` seconds, and those in flight.

    At most `most_in_flight` are worked on at once, `most_of_owner` of them for one client, and at most `most`
    are remembered: beyond that the oldest finished ones are forgotten early.
    """

    def __init__(
        self,
        *,
        hold: float = 30.0,
        most_in_flight: int = 20_000,
        most_of_owner: int = 20_000,
        most: int = 100_000,
    ) -> None:
        self._hold = hold
        self._of_owner: dict[str, int] = {}
        self._most = most
        self.bound(most_in_flight=most_in_flight, most_of_owner=most_of_owner)
        self._tickets: dict[Key, Ticket] = {}
        self._finished: OrderedDict[Key, None] = OrderedDict()
        self._authenticators: dict[tuple[Slot, bytes], int] = {}
        # (source, server) -> Identifier -> what is in flight there and not superseded, the oldest first.
        self._ports: dict[tuple[tuple[str, int], tuple[str, int]], dict[int, dict[Ticket, None]]] = {}
        self._warned: float | None = None

    def bound(self, *, most_in_flight: int, most_of_owner: int) -> None:
        """Other bounds from now on; what is worked on already goes on."""
        self._most_in_flight = most_in_flight
        self._most_of_owner = most_of_owner
        self._most = max(self._most, most_in_flight)

    def in_flight_of(self, owner: str) -> int:
        return self._of_owner.get(owner, 0)

    @property
    def in_flight(self) -> int:
        return len(self._tickets) - len(self._finished)

    def __len__(self) -> int:
        return len(self._tickets)

    def arrive(self, key: Key, now: float, *, authentic: bool, carries_state: bool, owner: str = "") -> Met:
        """A packet of the client `owner` is here. `authentic`: its Message-Authenticator is right;
        `carries_state`: it holds a State, so if sealed it may be the next step of a challenge under the same
        Authenticator."""
        self._expire(now)
        known = self._tickets.get(key)
        if known is not None:
            if not known.finished:
                known.repeats.again(now)
                known.seen_again += 1
                known.seen_again_at = now
            return InFlight() if known.reply is None else Again(known.reply, known)
        if (key.slot, key.authenticator) in self._authenticators and not (carries_state and authentic):
            # Same Authenticator, other octets: no gateway does that. Somebody on the path does, who can add
            # a State as well, but no seal.
            return InFlight()
        if self.in_flight_of(owner) >= self._most_of_owner:
            return Full(of_owner=True)
        if self.in_flight >= self._most_in_flight:
            return Full(of_owner=False)
        return New(self._admit(key, owner, now, authentic=authentic), self._is_crowded(key.slot, now))

    def supersede(self, ticket: Ticket) -> int:
        """This request was found to be no replay: the gateway reuses an Identifier, and what was in flight
        under it before is given up. How many. Only a packet that proves where it comes from may do that, or
        somebody on the path would; another one is worked on beside."""
        ticket.genuine = True
        if not ticket.authentic or ticket.superseded or ticket.finished:
            return 0
        slot = ticket.key.slot
        there = self._ports[slot.source, slot.server][slot.identifier]
        before = itertools.takewhile(lambda other: other is not ticket, there)
        older = [other for other in before if other.key.authenticator != ticket.key.authenticator]
        for other in older:
            # Out with them: whoever changes the Authenticator a thousand times makes no loop of a million.
            del there[other]
            other.superseded = True
        return len(older)

    def finish(self, ticket: Ticket, reply: bytes | None, now: float) -> bool:
        """The request ended with these octets, or in silence (None). Its duplicates get the same
        for `hold` seconds. False: superseded meanwhile, do not send them."""
        if ticket.finished:
            return False
        self._leave_port(ticket)
        ticket.finished, ticket.ended = True, now
        ticket.reply = None if ticket.superseded else reply
        ticket.until = now + self._hold
        self._finished[ticket.key] = None
        return not ticket.superseded

    def forget(self, ticket: Ticket, now: float) -> None:
        """The request ended in silence, and the next packet with it is a fresh try."""
        if ticket.superseded:  # a fresh try of it would push its successor aside
            self.finish(ticket, None, now)
        elif not ticket.finished:
            self._leave_port(ticket)
            ticket.finished, ticket.ended = True, now
            self._drop(ticket)

    def _admit(self, key: Key, owner: str, now: float, *, authentic: bool) -> Ticket:
        if len(self._tickets) >= self._most:
            oldest, _ = self._finished.popitem(last=False)
            self._drop(self._tickets[oldest])
        ticket = Ticket(key, owner, now, authentic=authentic)
        self._tickets[key] = ticket
        self._of_owner[owner] = self._of_owner.get(owner, 0) + 1
        used = (key.slot, key.authenticator)
        self._authenticators[used] = self._authenticators.get(used, 0) + 1
        port = self._ports.setdefault((key.slot.source, key.slot.server), {})
        port.setdefault(key.slot.identifier, {})[ticket] = None
        return ticket

    def _is_crowded(self, slot: Slot, now: float) -> bool:
        if len(self._ports[slot.source, slot.server]) < IDENTIFIERS_WORTH_A_WARNING:
            return False
        if self._warned is not None and now - self._warned < WARNING_INTERVAL:
            return False
        self._warned = now
        return True

    def _leave_port(self, ticket: Ticket) -> None:
        if not ticket.superseded:  # one that is left when it became so
            self._leave_identifier(ticket)
        self._of_owner[ticket.owner] -= 1
        if not self._of_owner[ticket.owner]:
            del self._of_owner[ticket.owner]

    def _leave_identifier(self, ticket: Ticket) -> None:
        slot = ticket.key.slot
        port = self._ports[slot.source, slot.server]
        there = port[slot.identifier]
        del there[ticket]
        if not there:
            del port[slot.identifier]
        if not port:
            del self._ports[slot.source, slot.server]

    def _drop(self, ticket: Ticket) -> None:
        del self._tickets[ticket.key]
        used = (ticket.key.slot, ticket.key.authenticator)
        self._authenticators[used] -= 1
        if not self._authenticators[used]:
            del self._authenticators[used]

    def _expire(self, now: float) -> None:
        while self._finished:
            oldest = next(iter(self._finished))
            if self._tickets[oldest].until > now:
                return
            del self._finished[oldest]
            self._drop(self._tickets[oldest])
