"""The page that Prometheus reads, of a whole server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest

from radius_push.opening import CannotListen
from radius_push.server import NeedsRestart
from radius_push.settings.more_servers import served_as
from radius_push.shapes import Endpoint
from radius_push.web import metrics_page
from tests.push.site import REJECT, open_site
from tests.settings.files import GOOD, good, mistakes, warnings

METRICS = 'metrics: {address: "127.0.0.1:0"}'


async def get(port: int | None, path: str = "/metrics", method: str = "GET") -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"http://127.0.0.1:{port}{path}") as response,
    ):
        return response.status, await response.text()


async def test_a_server_without_it_measures_nothing(tmp_path: Path) -> None:
    async with open_site(tmp_path, push_service="http://localhost:1") as site:
        assert site.server.metrics.port is None


async def test_it_tells_of_a_login_and_nothing_of_who_it_was(tmp_path: Path) -> None:
    async with open_site(tmp_path, push_service="http://localhost:1", listen=METRICS) as site:
        reply = await site.log_in()  # nobody has a phone here
        assert reply is not None
        assert reply.code == REJECT
        status, text = await get(site.server.metrics.port)
    assert status == 200
    assert 'radius_push_logins_total{reason="not_enrolled",verdict="rejected"} 1.0' in text
    assert 'radius_push_counted_total{what="verdict_rejected"} 1.0' in text
    assert "radius_push_held 0.0" in text
    for told in ("alice", "head-office", "203.0.113.7", "octets!"):
        assert told not in text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/metrics/x", 404), ("POST", "/metrics", 405), ("HEAD", "/metrics", 405)],
)
async def test_nothing_else_is_answered(tmp_path: Path, method: str, path: str, status: int) -> None:
    async with open_site(tmp_path, push_service="http://localhost:1", listen=METRICS) as site:
        assert (await get(site.server.metrics.port, path, method))[0] == status


async def test_there_are_few_visitors_at_a_time_and_a_slow_one_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_page, "SECONDS", 0.2)
    async with open_site(tmp_path, push_service="http://localhost:1", listen=METRICS) as site:
        port = site.server.metrics.port
        visits = [
            await asyncio.open_connection("127.0.0.1", port) for _ in range(metrics_page.CONNECTIONS + 1)
        ]
        try:
            # One too many is closed at once, and the silent ones soon after: then there is room again.
            for reader, _ in visits:
                assert await reader.read() == b""
            assert site.server.counters["metrics_turned_away"] == 1
            assert (await get(port))[0] == 200
        finally:
            for _, writer in visits:
                writer.close()


async def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    async with open_site(tmp_path, push_service="http://localhost:1", listen=METRICS) as site:
        second = tmp_path / "second"
        second.mkdir()
        taken = METRICS.replace(":0", f":{site.server.metrics.port}")
        with pytest.raises(CannotListen, match=r"server\.listen\.metrics\.address: 127.* is in use"):
            async with open_site(second, push_service="http://localhost:1", listen=taken):
                pass


async def test_another_address_takes_a_restart(tmp_path: Path) -> None:
    async with open_site(tmp_path, push_service="http://localhost:1", listen=METRICS) as site:
        elsewhere = replace(site.server.settings, metrics=Endpoint(ip_address("127.0.0.1"), 9))
        with pytest.raises(NeedsRestart, match=r"server\.listen\.metrics"):
            await site.server.reload(elsewhere)


WITH = '    metrics: {address: "ADDRESS:9812"}\nmethods: {push'


def settings_with(address: str) -> str:
    return GOOD.replace("methods: {push", WITH.replace("ADDRESS", address), 1)


def test_an_address_beyond_this_machine_is_warned_of(tmp_path: Path) -> None:
    assert not warnings(tmp_path, settings_with("127.0.0.1"))
    (line,) = warnings(tmp_path, settings_with("10.0.0.5"))
    assert "server.listen.metrics.address: is read in clear text by whoever reaches it" in line


def test_the_phones_address_is_not_to_be_had_twice(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, settings_with("127.0.0.1").replace("9812", "8443"))
    assert "is where phones come in; take another address or port" in line


def test_each_server_has_an_address_of_its_own(tmp_path: Path) -> None:
    text = settings_with("127.0.0.1").replace(
        "  listen:",
        '  more_servers: {second: {authentication: "127.0.0.1:1912", metrics: "127.0.0.1:9813"}}\n  listen:',
    )
    settings = good(tmp_path, text)
    assert str(settings.metrics) == "127.0.0.1:9812"
    assert str(served_as(settings, "second").metrics) == "127.0.0.1:9813"
