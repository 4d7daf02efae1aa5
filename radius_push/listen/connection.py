"""One connection of a gateway, by TCP or TLS: many requests at once, replies in any order.

It is over for good when something on it is malformed or not authentic: nothing behind that can be trusted to
begin where it seems to. The logins that it holds are then over too.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Callable
from typing import Literal, cast

from radius_push.listen.certificate import shown_by
from radius_push.listen.reception import REST_SECONDS, Reception
from radius_push.model import Client, PeerCertificate
from radius_push.ports import Clock
from radius_push.radius.framing import Framing
from radius_push.radius.wire import MOST_OCTETS, MalformedPacket
from radius_push.shapes import Limits

PACKET_SECONDS = 10.0
"""A packet that was begun must be whole by then."""
UNREAD_SECONDS = 10.0
"""Replies that wait so long are taken by nobody."""
UNREAD_OCTETS = 256 * 1024
CLOSING_SECONDS = 5.0

End = Literal["packet_too_slow", "replies_not_read", "idle_closed", "close_too_slow"]
_numbers = itertools.count(1)


class Connection(asyncio.BufferedProtocol):
    """What the event loop calls, and the Line of every packet that came by it."""

    def __init__(
        self,
        *,
        source: tuple[str, int],
        server: tuple[str, int],
        reception: Reception,
        clock: Clock,
        limits: Callable[[], Limits],
        entered: Callable[[Connection], bool],
        left: Callable[[Connection], None],
    ) -> None:
        """`entered` is called when it is known whose it is, and says whether it may stay; `left` when it is
        over."""
        self.source = source
        # Unlike an address and a port it never comes again: no reply of another connection is repeated here.
        self.server = (f"{server[0]} connection {next(_numbers)}", server[1])
        self.identity = source[0]
        self.certificate: PeerCertificate | None = None
        self.hang_up = asyncio.Event()
        self.client = ""
        """Whose it is, by name."""
        self._reception = reception
        self._clock = clock
        self._limits = limits
        self._entered = entered
        self._left = left
        self._framing = Framing()
        # One packet's worth: no turn of the event loop takes in more.
        self._buffer = bytearray(MOST_OCTETS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.Transport | None = None
        self._heard = clock.monotonic()
        self._began: float | None = None
        self._unread: float | None = None
        self._closing: float | None = None
        self._gone = False

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=UNREAD_OCTETS // 4)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            self.certificate = shown_by(cast("ssl.SSLObject", tls))
            if self.certificate is None:
                self._reception.tell("unknown_certificate", "", "a certificate that can't be read")
                self.cut()
                return
            self.identity = f"certificate {self.certificate}"
        client = self._reception.client_of(self.source[0], self.certificate)
        if client is None:
            self.cut()
            return
        self.client = client.name
        if not self._entered(self):
            self.cut()

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._over:
            return
        client = self._reception.client_of(self.source[0], self.certificate)
        if client is None or client.name != self.client:  # the settings have changed
            self.cut()
            return
        self._heard = self._clock.monotonic()
        try:
            for packet in self._framing.feed(bytes(self._buffer[:nbytes])):
                self._began = None
                if not self._take(packet, client):
                    self.cut()
                    return
        except MalformedPacket as error:
            self._reception.malformed(client, self, error)
            self.cut()
            return
        if not self._framing.waiting:
            self._began = None
        elif self._began is None:
            self._began = self._heard
        if self._reception.presses(self.client) and self._transport is not None:
            self._transport.pause_reading()
            self._rest()

    def _rest(self) -> None:
        """Read no more of this connection until less work of its client waits."""
        asyncio.get_running_loop().call_later(REST_SECONDS, self._rested)

    def _rested(self) -> None:
        if self._over or self._gone or self._transport is None:
            return
        # That we don't read is no fault of the gateway's.
        self._heard = self._clock.monotonic()
        self._began = None if self._began is None else self._heard
        if self._reception.presses(self.client):
            self._rest()
        else:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self._unread = self._clock.monotonic()

    def resume_writing(self) -> None:
        self._unread = None

    def connection_lost(self, exc: Exception | None) -> None:
        self.hang_up.set()
        self._leave()

    def give_up(self) -> None:
        """The handshake is over: if nothing came of it, nothing will."""
        if self._transport is None:
            self._leave()

    # the Line

    def send(self, reply: bytes) -> bool:
        """False: it is over, or its client does not read."""
        if self._over or self._transport is None:
            return False
        if self._transport.get_write_buffer_size() > UNREAD_OCTETS:
            self.count("replies_not_read")
            self.cut()
            return False
        self._transport.write(reply)
        return True

    def congested(self) -> bool:
        return self._unread is not None

    def works(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # its end

    def _leave(self) -> None:
        """Once."""
        if not self._gone:
            self._gone = True
            self._left(self)

    def due(self, now: float, *, idle: float) -> End | None:
        """Why it must end by now, if so."""
        if self._closing is not None:
            return "close_too_slow" if now - self._closing >= CLOSING_SECONDS else None
        if self._began is not None and now - self._began >= PACKET_SECONDS:
            return "packet_too_slow"
        if self._unread is not None and now - self._unread >= UNREAD_SECONDS:
            return "replies_not_read"
        if not self._tasks and now - self._heard >= idle:
            return "idle_closed"
        return None

    def count(self, end: str) -> None:
        sentence = f"{self.client} from %s: connection cut off: {end.replace('_', ' ')}"
        self._reception.tell(end, self.client, sentence, self.source[0])

    def close(self) -> None:
        """Let what was said be read, and hear no more."""
        if self._transport is not None and not self._over:
            self._closing = self._clock.monotonic()
            self._transport.close()

    def cut(self) -> None:
        """At once: nobody there is worth waiting for. Its held logins are over."""
        self.hang_up.set()
        if self._transport is not None:
            self._closing = self._closing or self._clock.monotonic()
            self._transport.abort()

    @property
    def _over(self) -> bool:
        return self._closing is not None or self.hang_up.is_set()

    def _take(self, packet: bytes, client: Client) -> bool:
        most = self._limits().in_flight_per_connection
        if len(self._tasks) >= most:
            self._reception.tell(
                "too_many_on_connection",
                client.name,
                "%s: %d requests in flight on one connection (limits.in_flight_per_connection): silence for "
                "new ones",
                client.name,
                most,
            )
            return True
        return self._reception.receive(packet, client, self)
