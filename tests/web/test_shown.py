"""Which device was given which question: bounded, in batches, and never in the phone's way."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, cast

from radius_push.events import Event
from radius_push.model import Device, DeviceState, PersonKey, Question
from radius_push.ports import Store, StoreDown
from radius_push.web import shown
from radius_push.web.shown import Shown
from tests.listen.desks import HandClock
from tests.store.making import a_question

ALICE = PersonKey("staff", "alice")
DEVICE = Device("d1", ALICE, "alice", "phone", b"", DeviceState.ACTIVE, 0.0, "i1")


class Kept:
    """A store that takes what it is given when it is let."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.batches: list[int] = []
        self.down = False

    async def add(self, *events: tuple[float, Event]) -> None:
        await self.open.wait()
        if self.down:
            raise StoreDown("it is down")
        self.batches.append(len(events))


def made(kept: Kept) -> tuple[Shown, Counter[str]]:
    counters: Counter[str] = Counter()
    return Shown(cast("Store", cast("Any", kept)), HandClock(), counters), counters


def questions(count: int) -> list[Question]:
    return [a_question(f"q{number}") for number in range(count)]


async def test_a_thousand_held_logins_are_a_few_transactions() -> None:
    kept = Kept()
    noted, _ = made(kept)
    for question in questions(1000):
        noted.note(DEVICE, [question], by="app")
    kept.open.set()
    await noted.close()
    assert sum(kept.batches) == 1000
    assert len(kept.batches) <= 1000 / shown.MOST_TOGETHER + 1


async def test_a_device_that_is_told_again_makes_no_second_row() -> None:
    kept = Kept()
    noted, _ = made(kept)
    kept.open.set()
    for _ in range(3):
        noted.note(DEVICE, questions(2), by="app")
    noted.note(DEVICE, questions(1), by="service_worker")
    await noted.close()
    assert sum(kept.batches) == 3


async def test_a_store_that_is_down_is_counted_and_later_ones_are_tried_again() -> None:
    kept = Kept()
    kept.down = True
    noted, counters = made(kept)
    kept.open.set()
    noted.note(DEVICE, questions(3), by="app")
    await noted.close()
    assert counters["phone_shown_not_noted"] == 3
    kept.down = False
    noted.note(DEVICE, [a_question("another")], by="app")
    await noted.close()
    assert kept.batches == [1]


async def test_what_a_slow_store_leaves_waiting_is_bounded() -> None:
    kept = Kept()
    noted, counters = made(kept)
    most = shown.MOST_WAITING
    noted.note(DEVICE, questions(most + 5), by="app")
    assert counters["phone_shown_not_noted"] == 5
    kept.open.set()
    await noted.close()
    assert sum(kept.batches) == most
