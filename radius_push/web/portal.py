"""The portal: where people see to their own phones. Plain pages and forms, at a host name of their own.

It meets a login only through the Store and the directories' passwords. Everything here is bounded.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from radius_push import events
from radius_push.model import Address, Device, Network, PersonKey, Secret, Trial
from radius_push.portal_store import PortalSession, PortalSignIn
from radius_push.ports import Clock, DoorClosed, Store
from radius_push.shapes import PhoneListener
from radius_push.web.doorway import address_of
from radius_push.web.front_door import FrontDoor, hosts_of
from radius_push.web.phone_files import HEADERS as PHONE_HEADERS
from radius_push.web.phone_files import File, file_of, serve_file
from radius_push.web.portal_devices import Devices, Inside
from radius_push.web.portal_pages.page import Reader, trouble
from radius_push.web.portal_pairing import AddressOf, Pairing
from radius_push.web.portal_signing_in import CheckPassword, Rules, SigningIn
from radius_push.web.portal_visit import (
    LONGEST_FORM,
    Cookies,
    NotSignedIn,
    Trouble,
    Visit,
    expect_own_page,
    go,
    language_of,
    read_form,
    shown,
    stranger,
)
from radius_push.web.proxies import Proxies
from radius_push.web.wrong_tries import WrongTries

FOLDER = Path(__file__).parent / "portal_pages"
HEADERS = {
    **PHONE_HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    # Nothing to other sites; with no-referrer browsers would not even tell us whose page a form came from.
    "Referrer-Policy": "same-origin",
}
"""On every response of the portal."""
ACTS = 60
"""Sign-ins with the right password, and forms inside, of one person in ten minutes: each is written down."""
_SAID = {"in_over": True, "in_out": False, "did_removed": False}
"""What the sign-in page may be told to say, and whether it is something wrong."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Page = Callable[[Visit], Coroutine[None, None, web.Response]]
InnerPage = Callable[[Inside], Coroutine[None, None, web.Response]]


@dataclass(frozen=True, slots=True)
class PortalLimits:
    connections: int = 500
    connections_per_neighbourhood: int = 100
    """From one IPv4 address, or one IPv6 /64. Does not hold for trusted proxies."""
    header_seconds: float = 10.0
    body_seconds: float = 10.0
    write_seconds: float = 10.0


