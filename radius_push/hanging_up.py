"""A gateway that waits no more: its connection is closed, or it asked again in place of this request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from radius_push.attempts import Standing
from radius_push.model import Question, Reason
from radius_push.ports import Store
from radius_push.radius.packet import Arrival
from radius_push.story import Quiet

T = TypeVar("T")


def hung_up(arrival: Arrival) -> Quiet | None:
    """Why nobody can be told any more, if so (RFC 6613 2.6.1: go no further)."""
    if arrival.hang_up is not None and arrival.hang_up.is_set():
        return Quiet(Reason.CONNECTION_CLOSED, "the gateway's connection was closed")
    return None


def given_up(arrival: Arrival) -> Quiet | None:
    """Why this request gets no reply any more, if so."""
    if arrival.superseded():
        return Quiet(Reason.SUPERSEDED, "the gateway sent a newer request in its place")
    return hung_up(arrival)


async def wait_for_answer(question: Question, arrival: Arrival, store: Store, *, seconds: float) -> Standing:
    """As the store does; and if the gateway hangs up, at once with the row as it then stands."""
    waiting = store.wait_for_answer(question.id, arrival.packet, seconds=seconds)
    if arrival.hang_up is None:
        return await waiting
    answer = asyncio.create_task(_until(waiting), name=f"answer to login {arrival.login}")
    gone = asyncio.create_task(_until(arrival.hang_up.wait()), name=f"hang-up of login {arrival.login}")
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
    finally:
        for task in (answer, gone):
            task.cancel()
        await asyncio.gather(answer, gone, return_exceptions=True)
    return await store.standing(question.id, arrival.packet)


async def _until(it: Awaitable[T]) -> T:
    return await it
