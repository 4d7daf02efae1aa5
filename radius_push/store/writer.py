"""The one thread that owns the SQLite connection: jobs queue up, and one commit carries all that wait.

A job that fails is undone alone: then all are undone, and done again with a savepoint around each. Nobody
hears that their job is done before the commit is on disk; a commit that fails fails all of them.
What waits while the thread is busy takes turns by gateway, so that one that floods keeps no other waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from radius_push.events import Event
from radius_push.ports import StoreDown
from radius_push.store import evidence
from radius_push.store.bells import EVIDENCE, Bells
from radius_push.store.rumours import Rumours

T = TypeVar("T")
OnEvent = Callable[[float, Event], None]
"""Called with the event's time once it is on disk."""

MOST_WAITING = 20_000
"""Of one client no more than there is room left: however many flood, another's first job fits."""
MOST_TOGETHER = 32
"""Jobs in one commit: others wait as long as it takes."""
COMPANY_SECONDS = 0.01
"""How long a job that nobody waits for may wait for others to share its commit with."""
LOOK_SECONDS = 0.2
"""How often we look whether another process changed the file, while anybody listens."""


class Transaction:
    """What one job sees: the rows, the evidence log, and the bells to ring once it is on disk."""

    def __init__(self, rows: sqlite3.Connection, head: evidence.Head | None) -> None:
        self.rows = rows
        self.head = head
        self.events: list[tuple[float, Event]] = []
        self.topics: list[str] = []

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        return self.rows.execute(sql, values)

    def write(self, at: float, event: Event) -> None:
        """Add an event to the hash chain."""
        if self.head is None:
            self.head = evidence.head(self.rows)
        self.head = evidence.append(self.rows, self.head, at=at, event=event)
        self.events.append((at, event))
        self.ring(EVIDENCE)

    def number(self) -> int:
        """Of the event that was written last."""
        return 0 if self.head is None else self.head.number

    def ring(self, topic: str) -> None:
        """Here, and in every process that waits for it."""
        self.topics.append(topic)


Work = Callable[[Transaction], T]
"""What a job does. It may be called twice, the first time undone."""


@dataclass(slots=True)
class Job:
    """Work that somebody in an event loop waits for, and what came of it."""

    work: Work[Any]
    writes: bool
    urgent: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    whose: str = ""
    result: Any = None
    error: Exception | None = None
    events: Sequence[tuple[float, Event]] = field(default=())

    def fail(self, error: Exception) -> None:
        self.result, self.error, self.events = None, error, ()


