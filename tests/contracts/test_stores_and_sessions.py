"""What every store must keep to about sessions, whatever it is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from radius_push import events
from radius_push.ports import Store
from radius_push.sessions import News, Reset, Session, SessionKey, Status, Traffic
from tests.store.making import ALICE, NOW, Log, SetClock, kinds, open_store

FULL = News(
    key=SessionKey("fw", "fw-1", "S1"),
    status=Status.START,
    at=NOW,
    heard_at=NOW + 1,
    username="alice",
    address="203.0.113.7",
    framed=("10.8.0.7", "2001:db8::7"),
    port="tun0",
    traffic=Traffic(1, 2, 3, 4, 5),
)
DAY = 86400.0


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite"])
async def store(tmp_path: Path, clock: SetClock, log: Log) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "state.db", clock, log)
    yield store
    await store.close()


async def tell(store: Store, news: News = FULL, *, packet: bytes | None = None, most: int = 100) -> str:
    return await store.account(news, packet=packet or repr(news).encode(), most=most)


def word(status: Status, at: float = 0.0, *, id: str = "S1", nas: str = "fw-1", client: str = "fw") -> News:
    assert status not in (Status.ON, Status.OFF)
    key = SessionKey(client, nas, id)
    return replace(FULL, key=key, status=status, at=NOW + at, heard_at=NOW + at, traffic=Traffic())


async def listed(store: Store, *, live: bool = True) -> list[Session]:
    return [session for _, session in await store.sessions_before(None, live=live, most=100)]


async def log_in(store: Store, clock: SetClock, login: str, *, at: float, client: str = "fw") -> None:
    clock.time = NOW + at
    event = events.Accepted(
        login=login, client=client, username="alice", person=str(ALICE), profile="p", policy=None,
        method="none", question=None, device=None, address=None, reply=(), directories=(), trace=(),
        arrived_at=NOW + at,
    )  # fmt: skip
    await store.accept(None, at=NOW + at, event=event)


async def test_a_session_is_read_as_it_was_told(store: Store) -> None:
    assert await tell(store) == "opened"
    assert await listed(store) == [
        Session(
            key=FULL.key, username="alice", address="203.0.113.7", framed=FULL.framed, port="tun0",
            started_at=NOW - 1, started_told=True, heard_at=NOW + 1, traffic=FULL.traffic,
        )
    ]  # fmt: skip


async def test_a_start_and_a_stop_are_evidence_and_an_interim_is_not(store: Store, log: Log) -> None:
    told = [
        await tell(store, word(status, at))
        for status, at in ((Status.START, 0), (Status.INTERIM, 60), (Status.STOP, 90))
    ]
    assert told == ["opened", "kept", "kept"]
    assert await kinds(store) == ["session_started", "session_ended"]
    [started, ended] = log.events
    assert isinstance(started, events.SessionStarted)
    assert isinstance(ended, events.SessionEnded)
    assert (started.session, started.framed, ended.by, ended.ended_at) == (
        "S1",
        FULL.framed,
        "stop",
        NOW + 90,
    )
    [session] = await listed(store, live=False)
    assert (session.ended_at, session.heard_at) == (NOW + 90, NOW + 90)
    assert await listed(store) == []


async def test_a_packet_that_opened_or_closed_something_never_does_so_again(store: Store) -> None:
    assert await tell(store, word(Status.START), packet=b"start") == "opened"
    assert await tell(store, word(Status.STOP, 9), packet=b"stop") == "kept"
    # A year later, as somebody plays them from a recording: each for another session by its time.
    assert await tell(store, word(Status.START, 300 * DAY), packet=b"start") == "repeated"
    assert await tell(store, word(Status.START, 301 * DAY), packet=b"another") == "opened"
    assert await tell(store, word(Status.STOP, 302 * DAY), packet=b"stop") == "repeated"
    assert len(await listed(store)) == 1


async def test_old_news_change_nothing(store: Store) -> None:
    await tell(store, word(Status.STOP, 90))
    before = await listed(store, live=False)
    assert await tell(store, word(Status.INTERIM, 60)) == "old"
    assert await listed(store, live=False) == before
    assert await kinds(store) == ["session_ended"]


async def test_the_same_id_at_another_machine_or_client_is_another_session(store: Store) -> None:
    await tell(store, word(Status.START))
    await tell(store, word(Status.START, nas="fw-2"))
    await tell(store, word(Status.START, client="other"))
    assert await tell(store, word(Status.STOP, 9, nas="fw-2")) == "kept"
    assert [(each.key.client, each.key.nas) for each in await listed(store)] == [
        ("other", "fw-1"),
        ("fw", "fw-1"),
    ]


async def test_what_would_be_one_more_row_is_not_written_when_it_may_not(store: Store) -> None:
    async def told(news: News) -> str:
        return await store.account(news, packet=repr(news).encode(), most=100, may_open=False)

    def boot(at: float, nas: str = "fw-1") -> Reset:
        return Reset("fw", nas, Status.ON, NOW + at, NOW + at)

    await tell(store, word(Status.START, id="known"))
    before = await kinds(store)
    for status in (Status.START, Status.INTERIM, Status.STOP):
        assert await told(word(status, 5, id="new")) == "too_many_today"
    assert await store.reset_sessions(boot(5, "fw-2"), packet=b"2", may_note=False) == "too_many_today"
    assert await kinds(store) == before
    assert await told(word(Status.INTERIM, 9, id="known")) == "kept"
    assert await store.reset_sessions(boot(10), packet=b"1", may_note=False) == 1
    # A session that is shown as in again is one more row as well: those could go on for ever.
    alive = replace(word(Status.INTERIM, 90, id="known"), traffic=Traffic(seconds=90))
    assert await told(alive) == "too_many_today"


@pytest.mark.parametrize("status", [Status.ON, Status.OFF])
async def test_a_reset_ends_what_lives_at_that_machine_and_began_before(store: Store, status: Status) -> None:
    await tell(store, word(Status.START, 0, id="before"))
    await tell(store, word(Status.START, 0, id="ended"))
    await tell(store, word(Status.STOP, 5, id="ended"))
    await tell(store, word(Status.START, 20, id="after"))
    await tell(store, word(Status.START, 0, nas="fw-2"))
    await tell(store, word(Status.START, 0, client="other"))
    reset = Reset("fw", "fw-1", status, NOW + 10, NOW + 25)  # type: ignore[arg-type]
    assert await store.reset_sessions(reset, packet=b"on") == 1
    assert [each.key.id for each in await listed(store)] == ["S1", "S1", "after"]
    [before] = [each for each in await listed(store, live=False) if each.key.id == "before"]
    assert (before.ended_at, before.ended_by) == (NOW + 10, status.value)
    rows = [row async for row in store.evidence()]
    assert rows[-1][2:] == (
        "sessions_closed",
        {"client": "fw", "nas": "fw-1", "by": f"accounting_{status}", "sessions": 1},
    )


async def test_the_same_reset_within_a_day_is_played_again_and_later_it_is_a_boot(store: Store) -> None:
    def reset(at: float) -> Reset:
        return Reset("fw", "fw-1", Status.ON, NOW + at, NOW + at)

    assert await store.reset_sessions(reset(0), packet=b"on") == 0
    await tell(store, word(Status.START, 60))
    assert await store.reset_sessions(reset(120), packet=b"on") == "repeated"
    assert len(await listed(store)) == 1
    assert await store.reset_sessions(reset(DAY + 1), packet=b"on") == 1


async def test_whom_a_boot_played_again_shows_as_out_is_in_by_the_sessions_next_word(store: Store) -> None:
    await tell(store, word(Status.START))
    await store.reset_sessions(Reset("fw", "fw-1", Status.ON, NOW + 60, NOW + 60), packet=b"on")
    assert await listed(store) == []
    assert await tell(store, replace(word(Status.INTERIM, 90), traffic=Traffic(seconds=90))) == "opened"
    [live] = await listed(store)
    assert (live.started_at, live.started_told) == (NOW, True)
    assert await kinds(store) == ["session_started", "sessions_closed", "session_started"]


async def test_a_client_has_no_more_live_sessions_than_it_may(store: Store) -> None:
    for id in ("S1", "S2"):
        assert await tell(store, word(Status.START, id=id), most=2) == "opened"
    assert await tell(store, word(Status.START, id="S3"), most=2) == "too_many"
    assert await tell(store, word(Status.START, client="other"), most=2) == "opened"
    assert await tell(store, word(Status.STOP, 9, id="S2"), most=2) == "kept"
    assert await tell(store, word(Status.START, id="S3"), most=2) == "opened"
    assert [each.key.id for each in await listed(store)] == ["S3", "S1", "S1"]


async def test_a_session_knows_the_newest_login_of_its_client_and_name_just_before(
    store: Store, clock: SetClock
) -> None:
    await log_in(store, clock, "OLDEST", at=-3600)
    await log_in(store, clock, "BEFORE", at=-120)
    await log_in(store, clock, "LATEST", at=-60)
    await log_in(store, clock, "OTHERS", at=-30, client="other")
    await log_in(store, clock, "BEHIND", at=3600)
    await tell(store, word(Status.START))
    await tell(store, replace(word(Status.START, id="S2"), username="bob"))
    await tell(store, replace(word(Status.START, id="S3"), username=None))
    # Its Start was lost: how long it lasts tells when it began.
    await tell(store, replace(word(Status.INTERIM, 3500, id="S4"), traffic=Traffic(seconds=3500)))
    known = {each.key.id: (each.login, each.person) for each in await listed(store)}
    assert known == {
        "S1": ("LATEST", str(ALICE)),
        "S2": (None, None),
        "S3": (None, None),
        "S4": ("LATEST", str(ALICE)),
    }
    assert [row[2] for row in await store.evidence_of("LATEST")] == [
        "accepted", "session_started", "session_started",
    ]  # fmt: skip


async def test_sessions_are_read_a_page_at_a_time(store: Store) -> None:
    for id in ("S1", "S2", "S3"):
        await tell(store, word(Status.START, id=id))
    [(three, _), (two, _)] = await store.sessions_before(None, live=True, most=2)
    assert three > two
    assert [each.key.id for _, each in await store.sessions_before(two, live=True, most=2)] == ["S1"]


async def test_sessions_without_news_go_with_the_evidence_of_their_time(store: Store) -> None:
    await tell(store, word(Status.START, 0, id="old"))
    await tell(store, word(Status.START, 0, id="told of since"))
    await tell(store, word(Status.INTERIM, 300 * DAY, id="told of since"))
    while await store.let_go(NOW + DAY, at=NOW + 401 * DAY):
        pass
    assert [each.key.id for each in await listed(store)] == ["told of since"]
    assert await kinds(store) == ["evidence_let_go"]
