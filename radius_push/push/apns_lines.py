"""The connections to Apple: one is kept before anybody logs in, and more come when many do."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Coroutine
from concurrent.futures import Executor
from typing import Any
from urllib.parse import urlsplit

from radius_push.hush import Hush
from radius_push.ports import Clock
from radius_push.push.apns_identity import Signer, expired, trust
from radius_push.push.apns_line import Line
from radius_push.push.apns_streams import NotTaken
from radius_push.push.tunnel import CannotReach, LookUp, look_up, reach
from radius_push.push_shapes import Apns

logger = logging.getLogger("radius_push.push")

KEPT = 1
MOST = 4
"""Connections: each takes a thousand pushes at once, when Apple allows it."""
OPENING_SECONDS = 10.0
LONGEST_PAUSE = 60.0
"""Seconds between two tries to be connected while nobody is rung."""
SOUND_SECONDS = 60.0
"""A connection that lived so long was a good one: the next is made at once."""
MOST_TOGETHER = 5
"""Connections that are begun one right after another; the next follow FOLLOWING_SECONDS apart, so that one
who ends each at once has no handshake for each push."""
FOLLOWING_SECONDS = 1.0
LOG_SECONDS = 60.0


def place_of(url: str) -> tuple[str, int]:
    """Host and port of `https://HOST[:PORT]`."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 443