class Writer:
    """Runs jobs in order in its own thread."""

    def __init__(self, rows: sqlite3.Connection, *, on_event: OnEvent) -> None:
        """Takes over `rows`: nobody else may touch them from now on."""
        self.bells = Bells(on_listening=self._wake)
        self._rows = rows
        self._on_event = on_event
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._handed = 0
        # Whose -> the jobs that are not handed over yet; whose turn is next comes first.
        self._lines: dict[str, deque[Job]] = {}
        self._unfinished = 0
        self._owed: Counter[str] = Counter()
        self._closed = False
        self._rumours = Rumours(rows)
        self._looked_at = 0.0
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    def busy(self) -> int:
        """Jobs that nobody has heard the end of yet."""
        return self._unfinished

    def owed(self, whose: str) -> int:
        """Those of one client."""
        return self._owed[whose]

    async def run(self, work: Work[T], *, writes: bool, whose: str = "", urgent: bool = True) -> T:
        """Do `work` in a transaction. Returns when it is on disk; raises StoreDown, or what `work` raised.
        `whose`: the client it is for, if any. Not `urgent`: nobody's login waits for it, so that it waits a
        moment for a commit to share."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:
            if self._closed:
                raise StoreDown("the store is closed")
            room = MOST_WAITING - self._unfinished
            if room < 0:
                raise StoreDown(f"{MOST_WAITING} store jobs are waiting already")
            if whose and self._owed[whose] >= room:
                raise StoreDown(f"{self._owed[whose]} store jobs of {whose} are waiting already")
            self._lines.setdefault(whose, deque()).append(Job(work, writes, urgent, loop, future, whose))
            self._unfinished += 1
            self._owed[whose] += 1
            self._hand_over()
        return await future

    async def look(self) -> None:
        """Hear at once, and not a moment later, what another process has changed."""
        self._looked_at = -LOOK_SECONDS
        await self.run(lambda _: None, writes=False)

    async def close(self) -> None:
        """Finish what was begun and let go of the file."""
        with self._lock:
            self._closed = True
        self._wake()
        # Nothing is left to cancel here: the thread ends by itself as soon as its queue is empty.
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _hand_over(self) -> None:
        """Give the thread what fits into its next commit. For whoever holds the lock."""
        while self._lines and self._handed < MOST_TOGETHER:
            whose, line = next(iter(self._lines.items()))
            self._jobs.put(line.popleft())
            self._handed += 1
            del self._lines[whose]
            if line:
                self._lines[whose] = line  # to the end

    def _wake(self) -> None:
        self._jobs.put(None)

    # --- in the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while True:
                jobs = self._take()
                # Before the jobs: when `busy` says zero, every ring has been handed to its loop.
                self._look()
                if jobs:
                    self._together(jobs)
                elif self._closed:
                    break
        finally:
            # Reached in the middle only by a fault of our own: then whoever waits must not wait for ever.
            with self._lock:
                self._closed = True
            self._fail_waiting()
            self._rows.close()

    def _take(self) -> list[Job]:
        """Wait for a job, and take all that are there. Empty: woken for another reason."""
        taken: list[Job] = []
        with contextlib.suppress(queue.Empty):
            seconds = LOOK_SECONDS if self.bells.anybody() else None
            job = None if self._closed and self._jobs.empty() else self._jobs.get(timeout=seconds)
            alone, hurry = time.monotonic() + COMPANY_SECONDS, False
            while True:
                if job is not None:
                    taken.append(job)
                    hurry = hurry or job.urgent
                if len(taken) >= MOST_TOGETHER:
                    break
                hurry = hurry or self._closed or not taken
                job = self._next(0.0 if hurry else alone - time.monotonic())
        return taken

    def _next(self, seconds: float) -> Job | None:
        return self._jobs.get(timeout=seconds) if seconds > 0 else self._jobs.get_nowait()

    def _together(self, jobs: Sequence[Job]) -> None:
        try:
            begin = "BEGIN IMMEDIATE" if any(job.writes for job in jobs) else "BEGIN"
            self._rows.execute(begin)
            topics = self._at_once(jobs)
            if topics is None:
                self._rows.execute("ROLLBACK")
                self._rows.execute(begin)
                topics = self._one_by_one(jobs)
            self._rumours.spread(topics)
            self._rows.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  whatever it was, nobody may wait for ever
            topics = []
            with contextlib.suppress(sqlite3.Error):
                self._rows.rollback()
            for job in jobs:
                job.fail(_down(error))
        with self._lock:
            self._handed -= len(jobs)
            self._hand_over()
        # Bells first: when `busy` says zero, every ring has been handed to its loop.
        for topic in dict.fromkeys(topics):
            self.bells.ring(topic)
        self._deliver(jobs)

    def _at_once(self, jobs: Sequence[Job]) -> list[str] | None:
        """Run the jobs in one go, which is nearly always all there is to do; returns the bells to ring. None:
        one of them failed, and what they have written is to be undone."""
        topics: list[str] = []
        head: evidence.Head | None = None
        for job in jobs:
            transaction = Transaction(self._rows, head)
            try:
                job.result = job.work(transaction)
            except Exception:
                if not self._rows.in_transaction:  # a full disk ends the whole transaction: all are lost
                    raise
                return None
            head = transaction.head
            job.events = transaction.events
            topics += transaction.topics
        return topics

    def _one_by_one(self, jobs: Sequence[Job]) -> list[str]:
        """The same, where a job that fails is undone alone. Raises what failed if all are lost."""
        topics: list[str] = []
        head: evidence.Head | None = None
        for job in jobs:
            transaction = Transaction(self._rows, head)
            self._rows.execute("SAVEPOINT job")
            try:
                job.result = job.work(transaction)
            except Exception as error:
                if not self._rows.in_transaction:  # a full disk ends the whole transaction: all are lost
                    raise
                self._rows.execute("ROLLBACK TO job")
                job.fail(_down(error) if isinstance(error, sqlite3.Error) else error)
            else:
                head = transaction.head
                job.events = transaction.events
                topics += transaction.topics
            self._rows.execute("RELEASE job")
        return topics

    def _look(self) -> None:
        """Has another process changed the file? Then its bells ring here too."""
        now = time.monotonic()
        if not self.bells.anybody() or now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        # What is wrong with the file is told to the next job.
        with contextlib.suppress(sqlite3.Error):
            for topic in self._rumours.heard():
                self.bells.ring(topic)

    def _fail_waiting(self) -> None:
        with self._lock:
            waiting = [job for line in self._lines.values() for job in line]
            self._lines.clear()
        with contextlib.suppress(queue.Empty):
            while True:
                job = self._jobs.get_nowait()
                if job is not None:
                    waiting.append(job)
        for job in waiting:
            job.fail(StoreDown("the store is closed"))
        self._deliver(waiting)

    def _deliver(self, jobs: Sequence[Job]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
        for job in jobs:
            by_loop.setdefault(job.loop, []).append(job)
        for loop, done in by_loop.items():
            try:
                loop.call_soon_threadsafe(self._settle, done)
            except RuntimeError:  # the loop is gone, and with it whoever waited
                self._forget(done)

    def _forget(self, jobs: Sequence[Job]) -> None:
        with self._lock:
            self._unfinished -= len(jobs)
            for job in jobs:
                self._owed[job.whose] -= 1

    # --- in the event loop ---------------------------------------------------------------------------

    def _settle(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            for at, event in job.events:
                self._tell(job.loop, at, event)
            if job.future.done():  # whoever waited was cancelled
                pass
            elif job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)
        self._forget(jobs)

    def _tell(self, loop: asyncio.AbstractEventLoop, at: float, event: Event) -> None:
        try:
            self._on_event(at, event)
        except Exception as error:  # noqa: BLE001  a log that fails must not undo what is on disk
            loop.call_exception_handler({"message": "an event was not logged", "exception": error})


def _down(error: Exception) -> StoreDown:
    down = StoreDown(f"the store could not do its part: {error}")
    down.__cause__ = error
    return down
