"""The phone side: the one door that faces the internet. Serves the app, and hears what phones sign.

It meets a login only through the Store. Everything here is bounded: connections, streams, bodies, times.
"""

from __future__ import annotations

import functools
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from radius_push.enrollment import Prove, cannot_prove
from radius_push.factors.answer import AnswerRefused
from radius_push.hush import Hush, place_of
from radius_push.model import BiometricsMode, Network, Secret
from radius_push.ports import Clock, Places, Ringer, Store, StoreDown
from radius_push.shapes import Enrollment, PhoneListener
from radius_push.web.certificate import tls_of
from radius_push.web.doorway import Doorway
from radius_push.web.phone_api import LONGEST_BODY, PhoneApi
from radius_push.web.phone_biometrics import BiometricsApi
from radius_push.web.phone_enrol import EnrolApi
from radius_push.web.phone_facts import FactsOf
from radius_push.web.phone_files import HEADERS, File, read_files, serve_file
from radius_push.web.phone_notices import NoticeApi
from radius_push.web.phone_push import PushApi
from radius_push.web.phone_stream import Streams
from radius_push.web.proxies import Proxies
from radius_push.web.refusal import Refusal

logger = logging.getLogger("radius_push.web.phone")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CLOSING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class PhoneLimits:
    connections: int = 2000
    connections_per_neighbourhood: int = 100
    """From one IPv4 address, or one IPv6 /64. Does not hold for trusted proxies."""
    streams: int = 1500
    streams_per_device: int = 3
    header_seconds: float = 10.0
    """A connection without a complete header for so long is closed, an idle one too."""
    body_seconds: float = 10.0
    write_seconds: float = 10.0
    """A connection that does not take all that waits for it in so long is cut off."""

    def at_most(self, connections: int) -> PhoneLimits:
        """With fewer connections, a quarter of them never streams': an answer needs one too."""
        return replace(
            self,
            connections=min(self.connections, connections),
            streams=min(self.streams, connections * 3 // 4),
        )


class PhoneSide:
    """One listener for phones."""

    def __init__(
        self,
        listener: PhoneListener,
        *,
        store: Store,
        clock: Clock,
        pepper: Secret,
        enrollment: Enrollment,
        ringer: Ringer,
        counters: Counter[str],
        fresh: Callable[[int], bytes] = secrets.token_bytes,
        limits: PhoneLimits = PhoneLimits(),
        trusted_proxies: tuple[Network, ...] = (),
        places: Places | None = None,
        prove: Prove = cannot_prove,
        biometrics: BiometricsMode = "optional",
    ) -> None:
        """`prove`: asks a directory, for an invitation that was sent. It is bounded by whoever gives it."""
        self._listener = listener
        self._counters = counters
        self._limits = limits
        self._clock = clock
        self._hush = Hush()
        self._proxies = Proxies(trusted_proxies)
        self._hosts = _hosts(listener.url)
        self._facts = FactsOf(store, places)
        self._streams = Streams(
            store,
            clock,
            per_device=limits.streams_per_device,
            in_all=limits.streams,
            counters=counters,
            facts=self._facts,
        )
        self._api = PhoneApi(
            origin=listener.url,
            store=store,
            clock=clock,
            counters=counters,
            fresh=fresh,
            streams=self._streams,
            body_seconds=limits.body_seconds,
            proxies=self._proxies,
        )
        self._enrol = EnrolApi(
            self._api,
            origin=listener.url,
            store=store,
            clock=clock,
            pepper=pepper,
            enrollment=enrollment,
            counters=counters,
            fresh=fresh,
            prove=prove,
        )
        self._notices = NoticeApi(self._api, store=store, clock=clock)
        self._push = PushApi(
            self._api,
            ringer=ringer,
            store=store,
            clock=clock,
            counters=counters,
            fresh=fresh,
            origin=listener.url,
            biometrics=biometrics,
        )
        self._biometrics = BiometricsApi(
            self._api, store=store, clock=clock, origin=listener.url, counters=counters
        )
        self._doorway: Doorway | None = None
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """As bound."""
        assert self._doorway is not None, "not started"  # noqa: S101  # a fault of the caller
        return self._doorway.port

    def use(
        self,
        enrollment: Enrollment,
        trusted_proxies: tuple[Network, ...],
        places: Places | None,
        biometrics: BiometricsMode = "optional",
    ) -> None:
        """After a reload: other limits for the phones that are added from now on, and other places."""
        self._push.biometrics = biometrics
        self._facts.places = places
        self._enrol.enrollment = enrollment
        self._proxies.use(trusted_proxies)

    async def start(self) -> None:
        """Open, and let phones in at once."""
        await self.open()
        self.welcome()

    async def open(self) -> None:
        """Bind; who comes now waits for `welcome`.

        Raises OSError for an address, DoorClosed for a certificate or key that cannot be used.
        """
        assert self._listener.endpoint is not None  # noqa: S101  # who opens this has an address for it
        doorway = Doorway(
            self._listener.endpoint,
            tls=tls_of(self._listener),
            per_neighbourhood=self._limits.connections_per_neighbourhood,
            in_all=self._limits.connections,
            write_seconds=self._limits.write_seconds,
            proxies=self._proxies,
            counters=self._counters,
        )
        runner = web.AppRunner(
            self._app(),
            access_log=None,
            # A phone that leaves ends its stream at once.
            handler_cancellation=True,
            # In aiohttp this is also the time in which a request's header has to arrive.
            keepalive_timeout=self._limits.header_seconds,
            lingering_time=self._limits.body_seconds,
            shutdown_timeout=CLOSING_SECONDS,
            auto_decompress=False,
            logger=self._wire_logger(),
        )
        await runner.setup()
        self._runner = runner
        try:
            doorway.open()
        except OSError:
            await self.close()
            raise
        self._doorway = doorway

    def welcome(self) -> None:
        """Begin to let phones in."""
        assert self._doorway is not None, "not open"  # noqa: S101  # a fault of the caller
        assert self._runner is not None  # noqa: S101  # opened with it
        server = self._runner.server
        assert server is not None  # noqa: S101  # setup made it
        self._doorway.welcome(server)

    async def close(self) -> None:
        """Let nobody in, end the streams, finish the answers."""
        if self._doorway is not None:
            await self._doorway.close()
        await self._streams.close()
        await self._api.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _wire_logger(self) -> logging.Logger:
        """aiohttp logs every malformed request with a traceback and its octets: those are counted."""

        def worth_a_line(record: logging.LogRecord) -> bool:
            error = record.exc_info[1] if record.exc_info else None
            if isinstance(error, HttpProcessingError):
                self._counters["phone_malformed"] += 1
                return False
            if record.levelno < logging.WARNING:
                return False
            if error is not None:
                self._note_fault(error)
                return False
            return self._hush.due((record.module, record.lineno), self._clock.monotonic()) is not None

        # One for each listener, so that its filter goes with it.
        wire = logging.Logger("radius_push.web.wire", logging.DEBUG)  # noqa: LOG001
        wire.parent = logger
        wire.addFilter(worth_a_line)
        return wire

    def _app(self) -> web.Application:
        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._watch(request, handler)

        app = web.Application(middlewares=[watch], client_max_size=LONGEST_BODY)
        app.on_response_prepare.append(self._dress)
        for path, handler in {
            "/api/nonce": self._api.nonce,
            "/api/enrol": self._enrol.enrol,
            "/api/stream": self._api.stream,
            "/api/questions": self._api.questions,
            "/api/answer": self._api.answer,
            "/api/notice": self._notices.notice,
            "/api/push": self._push.push,
            "/api/biometric": self._biometrics.biometric,
            "/api/test": self._push.test,
            "/api/test-answer": self._push.test_answer,
        }.items():
            app.router.add_post(path, handler)
        app.router.add_get("/api/config", self._push.config)
        app.router.add_get("/{path:.*}", functools.partial(_file, files=read_files()))
        return app

    @web.middleware
    async def _watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What every request must be, and what becomes of every failure."""
        try:
            self._expect_at_home(request)
            return await handler(request)
        except Refusal as refusal:
            return refusal.response()
        except AnswerRefused as refused:
            self._counters["phone_signed_text_refused"] += 1
            return web.json_response(
                {
                    "error": "refused",
                    "message": "What this phone signed is not what was asked.",
                    "field": refused.field,
                },
                status=400,
            )
        except StoreDown as problem:
            self._count("phone_store_down", "store", "the phone side has no store: %s", problem)
            return Refusal(503, "store_down", "The server cannot work at the moment.").response()
        except web.HTTPException as problem:
            return Refusal(
                problem.status, problem.reason.lower().replace(" ", "_"), problem.reason
            ).response()
        except Exception as fault:  # noqa: BLE001  # our own fault must not reach other requests, nor the wire
            self._note_fault(fault)
            return Refusal(500, "fault", "The server failed.").response()

    def _note_fault(self, fault: BaseException) -> None:
        """The type and the place only: a message may hold what somebody sent."""
        where = f"{type(fault).__name__} at {place_of(fault)}"
        self._count("phone_fault", where, "a phone's request failed: %s", where)

    def _count(self, counter: str, subject: str, sentence: str, value: object) -> None:
        self._counters[counter] += 1
        more = self._hush.due((counter, subject), self._clock.monotonic())
        if more is not None:
            logger.error("%s (%d more since the last line)", sentence % (value,), more)

    def _expect_at_home(self, request: web.Request) -> None:
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            self._counters["phone_other_host"] += 1
            raise Refusal(421, "host", "This server has another name.")
        origin = request.headers.get("Origin")
        if request.method == "POST" and origin is not None and origin != self._listener.url:
            self._counters["phone_other_origin"] += 1
            raise Refusal(403, "origin", "Another site's page may not ask here.")

    async def _dress(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
        if self._listener.url.startswith("https:"):
            response.headers["Strict-Transport-Security"] = "max-age=31536000"


async def _file(request: web.Request, *, files: dict[str, File]) -> web.Response:
    return serve_file(request, files)


def _hosts(url: str) -> frozenset[str]:
    """What the Host header may say."""
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
    port = parts.port or default
    return frozenset({f"{host}:{port}"} | ({host} if port == default else set()))
