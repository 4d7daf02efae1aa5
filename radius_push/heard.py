"""Was the answer heard? What a gateway does next tells, and goes into the evidence of the login.

That it *was* heard is told by the accounting Start of the session (`sessions.py`). Without accounting, and
without another word of the gateway, nobody knows.
"""

from __future__ import annotations

from typing import Literal

from radius_push.events import NotHeard
from radius_push.model import Question
from radius_push.ports import Store

SOON = 60.0
"""Seconds behind an accept in which a new try of the same attempt says that the accept did not arrive. Later
it is another sign-in."""

KNOWN = ("not_heard", "session_started")
"""Events behind which there is nothing new to say."""


async def tried_again(store: Store, before: Question, *, now: float) -> None:
    """The attempt of a question by which somebody was let in is asked about anew."""
    seconds = now - (before.closed_at or before.opened_at)
    await not_heard(store, login=before.login, client=before.client, what="new_try", seconds=seconds)


async def not_heard(
    store: Store, *, login: str, client: str, what: Literal["repeated", "new_try"], seconds: float
) -> bool:
    """Write that the answer of this login was not taken, told `seconds` after it. False, and nothing is
    written: that is known already, or its session began, or a new try came too late to tell."""
    if what == "new_try" and seconds > SOON:
        return False
    if any(row[2] in KNOWN for row in await store.evidence_of(login)):
        return False
    await store.record(NotHeard(login, client, what, round(seconds * 1000)))
    return True
