"""Bells: a hint, within this process, that rows about a topic changed. The row is the truth."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Lock

from radius_push.model import PersonKey

EVIDENCE = "evidence"
"""The topic of whatever is written to the evidence log."""


POST = "post"
"""The topic of whatever is to be told by mail or rung."""

EVERYBODY = "everybody"
"""Rings every bell."""


def person_topic(person: PersonKey | str) -> str:
    return f"person {person}"


def question_topic(question: str) -> str:
    return f"question {question}"


class OneBell:
    """One listener's bell. A ring that comes between two waits is not lost."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """From any thread."""
        # A loop that is gone has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self, seconds: float) -> None:
        """Return at the next ring, or after `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._rung.wait()
        self._rung.clear()


class Bells:
    """Who listens to what. Listening is done in an event loop, ringing in any thread."""

    def __init__(self, *, on_listening: Callable[[], None]) -> None:
        """`on_listening` is called when somebody begins to listen."""
        self._on_listening = on_listening
        self._lock = Lock()
        self._by_topic: dict[str, set[OneBell]] = {}

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncIterator[OneBell]:
        bell = OneBell()
        with self._lock:
            self._by_topic.setdefault(topic, set()).add(bell)
        try:
            self._on_listening()
            yield bell
        finally:
            with self._lock:
                bells = self._by_topic[topic]
                bells.discard(bell)
                if not bells:
                    del self._by_topic[topic]

    def anybody(self) -> bool:
        return bool(self._by_topic)

    def ring(self, topic: str) -> None:
        with self._lock:
            if topic == EVERYBODY:
                bells = [bell for bells in self._by_topic.values() for bell in bells]
            else:
                bells = list(self._by_topic.get(topic, ()))
        for bell in bells:
            bell.ring()
