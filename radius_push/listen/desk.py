"""Where a listener hands over what arrived, and what the listeners share about it."""

from __future__ import annotations

import secrets
from typing import Protocol

from radius_push import trace_code as codes
from radius_push.accounting import AccountingArrival
from radius_push.model import Accepted, Reason, Rejected, Verdict
from radius_push.radius.packet import Arrival

FRESH_TRY = frozenset(
    {Reason.DIRECTORY_DOWN, Reason.ATTRIBUTE_NOT_READ, Reason.SERVER_STOPPED, Reason.STORE_DOWN}
)
"""Silences that end when their cause does: the gateway's next packet is a fresh try. What it finds in the
store is its own question, if that was written."""


class Desk(Protocol):
    """Who decides about logins, and keeps what is reported of sessions."""

    async def log_in(self, arrival: Arrival) -> Verdict:
        """Decide. An accept must be on disk when this returns."""

    async def sent(self, arrival: Arrival) -> None:
        """The Access-Accept of this login has left."""

    async def not_heard(self, login: str, packet: bytes, client: str, seconds: float) -> None:
        """The gateway sent this packet again, so many seconds after its answer. `login`: the code that it
        arrived under."""

    async def repeated(self, arrival: Arrival, verdict: Verdict, *, times: int, last_at: float) -> None:
        """The gateway sent this very packet so often again while it was held, at last at `last_at` (UTC
        seconds). Told once, when the login has ended."""

    async def account(self, arrival: AccountingArrival) -> None:
        """Keep it: on disk when this returns. Raises StoreDown."""

    async def answers(self) -> None:
        """Return if the store can be read. Raises StoreDown."""


def trace_code() -> str:
    """A new login's code: six letters and digits that nobody mixes up."""
    return codes.write(secrets.randbelow(codes.COUNT))


def trace_code_in(arrival: Arrival, verdict: Accepted | Rejected) -> str:
    """What ends the words that people read; empty: nothing does."""
    client = arrival.client
    if not client.trace_code:
        return ""
    groups = client.groups_in.attribute.casefold() if client.groups_in else ""
    if isinstance(verdict, Accepted) and groups == "reply-message":
        return ""  # groups are read there, and no words: not an octet more than was decided
    return verdict.login or arrival.login
