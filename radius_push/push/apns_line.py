"""One HTTP/2 connection to Apple. The library writes the requests; what comes back is heard here.

The library was made for connections that end after 10 idle seconds. Kept for days, it would not give back the
octets of answers, would keep a number for each push, and would take every fault of one push out on all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from aioapns.common import NotificationRequest, NotificationResult
from aioapns.connection import APNsTLSClientProtocol
from h2 import events
from h2.connection import ConnectionInputs, H2ConnectionStateMachine
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from radius_push.push.apns_answers import reason_in
from radius_push.push.apns_identity import Signer
from radius_push.push.apns_streams import NotTaken, Streams

LONGEST_BODY = 4096
LONGEST_UNREAD = 65536
"""Octets that make no frame: h2 waits for 16 MB if a frame says that it is so long."""
LONGEST_UNTAKEN = 1 << 20
"""Octets of ours that wait to be read there: a thousand pushes at once are less."""
LONGEST_TABLE = 4096
"""Octets of headers that both ends remember (RFC 7541, section 4.2), whatever is allowed there: each push
adds to them, and each is looked for among them."""
AT_ONCE = 4096
"""Octets that are read between two looks whether it is too much."""
MOST_UNASKED = 1000
"""PINGs, SETTINGS and the like in PING_SECONDS, more than UNASKED_A_PUSH for each push."""
UNASKED_A_PUSH = 8
PING_SECONDS = 60.0
"""Between two looks whether the connection is still one."""
PONG_SECONDS = 5.0
"""Without a sign of life it is dead, and what waits for it is told so."""
QUIET_SECONDS = 5.0
"""After so much silence the next push asks for a sign of life beside it."""
LAST_SECONDS = 5.0
"""Until a connection that we closed is cut."""


_ASKED = (events.ResponseReceived, events.DataReceived, events.StreamEnded, events.StreamReset)
"""What answers pushes."""


class LineLost(Exception):
    """The connection ended under a push: nobody knows whether Apple took it."""


class Answer(NotificationResult):
    """What Apple said, and when it wants to be asked again, as it was sent."""

    __slots__ = ("retry_after",)

    def __init__(self, notification_id: str, status: str, reason: str, retry_after: str | None) -> None:
        super().__init__(notification_id, status, description=reason)
        self.retry_after = retry_after


@dataclass(slots=True)
class _Half:
    """An answer that is still coming."""

    status: str
    retry_after: str | None
    body: bytes = b""


class _Patient(H2ConnectionStateMachine):
    """GOAWAY ends no stream that was taken (RFC 9113, section 6.8); for h2 it ends all."""

    def process_input(self, input_: ConnectionInputs) -> list[events.Event]:
        return [] if input_ is ConnectionInputs.RECV_GOAWAY else super().process_input(input_)


class Line(APNsTLSClientProtocol):
    """Kept until Apple, the network or we end it. What is abandoned on it hurts no other."""

    def __init__(
        self,
        host: str,
        topic: str,
        *,
        signer: Signer | None,
        on_end: Callable[[Line], None],
        on_room: Callable[[], None],
    ) -> None:
        """`on_end`: it takes no more; `on_room`: it may take more. Within a running event loop."""
        self._loop = asyncio.get_running_loop()
        super().__init__(topic, self._loop, None, signer)
        self.APNS_SERVER = host
        self.conn.local_settings = Settings(client=True, initial_values={SettingCodes.ENABLE_PUSH: 0})
        self.conn.state_machine = _Patient()
        self.free_channels = self._streams = Streams(self.conn, on_room)
        self._halves: dict[int, _Half] = {}
        self._on_end = on_end
        self._heard = self._loop.time()
        self._next_ping: asyncio.TimerHandle | None = None
        self._pong_due: asyncio.TimerHandle | None = None
        self._leaving = self._lost = False
        self._why = ""
        self._unread = self._unasked = 0
        self.ready: asyncio.Future[None] = self._loop.create_future()
        """Apple has said how much it takes at once."""

    @property
    def room(self) -> int:
        """How many more pushes it takes now."""
        return 0 if self._leaving else self._streams.room

    async def push(self, request: NotificationRequest) -> Answer:
        """Raises NotTaken, LineLost; it has no time limit of its own. Whoever gives it up hurts no other."""
        if self._leaving:
            raise NotTaken(self._why)
        self._unasked = max(0, self._unasked - UNASKED_A_PUSH)
        if self._loop.time() - self._heard > QUIET_SECONDS:
            self.check()
        try:
            return cast("Answer", await self.send_notification(request))
        except ProtocolError:
            self.cut("no more of HTTP/2 can be said on it")
            raise NotTaken from None
        finally:
            self._let_go(request.notification_id)

    def check(self) -> None:
        """Ask for a sign of life."""
        if self._pong_due is None and not self._lost:
            self.conn.ping(b"are-you?")
            self.flush()
            why = f"no sign of life for {PONG_SECONDS:.0f} s"
            self._pong_due = self._loop.call_later(PONG_SECONDS, self.cut, why)

    def leave(self) -> None:
        """Take no more, wait for what is on its way, and close."""
        if not self._leaving:
            self._leaving = True
            self._on_end(self)
        if not self._streams.open:
            self.close()

    def close(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()
            # A peer that says nothing more would keep it open.
            self._loop.call_later(LAST_SECONDS, self.transport.abort)

    def cut(self, why: str) -> None:
        """At once. `why`: for whoever waits for it."""
        self._why = self._why or why
        self._lost = self._leaving = True
        if self.transport is not None:
            self.transport.abort()

    # --- what asyncio and the library call ---------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._ping_by_and_by()

    def refresh_inactivity_timer(self) -> None:
        """It is kept: there is none."""

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        for at in range(0, len(data), AT_ONCE):
            why = self._hear(data[at : at + AT_ONCE])
            if why is not None:
                self.cut(why)
                return
        if self._leaving and not self._streams.open:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = self._leaving = True
        for timer in (self._next_ping, self._pong_due):
            if timer is not None:
                timer.cancel()
        self._on_end(self)
        why = self._why or ("it was closed" if exc is None else type(exc).__name__)
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionResetError(why))
            self.ready.exception()  # who opens it may have given up
        self._fail(tuple(self._streams.open), LineLost(why))

    # --- what Apple says ---------------------------------------------------------------------------

    def _hear(self, data: bytes) -> str | None:
        """Why it is to be cut; None: it goes on."""
        try:
            heard = self.conn.receive_data(data)
            for event in heard:
                self._take(event)
        except ProtocolError:
            return "what answers there breaks the rules of HTTP/2"
        self._unread = 0 if heard else self._unread + len(data)
        if self._unread > LONGEST_UNREAD:
            return "what answers there breaks the rules of HTTP/2"
        if self._unasked > MOST_UNASKED:
            return "what answers there says too much that nobody asked"
        self.flush()
        if self.transport is not None and self.transport.get_write_buffer_size() > LONGEST_UNTAKEN:
            return "what answers there reads nothing"
        return None

    def _take(self, event: events.Event) -> None:
        if not isinstance(event, _ASKED):
            self._unasked += 1
        match event:
            case events.ResponseReceived(stream_id=int(stream), headers=list(headers)):
                said = {_text(name): _text(value) for name, value in headers}
                self._halves[stream] = _Half(said.get(":status", ""), said.get("retry-after"))
            case events.DataReceived(stream_id=int(stream), data=bytes(data), flow_controlled_length=size):
                self.conn.acknowledge_received_data(size or 0, stream)
                self._unasked += not data
                half = self._halves.get(stream)
                if half is not None and len(half.body) <= LONGEST_BODY:
                    half.body += data
            case events.StreamEnded(stream_id=int(stream)):
                self._settle(stream)
            case events.StreamReset(stream_id=int(stream), error_code=code):
                not_taken = code == ErrorCodes.REFUSED_STREAM
                self._fail((stream,), NotTaken() if not_taken else LineLost("it was reset"))
            case events.RemoteSettingsChanged():
                table = self.conn.encoder.header_table_size
                if table > LONGEST_TABLE:
                    self.conn.encoder.header_table_size = LONGEST_TABLE
                if not self.ready.done():
                    self.ready.set_result(None)
                self._streams.made_room()
            case events.WindowUpdated():
                self._streams.made_room()
            case events.PingAckReceived():
                self._alive()
            case events.ConnectionTerminated(last_stream_id=last, additional_data=data):
                self._why = reason_in(data)
                self.leave()
                beyond = tuple(stream for stream in self._streams.open if stream > (last or 0))
                self._fail(beyond, NotTaken(self._why))

    def _settle(self, stream: int) -> None:
        half = self._halves.pop(stream, None)
        notification = self.request_streams.get(stream, "")
        waits = self._waits(stream)
        if waits is not None and half is not None:
            reason = reason_in(half.body) if len(half.body) <= LONGEST_BODY else ""
            waits.set_result(Answer(notification, half.status, reason, half.retry_after))
        elif waits is not None:
            waits.set_exception(LineLost("it ended without an answer"))
        self._streams.ended(stream)

    def _fail(self, streams: Iterable[int], why: Exception) -> None:
        for stream in streams:
            waits = self._waits(stream)
            if waits is not None:
                waits.set_exception(why)
            self._halves.pop(stream, None)
            self._streams.ended(stream)

    def _waits(self, stream: int) -> asyncio.Future[NotificationResult] | None:
        """Who waits for it, if anybody still does."""
        waits: asyncio.Future[NotificationResult] | None
        waits = self.requests.pop(self.request_streams.pop(stream, ""), None)
        return None if waits is None or waits.done() else waits

    def _let_go(self, notification: str) -> None:
        """Nobody waits for it any more: if it is still on its way, its stream ends here."""
        if self.requests.pop(notification, None) is None:
            return
        # Who gives up first waited longest: it stands near the beginning.
        stream = next((key for key, value in self.request_streams.items() if value == notification), None)
        if stream is None or self._lost:
            return
        del self.request_streams[stream]
        self._halves.pop(stream, None)
        self.conn.reset_stream(stream, ErrorCodes.CANCEL)
        self.flush()
        self._streams.ended(stream)
        if self._leaving and not self._streams.open:
            self.close()

    def _ping_by_and_by(self) -> None:
        self._next_ping = self._loop.call_later(PING_SECONDS, self._ping_by_and_by)
        self._unasked = 0
        if self._loop.time() - self._heard >= PING_SECONDS / 2:
            self.check()

    def _alive(self) -> None:
        if self._pong_due is not None:
            self._pong_due.cancel()
            self._pong_due = None


def _text(octets: bytes | str) -> str:
    return octets if isinstance(octets, str) else octets.decode("latin-1")
