"""Signing in to the portal: the directory password, and a yes on a phone from whoever has one."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from radius_push import events
from radius_push.dn import fold
from radius_push.factors.portal_sign_in import code
from radius_push.model import Person, PersonKey, Secret
from radius_push.portal_password import NotAsked, NotTheirs, Tries, Whose
from radius_push.portal_store import PortalSession, PortalSignIn, SignInState
from radius_push.ports import Clock, Store
from radius_push.shapes import Enrollment, RingLimit
from radius_push.web.portal_pages import signing_in as pages
from radius_push.web.portal_visit import Cookies, NotSignedIn, Visit, go, new_value, shown, stranger
from radius_push.web.wrong_tries import WrongTries, neighbourhood

SIGN_IN_SECONDS = 60.0
CHECKS_AT_ONCE = 4
"""Passwords that are checked for the portal at once: logins wait for the same directories."""
TRIES_OF_A_NAME = 3
TRIES_SECONDS = 3600.0
"""So few wrong passwords in so long that directories as usually set lock nobody out because of them."""
LONGEST_NAME = 253

CheckPassword = Callable[[str, Secret, Tries], Awaitable[Whose]]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say of it; exchanged by a reload."""

    enrollment: Enrollment
    ring_limit: RingLimit
    reject_delay: float


