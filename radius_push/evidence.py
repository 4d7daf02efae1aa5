"""The evidence as the rest of the house reads it: that part of the store's door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

from radius_push.model import PersonKey

EvidenceRow = tuple[int, float, str, dict[str, object]]
"""number, at, kind, fields."""


class EvidenceReader(Protocol):
    """Part of `ports.Store`. Every method may raise StoreDown."""

    def evidence(self, *, after: int = 0) -> AsyncIterator[EvidenceRow]:
        """Rows in order, behind number `after`."""

    async def evidence_before(
        self, number: int | None, *, kinds: Collection[str], most: int
    ) -> Sequence[EvidenceRow]:
        """Newest first: rows of these kinds before `number` (None: from the end)."""

    async def evidence_of(self, login: str) -> Sequence[EvidenceRow]:
        """What happened to the logins with this trace code, in order; of very many rows the newest."""

    async def last_login_of(self, person: PersonKey) -> EvidenceRow | None:
        """How their last login ended: accepted, rejected or unanswered."""

    async def last_address_of(self, person: PersonKey, *, before: float) -> str | None:
        """From where they were let in last before then, as their gateway reported it; None: never, or it
        reported none. What was only authorized is no login, and one that they contested was not theirs."""

    async def verify_evidence(self) -> int:
        """Walk the hash chain; the number of its last row. Raises StoreDown naming the first broken
        row."""
