"""A clock that a test turns: the event loop's time jumps to the next timer when nothing is in flight.

Sockets, threads and the store are the real ones. While one of them has something to deliver, time stands
still; when all are idle, waiting 45 s takes as long as reading this line.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

SETTLE = 0.004
"""Real seconds in which loopback and other threads must have said whatever they are going to say."""


class TurnedSelector(selectors.DefaultSelector):
    """Where the loop would sleep until its next timer: look around once more, then turn the clock."""

    turn: Callable[[float], None]
    in_flight: Callable[[], int]
    settle: float

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        while self.in_flight():
            ready = super().select(0.05)
            if ready:
                return ready
        ready = super().select(self.settle if timeout is not None else None)
        if not ready and timeout is not None and not self.in_flight():
            self.turn(timeout)
        return ready


class TurnedLoop(asyncio.SelectorEventLoop):
    """A standard event loop whose `time()` moves only by waiting."""

    def __init__(self, *, settle: float = SETTLE, begins: float = 1000.0) -> None:
        """`settle`: 0 where everything that can be in flight is watched."""
        selector = TurnedSelector()
        selector.settle = settle
        self._turned = begins
        self._jobs = 0
        self.watched: list[Callable[[], int]] = []
        """More that can be in flight: stores' `busy`."""
        selector.turn = self._turn
        selector.in_flight = lambda: self._jobs + sum(busy() for busy in self.watched)
        super().__init__(selector)

    def time(self) -> float:
        return self._turned

    def _turn(self, seconds: float) -> None:
        self._turned += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        self._jobs += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._job_done)
        return future

    def _job_done(self, future: asyncio.Future[Any]) -> None:
        self._jobs -= 1


class TurnedClock:
    """The `Clock` of a turned loop: a fixed day, moved by the loop's time."""

    START = 1_790_000_000.0

    def __init__(self, loop: TurnedLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        return self.START + self._loop.time()

    def monotonic(self) -> float:
        return self._loop.time()


def run(story: Coroutine[Any, Any, T]) -> T:
    """Play a story on a turned clock."""
    with asyncio.Runner(loop_factory=TurnedLoop) as runner:
        return runner.run(story)
