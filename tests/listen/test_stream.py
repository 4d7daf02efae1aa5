"""Connections without TLS: many requests at once, and what ends one."""

from __future__ import annotations

import asyncio
import hmac
import logging
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

import pytest
import uvloop

from radius_push.listen import connection
from radius_push.model import Accepted, Reason, Rejected
from radius_push.shapes import Limits
from tests.interop.radsec_client import calling
from tests.listen.desks import until
from tests.listen.lines import StreamHouse, serving
from tests.radius.packets import HIDDEN, SECRET, STRICT, packet, signed

DENIED = Rejected(Reason.DENIED, "No.")


def request(identifier: int = 7) -> bytes:
    return signed((1, b"alice"), (2, HIDDEN), identifier=identifier)


async def _one_octet_at_a_time() -> None:
    async with serving(StreamHouse(STRICT)) as house, calling(house.listener.address) as caller:
        for octet in request(1) + request(2):
            caller.send(bytes((octet,)))
            await asyncio.sleep(0)
        assert sorted([(await caller.reply())[1] for _ in range(2)]) == [1, 2]
        [arrival, _] = house.desk.arrivals
        assert arrival.certificate is None
        assert (str(arrival.source), arrival.request.authentic) == ("127.0.0.1", True)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_octets_may_come_as_they_like_on_both_event_loops(run: Callable[..., None]) -> None:
    run(_one_octet_at_a_time())


async def test_many_in_flight_are_answered_in_any_order() -> None:
    async with serving(StreamHouse(STRICT)) as house, calling(house.listener.address) as caller:
        house.desk.verdict = None
        caller.send(*(request(identifier) for identifier in range(200)))
        await until(lambda: len(house.desk.arrivals) == 200)
        for arrival in reversed(house.desk.arrivals):
            house.desk.release(arrival, Accepted())
        assert sorted([(await caller.reply())[1] for _ in range(200)]) == list(range(200))


async def test_beyond_its_bound_a_connection_gets_silence() -> None:
    limits = Limits(in_flight_per_connection=3)
    async with (
        serving(StreamHouse(STRICT, limits=limits)) as house,
        calling(house.listener.address) as caller,
    ):
        house.desk.verdict = None
        caller.send(*(request(identifier) for identifier in range(5)))
        await until(lambda: house.counters["too_many_on_connection"] == 2 and len(house.desk.arrivals) == 3)
        for arrival in house.desk.arrivals:
            house.desk.release(arrival, DENIED)
        assert sorted([(await caller.reply())[1] for _ in range(3)]) == [0, 1, 2]


async def test_a_connection_is_not_read_while_too_much_work_of_its_client_waits() -> None:
    async with serving(StreamHouse(STRICT)) as house, calling(house.listener.address) as caller:
        house.pressing.add("fw1")
        caller.send(request(0))
        assert (await caller.reply())[1] == 0
        caller.send(request(1))
        async with calling(house.listener.address) as another:  # met later, and read at once
            another.send(request(2))
            assert (await another.reply())[1] == 2
        assert len(house.desk.arrivals) == 2
        house.pressing.clear()
        assert (await caller.reply())[1] == 1


async def test_a_duplicate_is_known_on_its_own_connection_alone() -> None:
    """RFC 6613 2.6.1: what was cached for a closed connection is discarded, and duplicates are found."""
    async with serving(StreamHouse(STRICT)) as house:
        async with calling(house.listener.address) as caller:
            caller.send(request(), request())
            first = await caller.reply()
            caller.send(request())
            assert await caller.reply() == first
            assert len(house.desk.arrivals) == 1
        async with calling(house.listener.address) as again:
            again.send(request())
            await again.reply()
        one, other = house.desk.arrivals
        # The store knows it all the same: whose and which octets, not from which port.
        assert one.packet == other.packet
        assert one.source_port != other.source_port