class SigningIn:
    """The requests of whoever is not signed in yet."""

    def __init__(
        self,
        *,
        page: str,
        rules: Callable[[], Rules],
        check: CheckPassword,
        expect_few: Callable[[PersonKey], None],
        ring: Callable[[PortalSignIn], None],
        store: Store,
        clock: Clock,
        cookies: Cookies,
        counters: Counter[str],
        fresh: Callable[[int], bytes],
    ) -> None:
        self._page = page
        self._rules = rules
        self._check = check
        self._expect_few = expect_few
        self._ring = ring
        self._store = store
        self._clock = clock
        self._cookies = cookies
        self._counters = counters
        self._fresh = fresh
        self._of_places = WrongTries()
        self._of_names = WrongTries(per_neighbourhood=TRIES_OF_A_NAME, in_all=6000, window=TRIES_SECONDS)
        self._of_people = TriesOfPeople(clock)
        self._checking = 0

    # --- the form --------------------------------------------------------------------------------------

    def form(
        self, visit: Visit, *, said: str | None = None, wrong: bool = True, status: int = 200
    ) -> web.Response:
        """The form, bound to this browser."""
        value = self._cookies.visit(visit.request) or new_value(self._fresh(32))
        page = pages.sign_in(stranger(visit, self._cookies.form(value)), said=said, wrong=wrong)
        response = shown(page, status=status)
        self._cookies.give_visit(response, value)
        return response

    async def sign_in(self, visit: Visit) -> web.Response:
        self._cookies.expect_form(visit, self._cookies.visit(visit.request))
        began = self._clock.monotonic()
        username, password = visit.field("username").strip(), visit.field("password")
        if not username or not password:
            return self.form(visit, said="in_empty", status=400)
        place, name = neighbourhood(visit.caller), fold(username)[:LONGEST_NAME]
        if not (self._of_places.admits(place, began) and self._of_names.admits(name, began)):
            self._counters["portal_too_many_tries"] += 1
            return self.form(visit, said="in_too_many", status=429)
        if self._checking >= CHECKS_AT_ONCE:
            self._counters["portal_busy"] += 1
            return self.form(visit, said="in_busy", status=503)
        # Noted before: a hundred guesses at once must not pass a count that none has raised yet.
        self._of_places.note(place, began)
        self._of_names.note(name, began)
        whose = await self._whose(username, password)
        if isinstance(whose, NotTheirs):
            await self._refused(
                visit, username, whose.person, "unknown_user" if whose.person is None else "wrong_password"
            )
            await self._common_moment(began)
            return self.form(visit, said="in_wrong", status=403)
        self._of_places.take_back(place)
        if isinstance(whose, NotAsked):
            self._of_names.take_back(name)
            await self._refused(visit, username, None, "directory_down")
            return self.form(visit, said="in_down", status=503)
        self._of_names.forget(name)
        self._expect_few(whose.key)
        return await self._welcome(visit, username, whose)

    async def _whose(self, username: str, password: str) -> Whose:
        if len(username) > LONGEST_NAME or not username.isprintable():
            return NotTheirs(None)
        self._checking += 1
        try:
            return await self._check(username, Secret(password.encode()), self._of_people)
        finally:
            self._checking -= 1

    async def _common_moment(self, began: float) -> None:
        """Every refusal leaves so long after its request, or at the next whole multiple."""
        delay = self._rules().reject_delay
        if delay > 0:
            passed = self._clock.monotonic() - began
            await asyncio.sleep(max(1, math.ceil(passed / delay)) * delay - passed)

    async def _refused(self, visit: Visit, username: str, person: Person | None, reason: str) -> None:
        self._counters[f"portal_{reason}"] += 1
        key = None if person is None else str(person.key)
        shown_name = "".join(c if c.isprintable() else "?" for c in username[:LONGEST_NAME])
        await self._store.record(events.PortalRefused(shown_name, key, visit.address, reason))

    # --- the right password ----------------------------------------------------------------------------

    async def _welcome(self, visit: Visit, username: str, person: Person) -> web.Response:
        if await self._store.devices_of(person.key):
            return await self._ask_phones(visit, username, person)
        never = not await self._store.has_ever_had_a_device(person.key)
        if never and person.key.authentication_profile in self._rules().enrollment.self_service:
            session = PortalSession(person.key, person.username, None, self._clock.now())
            return await self._begin(visit, session)
        await self._refused(visit, username, person, "needs_invitation")
        return shown(pages.needs_invitation(stranger(visit)), status=403)

    async def _ask_phones(self, visit: Visit, username: str, person: Person) -> web.Response:
        now, value = self._clock.now(), new_value(self._fresh(32))
        sign_in = PortalSignIn(
            id=self._fresh(16).hex(),
            person=person.key,
            account=person.username,
            page=self._page,
            address=visit.address,
            nonce=self._fresh(16).hex(),
            opened_at=now,
            expires_at=now + SIGN_IN_SECONDS,
        )
        asked = events.PortalAsked(str(person.key), sign_in.id, self._page, visit.address)
        opening = await self._store.open_sign_in(
            sign_in, mark=self._cookies.mark(value), limit=self._rules().ring_limit, event=asked
        )
        if opening != "opened":
            await self._refused(visit, username, person, opening)
            return self.form(visit, said=f"in_{opening}", status=429)
        self._ring(sign_in)
        response = go("/wait")
        self._cookies.give_session(response, value)
        return response

    # --- the phone's answer ----------------------------------------------------------------------------

    async def wait(self, visit: Visit) -> web.Response:
        value = self._cookies.session(visit.request)
        sign_in = None if value is None else await self._store.sign_in_of(self._cookies.mark(value))
        if sign_in is None or value is None or sign_in.state is SignInState.SPENT:
            return go("/")
        if self.is_waiting(sign_in):
            return shown(pages.waiting(stranger(visit), code=code(sign_in)))
        if sign_in.state is not SignInState.APPROVED:
            denied = sign_in.state is SignInState.DENIED
            return shown(pages.not_let_in(stranger(visit), denied=denied))
        session = PortalSession(sign_in.person, sign_in.account, sign_in.device, self._clock.now())
        return await self._begin(visit, session, approved=sign_in.id, browser=self._cookies.mark(value))

    def is_waiting(self, sign_in: PortalSignIn) -> bool:
        return sign_in.state is SignInState.PENDING and self._clock.now() < sign_in.expires_at

    async def _begin(
        self, visit: Visit, session: PortalSession, *, approved: str | None = None, browser: bytes = b""
    ) -> web.Response:
        """A session always begins with a value that nobody has seen before."""
        value = new_value(self._fresh(32))
        entered = events.PortalSignedIn(str(session.person), session.account, session.device, visit.address)
        if not await self._store.begin_portal_session(
            self._cookies.mark(value), session, approved=approved, browser=browser, event=entered
        ):
            raise NotSignedIn
        self._counters["portal_signed_in"] += 1
        response = go("/")
        self._cookies.give_session(response, value)
        return response


class TriesOfPeople:
    """`portal_password.Tries`: whoever has several names has the tries of one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tries = WrongTries(per_neighbourhood=TRIES_OF_A_NAME, in_all=6000, window=TRIES_SECONDS)

    def begin(self, person: PersonKey) -> bool:
        now = self._clock.monotonic()
        if not self._tries.admits(str(person), now):
            return False
        self._tries.note(str(person), now)
        return True

    def take_back(self, person: PersonKey) -> None:
        self._tries.take_back(str(person))

    def forget(self, person: PersonKey) -> None:
        self._tries.forget(str(person))
