"""Sessions as gateways tell of them: from the login to the last word, in every order that a network makes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import Secret
from radius_push.radius.wire import attribute
from tests.radius.reports import INTERIM, OFF, ON, START, STOP, number
from tests.radius.reports import report as write_report
from tests.scenarios.accounting import WITH_ACCOUNTING, report, sessions, status_server, tell
from tests.scenarios.house import ACCEPT, House, house
from tests.scenarios.turned import run

RESPONSE = 5
ADDRESSES = attribute(8, bytes([10, 8, 0, 7])) + attribute(31, b"203.0.113.7")


async def approved(h: House) -> str:
    """Alice logs in with a tap; the trace code."""
    phone = await h.phone()
    asking = asyncio.ensure_future(h.ask())
    await phone.answer_next(approve=True, seconds=30)
    reply = await asking
    assert reply is not None
    assert reply.code == ACCEPT
    return h.of(events.Accepted)[-1].login


def test_from_the_login_to_the_stop(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            login = await approved(h)
            assert await tell(h, report(START, more=ADDRESSES)) == [RESPONSE]
            [live] = await sessions(h)
            assert (live.username, live.login, live.person) == ("alice", login, "staff:alice")
            assert (live.address, live.framed, live.key.nas) == ("203.0.113.7", ("10.8.0.7",), "fw-1")
            big = number(42, 7) + number(52, 2) + number(43, 9) + number(47, 3)
            assert await tell(h, report(INTERIM, seconds=300, more=big)) == [RESPONSE]
            [live] = await sessions(h)
            assert (live.traffic.octets_in, live.traffic.octets_out) == ((2 << 32) + 7, 9)
            assert (live.traffic.seconds, live.traffic.packets_in) == (300, 3)
            assert await tell(h, report(STOP, seconds=600, more=number(49, 4))) == [RESPONSE]
            assert await sessions(h) == []
            [ended] = await sessions(h, live=False)
            assert (ended.ended_by, ended.cause, ended.traffic.seconds) == ("stop", "Idle-Timeout", 600)
            assert [e.login for e in h.of(events.SessionStarted)] == [login]
            assert [(e.login, e.cause) for e in h.of(events.SessionEnded)] == [(login, "Idle-Timeout")]

    run(story())


def test_the_same_word_again_and_again_is_one_session(tmp_path: Path) -> None:
    """The same octets, then the same words under another Identifier, with the time that has gone by."""

    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            first = report(START)
            assert await tell(h, first, first, report(START, delay=2, identifier=8), first) == [RESPONSE] * 4
            await asyncio.sleep(300)  # long after the reply was forgotten
            assert await tell(h, first, report(START, delay=345, identifier=9)) == [RESPONSE] * 2
            assert len(await sessions(h, live=False)) == 1
            stop = report(STOP)
            assert await tell(h, stop, report(STOP, delay=1, identifier=8)) == [RESPONSE] * 2
            assert len(h.of(events.SessionStarted)) == len(h.of(events.SessionEnded)) == 1

    run(story())


def test_a_stop_that_overtakes_its_start_ends_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            assert (
                await tell(h, report(STOP, seconds=3), report(START, delay=4, identifier=8)) == [RESPONSE] * 2
            )
            assert await sessions(h) == []
            [ended] = await sessions(h, live=False)
            assert ended.started_told
            assert ended.ended_at is not None
            assert 2 <= ended.ended_at - ended.started_at <= 4

    run(story())


@pytest.mark.slow
def test_an_interim_opens_a_session_whose_start_was_lost(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            login = await approved(h)
            at = h.server.clock.now()
            await asyncio.sleep(3600)
            await tell(h, report(INTERIM, seconds=3600))
            [live] = await sessions(h)
            assert abs(live.started_at - at) < 5
            assert live.login == login

    run(story())


def test_on_and_off_close_the_sessions_of_that_machine_alone(tmp_path: Path) -> None:
    async def story() -> None:
        settings = WITH_ACCOUNTING.replace("addresses: [127.0.0.1]", "addresses: [127.0.0.1, 127.0.0.2]")
        async with house(tmp_path, settings=settings) as h:
            await tell(h, report(START), report(START, nas="fw-2"), report(START, session="S2"))
            await tell(h, report(START, nas=None), source="127.0.0.2")
            await tell(h, report(START), source="127.0.0.3")  # another client, the same name
            assert await tell(h, report(ON, session=None, user=None)) == [RESPONSE]
            assert [(each.key.client, each.key.nas) for each in await sessions(h)] == [
                ("fw1", "fw-2"), ("fw1", "127.0.0.2"), ("lab", "fw-1"),
            ]  # fmt: skip
            # Without a name it is the machine at this address.
            await tell(h, report(OFF, session=None, user=None, nas=None), source="127.0.0.2")
            assert [each.key.nas for each in await sessions(h)] == ["fw-2", "fw-1"]
            assert [(e.nas, e.by, e.sessions) for e in h.of(events.SessionsClosed)] == [
                ("fw-1", "accounting_on", 2),
                ("127.0.0.2", "accounting_off", 1),
            ]

    run(story())


def test_after_a_restart_of_ours_everybody_is_still_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            await tell(h, report(START))
            before = await sessions(h)
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            assert await sessions(h) == before
            assert await tell(h, report(START)) == [RESPONSE]
            assert await tell(h, report(STOP, seconds=90)) == [RESPONSE]
            assert await sessions(h) == []
            assert len(await sessions(h, live=False)) == 1

    run(story())


def test_what_cannot_be_kept_is_answered_and_counted(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            odd = [report(15), report(9), report(None), report(START, session=None), report(77)]
            assert await tell(h, *odd) == [RESPONSE] * 5
            assert h.server.counters["accounting_not_kept"] == 5
            assert await sessions(h, live=False) == []
            assert [e for e in h.told if "session" in type(e).__name__.lower()] == []

    run(story())


def test_times_are_the_gateways_where_they_can_be_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            now = h.server.clock.now()
            for name, more in {
                "delayed": {"delay": 100},
                "stamped": {"stamp": int(now) - 100},
                "hours off": {"stamp": int(now) - 7200},
                "in the future": {"stamp": int(now) + 7200},
                "absurd": {"delay": 2**32 - 1},
            }.items():
                await tell(h, report(START, session=name, **more))
            begun = {each.key.id: round(each.started_at - now) for each in await sessions(h)}
            assert begun == {
                "delayed": -100, "stamped": -100, "hours off": 80, "in the future": 120, "absurd": 160,
            }  # fmt: skip

    run(story())


def test_a_probe_is_answered_on_both_ports_and_leaves_no_trace(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            before = list(h.told)
            probe = status_server()
            assert await tell(h, probe, probe) == [RESPONSE] * 2
            assert await tell(h, probe, server=h.server.authentication[0]) == [ACCEPT]
            assert h.told == before

    run(story())


def test_a_wrong_secret_is_silence_and_keeps_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            assert await tell(h, write_report(START, secret=Secret("another secret of 22 oct"))) == []
            assert h.server.counters["not_authentic"] == 1
            assert await sessions(h, live=False) == []

    run(story())
