"""Accounting made up, recorded and played again: whom it shows as in or out, and what it opens (nothing)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from radius_push import events
from tests.radius.reports import INTERIM, OFF, ON, START, STOP
from tests.scenarios.accounting import WITH_ACCOUNTING, report, sessions, status_server, tell
from tests.scenarios.house import House, house
from tests.scenarios.turned import run


def test_without_the_secret_nobody_is_shown_in_or_out(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            await tell(h, report(START))
            forged = [report(STOP), report(ON, session=None), report(START, session="S2", sign=True)]
            for datagram in forged:
                for place in (4, 19, 25, len(datagram) - 1):
                    altered = bytearray(datagram)
                    altered[place] ^= 1
                    assert await tell(h, bytes(altered)) == []
            assert [each.key.id for each in await sessions(h)] == ["S1"]

    run(story())


@pytest.mark.parametrize("later", [35.0, pytest.param(3600.0, marks=pytest.mark.slow)])
def test_a_recorded_start_or_stop_does_nothing_a_second_time(tmp_path: Path, later: float) -> None:
    """Also for the next session under the same id, and under another source port."""

    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            start, stop = report(START), report(STOP)
            await tell(h, start, stop)
            await asyncio.sleep(later)
            assert await tell(h, start) == [5]
            assert await sessions(h) == []
            await asyncio.sleep(600)
            await tell(h, report(START, identifier=99))
            assert await tell(h, stop) == [5]
            assert len(await sessions(h)) == 1
            assert len(h.of(events.SessionStarted)) == 2
            assert len(h.of(events.SessionEnded)) == 1

    run(story())


@pytest.mark.parametrize("status", [ON, OFF])
def test_a_recorded_boot_ends_nobodys_session(tmp_path: Path, status: int) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            boot = report(status, session=None, user=None)
            await tell(h, boot)
            await tell(h, report(START))
            await asyncio.sleep(600)
            assert await tell(h, boot) == [5]
            assert len(await sessions(h)) == 1
            assert h.server.counters["accounting_repeated"] == 1

    run(story())


@pytest.mark.slow
def test_a_recorded_interim_revives_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            interim = report(INTERIM, seconds=300)
            await tell(h, report(START), interim)
            await tell(h, report(STOP, seconds=400))
            await asyncio.sleep(3600)
            await tell(h, interim)
            assert await sessions(h) == []

    run(story())


def test_one_gateway_touches_no_session_of_another(tmp_path: Path) -> None:
    """It knows a secret, if the same one, and takes the other's names."""

    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            await tell(h, report(START))
            await tell(
                h, report(STOP), report(ON, session=None), report(OFF, session=None), source="127.0.0.3"
            )
            assert [each.key.client for each in await sessions(h)] == ["fw1"]

    run(story())


def test_a_rogue_gateway_fills_no_memory_of_live_sessions(tmp_path: Path) -> None:
    bounded = WITH_ACCOUNTING.replace("server:\n", "server:\n  limits: {{sessions_per_client: 10}}\n")

    async def story() -> None:
        async with house(tmp_path, settings=bounded) as h:
            flood = [report(START, session=f"S{number}", identifier=number) for number in range(17)]
            assert await tell(h, *flood) == [5] * 17
            assert len(await sessions(h, live=False)) == 10
            assert h.server.counters["too_many_sessions"] == 7

    run(story())


def test_a_rogue_gateway_fills_no_disk_with_sessions_that_nobody_knew(tmp_path: Path) -> None:
    """A Stop without a Start, a boot of no machine: each is a row for a year, and needs no live session."""
    bounded = WITH_ACCOUNTING.replace("server:\n", "server:\n  limits: {{sessions_per_day: 100}}\n")

    async def story() -> None:
        async with house(tmp_path, settings=bounded) as h:
            await tell(h, report(START, session="honest"))
            stops = [report(STOP, session=f"S{number}", identifier=number) for number in range(90)]
            boots = [report(ON, session=None, user=None, nas=f"m{number}") for number in range(12)]
            assert await tell(h, *stops, *boots) == [5] * 102
            written = len(h.told)
            more = [
                report(START, session="new"),
                report(STOP, session="unknown"),
                report(ON, session=None, nas="m"),
            ]
            assert await tell(h, *more) == [5] * 3
            assert len(h.told) == written
            assert h.server.counters["too_many_sessions"] == 3 + 3
            # What is known goes on, and ends.
            await tell(h, report(STOP, session="honest"))
            assert await sessions(h) == []
            assert len(await sessions(h, live=False)) == 91
            await tell(h, report(START, session="other"), source="127.0.0.3")
            assert [each.key.id for each in await sessions(h)] == ["other"]

    run(story())


def test_a_probe_latches_nothing_and_accounting_opens_no_login(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            phone = await h.phone()
            await tell(h, report(START), status_server(), report(START, session="S2", sign=True))
            assert not h.of(events.Asked)
            await still_needs_the_phone(h)
            await phone.close()

    run(story())


async def still_needs_the_phone(h: House) -> None:
    asking = asyncio.ensure_future(h.ask(timeout=5))
    await h.until(events.Asked)
    assert await asking is None
    assert h.of(events.Accepted) == []


def test_no_report_puts_a_line_into_the_log_by_its_names(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            assert await tell(h, report(START, user="alice\naccepted login=AAAAAA")) == []
            await tell(h, report(START, session="S\n2", nas="fw\n1"))
            [live] = await sessions(h)
            assert "\n" not in live.key.id + live.key.nas

    run(story())
