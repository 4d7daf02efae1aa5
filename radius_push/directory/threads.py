"""A few threads for work that blocks, with a bounded queue, so that one slow thing cannot fill the house."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Crowded(Exception):
    """There is no room for more work now: the queue is full, or every thread hangs."""


class Threads:
    """`count` threads and room for `waiting` more pieces of work.

    A piece of work that outlives its caller's patience keeps its thread until it ends; while all
    threads are so taken, new work is refused at once instead of waiting in vain.
    """

    def __init__(self, name: str, *, count: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._count = count
        self._room = count + waiting
        self._inside: set[Future[Any]] = set()
        self._hanging: set[Future[Any]] = set()

    async def run(self, work: Callable[[], T], *, seconds: float) -> T:
        """What `work` returns or raises. Raises Crowded, or TimeoutError after `seconds`; work that
        has not begun by then never begins."""
        if len(self._inside) >= self._room or len(self._hanging) >= self._count:
            raise Crowded
        try:
            future = self._pool.submit(work)
        except RuntimeError:  # closed
            raise Crowded from None
        # Both sets are changed by the thread that ends the work; adding and discarding are atomic.
        self._inside.add(future)
        future.add_done_callback(self._inside.discard)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(future)
        except (TimeoutError, asyncio.CancelledError):
            # wrap_future has cancelled what had not begun; what runs, runs on.
            if not future.done():
                self._hanging.add(future)
                future.add_done_callback(self._hanging.discard)
            raise

    def busy(self) -> int:
        """Pieces of work begun or waiting."""
        return len(self._inside)

    def close(self) -> None:
        """Take no more work and forget what waits; does not wait for what runs."""
        self._pool.shutdown(wait=False, cancel_futures=True)
