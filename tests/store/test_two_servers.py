"""Two servers over one file: what each may do while the other is there, and what it hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import PersonKey, Sighting, Stranger
from radius_push.ports import StoreDown
from radius_push.store import file, rumours
from radius_push.store.lock import StoreLock
from radius_push.store.rumours import Rumours
from radius_push.store.sqlite import SqliteStore
from tests.store.making import ALICE, BOB, NOW, STARTED, Log, SetClock, add_phone, ask, kinds


def serve(path: Path, name: str) -> SqliteStore:
    return SqliteStore.open(path, clock=SetClock(), on_event=Log(), serves=name)


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[SqliteStore, SqliteStore]]:
    first, second = (serve(tmp_path / "state.db", name) for name in ("first", "b"))
    yield first, second
    await first.close()
    await second.close()


async def test_a_name_is_served_once_and_a_replaced_store_by_nobody(
    two: tuple[SqliteStore, SqliteStore], tmp_path: Path
) -> None:
    path = tmp_path / "state.db"
    with pytest.raises(StoreDown, match=r"the radius-push b serves from .* already"):
        serve(path, "b")
    with pytest.raises(StoreDown, match=r"a radius-push serves from .* already .process"):
        StoreLock.take(path)
    for store in two:
        await store.close()
    alone = StoreLock.take(path)
    with pytest.raises(StoreDown, match="is being changed as a whole"):
        serve(path, "b")
    alone.release()
    await serve(path, "b").close()


async def test_an_answer_in_one_is_heard_by_who_waits_in_the_other(
    two: tuple[SqliteStore, SqliteStore],
) -> None:
    first, second = two
    await add_phone(first)
    await ask(first)
    waiting = asyncio.create_task(first.wait_for_answer("q1", b"packet q1", seconds=60))
    await asyncio.sleep(0)
    assert await second.answer("q1", device="d1", approve=True, at=NOW + 1, event=events.Sent("q1"))
    async with asyncio.timeout(10):
        assert (await waiting).question.state == "approved"


async def test_only_those_are_woken_whom_it_is_about(two: tuple[SqliteStore, SqliteStore]) -> None:
    first, second = two
    await ask(first, "q1", ALICE)
    async with first.bell(ALICE) as alices, first.bell(BOB) as bobs, first.news() as news:
        await ask(second, "q0", BOB)
        await first.look()  # the first time everybody is woken
        await asyncio.sleep(0)
        for bell in (alices, bobs, news):
            await bell.wait(0)
        await ask(second, "q2", BOB)
        await first.look()
        await asyncio.sleep(0)
        # What has rung does not wait.
        assert [bell._rung.is_set() for bell in (alices, bobs, news)] == [False, True, True]  # type: ignore[attr-defined]


async def test_who_has_not_looked_for_long_wakes_everybody(
    two: tuple[SqliteStore, SqliteStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rumours, "MOST_KEPT", 4)
    monkeypatch.setattr(rumours, "FORGET_EVERY", 2)
    _, second = two
    mine = file.open_file(tmp_path / "state.db")
    heard = Rumours(mine)
    await ask(second, "q0", ALICE)
    heard.heard()
    await ask(second, "q1", BOB)
    assert set(heard.heard()) == {"evidence", "question q1", f"person {BOB}"}
    for number in range(2, 12):
        await ask(second, f"q{number}", PersonKey("corp-ldap", f"uuid-{number}"))
    assert heard.heard() == ("everybody",)
    assert heard.heard() == ()
    assert mine.execute("SELECT count(*) FROM rung").fetchone()[0] <= 6
    mine.close()


async def test_both_write_one_chain(two: tuple[SqliteStore, SqliteStore]) -> None:
    await asyncio.gather(*(store.record(STARTED) for store in two * 50))
    assert await two[0].verify_evidence() == 100
    assert await kinds(two[1]) == ["server_started"] * 100


async def test_the_same_packet_opens_one_question_in_whichever_it_comes(
    two: tuple[SqliteStore, SqliteStore],
) -> None:
    await ask(two[0], "q1")
    with pytest.raises(AssertionError):
        await ask(two[1], "q1")


async def test_a_question_of_the_other_is_not_abandoned_while_somebody_may_wait_for_it(
    two: tuple[SqliteStore, SqliteStore],
) -> None:
    await ask(two[0], "q1")
    assert await two[1].close_abandoned(NOW + 45) == 0


async def test_tallies_are_of_both_and_those_of_a_server_that_is_no_more_are_forgotten(
    two: tuple[SqliteStore, SqliteStore],
) -> None:
    first, second = two
    await first.keep_tallies({("fw", "duplicate"): 3}, server="first")
    await second.keep_tallies({("fw", "duplicate"): 4, ("fw", "replayed"): 1}, server="b")
    assert await first.tallies() == {("fw", "duplicate"): 7, ("fw", "replayed"): 1}
    await second.server_started(events.ServerStarted("1", 12, "b"), names=("first", "b"))
    assert await first.tallies() == {("fw", "duplicate"): 3}
    await second.server_started(events.ServerStarted("1", 13, "c"), names=("c",))
    assert await first.tallies() == {}


async def test_who_serves_is_known_by_name(two: tuple[SqliteStore, SqliteStore]) -> None:
    first, second = two
    await first.server_started(events.ServerStarted("1", 11), names=("first", "b"))
    await second.server_started(events.ServerStarted("1", 12, "b"), names=("first", "b"))
    assert await first.servers() == {"first": 11, "b": 12}
    await first.server_started(events.ServerStarted("1", 21), names=("first", "b"))
    await second.server_stopped(events.ServerStopped(0, "b"))
    assert await second.servers() == {"first": 21}


async def test_what_one_heard_earlier_takes_nothing_back_of_what_the_other_heard(
    two: tuple[SqliteStore, SqliteStore],
) -> None:
    first, second = two
    await first.keep_sightings(
        [Sighting("fw", "10.0.0.1", NOW, NOW + 9, sealed_at=NOW + 9, secret=b"new")],
        [Stranger("10.9.9.9", 1, NOW, NOW + 9)],
        {},
    )
    await second.keep_sightings(
        [Sighting("fw", "10.0.0.1", NOW - 1, NOW + 5, NOW + 5, unsealed_at=NOW + 4, secret=b"old")],
        [Stranger("10.9.9.9", 2, NOW, NOW + 5)],
        {},
    )
    assert await first.sightings() == [
        Sighting("fw", "10.0.0.1", NOW - 1, NOW + 9, NOW + 9, unsealed_at=NOW + 4, secret=b"new")
    ]
    assert await first.strangers() == [Stranger("10.9.9.9", 3, NOW, NOW + 9)]


async def test_a_store_is_not_brought_up_to_date_under_a_server_that_does_not_know_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.db"
    before = serve(path, "first")
    monkeypatch.setattr(file, "MIGRATIONS", {**file.MIGRATIONS, "9999_more": "CREATE TABLE more (a) ;\n"})
    for opening in (lambda: serve(path, "b"), lambda: file.open_file(path)):
        with pytest.raises(
            StoreDown, match=r"brought up to date: a radius-push serves from .* stop it first"
        ):
            opening()
    await before.close()
    after = serve(path, "b")
    await serve(path, "first").close()
    await after.close()