class Portal:
    """One listener for the people's own page."""

    def __init__(
        self,
        listener: PhoneListener,
        *,
        phones_open: str,
        rules: Rules,
        trusted_proxies: tuple[Network, ...],
        check: CheckPassword,
        address_of: AddressOf,
        ring: Callable[[PortalSignIn], None],
        ring_trial: Callable[[Trial, Device], None],
        store: Store,
        clock: Clock,
        pepper: Secret,
        counters: Counter[str],
        fresh: Callable[[int], bytes] = secrets.token_bytes,
        limits: PortalLimits = PortalLimits(),
    ) -> None:
        """`phones_open`: the origin of the phone side."""
        self._url = listener.url
        self._hosts = hosts_of(listener.url)
        self._rules = rules
        self._proxies = Proxies(trusted_proxies)
        self._store = store
        self._clock = clock
        self._counters = counters
        self._body_seconds = limits.body_seconds
        self._cookies = Cookies(url=listener.url, pepper=pepper)
        self._unfinished: set[asyncio.Task[web.Response]] = set()
        self._acts = WrongTries(per_neighbourhood=ACTS, in_all=10_000)
        self._signing_in = SigningIn(
            page=listener.url,
            rules=lambda: self._rules,
            check=check,
            expect_few=self._expect_few,
            ring=ring,
            store=store,
            clock=clock,
            cookies=self._cookies,
            counters=counters,
            fresh=fresh,
        )
        self._devices = Devices(
            most=lambda: self._rules.enrollment.devices_per_user,
            ring_trial=ring_trial,
            store=store,
            clock=clock,
            fresh=fresh,
        )
        self._pairing = Pairing(
            phones_open=phones_open,
            pepper=pepper,
            rules=lambda: self._rules.enrollment,
            address_of=address_of,
            store=store,
            clock=clock,
            fresh=fresh,
        )
        self._door = FrontDoor(
            listener,
            side="portal",
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

    def use(self, rules: Rules, trusted_proxies: tuple[Network, ...]) -> None:
        """After a reload."""
        self._rules = rules
        self._proxies.use(trusted_proxies)

    async def open(self) -> None:
        """Bind; who comes now waits for `welcome`. Raises OSError, DoorClosed."""
        await self._door.open(self._app)

    def welcome(self) -> None:
        self._door.welcome()

    async def close(self) -> None:
        """Let nobody in, finish the answers."""
        await self._door.let_nobody_in()
        await asyncio.gather(*self._unfinished, return_exceptions=True)
        await self._door.clean_up()

    # --- the pages -------------------------------------------------------------------------------------

    def _app(self) -> web.Application:
        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._watch(request, handler)

        app = web.Application(middlewares=[watch], client_max_size=LONGEST_FORM)
        app.on_response_prepare.append(self._dress)
        inside: dict[str, tuple[InnerPage | None, InnerPage | None]] = {
            "/rename": (None, self._devices.rename),
            "/remove": (self._devices.ask_to_remove, self._devices.remove),
            "/test": (None, self._devices.test),
            "/pair": (self._pairing.begin, self._pairing.reveal),
            "/pair/code": (self._pairing.code, self._pairing.confirm),
            "/sign-out": (None, self._sign_out),
        }
        for path, (get, post) in inside.items():
            if get is not None:
                app.router.add_get(path, functools.partial(self._inside, page=get))
            if post is not None:
                app.router.add_post(path, functools.partial(self._inside, page=post))
        app.router.add_get("/", functools.partial(self._outside, page=self._front))
        app.router.add_get("/wait", functools.partial(self._outside, page=self._signing_in.wait))
        app.router.add_get("/news", functools.partial(self._outside, page=self._news))
        app.router.add_post("/sign-in", functools.partial(self._outside, page=self._signing_in.sign_in))
        files = {f"/{name}": file_of(name, (FOLDER / name).read_bytes()) for name in _FILES}
        for path in files:
            app.router.add_get(path, functools.partial(_file, files=files))
        return app

    async def _outside(self, request: web.Request, *, page: Page) -> web.Response:
        visit = await self._visit(request)
        return await self._to_the_end(page(visit), request)

    async def _inside(self, request: web.Request, *, page: InnerPage) -> web.Response:
        visit = await self._visit(request)
        inside = await self._session(visit, seen=True)
        if inside is None:
            raise NotSignedIn
        if request.method == "POST":
            self._cookies.expect_form(visit, self._cookies.session(request))
            if request.path != "/sign-out":
                self._expect_few(inside.session.person)
        return await self._to_the_end(page(inside), request)

    async def _to_the_end(
        self, work: Coroutine[None, None, web.Response], request: web.Request
    ) -> web.Response:
        """Whoever hangs up in the middle of a guess has guessed: it is written down, and keeps its turn at
        the directory as long as that is busy with it."""
        if request.method != "POST":
            return await work
        task = asyncio.get_running_loop().create_task(work)
        self._unfinished.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[web.Response]) -> None:
        self._unfinished.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, because nobody else does when the browser hung up

    def _expect_few(self, person: PersonKey) -> None:
        """Raises Trouble."""
        now = self._clock.monotonic()
        if not self._acts.admits(str(person), now):
            raise Trouble(429, "trouble_often")
        self._acts.note(str(person), now)

    async def _visit(self, request: web.Request) -> Visit:
        form = {}
        if request.method == "POST":
            form = await read_form(request, seconds=self._body_seconds)
        return Visit(request, self._caller(request), language_of(request), form)

    async def _session(self, visit: Visit, *, seen: bool) -> Inside | None:
        value = self._cookies.session(visit.request)
        if value is None:
            return None
        mark = self._cookies.mark(value)
        session = await self._store.portal_session(mark, at=self._clock.now(), seen=seen)
        if session is None or not self._may_be_here(session):
            return None
        reader = Reader(visit.language, self._cookies.form(value), session.account)
        return Inside(visit, session, mark, reader)

    def _may_be_here(self, session: PortalSession) -> bool:
        """Without a phone it is for whom the settings say, now: a reload may have changed it."""
        profile = session.person.authentication_profile
        return session.device is not None or profile in self._rules.enrollment.self_service

    async def _front(self, visit: Visit) -> web.Response:
        inside = await self._session(visit, seen=True)
        if inside is not None:
            return await self._devices.show(inside)
        said = visit.request.query.get("said", "")
        return self._signing_in.form(
            visit, said=said if said in _SAID else None, wrong=_SAID.get(said, False)
        )

    async def _news(self, visit: Visit) -> web.Response:
        """Asked by the script every 2 s; no sign of life of a person."""
        value = self._cookies.session(visit.request)
        sign_in = None if value is None else await self._store.sign_in_of(self._cookies.mark(value))
        if sign_in is not None:
            return web.json_response({"go": not self._signing_in.is_waiting(sign_in)})
        inside = await self._session(visit, seen=False)
        return web.json_response({"go": inside is None or await self._pairing.has_news(inside)})

    async def _sign_out(self, inside: Inside) -> web.Response:
        event = events.PortalSignedOut(str(inside.session.person))
        await self._store.end_portal_session(inside.mark, at=self._clock.now(), event=event)
        response = go("/?said=in_out")
        self._cookies.take_session(response)
        return response

    # --- what every request must be ---------------------------------------------------------------------

    async def _watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """And what becomes of every failure."""
        try:
            self._expect_at_home(request)
            return await handler(request)
        except NotSignedIn:
            return go("/?said=in_over")
        except Trouble as why:
            self._counters[f"portal_{why.key}"] += 1
            return self._say(request, why.key, status=why.status)
        except DoorClosed as problem:
            self._door.note_store_down(problem)
            return self._say(request, "trouble_server", status=503)
        except web.HTTPException as problem:
            key = "trouble_missing" if problem.status in {404, 405} else "trouble_request"
            return self._say(request, key, status=problem.status)
        except Exception as fault:  # noqa: BLE001  # our own fault must not reach other requests, nor the wire
            self._door.note_fault(fault)
            return self._say(request, "trouble_server", status=500)

    def _say(self, request: web.Request, key: str, *, status: int) -> web.Response:
        visit = Visit(request, None, language_of(request))
        return shown(trouble(stranger(visit), key), status=status)

    def _expect_at_home(self, request: web.Request) -> None:
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            raise Trouble(421, "trouble_request")
        networks, caller = self._rules.enrollment.portal_networks, self._caller(request)
        # Whoever a proxy does not name comes from anywhere, not from the proxy's own network.
        unnamed = caller is None or self._proxies.trusts(caller)
        if networks and (unnamed or not any(caller in network for network in networks)):
            raise Trouble(403, "trouble_elsewhere")
        if request.method not in {"GET", "HEAD"}:
            expect_own_page(request, self._url)

    def _caller(self, request: web.Request) -> Address | None:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        forwarded = request.headers.getall("X-Forwarded-For", [])
        return self._proxies.caller(address_of(peer), forwarded)

    async def _dress(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
        if self._url.startswith("https:"):
            response.headers["Strict-Transport-Security"] = "max-age=31536000"


_FILES = ("portal.css", "portal.js", "icon.svg")


async def _file(request: web.Request, *, files: dict[str, File]) -> web.Response:
    return serve_file(request, files)
