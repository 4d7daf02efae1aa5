"""A host with many addresses: the reply leaves from the one that was asked, whatever the kernel does."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import uvloop

from radius_push.listen import datagrams, udp
from radius_push.listen.datagrams import Asked, UdpAddress
from radius_push.model import Accepted
from tests.listen.desks import House, gateway, serving, until
from tests.radius.packets import HIDDEN, signed

REQUEST = signed((1, b"alice"), (2, HIDDEN))


async def _asked_at(wildcard: str, asked: list[str]) -> None:
    async with serving(House(address=wildcard)) as house:
        port = house.listener.address[1]
        for number, address in enumerate(asked):
            # A connected socket takes nothing from any other address.
            async with gateway((address, port)) as gate:
                gate.send(REQUEST)
                assert (await gate.reply())[0] == 2
                assert len(house.desk.arrivals) == number + 1
                # The same again is known: the real address is in its key.
                gate.send(REQUEST)
                await until(lambda: house.counters["answered_again"] > 0)
                assert (await gate.reply())[0] == 2
            house.counters.clear()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_who_asks_a_wildcard_gets_the_reply_from_the_address_they_asked(run: Callable[..., None]) -> None:
    run(_asked_at("0.0.0.0", ["127.0.0.5", "127.9.9.9"]))


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_the_same_over_ipv6(run: Callable[..., None]) -> None:
    run(_asked_at("::", ["::1"]))


async def test_the_same_packet_asked_at_two_addresses_is_two_logins() -> None:
    async with serving(House(address="0.0.0.0")) as house:
        loop, port = asyncio.get_running_loop(), house.listener.address[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.setblocking(False)
            one.bind(("127.0.0.1", 0))
            for address in ("127.0.0.5", "127.0.0.6"):
                await loop.sock_sendto(one, REQUEST, (address, port))
                async with asyncio.timeout(5):
                    reply, source = await loop.sock_recvfrom(one, 4096)
                assert (reply[0], source) == (2, (address, port))
        packets = {arrival.packet for arrival in house.desk.arrivals}
        assert len(packets) == len(house.desk.arrivals) == 2


async def test_padding_behind_4096_octets_does_no_harm() -> None:
    async with serving(House()) as house, gateway(house.listener.address) as gate:
        gate.send(REQUEST + bytes(30_000))
        assert (await gate.reply())[0] == 2


async def test_replies_wait_while_the_kernel_takes_none_and_go_out_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = True

    def send(bound: socket.socket, datagram: bytes, peer: UdpAddress, asked: Asked) -> None:
        if full:
            raise BlockingIOError
        bound.sendto(datagram, peer)

    monkeypatch.setattr(datagrams, "send", send)
    monkeypatch.setattr(udp, "MOST_UNSENT", 3)
    async with serving(House()) as house, gateway(house.listener.address) as gate:
        for identifier in range(5):
            gate.send(signed((1, b"alice"), (2, HIDDEN), identifier=identifier))
        await until(lambda: house.counters["congested"] == 2)
        assert house.listener.congested()
        # A duplicate is not answered into a line that is full; and whose reply was lost is no accept.
        gate.send(signed((1, b"alice"), (2, HIDDEN), identifier=0))
        await until(lambda: house.counters["not_repeated"] == 1)
        assert len(house.desk.accepted) == 3
        full = False
        assert [(await gate.reply())[1] for _ in range(3)] == [0, 1, 2]
        await until(lambda: not house.listener.congested())


async def test_a_reply_that_cannot_be_sent_is_counted_and_no_accept_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def send(bound: socket.socket, datagram: bytes, peer: UdpAddress, asked: Asked) -> None:
        raise OSError(101, "Network is unreachable")

    async with serving(House()) as house, gateway(house.listener.address) as gate:
        with monkeypatch.context() as patched:
            patched.setattr(datagrams, "send", send)
            gate.send(REQUEST)
            await until(lambda: house.counters["not_sent"] == 1)
        gate.send(REQUEST)  # its retransmission gets the reply
        assert (await gate.reply())[0] == 2
        house.desk.verdict = Accepted()
        assert house.desk.accepted == []


async def test_a_flood_leaves_turns_for_everything_else() -> None:
    async with serving(House()) as house, gateway(house.listener.address) as gate:
        for _ in range(5 * udp.AT_ONCE):
            gate.send(b"\0")
        seen: list[int] = []
        async with asyncio.timeout(5):
            while house.counters["malformed_packet"] < 5 * udp.AT_ONCE:
                seen.append(house.counters["malformed_packet"])
                await asyncio.sleep(0)
        assert max(after - before for before, after in pairwise(seen)) <= udp.AT_ONCE


@pytest.mark.slow
def test_two_interfaces_of_one_host(tmp_path: Path) -> None:
    """In a network namespace of our own, with two addresses on two interfaces."""
    assert shutil.which("ip"), "iproute2 is missing: run tools/setup test"
    script = Path(__file__).with_name("two_interfaces.py")
    ended = subprocess.run(
        ["unshare", "--net", sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (0, "198.51.100.1 ok\n203.0.113.1 ok\n"), ended.stderr
