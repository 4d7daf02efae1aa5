"""Gathers what a phone is told about where its questions come from. The phone's own address stays here: it
is neither kept nor logged."""

from __future__ import annotations

from collections.abc import Iterable

from radius_push.factors.facts import Facts, address_in, kind_of, same_address, same_network
from radius_push.model import Address, Question
from radius_push.ports import Places, Store

MOST_REMEMBERED = 10_000


class FactsOf:
    """For all phones. Where the person came from before a question is read once for that question."""

    def __init__(self, store: Store, places: Places | None) -> None:
        self._store = store
        self.places = places
        self._earlier: dict[str, Address | None] = {}

    async def each(self, questions: Iterable[Question], *, phone: Address | None) -> dict[str, Facts]:
        """By question. `phone`: where the phone that is told comes from. Raises StoreDown."""
        return {question.id: await self._of(question, phone) for question in questions}

    async def _of(self, question: Question, phone: Address | None) -> Facts:
        user = address_in(question.address)
        if user is None:
            return Facts()
        kind = kind_of(user)
        shared = same_network(user, phone)
        return Facts(
            network=kind,
            place=self.places.find(user) if kind == "public" and self.places is not None else None,
            same_network_as_this_phone=shared,
            not_from_here=question.not_from_login_address and shared is True,
            same_address_as_last_login=same_address(user, await self._before(question)),
        )

    async def _before(self, question: Question) -> Address | None:
        if question.id not in self._earlier:
            written = await self._store.last_address_of(question.person, before=question.opened_at)
            if len(self._earlier) >= MOST_REMEMBERED:  # the oldest: it is read again if it is asked for
                del self._earlier[next(iter(self._earlier))]
            self._earlier[question.id] = address_in(written)
        return self._earlier[question.id]
