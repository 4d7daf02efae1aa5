"""The one writer thread: what shares a commit, what a failure takes with it, and when it is told."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import uvloop

from radius_push import events
from radius_push.model import Reason
from radius_push.ports import StoreDown
from radius_push.sessions import Reset, Status
from radius_push.store import writer
from radius_push.store.sqlite import SqliteStore
from radius_push.store.writer import Transaction
from tests.store.making import ALICE, NOW, STARTED, Log, add_phone, ask, invite, kinds, open_store


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def store(tmp_path: Path, log: Log) -> AsyncIterator[SqliteStore]:
    store = open_store(tmp_path / "state.db", log=log)
    yield store
    await store.close()


class Gate:
    """A job that holds the writer thread until it is opened, so that what comes next shares a commit."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def __call__(self, transaction: Transaction) -> None:
        self.reached.set()
        self._open.wait()

    def open(self) -> None:
        self._open.set()


async def shut(store: SqliteStore) -> tuple[Gate, asyncio.Task[None]]:
    gate = Gate()
    held = asyncio.create_task(store._write(gate))
    await asyncio.to_thread(gate.reached.wait)
    return gate, held


async def queued() -> None:
    """Let tasks that were just made reach the queue."""
    await asyncio.sleep(0)


async def test_nothing_is_told_before_the_commit(store: SqliteStore, log: Log) -> None:
    first, held = await shut(store)
    early = asyncio.create_task(store.record(STARTED))
    last = Gate()
    late = asyncio.create_task(store._write(last))
    await queued()
    first.open()
    await asyncio.to_thread(last.reached.wait)
    # The event is written by now; its commit waits for the job behind it.
    assert not early.done()
    assert log.events == []
    last.open()
    await asyncio.gather(held, early, late)
    assert log.events == [STARTED]


async def test_a_job_that_fails_undoes_itself_alone(store: SqliteStore, log: Log) -> None:
    def fail(transaction: Transaction) -> None:
        transaction.write(NOW, events.Sent("never"))
        raise LookupError("mine")

    gate, held = await shut(store)
    jobs = [
        asyncio.create_task(job) for job in (store.record(STARTED), store._write(fail), store.record(STARTED))
    ]
    await queued()
    gate.open()
    ended = await asyncio.gather(held, *jobs, return_exceptions=True)
    assert [type(end) for end in ended] == [type(None), type(None), LookupError, type(None)]
    assert await kinds(store) == ["server_started", "server_started"]
    assert await store.verify_evidence() == 2
    assert log.events == [STARTED, STARTED]


async def test_a_commit_that_fails_fails_all_of_it(store: SqliteStore, log: Log) -> None:
    def spoil(transaction: Transaction) -> None:
        # A device that is not there: this foreign key is looked at only by COMMIT.
        transaction.execute("UPDATE invitations SET redeemed_by = 'nobody'")

    await invite(store)
    before = await kinds(store)
    log.events.clear()
    gate, held = await shut(store)
    jobs = [asyncio.create_task(job) for job in (store.record(STARTED), store._write(spoil))]
    await queued()
    gate.open()
    await asyncio.gather(held, return_exceptions=True)
    for job in jobs:
        with pytest.raises(StoreDown):
            await job
    assert await kinds(store) == before
    assert log.events == []
    await store.record(STARTED)
    assert await store.verify_evidence() == len(before) + 1


async def limit_pages(store: SqliteStore, most: int) -> None:
    await store._read(lambda rows: rows.execute(f"PRAGMA max_page_count = {most}").fetchone())


async def test_accounting_takes_turns_by_client_and_what_is_owed_is_known(store: SqliteStore) -> None:
    gate, held = await shut(store)
    reset = Reset("loud", "nas", Status.ON, at=NOW, heard_at=NOW)
    done: list[str] = []

    def note(whose: str, _: object) -> None:
        done.append(whose)

    flood = [asyncio.create_task(store.reset_sessions(reset, packet=bytes([n]) * 32)) for n in range(100)]
    await queued()
    asking = asyncio.create_task(store.devices_of(ALICE, client="quiet"))
    await queued()
    assert (store.owed("loud"), store.owed("quiet"), store.owed("another")) == (100, 1, 0)
    for task, whose in ((asking, "quiet"), *((task, "loud") for task in flood)):
        task.add_done_callback(partial(note, whose))
    gate.open()
    await asyncio.gather(held, asking, *flood)
    assert done.index("quiet") < 64  # in the second commit at the latest
    assert (store.owed("loud"), store.owed("quiet")) == (0, 0)


async def test_a_full_disk_is_said_and_what_is_there_stays_whole(store: SqliteStore) -> None:
    await add_phone(store)

    await limit_pages(store, 1)  # SQLite takes it for "not one page more"
    written = 0

    async def fill() -> None:
        nonlocal written
        while True:
            await store.record(events.Sent("x" * 2000))
            written += 1

    with pytest.raises(StoreDown, match="full"):
        await fill()
    assert len(await store.devices_of(ALICE)) == 1
    assert (await kinds(store)).count("sent") == written
    await limit_pages(store, 1_000_000)
    await ask(store)
    assert await store.verify_evidence() == len(await kinds(store))


