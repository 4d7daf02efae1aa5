"""Which sessions there are and were: read from the store."""

from __future__ import annotations

from radius_push.observe.logins import wanted
from radius_push.ports import Store
from radius_push.sessions import Session

PAGE = 500
"""Sessions read in one go."""


async def newest(
    store: Store, *, live: bool, user: str | None, client: str | None, most: int
) -> list[Session]:
    """The last `most` that are wanted, oldest first. `user`: a name as sent, a person, or whoever has a phone
    under that name; letter case does not matter."""
    asked = await wanted(store, user=user, client=client, since=None)
    persons = {str(person) for person in asked.persons}
    found: list[Session] = []
    before: int | None = None
    while len(found) < most and (page := await store.sessions_before(before, live=live, most=PAGE)):
        for number, session in page:
            before = number
            if client is not None and session.key.client != client:
                continue
            if user is None or session.person in persons or _is_called(session, user):
                found.append(session)
    return found[:most][::-1]


def _is_called(session: Session, user: str) -> bool:
    return user.casefold() in ((session.username or "").casefold(), (session.person or "").casefold())
