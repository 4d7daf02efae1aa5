"""A gateway that waits no more: its connection is closed, it asked again in place of this request, or fell
silent in the middle of its repetitions."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable
from typing import TypeVar

from radius_push.attempts import Standing
from radius_push.model import Question, Reason
from radius_push.ports import Clock, Store
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


def falls_silent(arrival: Arrival, clock: Clock) -> float:
    """Seconds after which it may be plain that the gateway waits no more: it asked again and again, and then
    not when it should have. 0 or less: it is. Endless if nothing can tell it, and where the settings say
    themselves how long the gateway waits.

    An answer behind that moment would be heard by nobody; a yes is better kept for the next try.
    """
    if arrival.repeats is None or arrival.hang_up is not None or arrival.client.patience_said:
        return math.inf
    now = clock.monotonic()
    return arrival.repeats.over_at(now) - now


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