@pytest.mark.parametrize(
    ("octets", "counter"),
    [
        (b"\1\7\0\1", "malformed_packet"),
        (b"\1\7\x10\1", "malformed_packet"),
        (packet((1, b"alice"), more=b"\1\0"), "malformed_packet"),
        (packet((1, b"alice")), "not_authentic"),
        (request()[:-1] + b"\0", "not_authentic"),
        (b"GET / HTTP/1.1\r\n\r\n", "malformed_packet"),
    ],
)
async def test_what_is_malformed_or_not_authentic_closes_it(octets: bytes, counter: str) -> None:
    async with serving(StreamHouse(STRICT)) as house, calling(house.listener.address) as caller:
        caller.send(octets)
        assert await caller.closed()
        assert house.counters[counter] == 1
        await until(lambda: house.listener.connections == 0)


async def test_the_logins_before_it_are_over_too() -> None:
    async with serving(StreamHouse(STRICT)) as house, calling(house.listener.address) as caller:
        house.desk.verdict = None
        caller.send(request())
        await until(lambda: len(house.desk.arrivals) == 1)
        [arrival] = house.desk.arrivals
        assert arrival.hang_up is not None
        assert not arrival.hang_up.is_set()
        caller.send(bytes(20))
        await arrival.hang_up.wait()
        house.desk.release(arrival, Accepted())
        await until(lambda: house.listener.held == 0)
        assert house.desk.accepted == []


async def test_a_stranger_is_closed_at_once() -> None:
    stranger = replace(STRICT, networks=(ip_network("192.0.2.1"),))
    async with serving(StreamHouse(stranger)) as house, calling(house.listener.address) as caller:
        assert await caller.closed()
        assert house.counters == {"unknown_client": 1}


async def test_a_client_that_a_reload_removed_is_cut_off() -> None:
    async with serving(StreamHouse(STRICT)) as house, calling(house.listener.address) as caller:
        caller.send(request())
        await caller.reply()
        house.clients = ()
        caller.send(request(8))
        assert await caller.closed()
        assert len(house.desk.arrivals) == 1


async def test_a_packet_that_is_never_whole_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(StreamHouse(STRICT)) as house, calling(house.listener.address) as caller:
        caller.send(request() + request(8)[:30])
        await caller.reply()
        house.clock.seconds += connection.PACKET_SECONDS - 1
        house.listener.look()
        assert house.listener.connections == 1
        # An octet now and then does not help.
        caller.send(request(8)[30:31])
        await asyncio.sleep(0)
        house.clock.seconds += 1
        house.listener.look()
        assert await caller.closed()
        assert house.counters["packet_too_slow"] == 1
    assert "fw1 from 127.0.0.1: connection cut off: packet too slow" in caplog.text


async def test_an_idle_one_is_closed_but_not_while_it_holds_a_login() -> None:
    limits = Limits(idle_connection=60)
    async with serving(StreamHouse(STRICT, limits=limits)) as house:
        async with calling(house.listener.address) as caller:
            house.desk.verdict = None
            caller.send(request())
            await until(lambda: len(house.desk.arrivals) == 1)
            house.clock.seconds += 3600
            house.listener.look()
            house.desk.release(house.desk.arrivals[0], DENIED)
            assert (await caller.reply())[0] == 3
            await until(lambda: house.listener.held == 0)
            house.listener.look()
            assert await caller.closed()
        assert house.counters["idle_closed"] == 1


async def test_who_does_not_read_replies_is_cut_off() -> None:
    async with serving(StreamHouse(STRICT)) as house:
        loop = asyncio.get_running_loop()
        assert house.listener._socket is not None
        house.listener._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.setblocking(False)
            await loop.sock_connect(deaf, house.listener.address)
            house.desk.verdict = Accepted(tuple(("Reply-Message", "x" * 250) for _ in range(15)))
            sent = 0
            async with asyncio.timeout(5):
                while house.counters["replies_not_read"] == 0:
                    await loop.sock_sendall(deaf, another(sent))
                    sent += 1
                    await asyncio.sleep(0)
            await until(lambda: house.listener.connections == 0)
            assert len(house.desk.accepted) < sent


