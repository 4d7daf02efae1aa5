"""The whole UDP door without its socket: a datagram in, what it would have sent out."""

from __future__ import annotations

import asyncio
from collections import Counter
from ipaddress import ip_address

from radius_push.listen.udp import UdpAddress, UdpListener
from radius_push.model import Client
from radius_push.radius.dedup import Dedup
from radius_push.shapes import ClientTable, Endpoint
from tests.listen.desks import FakeDesk, HandClock
from tests.radius.packets import dictionary

PEER = ("127.0.0.1", 40_000)


class Door:
    """A listener that serves on a loop of its own until `close`. Its desk lets everybody in."""

    def __init__(self, client: Client) -> None:
        self._loop = asyncio.new_event_loop()
        self._counters: Counter[str] = Counter()
        self._desk = FakeDesk()
        self._listener = _Overheard(
            endpoint=Endpoint(ip_address(PEER[0]), 0),
            clients=lambda: ClientTable([client]),
            dictionary=dictionary(),
            desk=self._desk,
            clock=HandClock(),
            counters=self._counters,
        )
        self._listener.sent = []
        self._serving = self._loop.create_task(self._listener.serve())
        self._loop.run_until_complete(self._listener.until_it_serves())

    def knock(self, datagram: bytes) -> list[bytes]:
        """Everything that is sent for it, once all is quiet again. A crash behind the door is a failure."""
        self._listener.sent.clear()
        self._loop.run_until_complete(self._receive(datagram))
        assert not self._counters["crashed"]
        return list(self._listener.sent)

    def forget(self) -> None:
        """As if nothing had ever arrived."""
        self._listener.forget_all()
        self._desk.arrivals.clear()
        self._desk.accepted.clear()

    def close(self) -> None:
        self._loop.run_until_complete(self._listener.drain())
        self._loop.run_until_complete(self._serving)
        self._loop.close()

    async def _receive(self, datagram: bytes) -> None:
        self._listener.receive(datagram, PEER)
        await self._listener.quiet()


class _Overheard(UdpListener):
    """What it sends is kept instead."""

    sent: list[bytes]

    def forget_all(self) -> None:
        self._dedup = Dedup()

    async def until_it_serves(self) -> None:
        while self._transport is None:  # noqa: ASYNC110 - nothing rings when it does
            await asyncio.sleep(0)

    async def quiet(self) -> None:
        while self._working:
            await asyncio.wait(tuple(self._working))

    def _send(self, reply: bytes, peer: UdpAddress) -> None:
        assert peer == PEER
        self.sent.append(reply)
