"""Who may stand in the doorway of a side for browsers: counted before a handshake costs anything."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine
from ipaddress import ip_address
from typing import cast

from radius_push.model import Address
from radius_push.shapes import Endpoint
from radius_push.web.proxies import Proxies
from radius_push.web.wrong_tries import neighbourhood

HANDSHAKE_SECONDS = 10.0
BACKLOG = 512
GONE_SECONDS = 30.0
"""Octets that nobody acknowledged for so long: the kernel gives the connection up."""
LOOKS = 5
"""How often in the time that it has for writing a visit is looked at."""


def address_of(peer: object) -> Address | None:
    """The address in what a socket calls its peer."""
    try:
        # A link-local IPv6 address comes with its zone.
        return ip_address(peer[0].partition("%")[0]) if isinstance(peer, tuple) else None
    except (ValueError, IndexError, AttributeError):
        return None


class Visit(asyncio.Protocol):
    """One connection: hands everything on, says when it is over, and knows since when nothing moves.

    Whoever reads nothing, or an octet a second, holds a file descriptor as long as what was written to them
    waits here. So the transport keeps nothing back unsaid: `pause_writing` means that something waits,
    `resume_writing` that all of it is gone.
    """

    def __init__(self, inner: asyncio.Protocol, leave: Callable[[Visit], None], *, tls: bool) -> None:
        self._inner = inner
        self._leave = leave
        self._tls = tls
        self._transport: asyncio.Transport | None = None
        self._waits_since: float | None = None
        self._closes_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # A TLS transport pauses at its limit, a plain one above it.
        self._transport.set_write_buffer_limits(high=1 if self._tls else 0, low=0)
        self._inner.connection_made(transport)

    def cut_off(self, *, now: float, seconds: float) -> bool:
        """Abort if something has waited, or been closing, for longer than that. `now`: the loop's time."""
        if self._transport is None:
            return False
        if self._closes_since is None and self._transport.is_closing():
            self._closes_since = now
        if all(since is None or now - since < seconds for since in (self._waits_since, self._closes_since)):
            return False
        self._transport.abort()
        return True

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._waits_since = asyncio.get_running_loop().time()
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._waits_since = None
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave(self)
        self._inner.connection_lost(exc)


class Doorway:
    """A listening socket that lets in so many at once, in all and from one neighbourhood."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        tls: ssl.SSLContext | None,
        per_neighbourhood: int,
        in_all: int,
        write_seconds: float,
        proxies: Proxies,
        counters: Counter[str],
        side: str = "phone",
    ) -> None:
        """`side`: what its counters are called by."""
        self._endpoint = endpoint
        self._tls = tls
        self._per_neighbourhood = per_neighbourhood
        self._in_all = in_all
        self._write_seconds = write_seconds
        self._proxies = proxies
        self._counters = counters
        self._side = side
        self._inside: Counter[str] = Counter()
        self._visits: set[Visit] = set()
        self._somebody = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """As bound."""
        assert self._socket is not None, "not open"  # noqa: S101  # a fault of the caller
        port: int = self._socket.getsockname()[1]
        return port

    def open(self) -> None:
        """Bind. Raises OSError."""
        family = socket.AF_INET6 if self._endpoint.address.version == 6 else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # Every connection inherits it.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(GONE_SECONDS * 1000))
            self._socket.setblocking(False)
            self._socket.bind((str(self._endpoint.address), self._endpoint.port))
            self._socket.listen(BACKLOG)
        except BaseException:
            self._socket.close()
            self._socket = None
            raise

    def welcome(self, make: Callable[[], asyncio.Protocol]) -> None:
        """Begin to let people in, each to a protocol of their own."""
        assert self._socket is not None, "not open"  # noqa: S101  # a fault of the caller
        self._start(self._accept(self._socket, make), name=f"{self._side} doorway")
        self._start(self._look_after(), name=f"{self._side} visits")

    async def close(self) -> None:
        """Let nobody in any more. Who is inside is the matter of the protocols."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _accept(self, listening: socket.socket, make: Callable[[], asyncio.Protocol]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(listening)
            except OSError:  # no file descriptor left, or the visitor is gone already
                self._counters[f"{self._side}_not_accepted"] += 1
                await asyncio.sleep(0.1)
                continue
            address = address_of(peer)
            who = neighbourhood(address)
            many = self._inside[who] >= self._per_neighbourhood and not self._proxies.trusts(address)
            if many or self._inside.total() >= self._in_all:
                self._counters[f"{self._side}_turned_away"] += 1
                connection.close()
                continue
            self._inside[who] += 1
            self._start(self._greet(connection, who, make), name=f"{self._side} handshake")

    async def _greet(self, connection: socket.socket, who: str, make: Callable[[], asyncio.Protocol]) -> None:
        """TLS, if there is any; from then on the protocol has the connection."""
        left = False

        def enter() -> Visit:
            visit = Visit(make(), leave, tls=self._tls is not None)
            self._visits.add(visit)
            self._somebody.set()
            return visit

        def leave(visit: Visit | None = None) -> None:
            nonlocal left
            if visit is not None:
                self._visits.discard(visit)
            if not left:
                left = True
                self._inside[who] -= 1
                if not self._inside[who]:
                    del self._inside[who]

        try:
            with contextlib.suppress(OSError):  # the visitor's TLS is not ours, or it is gone
                await asyncio.get_running_loop().connect_accepted_socket(
                    enter,
                    connection,
                    ssl=self._tls,
                    ssl_handshake_timeout=HANDSHAKE_SECONDS if self._tls else None,
                )
                return
        except BaseException:
            leave()
            raise
        leave()

    async def _look_after(self) -> None:
        """Cut off who does not take what was written."""
        loop = asyncio.get_running_loop()
        while True:
            await self._somebody.wait()
            await asyncio.sleep(self._write_seconds / LOOKS)
            for visit in list(self._visits):
                if visit.cut_off(now=loop.time(), seconds=self._write_seconds):
                    self._visits.discard(visit)
                    self._counters[f"{self._side}_cut_off"] += 1
            if not self._visits:
                self._somebody.clear()

    def _start(self, work: Coroutine[None, None, None], *, name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
