"""Which device was given which question: noted in the evidence beside the streams, many at a time."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from itertools import islice
from typing import Literal

from radius_push import events
from radius_push.model import Device, Question
from radius_push.ports import Clock, Store, StoreDown

MOST_TOGETHER = 200
"""Rows in one transaction."""
MOST_WAITING = 20_000
"""What comes while so many wait to be written is only counted."""
MOST_REMEMBERED = 50_000

By = Literal["app", "service_worker"]


class Shown:
    """Notes each device and question once. Never waits and never raises: the phone comes first."""

    def __init__(self, store: Store, clock: Clock, counters: Counter[str]) -> None:
        self._store = store
        self._clock = clock
        self._counters = counters
        self._noted: dict[tuple[str, str, By], None] = {}
        self._waiting: deque[tuple[float, events.Shown]] = deque()
        self._writing: asyncio.Task[None] | None = None

    def note(self, device: Device, questions: Iterable[Question], *, by: By) -> None:
        """This device has been given these."""
        for question in questions:
            key = (question.id, device.id, by)
            if key in self._noted:
                continue
            if len(self._noted) >= MOST_REMEMBERED:  # the oldest: what is forgotten the store still knows
                del self._noted[next(iter(self._noted))]
            self._noted[key] = None
            if len(self._waiting) >= MOST_WAITING:
                self._counters["phone_shown_not_noted"] += 1
                continue
            event = events.Shown(question.login, question.id, str(question.person), device.id, by)
            self._waiting.append((self._clock.now(), event))
        if self._waiting and self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write(), name="shown")

    async def close(self) -> None:
        """Finish what was noted."""
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        try:
            while together := list(islice(self._waiting, MOST_TOGETHER)):
                await self._store.add(*together)
                for _ in together:
                    self._waiting.popleft()
        except StoreDown:
            self._counters["phone_shown_not_noted"] += len(self._waiting)
            self._waiting.clear()
        finally:
            self._writing = None
