"""Whoever answers as Apple (a relay, or a proxy that opens TLS) is heard, and hurts no login by it."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import replace

import pytest

from radius_push.push import apns, apns_line, apns_lines
from radius_push.push.apns import ApnsDoor
from radius_push.push_shapes import Push
from radius_push.waking import Delivered, Refused, Unreachable
from tests.directory.certificates import Authority
from tests.push.apple import Apple, Connection
from tests.push.apple_doors import apple as apple
from tests.push.apple_doors import authority as authority
from tests.push.apple_doors import clock as clock
from tests.push.apple_doors import door as door
from tests.push.apple_doors import open_door, send, settings_for
from tests.push.test_apns_lines import lines


def frame(kind: int, payload: bytes, *, flags: int = 0, stream: int = 0) -> bytes:
    """RFC 9113, section 4.1."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


async def test_a_status_that_is_no_number_is_an_answer_that_is_not_understood(
    apple: Apple, door: ApnsDoor
) -> None:
    def odd(connection: Connection, stream: int) -> None:
        # :status, literal without indexing, of the one octet that Latin-1 calls a digit and int() does not.
        connection.flush()
        connection.transport.write(frame(1, b"\x08\x01\xb2", flags=5, stream=stream))

    apple.acts = [odd]
    outcome = await send(door, apple.device())
    assert isinstance(outcome, (Refused, Unreachable))
    assert await send(door, apple.device()) == Delivered()


async def test_what_it_wants_us_to_remember_of_headers_is_bounded(apple: Apple, door: ApnsDoor) -> None:
    """Each push adds to what HPACK remembers: without a bound it grows for as long as the connection lives,
    and every later push searches all of it."""
    token = apple.device()
    assert await send(door, token) == Delivered()
    (connection,) = apple.connections
    connection.flush()
    connection.transport.write(frame(4, struct.pack(">HI", 1, 2**32 - 1)))
    (line,) = lines(door)
    for _ in range(3):
        assert await send(door, token) == Delivered()
    assert line.conn.encoder.header_table_size <= apns_line.LONGEST_TABLE


async def test_who_asks_for_signs_of_life_without_end_is_left(apple: Apple, door: ApnsDoor) -> None:
    """Each costs this server more than it costs whoever sends it, and logins are worked on beside it."""
    assert await send(door, apple.device()) == Delivered()
    (line,) = lines(door)
    (connection,) = apple.connections
    connection.transport.write(frame(6, b"12345678") * (apns_line.MOST_UNASKED + 300))
    await apple.until(lambda: connection not in apple.connections)
    assert line not in lines(door)
    assert await send(door, apple.device()) == Delivered()


async def test_who_asks_for_signs_of_life_and_reads_none_is_left(
    apple: Apple, door: ApnsDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each PING wants an answer: they are not gathered without end for one that does not take them."""
    monkeypatch.setattr(apns_line, "MOST_UNASKED", 10**9)
    monkeypatch.setattr(apns_line, "LONGEST_UNTAKEN", 20_000)
    assert await send(door, apple.device()) == Delivered()
    (line,) = lines(door)
    (connection,) = apple.connections
    connection.transport.pause_reading()
    for end, option in ((line.transport, socket.SO_SNDBUF), (connection.transport, socket.SO_RCVBUF)):
        assert end is not None
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, 4096)
    pings = frame(6, b"12345678") * 500
    while not connection.transport.is_closing() and line in lines(door):
        connection.transport.write(pings)
        assert line.transport is not None
        assert line.transport.get_write_buffer_size() <= 2 * apns_line.LONGEST_UNTAKEN + len(pings)
        await asyncio.sleep(0)
    assert await send(door, apple.device()) == Delivered()


async def test_connections_that_end_at_once_are_not_made_without_end(
    apple: Apple, door: ApnsDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GOAWAY to each: logins are worked on beside it, and each connection costs a handshake."""
    monkeypatch.setattr(apns_lines, "FOLLOWING_SECONDS", 3600.0)
    apple.goes_away = True
    pushes = [asyncio.create_task(send(door, apple.device())) for _ in range(20)]
    await apple.until(lambda: apple.connected == apns_lines.MOST_TOGETHER)
    for _ in range(200):
        await asyncio.sleep(0.001)
    assert apple.connected == apns_lines.MOST_TOGETHER
    for push in pushes:
        push.cancel()
    await asyncio.gather(*pushes, return_exceptions=True)


async def test_a_push_that_meets_the_end_of_its_connection_goes_to_another(
    apple: Apple, door: ApnsDoor
) -> None:
    """HTTP/2 is over on it, and the socket is not yet: that hurts no push."""
    assert await send(door, apple.device()) == Delivered()
    (line,) = lines(door)
    line.data_received(frame(6, b"short"))
    assert await send(door, apple.device()) == Delivered()
    assert apple.connected == 2


async def test_a_push_that_is_given_up_as_its_connection_ends_is_only_given_up(
    apple: Apple, door: ApnsDoor
) -> None:
    assert await send(door, apple.device()) == Delivered()
    (line,) = lines(door)
    apple.acts = [lambda connection, stream: None]
    pushed = asyncio.create_task(send(door, apple.device()))
    await apple.until(lambda: apple.asked == 2)
    line.data_received(frame(6, b"short"))
    pushed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pushed


async def test_however_often_it_is_reloaded_what_hangs_ends_with_the_door(
    apple: Apple, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apns, "DEADLINE", 3600.0)
    settings = settings_for(apple, authority.file)
    assert settings.apns is not None
    pushes = []
    apple.always = lambda connection, stream: None
    async with open_door(settings) as door:
        for number in range(8):
            pushes.append(asyncio.create_task(send(door, apple.device(), seconds=3600.0)))
            await apple.until(lambda many=number + 1: apple.asked == many)  # type: ignore[misc]
            door.use(replace(settings, apns=None))
            door.use(settings)
    async with asyncio.timeout(20):
        await apple.until(lambda: not apple.connections)
    for outcome in await asyncio.gather(*pushes):
        assert isinstance(outcome, (Refused, Unreachable))


async def test_what_is_retired_ends_when_the_last_of_its_pushes_was_given_up(
    apple: Apple, door: ApnsDoor
) -> None:
    apple.acts = [lambda connection, stream: None]
    pushed = asyncio.create_task(send(door, apple.device()))
    await apple.until(lambda: apple.asked == 1)
    (retired,) = lines(door)
    door.use(Push())
    pushed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pushed
    assert retired.transport is not None
    assert retired.transport.is_closing()