async def test_replies_that_wait_too_long_end_it() -> None:
    async with serving(StreamHouse(STRICT)) as house, calling(house.listener.address):
        await until(lambda: house.listener.connections == 1)
        [line] = house.listener._connections
        line.pause_writing()
        assert line.congested()
        house.clock.seconds += connection.UNREAD_SECONDS
        house.listener.look()
        await until(lambda: house.listener.connections == 0)
        assert house.counters["replies_not_read"] == 1


async def test_one_address_has_so_many_and_all_together_so_many() -> None:
    limits = Limits(connections=3, connections_per_address=2)
    async with serving(StreamHouse(STRICT, limits=limits)) as house:
        at = house.listener.address
        async with calling(at) as one, calling(at) as two:
            await until(lambda: house.listener.connections == 2)
            async with calling(at) as third:
                assert await third.closed()
            async with calling(at, source="127.0.0.2"):
                await until(lambda: house.listener.connections == 3)
                async with calling(at, source="127.0.0.3") as fourth:
                    assert await fourth.closed()
            assert house.counters["turned_away"] == 2
            for caller in (one, two):
                caller.send(request())
                await caller.reply()
        await until(lambda: house.listener.connections == 0)
        async with calling(at) as later:
            later.send(request())
            await later.reply()


async def test_a_flood_of_connections_is_let_in_slowly() -> None:
    async with serving(StreamHouse(STRICT, limits=Limits(connections_per_second=5))) as house:
        writers = [await asyncio.open_connection(*house.listener.address) for _ in range(20)]
        await until(lambda: house.counters["accepts_held_back"] == 1)
        assert house.listener.connections <= 5
        for _, writer in writers:
            writer.transport.abort()


async def test_drain_answers_what_is_decided_and_hangs_up_on_nobody() -> None:
    house = StreamHouse(STRICT)
    house.desk.verdict = None
    async with serving(house), calling(house.listener.address) as caller:
        caller.send(request())
        await until(lambda: len(house.desk.arrivals) == 1)
        [arrival] = house.desk.arrivals
        cancelled: list[bool] = []

        async def note() -> int:
            assert arrival.hang_up is not None
            held = await drained()
            cancelled.append(arrival.hang_up.is_set())
            return held

        drained = house.listener._reception.drain
        house.listener._reception.drain = note  # type: ignore[method-assign]
        assert await house.listener.drain() == 1
        assert cancelled == [False]
        assert await caller.closed()


async def test_every_connection_has_keepalive() -> None:
    async with serving(StreamHouse(STRICT)) as house, calling(house.listener.address):
        await until(lambda: house.listener.connections == 1)
        [line] = house.listener._connections
        assert line._transport is not None
        inside = line._transport.get_extra_info("socket")
        assert inside.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert inside.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60


def another(number: int) -> bytes:
    """A request with an Authenticator of its own, under any of the Identifiers."""
    made = bytearray(packet((80, bytes(16)), (1, b"alice"), (2, HIDDEN), identifier=number % 256))
    made[4:8] = number.to_bytes(4, "big")
    made[22:38] = hmac.digest(SECRET.reveal(), bytes(made), "md5")
    return bytes(made)


@pytest.fixture(autouse=True)
def _all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="radius_push")


@pytest.mark.slow
async def test_radclient_agrees() -> None:
    assert shutil.which("radclient"), "radclient is missing: run tools/setup test"
    async with serving(StreamHouse(STRICT)) as house:
        host, port = house.listener.address
        for verdict, said in ((Accepted(), "Received Access-Accept"), (DENIED, "Received Access-Reject")):
            house.desk.verdict = verdict
            process = await asyncio.create_subprocess_exec(
                "radclient",
                *(
                    "-x",
                    "-P",
                    "tcp",
                    "-t",
                    "5",
                    "-r",
                    "1",
                    f"{host}:{port}",
                    "auth",
                    SECRET.reveal().decode(),
                ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            request = b'User-Name = "alice", User-Password = "x", Message-Authenticator = 0x00'
            output, _ = await process.communicate(request)
            assert said in output.decode()