class Lines:
    """All connections for one state of the settings. It owns every task that it starts."""

    def __init__(
        self,
        settings: Apns,
        *,
        proxy: str | None,
        signer: Signer | None,
        clock: Clock,
        threads: Executor,
        look_up: LookUp = look_up,
    ) -> None:
        """Raises as `trust` does."""
        self.settings = settings
        self.proxy = proxy
        self.signer = signer
        self.host, self._port = place_of(settings.url)
        self._tls = trust(settings)
        self._clock = clock
        self._threads = threads
        self._look_up = look_up
        self._lines: list[Line] = []
        self._all: set[Line] = set()
        self._opening: asyncio.Task[Line] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._changed = asyncio.Event()
        self._hush = Hush(LOG_SECONDS)
        self._together, self._begun_at = 0, -FOLLOWING_SECONDS
        self._retired = False

    def keep(self) -> None:
        """Begin to keep a connection."""
        if self._keeping is None:
            self._keeping = _begin(self._keep(), name="apns")

    async def line(self) -> Line:
        """The one with the most room; take it at once. Raises CannotReach; NotTaken: these are retired. It
        has no time limit but OPENING_SECONDS for a connection."""
        while not self._retired:
            best = max(self._lines, key=lambda line: line.room, default=None)
            if best is None:
                best = await self._one_more()
            if best.room:
                return best
            await self._turn()
        raise NotTaken

    async def _turn(self) -> None:
        """Until there may be room, wherever."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._wake()
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            self._wake()  # it may have been this one's turn
            raise

    def _wake(self) -> None:
        """There may be room: for as many as there is, and another connection for the others."""
        room = sum(line.room for line in self._lines) if self._lines else len(self._waiting)
        while self._waiting and room:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1
        if self._waiting and not self._retired and len(self._lines) < MOST:
            self._begin_one_more()

    @property
    def over(self) -> bool:
        """Nothing is left of it to be closed."""
        return self._retired and not self._all and (self._opening is None or self._opening.done())

    def retire(self) -> None:
        """Take no more, and end what is idle; what is on its way is waited for."""
        self._retired = True
        if self._keeping is not None:
            self._keeping.cancel()
        for line in tuple(self._lines):
            line.leave()
        self._wake()

    async def close(self) -> None:
        """At once."""
        self.retire()
        tasks = [task for task in (self._keeping, self._opening) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in tuple(self._all):
            line.cut("the server is closing")

    async def _keep(self) -> None:
        pause, opened = 0.0, 0.0
        while True:
            while len(self._lines) >= KEPT:
                self._changed.clear()
                await self._changed.wait()
            if opened and self._clock.monotonic() - opened >= SOUND_SECONDS:
                pause = 0.0
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, max(1.0, 2 * pause))
            try:
                await self._one_more()
            except CannotReach as problem:
                opened = 0.0
                self._say(problem.detail)
            else:
                opened = self._clock.monotonic()
                # Apple says what it thinks of our key to a push, and to nothing else.
                logger.info("APNs: connected to %s; the first push shows whether the key is right", self.host)

    def _say(self, detail: str) -> None:
        if self._hush.due("apns", self._clock.monotonic()) is not None:
            logger.warning("APNs: %s (apps on Apple's devices are not rung meanwhile)", detail)

    async def _one_more(self) -> Line:
        """The next one to be open, whoever wanted it first."""
        opening = self._begin_one_more()
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            if opening.cancelled():
                raise CannotReach("the server is closing", soon=None) from None
            raise

    def _begin_one_more(self) -> asyncio.Task[Line]:
        if self._opening is None or self._opening.done():
            self._opening = _begin(self._open(), name="apns connection")
        return self._opening

    async def _open(self) -> Line:
        try:
            await self._not_too_soon()
            async with asyncio.timeout(OPENING_SECONDS):
                line = await self._connect()
        except TimeoutError:
            raise CannotReach(
                f"{self.host}: no connection within {OPENING_SECONDS:.0f} s; is TCP to its port {self._port} "
                "allowed to go out?"
            ) from None
        self._lines.append(line)
        if self._retired:
            line.leave()
        asyncio.get_running_loop().call_soon(self._wake)  # when this task is over: another may begin
        return line

    async def _not_too_soon(self) -> None:
        soon = self._clock.monotonic() - self._begun_at < FOLLOWING_SECONDS
        self._together = self._together + 1 if soon else 1
        if self._together > MOST_TOGETHER:
            await asyncio.sleep(FOLLOWING_SECONDS)
        self._begun_at = self._clock.monotonic()

    async def _connect(self) -> Line:
        if (why := expired(self.settings, now=self._clock.now())) is not None:
            raise CannotReach(why, soon=None)
        made = await reach(
            self.host, self._port, proxy=self.proxy, threads=self._threads, look_up=self._look_up
        )
        line = Line(
            self.host, self.settings.topic, signer=self.signer, on_end=self._ended, on_room=self._wake
        )
        self._all.add(line)
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: line,
                sock=made,
                ssl=self._tls,
                server_hostname=self.host,
                ssl_handshake_timeout=OPENING_SECONDS,
            )
            if transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
                raise CannotReach(
                    f"{self.host}: what answers there speaks no HTTP/2; if something on the way opens TLS, "
                    f"let it leave {self.host} alone",
                    soon=None,
                )
            await line.ready
        except BaseException as problem:
            self._all.discard(line)
            line.cut("not wanted any more")
            if isinstance(problem, OSError) and not isinstance(problem, TimeoutError):
                raise self._why_not(problem) from None
            raise
        return line

    def _why_not(self, problem: OSError) -> CannotReach:
        if isinstance(problem, ssl.SSLCertVerificationError):
            return CannotReach(
                f"{self.host}: its certificate is refused here ({problem.verify_message.rstrip('.')}); if "
                f"something on the way opens TLS, let it leave {self.host} alone, or name its authority as "
                "methods.push.apns.ca_file",
                soon=None,
            )
        if isinstance(problem, ssl.SSLError):
            return CannotReach(
                f"{self.host}: TLS failed ({problem.reason or 'damaged'}); is something on the way, or is "
                "methods.push.apns.certificate not taken?"
            )
        return CannotReach(
            f"{self.host}: the connection ended before it was one ({type(problem).__name__}); is something "
            "on the way?"
        )

    def _ended(self, line: Line) -> None:
        if line in self._lines:
            self._lines.remove(line)
        if line.transport is None or line.transport.is_closing():
            self._all.discard(line)
        self._changed.set()
        self._wake()


def _begin(work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
    """A task whose failure is no surprise, whether anybody waits for it or not."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
