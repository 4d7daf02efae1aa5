"""Strangers without a key take and hold connections: each is one of the files that directories need too."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from radius_push import descriptors
from radius_push.web.doorway import Visit
from radius_push.web.phone import PhoneLimits
from radius_push.web.phone_files import FOLDER
from tests.scenarios.house import house as running
from tests.scenarios.turned import run
from tests.web.house import House, open_house, until
from tests.web.test_phone_doorway import make_certificate

WAIT = 20.0
QUICK = PhoneLimits(write_seconds=0.2, header_seconds=60.0)


@pytest.fixture
def narrow() -> Iterator[socket.socket]:
    """A socket that takes little at once."""
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        made.setblocking(False)
        yield made


def gone(house: House) -> bool:
    assert house.side._door._doorway is not None
    return not house.side._door._doorway._inside.total()


async def endlessly(writer: asyncio.StreamWriter, octets: bytes) -> None:
    while True:
        writer.write(octets)
        await writer.drain()


async def flood(house: House, writer: asyncio.StreamWriter) -> None:
    """Ask for the biggest file again and again, until the server takes no more requests."""
    biggest = max(FOLDER.glob("*.js"), key=lambda file: file.stat().st_size).name
    host = house.origin.partition("//")[2]
    request = f"GET /{biggest} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    with pytest.raises(OSError):  # noqa: PT011  # reset, in whichever words
        await endlessly(writer, request * 100)


# --- who never reads ---------------------------------------------------------------------------------------


async def test_who_never_reads_is_cut_off(tmp_path: Path, narrow: socket.socket) -> None:
    async with open_house(tmp_path, limits=QUICK) as house, asyncio.timeout(WAIT):
        await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", house.side.port))
        reader, writer = await asyncio.open_connection(sock=narrow, limit=1)
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await flood(house, writer)
        await until(lambda: gone(house))
        assert house.counters["phone_cut_off"] == 1
        writer.close()


async def test_who_reads_an_octet_now_and_then_is_cut_off(tmp_path: Path, narrow: socket.socket) -> None:
    async with open_house(tmp_path, limits=QUICK) as house, asyncio.timeout(WAIT):
        await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", house.side.port))
        reader, writer = await asyncio.open_connection(sock=narrow.dup(), limit=1)
        reader._transport.pause_reading()  # type: ignore[attr-defined]

        async def sip() -> None:
            while True:
                await asyncio.sleep(0.01)
                with contextlib.suppress(BlockingIOError):
                    sips.append(narrow.recv(1))

        sips: list[bytes] = []
        sipping = asyncio.create_task(sip())
        await flood(house, writer)
        assert len(sips) > 5
        await until(lambda: gone(house))
        assert house.counters["phone_cut_off"] == 1
        sipping.cancel()
        await asyncio.gather(sipping, return_exceptions=True)
        writer.close()


async def test_who_never_reads_is_cut_off_over_tls_too(tmp_path: Path, narrow: socket.socket) -> None:
    tls = make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=tls[0])
    async with open_house(tmp_path, limits=QUICK, tls=tls) as house, asyncio.timeout(WAIT):
        await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", house.side.port))
        reader, writer = await asyncio.open_connection(
            sock=narrow, limit=1, ssl=context, server_hostname="localhost"
        )
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await flood(house, writer)
        await until(lambda: gone(house))
        assert house.counters["phone_cut_off"] == 1
        writer.transport.abort()


async def test_who_reads_all_is_never_cut_off(tmp_path: Path) -> None:
    limits = PhoneLimits(write_seconds=0.05, header_seconds=60.0)
    async with (
        open_house(tmp_path, limits=limits) as house,
        asyncio.timeout(WAIT),
        await house.phone() as phone,
    ):
        states = phone.questions()
        await anext(states)
        await asyncio.sleep(0.2)
        await house.ask()
        assert len((await anext(states)).questions) == 1
        await states.aclose()
        assert house.counters["phone_cut_off"] == 0


class Closing(asyncio.Transport):
    """What a TLS connection is whose other end says goodbye, and takes no more."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return True

    def abort(self) -> None:
        self.aborted = True


def test_a_close_that_does_not_end_is_ended() -> None:
    transport = Closing()
    visit = Visit(asyncio.Protocol(), lambda _: None, tls=True)
    assert not visit.cut_off(now=0.0, seconds=10.0)
    visit.connection_made(transport)
    assert not visit.cut_off(now=1.0, seconds=10.0)
    assert not visit.cut_off(now=10.9, seconds=10.0)
    assert visit.cut_off(now=11.0, seconds=10.0)
    assert transport.aborted


async def test_the_kernel_gives_up_a_connection_that_nobody_acknowledges(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house, aiohttp.ClientSession() as session:
        async with session.get(house.origin) as got:
            await got.read()
        assert house.side._door._doorway is not None
        [visit] = house.side._door._doorway._visits
        assert visit._transport is not None
        connection = visit._transport.get_extra_info("socket")
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000


# --- who takes all files -----------------------------------------------------------------------------------


def test_the_server_keeps_its_reserve_from_the_phones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "raise_limit", lambda: descriptors.RESERVE + 20)

    async def story() -> None:
        async with running(tmp_path) as h:
            assert h.server._phones is not None
            assert h.server._phones._side is not None
            doorway = h.server._phones._side._door._doorway
            assert doorway is not None
            callers = [
                await asyncio.open_connection(
                    "127.0.0.1", h.server._phones._side.port, local_addr=(f"127.0.0.{n}", 0)
                )
                for n in range(1, 41)
            ]
            await until(lambda: doorway._inside.total() + h.server.counters["phone_turned_away"] == 40)
            assert doorway._inside.total() == 20
            reply = await h.ask("alice", "a wrong password")
            assert reply is not None
            for _, writer in callers:
                writer.transport.abort()

    run(story())
