"""Bounded threads: what hangs in them never makes the next one wait in vain."""

from __future__ import annotations

import asyncio
import threading

import pytest

from radius_push.directory.threads import Crowded, Threads


async def test_work_returns_and_raises_as_if_called() -> None:
    threads = Threads("test", count=1, waiting=1)
    assert await threads.run(lambda: 6 * 7, seconds=10) == 42
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0, seconds=10)
    threads.close()


async def test_when_every_thread_hangs_new_work_is_refused_at_once_until_one_is_free() -> None:
    threads = Threads("test", count=2, waiting=50)
    hang = threading.Event()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await threads.run(hang.wait, seconds=0.01)
    with pytest.raises(Crowded):
        await threads.run(lambda: 1, seconds=10)
    hang.set()
    async with asyncio.timeout(10):
        while True:
            try:
                assert await threads.run(lambda: 1, seconds=10) == 1
                break
            except Crowded:
                await asyncio.sleep(0)
    threads.close()


async def test_a_full_queue_refuses() -> None:
    threads = Threads("test", count=1, waiting=2)
    hang = threading.Event()
    inside = [asyncio.create_task(threads.run(hang.wait, seconds=10)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Crowded):
        await threads.run(lambda: 1, seconds=10)
    hang.set()
    assert all(await asyncio.gather(*inside))
    threads.close()


async def test_work_that_has_not_begun_in_time_never_begins() -> None:
    threads = Threads("test", count=1, waiting=2)
    hang, began = threading.Event(), threading.Event()
    first = asyncio.create_task(threads.run(hang.wait, seconds=10))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await threads.run(began.set, seconds=0.01)
    hang.set()
    await first
    await threads.run(lambda: None, seconds=10)
    assert not began.is_set()
    threads.close()


async def test_closed_threads_refuse() -> None:
    threads = Threads("test", count=1, waiting=1)
    threads.close()
    with pytest.raises(Crowded):
        await threads.run(lambda: 1, seconds=10)
