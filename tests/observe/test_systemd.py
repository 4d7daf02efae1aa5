"""What systemd hears: readiness, signs of life only from a server that lives; without systemd, nothing."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from radius_push.observe.systemd import Supervisor
from radius_push.ports import StoreDown
from tests.observe.hearing import hearing
from tests.scenarios.house import house
from tests.scenarios.turned import run


@pytest.mark.parametrize("abstract", [False, True])
def test_ready_and_stopping_reach_either_kind_of_socket(tmp_path: Path, abstract: bool) -> None:
    with hearing(None if abstract else tmp_path) as systemd:
        ours = Supervisor.of({"NOTIFY_SOCKET": systemd.address}, pid=1)
        ours.ready("RADIUS authentication on 127.0.0.1 port 1812")
        ours.stopping()
        assert systemd.heard() == [
            {"READY": "1", "STATUS": "RADIUS authentication on 127.0.0.1 port 1812"},
            {"STOPPING": "1", "STATUS": "draining"},
        ]


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "relative"])
def test_without_a_socket_nothing_is_said(address: str, caplog: pytest.LogCaptureFixture) -> None:
    Supervisor.of({"NOTIFY_SOCKET": address}, pid=1).ready("here")
    assert caplog.records == []


def test_nobody_at_the_socket_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("radius_push").propagate = True
    Supervisor(str(tmp_path / "gone")).ready("here")
    assert "systemd was not told READY=1" in caplog.text


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_signs_of_life_are_given_to_whoever_asked_this_process(
    environ: dict[str, str], interval: float | None
) -> None:
    assert Supervisor.of(environ, pid=7).interval == interval


def test_a_server_that_lives_says_so_every_half_interval(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            with hearing(None) as systemd:
                watching = asyncio.create_task(
                    Supervisor(systemd.address, interval=30).reassure(h.server.answers)
                )
                before = asyncio.get_running_loop().time()
                for _ in range(4):
                    assert await systemd.next() == {"WATCHDOG": "1"}
                assert asyncio.get_running_loop().time() - before == pytest.approx(4 * 15)
                watching.cancel()

    run(story())


@pytest.mark.parametrize("hangs", [False, True])
def test_while_the_store_is_down_there_is_no_sign_of_life_but_the_reason(hangs: bool) -> None:
    down = True

    async def store() -> None:
        if down and hangs:
            await asyncio.Event().wait()
        if down:
            raise StoreDown("no space left on device")

    async def story() -> None:
        nonlocal down
        with hearing(None) as systemd:
            supervisor = Supervisor(systemd.address, interval=30)
            supervisor.ready("RADIUS")
            watching = asyncio.create_task(supervisor.reassure(store))
            assert "READY" in await systemd.next()
            for _ in range(3):
                told = await systemd.next()
                assert told.keys() == {"STATUS"}
                assert told["STATUS"].startswith("the store does not answer")
            down = False
            assert await systemd.next() == {"WATCHDOG": "1", "STATUS": "RADIUS"}
            assert await systemd.next() == {"WATCHDOG": "1"}
            watching.cancel()

    run(story())
