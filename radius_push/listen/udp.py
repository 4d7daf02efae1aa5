"""The UDP door: datagrams in, replies out from the address that was asked."""

from __future__ import annotations

import asyncio
import socket

from radius_push.listen.bind import bind
from radius_push.listen.reception import Reception
from radius_push.shapes import Endpoint

UdpAddress = tuple[str, int] | tuple[str, int, int, int]


class UdpListener:
    """One endpoint: `open` it, then `serve` until `drain`."""

    def __init__(self, *, endpoint: Endpoint, reception: Reception) -> None:
        self._endpoint = endpoint
        self._reception = reception
        self._socket: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._drained = asyncio.Event()
        self._congested = False
        self._server = (str(endpoint.address), endpoint.port)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, with the port that port 0 became."""
        return self._server

    @property
    def held(self) -> int:
        """Logins that are being decided now."""
        return self._reception.held

    async def open(self) -> None:
        """Bind. OSError if the address can't be had. What arrives waits in the kernel for `serve`."""
        self._socket = bind(self._endpoint)
        host, port = self._socket.getsockname()[:2]
        self._server = (str(host), int(port))

    async def serve(self) -> None:
        """Answer until `drain`. One crashed login takes nothing else with it."""
        if self._drained.is_set():
            return
        if self._socket is None:
            await self.open()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._reception.begin(tasks)
                # uvloop and asyncio both take a bound socket, and only so can IPV6_V6ONLY be set before.
                self._transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Protocol(self), sock=self._socket
                )
                await self._drained.wait()
        finally:
            self._reception.end()
            self._close()

    async def drain(self) -> int:
        """Receive no more and let the held logins go: they get silence. How many there were."""
        held = await self._reception.drain()
        self._close()
        self._drained.set()
        return held

    def receive(self, datagram: bytes, peer: UdpAddress) -> None:
        """One datagram. Never raises; the reply, if any, comes later."""
        client = self._reception.client_of(peer[0])
        if client is not None:
            self._reception.receive(datagram, client, _Peer(self, peer))

    def send(self, reply: bytes, peer: UdpAddress) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(reply, peer)

    def congested(self) -> bool:
        return self._congested

    def congest(self, now: bool) -> None:
        """The kernel takes no more datagrams for the moment, or does again."""
        self._congested = now

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        elif self._socket is not None:
            self._socket.close()
        self._transport = self._socket = None


class _Peer:
    """The Line of one datagram."""

    __slots__ = ("_listener", "_peer", "server", "source")

    def __init__(self, listener: UdpListener, peer: UdpAddress) -> None:
        self._listener = listener
        self._peer = peer
        self.source = (peer[0], peer[1])
        self.server = listener.address

    def send(self, reply: bytes) -> None:
        self._listener.send(reply, self._peer)

    def congested(self) -> bool:
        return self._listener.congested()

    def works(self, task: asyncio.Task[None]) -> None:
        """A datagram is not hung up on: nothing ends with it."""


class _Protocol(asyncio.DatagramProtocol):
    """What the event loop calls; so thin that there is nothing in it to test."""

    def __init__(self, listener: UdpListener) -> None:
        self._listener = listener

    def datagram_received(self, data: bytes, addr: UdpAddress) -> None:
        self._listener.receive(data, addr)

    def error_received(self, exc: Exception) -> None:
        """ICMP says that a gateway is gone: it will ask again, or not."""

    def pause_writing(self) -> None:
        self._listener.congest(True)

    def resume_writing(self) -> None:
        self._listener.congest(False)
