"""The phone side: the one door that faces the internet. Serves the app, and hears what phones sign.

It meets a login only through the Store. Everything here is bounded: connections, streams, bodies, times.
"""

from __future__ import annotations

import functools
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from aiohttp import web

from radius_push.enrollment import Prove, cannot_prove
from radius_push.factors.answer import AnswerRefused
from radius_push.model import BiometricsMode, Network, Secret
from radius_push.ports import Clock, Places, Ringer, Store, StoreDown
from radius_push.push_shapes import NO_APPS, Push
from radius_push.shapes import Enrollment, MailServer, PhoneListener
from radius_push.web.assertions import Assertions
from radius_push.web.front_door import FrontDoor, hosts_of
from radius_push.web.inviting import Inviting
from radius_push.web.phone_api import LONGEST_BODY, PhoneApi
from radius_push.web.phone_apps import AppPushApi
from radius_push.web.phone_biometrics import BiometricsApi
from radius_push.web.phone_contest import ContestApi
from radius_push.web.phone_enrol import EnrolApi
from radius_push.web.phone_facts import FactsOf
from radius_push.web.phone_files import HEADERS, File, read_files, serve_file
from radius_push.web.phone_guard import Guard
from radius_push.web.phone_inviting import InvitingApi
from radius_push.web.phone_notices import NoticeApi
from radius_push.web.phone_push import PushApi
from radius_push.web.phone_sign_ins import SignInApi
from radius_push.web.phone_stream import Streams
from radius_push.web.proxies import Proxies
from radius_push.web.refusal import Refusal

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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
        mail: MailServer | None = None,
        push: Push = NO_APPS,
    ) -> None:
        """`prove`: asks a directory, for an invitation that was sent. It is bounded by whoever gives it.
        `mail`: by which people are told of their phones, and administrators when somebody says that it was
        not them."""
        self._listener = listener
        self._counters = counters
        self._proxies = Proxies(trusted_proxies)
        self._hosts = hosts_of(listener.url)
        self._facts = FactsOf(store, places)
        self._inviting = Inviting(store, allowed=enrollment.by_phone)
        assertions = Assertions(store, clock, origin=listener.url, counters=counters)
        self._guard = Guard(assertions, store, mode=biometrics)
        self._streams = Streams(
            store,
            clock,
            per_device=limits.streams_per_device,
            in_all=limits.streams,
            counters=counters,
            facts=self._facts,
            inviting=self._inviting,
            guard=self._guard,
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
        self._notices = NoticeApi(self._api, store=store, clock=clock, guard=self._guard)
        self._push = PushApi(
            self._api,
            ringer=ringer,
            store=store,
            clock=clock,
            counters=counters,
            fresh=fresh,
            origin=listener.url,
            biometrics=biometrics,
            settings=push,
        )
        self._apps = AppPushApi(self._api, store=store, clock=clock, counters=counters, settings=push)
        self._biometrics = BiometricsApi(
            self._api, store=store, clock=clock, origin=listener.url, counters=counters
        )
        self._sign_ins = SignInApi(
            self._api, origin=listener.url, store=store, clock=clock, counters=counters, guard=self._guard
        )
        self._contest = ContestApi(self._api, store=store, clock=clock, counters=counters)
        self._invite = InvitingApi(
            self._api,
            store=store,
            clock=clock,
            pepper=pepper,
            allowed=enrollment,
            counters=counters,
            fresh=fresh,
            guard=self._guard,
        )
        self._tell_by(mail)
        self._door = FrontDoor(
            listener,
            side="phone",
            clock=clock,
            counters=counters,
            proxies=self._proxies,
            connections=limits.connections,
            per_neighbourhood=limits.connections_per_neighbourhood,
            header_seconds=limits.header_seconds,
            body_seconds=limits.body_seconds,
            write_seconds=limits.write_seconds,
        )

    @property
    def port(self) -> int:
        """As bound."""
        return self._door.port

    def use(
        self,
        enrollment: Enrollment,
        trusted_proxies: tuple[Network, ...],
        places: Places | None,
        biometrics: BiometricsMode = "optional",
        mail: MailServer | None = None,
        push: Push = NO_APPS,
    ) -> None:
        """After a reload: other limits for the phones that are added from now on, other places and apps."""
        self._push.settings = self._apps.settings = push
        self._tell_by(mail)
        self._push.biometrics = self._guard.mode = biometrics
        self._facts.places = places
        self._enrol.enrollment = self._invite.enrollment = enrollment
        self._inviting.allowed = enrollment.by_phone
        self._proxies.use(trusted_proxies)

    def _tell_by(self, mail: MailServer | None) -> None:
        self._contest.alerts = self._notices.alerts = () if mail is None else mail.alerts
        self._invite.mails = mail is not None

    async def start(self) -> None:
        """Open, and let phones in at once."""
        await self.open()
        self.welcome()

    async def open(self) -> None:
        """Bind; who comes now waits for `welcome`.

        Raises OSError for an address, DoorClosed for a certificate or key that cannot be used.
        """
        await self._door.open(self._app)

    def welcome(self) -> None:
        """Begin to let phones in."""
        self._door.welcome()

    async def close(self) -> None:
        """Let nobody in, end the streams, finish the answers."""
        await self._door.let_nobody_in()
        await self._streams.close()
        await self._api.close()
        await self._door.clean_up()

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
            "/api/woken": self._api.woken,
            "/api/answer": self._api.answer,
            "/api/contest": self._contest.contest,
            "/api/invite": self._invite.invite,
            "/api/confirm": self._invite.confirm,
            "/api/notice": self._notices.notice,
            "/api/push": self._push.push,
            "/api/push-token": self._apps.token,
            "/api/receipt": self._apps.receipt,
            "/api/biometric": self._biometrics.biometric,
            "/api/test": self._push.test,
            "/api/test-answer": self._push.test_answer,
            "/api/sign-in-answer": self._sign_ins.answer,
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
            self._door.note_store_down(problem)
            return Refusal(503, "store_down", "The server cannot work at the moment.").response()
        except web.HTTPException as problem:
            return Refusal(
                problem.status, problem.reason.lower().replace(" ", "_"), problem.reason
            ).response()
        except Exception as fault:  # noqa: BLE001  # our own fault must not reach other requests, nor the wire
            self._door.note_fault(fault)
            return Refusal(500, "fault", "The server failed.").response()

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