async def test_a_file_that_another_process_holds_too_long_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radius_push.store.file.BUSY_SECONDS", 0.0)
    store = open_store(tmp_path / "held.db")
    other = sqlite3.connect(tmp_path / "held.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown, match="locked"):
        await store.record(STARTED)
    assert await kinds(store) == []
    other.execute("ROLLBACK")
    other.close()
    await store.record(STARTED)
    await store.close()


async def test_more_jobs_than_it_can_keep_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 3)
    store = open_store(tmp_path / "state.db")
    gate, held = await shut(store)
    jobs = [asyncio.create_task(store.record(STARTED)) for _ in range(5)]
    await queued()
    gate.open()
    ended = await asyncio.gather(held, *jobs, return_exceptions=True)
    assert [type(end) for end in ended] == [type(None)] * 4 + [StoreDown] * 2
    assert store.busy() == 0
    await store.close()


async def test_clients_that_flood_leave_room_for_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 12)
    store = open_store(tmp_path / "state.db")
    gate, held = await shut(store)
    loud = [
        asyncio.create_task(store._read(lambda rows: None, client=client))
        for client in ("loud", "louder")
        for _ in range(20)
    ]
    await queued()
    others = [asyncio.create_task(store._read(lambda rows: None, client=client)) for client in ("quiet", "")]
    await queued()
    gate.open()
    await asyncio.gather(held, *others)
    ended = await asyncio.gather(*loud, return_exceptions=True)
    done = [end is None for end in ended]
    assert (sum(done[:20]), sum(done[20:])) == (6, 3)
    assert store.busy() == 0
    await store.close()


async def test_a_client_that_floods_keeps_no_other_waiting(store: SqliteStore, log: Log) -> None:
    def a_refusal(client: str) -> events.Rejected:
        return events.Rejected(
            login="K7F2QX",
            client=client,
            username="alice",
            person=None,
            reason=Reason.UNKNOWN_USER,
            detail="",
            address=None,
            question=None,
            directories=(),
            trace=(),
            arrived_at=NOW,
        )

    gate, held = await shut(store)
    flood = [asyncio.create_task(store.record(a_refusal("loud"))) for _ in range(10 * writer.MOST_TOGETHER)]
    await queued()
    quiet = asyncio.create_task(store.record(a_refusal("quiet")))
    await queued()
    gate.open()
    await asyncio.gather(held, quiet, *flood)
    order = [event.client for event in log.events if isinstance(event, events.Rejected)]
    # Behind what the next commit holds already, and not behind all of it.
    assert order.index("quiet") <= writer.MOST_TOGETHER + 1


async def test_what_nobody_waits_for_is_done_all_the_same(store: SqliteStore) -> None:
    await store.sent(b"packet", login="K7F2QX", at=NOW)
    assert await kinds(store) == ["sent"]


async def test_busy_counts_what_nobody_has_heard_of_yet(store: SqliteStore) -> None:
    assert store.busy() == 0
    gate, held = await shut(store)
    assert store.busy() == 1
    gate.open()
    await held
    assert store.busy() == 0


async def test_a_caller_that_goes_away_takes_nothing_with_it(store: SqliteStore) -> None:
    gate, held = await shut(store)
    gone = asyncio.create_task(store.record(STARTED))
    await queued()
    gone.cancel()
    gate.open()
    await held
    assert await kinds(store) == ["server_started"]
    assert store.busy() == 0


async def test_a_log_that_fails_does_not_undo_what_is_on_disk(tmp_path: Path) -> None:
    def broken(at: float, event: events.Event) -> None:
        raise OSError("no log")

    said: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context["message"]))
    store = SqliteStore.open(tmp_path / "state.db", clock=None, on_event=broken)  # type: ignore[arg-type]
    assert await store.accept(None, at=NOW, event=STARTED)
    assert await kinds(store) == ["server_started"]
    assert said == ["an event was not logged"]
    await store.close()


async def test_closing_finishes_what_was_begun(store: SqliteStore, log: Log) -> None:
    jobs = [asyncio.create_task(store.record(STARTED)) for _ in range(20)]
    await queued()
    await store.close()
    await asyncio.gather(*jobs)
    assert len(log.events) == 20


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_it_works_in_either_event_loop(run: object, tmp_path: Path) -> None:
    async def story() -> str:
        store = open_store(tmp_path / "state.db")
        await add_phone(store)
        await ask(store)
        waiting = asyncio.create_task(store.wait_for_answer("q1", b"packet q1", seconds=600))
        assert await store.answer("q1", device="d1", approve=True, at=NOW, event=STARTED)
        row = (await waiting).question
        await store.close()
        return row.state

    assert run(story()) == "approved"  # type: ignore[operator]
