"""The UDP door: datagrams in, replies out from the address that was asked."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque

from radius_push.listen import datagrams
from radius_push.listen.datagrams import Asked, UdpAddress
from radius_push.listen.lanes import open_lanes, steer
from radius_push.listen.reception import REST_SECONDS, Reception
from radius_push.shapes import Endpoint

log = logging.getLogger("radius_push.listen")

AT_ONCE = 2
"""Datagrams read of one lane in one turn of the event loop: a flood must leave turns for everything else."""
SENT_AT_ONCE = 32
MOST_UNSENT = 1000
"""Replies that wait while the kernel takes none. Whoever misses one asks again, and gets it then."""


class UdpListener:
    """One endpoint: `open` it, then `serve` until `drain`."""

    def __init__(self, *, endpoint: Endpoint, reception: Reception) -> None:
        self._endpoint = endpoint
        self._reception = reception
        self._lanes: list[socket.socket] = []
        self._reads = False
        self._drained = asyncio.Event()
        self._unsent: deque[tuple[bytes, UdpAddress, Asked]] = deque()
        self._server = (str(endpoint.address), endpoint.port)

    @property
    def endpoint(self) -> Endpoint:
        """As the settings have it."""
        return self._endpoint

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
        self._lanes = open_lanes(self._endpoint)
        self.steer()
        if self._endpoint.address.is_unspecified:
            for lane in self._lanes:
                datagrams.tell_addresses(lane)
        host, port = self._lanes[0].getsockname()[:2]
        self._server = (str(host), int(port))

    def steer(self) -> None:
        """The clients are others now: so are the lanes that their packets wait in."""
        if not self._lanes:
            return
        try:
            steer(self._lanes, self._reception.clients)
        except OSError as problem:
            # Everything is answered all the same, while nobody floods.
            log.warning("one gateway's flood can crowd out the others: the kernel sorts nothing: %s", problem)

    async def serve(self) -> None:
        """Answer until `drain`. One crashed login takes nothing else with it."""
        if self._drained.is_set():
            return
        if not self._lanes:
            await self.open()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._reception.begin(tasks)
                # asyncio's own transports read one datagram a turn, and not which address was asked.
                for lane in self._lanes:
                    loop.add_reader(lane, self._read, lane, self._endpoint.address.is_unspecified)
                self._reads = True
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

    def send(self, reply: bytes, peer: UdpAddress, asked: Asked) -> bool:
        """Never raises, never waits. False: it is lost."""
        if not self._lanes:
            return False
        if self._unsent:  # in order
            return self._keep(reply, peer, asked)
        try:
            # They share one address: where a reply leaves by is all the same.
            datagrams.send(self._lanes[0], reply, peer, asked)
        except BlockingIOError:
            return self._keep(reply, peer, asked)
        except OSError:  # no route, a firewall of ours, an address that is ours no more
            self._reception.note("not_sent")
            return False
        return True

    def congested(self) -> bool:
        return bool(self._unsent)

    def _read(self, bound: socket.socket, told: bool) -> None:
        for _ in range(AT_ONCE):
            try:
                datagram, peer, asked = datagrams.receive(bound, told=told)
            except BlockingIOError:
                return
            except OSError:  # what ICMP says of an earlier reply: the gateway will ask again, or not
                self._reception.note("not_received")
                continue
            client = self._reception.client_of(peer[0])
            if client is not None:
                self._reception.receive(datagram, client, _Peer(self, peer, asked))
                if self._reception.presses(client.name):
                    asyncio.get_running_loop().remove_reader(bound)
                    self._rest(bound, told, client.name)
                    return

    def _rest(self, lane: socket.socket, told: bool, client: str) -> None:
        """Read no more of this lane until less work of this client waits."""
        asyncio.get_running_loop().call_later(REST_SECONDS, self._rested, lane, told, client)

    def _rested(self, lane: socket.socket, told: bool, client: str) -> None:
        if lane not in self._lanes:  # closed meanwhile
            return
        if self._reception.presses(client):
            self._rest(lane, told, client)
        else:
            asyncio.get_running_loop().add_reader(lane, self._read, lane, told)

    def _keep(self, reply: bytes, peer: UdpAddress, asked: Asked) -> bool:
        """Until the kernel takes datagrams again."""
        if len(self._unsent) >= MOST_UNSENT:
            self._reception.note("congested")
            return False
        self._unsent.append((reply, peer, asked))
        if len(self._unsent) == 1 and self._lanes:
            asyncio.get_running_loop().add_writer(self._lanes[0], self._send_kept)
        return True

    def _send_kept(self) -> None:
        for _ in range(SENT_AT_ONCE):
            if not (self._lanes and self._unsent):
                break
            try:
                datagrams.send(self._lanes[0], *self._unsent[0])
            except BlockingIOError:
                return
            except OSError:
                self._reception.note("not_sent")
            self._unsent.popleft()
        if self._lanes and not self._unsent:
            asyncio.get_running_loop().remove_writer(self._lanes[0])

    def _close(self) -> None:
        for lane in self._lanes:
            if self._reads:
                loop = asyncio.get_running_loop()
                loop.remove_reader(lane)
                loop.remove_writer(lane)
            lane.close()
        self._reads = False
        self._unsent.clear()
        self._lanes.clear()


class _Peer:
    """The Line of one datagram."""

    __slots__ = ("_asked", "_listener", "_peer", "identity", "server", "source")
    certificate = None
    hang_up = None

    def __init__(self, listener: UdpListener, peer: UdpAddress, asked: Asked) -> None:
        self._listener = listener
        self._peer = peer
        self._asked = asked
        self.source = (peer[0], peer[1])
        self.identity = peer[0]
        self.server = listener.address if asked is None else (asked[0], listener.address[1])

    def send(self, reply: bytes) -> bool:
        return self._listener.send(reply, self._peer, self._asked)

    def congested(self) -> bool:
        return self._listener.congested()

    def works(self, task: asyncio.Task[None]) -> None:
        """A datagram is not hung up on: nothing ends with it."""
