"""A listener for browsers: who stands in its doorway, how long they may take, and what of it is logged."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from radius_push.hush import Hush, place_of
from radius_push.ports import Clock
from radius_push.shapes import PhoneListener
from radius_push.web.certificate import tls_of
from radius_push.web.doorway import Doorway
from radius_push.web.proxies import Proxies

CLOSING_SECONDS = 2.0


class FrontDoor:
    """Opens one listener for one application, and counts what goes wrong at it."""

    def __init__(
        self,
        listener: PhoneListener,
        *,
        side: str,
        clock: Clock,
        counters: Counter[str],
        proxies: Proxies,
        connections: int,
        per_neighbourhood: int,
        header_seconds: float,
        body_seconds: float,
        write_seconds: float,
    ) -> None:
        """`side`: `phone` or `portal`, as its counters and log lines are called."""
        self._listener = listener
        self._side = side
        self._logger = logging.getLogger(f"radius_push.web.{side}")
        self._clock = clock
        self._counters = counters
        self._proxies = proxies
        self._connections = connections
        self._per_neighbourhood = per_neighbourhood
        self._header_seconds = header_seconds
        self._body_seconds = body_seconds
        self._write_seconds = write_seconds
        self._hush = Hush()
        self._doorway: Doorway | None = None
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """As bound."""
        assert self._doorway is not None, "not started"  # noqa: S101  # a fault of the caller
        return self._doorway.port

    async def open(self, make_app: Callable[[], web.Application]) -> None:
        """Bind; who comes now waits for `welcome`.

        Raises OSError for an address, DoorClosed for a certificate or key that cannot be used.
        """
        assert self._listener.endpoint is not None  # noqa: S101  # who opens this has an address for it
        doorway = Doorway(
            self._listener.endpoint,
            tls=tls_of(self._listener, side=self._side),
            per_neighbourhood=self._per_neighbourhood,
            in_all=self._connections,
            write_seconds=self._write_seconds,
            proxies=self._proxies,
            counters=self._counters,
            side=self._side,
        )
        runner = web.AppRunner(
            make_app(),
            access_log=None,
            # A browser that leaves ends its stream at once.
            handler_cancellation=True,
            # In aiohttp this is also the time in which a request's header has to arrive.
            keepalive_timeout=self._header_seconds,
            lingering_time=self._body_seconds,
            shutdown_timeout=CLOSING_SECONDS,
            auto_decompress=False,
            logger=self._wire_logger(),
        )
        await runner.setup()
        self._runner = runner
        try:
            doorway.open()
        except OSError:
            await self.clean_up()
            raise
        self._doorway = doorway

    def welcome(self) -> None:
        """Begin to let people in."""
        assert self._doorway is not None, "not open"  # noqa: S101  # a fault of the caller
        assert self._runner is not None  # noqa: S101  # opened with it
        server = self._runner.server
        assert server is not None  # noqa: S101  # setup made it
        self._doorway.welcome(server)

    async def let_nobody_in(self) -> None:
        if self._doorway is not None:
            await self._doorway.close()

    async def clean_up(self) -> None:
        """Finish the answers, after `let_nobody_in`."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def note_fault(self, fault: BaseException) -> None:
        """The type and the place only: a message may hold what somebody sent."""
        where = f"{type(fault).__name__} at {place_of(fault)}"
        self.count("fault", where, f"a {self._side}'s request failed: %s", where)

    def note_store_down(self, problem: BaseException) -> None:
        self.count("store_down", "store", f"the {self._side} side has no store: %s", problem)

    def count(self, what: str, subject: str, sentence: str, value: object) -> None:
        """A counter, and now and then a log line with it."""
        counter = f"{self._side}_{what}"
        self._counters[counter] += 1
        more = self._hush.due((counter, subject), self._clock.monotonic())
        if more is not None:
            self._logger.error("%s (%d more since the last line)", sentence % (value,), more)

    def _wire_logger(self) -> logging.Logger:
        """aiohttp logs every malformed request with a traceback and its octets: those are counted."""

        def worth_a_line(record: logging.LogRecord) -> bool:
            error = record.exc_info[1] if record.exc_info else None
            if isinstance(error, HttpProcessingError):
                self._counters[f"{self._side}_malformed"] += 1
                return False
            if record.levelno < logging.WARNING:
                return False
            if error is not None:
                self.note_fault(error)
                return False
            return self._hush.due((record.module, record.lineno), self._clock.monotonic()) is not None

        # One for each listener, so that its filter goes with it.
        wire = logging.Logger("radius_push.web.wire", logging.DEBUG)  # noqa: LOG001
        wire.parent = self._logger
        wire.addFilter(worth_a_line)
        return wire


def hosts_of(url: str) -> frozenset[str]:
    """What the Host header may say."""
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
    port = parts.port or default
    return frozenset({f"{host}:{port}"} | ({host} if port == default else set()))
