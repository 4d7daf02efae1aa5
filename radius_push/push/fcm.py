"""The door to an organisation's own app: Google's Firebase Cloud Messaging (HTTP v1) is asked to wake it.

Sent by our own session, with our own deadline: the library for it sleeps through Retry-After.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from radius_push.model import Secret
from radius_push.ports import Clock
from radius_push.push import fcm_answers
from radius_push.push.fcm_message import LONGEST, dry_message, message_for
from radius_push.push.line import SOON, Answer, Line, NoAnswer
from radius_push.push.message import Message
from radius_push.push.outside import LookUp, look_up
from radius_push.push.service_account import ServiceAccount
from radius_push.push_shapes import Fcm, Push
from radius_push.waking import AppAddress, Channel, Delivered, Outcome, PushAddress, Refused, Unreachable

logger = logging.getLogger("radius_push.push")

DEADLINE = 10.0
"""Seconds for one try, an access token included, or what is left of the login."""
KEPT_WARM = 180.0
"""Seconds between two looks whether the connection is there: sooner than either end closes an idle one."""
FIRST_PAUSE = 5.0
"""Seconds until the second look when the first failed; then twice as long each time."""
NOT_SET_UP = "methods.push.fcm is not set up; name the service account of the app's Firebase project there"
PLACE = "methods.push.fcm"

_Body = Callable[[float], bytes]
"""What is sent, of the seconds that are left when it is."""


class FcmDoor:
    """Sends for one Firebase project. One for the process: it holds the connections."""

    channel: Channel = "fcm"

    def __init__(self, settings: Push, *, clock: Clock, look_up: LookUp = look_up) -> None:
        """Within a running event loop."""
        self._clock = clock
        self._look_up = look_up
        self._settings: tuple[Fcm | None, str | None] = (None, None)
        self._project: _Project | None = None
        self._retiring: dict[_Project, asyncio.Task[None]] = {}
        self._opened = False
        self.use(settings)

    def open(self) -> None:
        """Begin to keep a connection and an access token, beside whoever calls."""
        self._opened = True
        if self._project is not None:
            self._project.keep_warm()

    def use(self, settings: Push) -> None:
        """After a reload. What is being sent goes on by the settings that it began with."""
        if (settings.fcm, settings.proxy) == self._settings:
            return
        if self._project is not None:
            retires = self._retire(self._project)
            self._retiring[self._project] = asyncio.create_task(retires, name="fcm retires")
        self._settings = (settings.fcm, settings.proxy)
        self._project = None
        if settings.fcm is not None:
            self._project = _Project(settings.fcm, settings.proxy, clock=self._clock, look_up=self._look_up)
            if self._opened:
                self._project.keep_warm()

    async def close(self) -> None:
        for task in self._retiring.values():
            task.cancel()
        await asyncio.gather(*self._retiring.values(), return_exceptions=True)
        open_ones = [*self._retiring, *([] if self._project is None else [self._project])]
        self._retiring, self._project, self._settings = {}, None, (None, None)
        for project in open_ones:
            await project.close()

    async def _retire(self, project: _Project) -> None:
        await project.let_finish()
        await project.close()
        del self._retiring[project]

    def wants(self) -> tuple[tuple[str, int], ...]:
        """Hosts and TCP ports that must be reachable, through the proxy if there is one; none if it is not
        set up."""
        fcm = self._settings[0]
        return () if fcm is None else tuple(dict.fromkeys(map(_host_and_port, (fcm.url, fcm.token_uri))))

    async def send(self, address: PushAddress, message: Message, *, seconds: float) -> Outcome:
        """As `ringing.Door` says."""
        if self._project is None:
            return Refused(NOT_SET_UP)
        if not isinstance(address, AppAddress) or address.channel != "fcm":
            return Refused("not asked: no address of FCM")
        token = address.token
        return await self._project.post(
            lambda left: message_for(token, message, seconds=left), seconds=seconds
        )

    async def try_out(self, token: Secret | None) -> Outcome:
        """A dry run (`validate_only`): FCM checks a message and throws it away. No phone rings.

        `Delivered` proves that the service account's key, the project and the API are right, and the way to
        them; with an app's `token`, that it is one of this project and that the app is still there.
        """
        if self._project is None:
            return Refused(NOT_SET_UP)
        return await self._project.try_out(token)


class _Project:
    """One Firebase project by one set of settings."""

    def __init__(self, fcm: Fcm, proxy: str | None, *, clock: Clock, look_up: LookUp) -> None:
        self._fcm = fcm
        self._clock = clock
        self._line = Line(ca=fcm.ca, proxy=proxy, place=PLACE, look_up=look_up)
        self._account = ServiceAccount(fcm, self._line, clock=clock)
        self._host = urlsplit(fcm.url).hostname or ""
        self._url = f"{fcm.url}/v1/projects/{fcm.project}/messages:send"
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._keeper: asyncio.Task[None] | None = None

    def keep_warm(self) -> None:
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep_warm(), name="fcm keeps warm")

    async def let_finish(self) -> None:
        """Until nothing is being sent any more."""
        if self._keeper is not None:
            self._keeper.cancel()
        await self._idle.wait()

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        await self._account.close()
        await self._line.close()

    async def try_out(self, token: Secret | None) -> Outcome:
        now = self._clock.now()
        return await self.post(lambda left: dry_message(token, now=now, seconds=left), seconds=DEADLINE)

    async def post(self, body: _Body, *, seconds: float) -> Outcome:
        """Send it within `seconds`, or DEADLINE. Never raises but when it is cancelled."""
        limit, until = min(DEADLINE, seconds), self._clock.monotonic() + seconds
        if limit <= 0:
            return Unreachable(f"{self._host}: not asked: the time is over", None)
        try:
            with self._being_sent():
                async with asyncio.timeout(limit):
                    answer = await self._post(body, until)
        except TimeoutError:
            return Unreachable(f"{self._host}: no answer within {limit:.0f} s", SOON)
        except NoAnswer as none:
            return none.outcome
        return fcm_answers.of_send(
            answer,
            host=self._host,
            project=self._fcm.project,
            email=self._fcm.client_email,
            now=self._clock.now(),
        )

    async def _post(self, body: _Body, until: float) -> Answer:
        token = await self._account.token()
        answer = await self._post_as(token, body, until)
        if fcm_answers.is_about_access(answer):
            self._account.refused(token)
            answer = await self._post_as(await self._account.token(), body, until)
        return answer

    async def _post_as(self, token: Secret, body: _Body, until: float) -> Answer:
        octets = body(until - self._clock.monotonic())
        if len(octets) > LONGEST:
            raise NoAnswer(Refused("not asked: the message is too long, as the app's token is"))
        headers = {
            "Authorization": f"Bearer {token.reveal().decode()}",
            "Content-Type": "application/json; charset=utf-8",
        }
        return await self._line.ask("POST", self._url, headers=headers, body=octets)

    @contextmanager
    def _being_sent(self) -> Iterator[None]:
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _keep_warm(self) -> None:
        """So that no login's ring waits for TLS or an access token; and what is wrong is known before one."""
        said: str | None = None
        pause, tried = FIRST_PAUSE, False
        while True:
            outcome = await self._look() if tried else await self.try_out(None)
            well = isinstance(outcome, Delivered)
            tried = tried or well
            detail = "" if isinstance(outcome, Delivered) else outcome.detail
            if detail != said:
                self._tell(detail)
                said = detail
            await asyncio.sleep(KEPT_WARM if well else pause)
            pause = FIRST_PAUSE if well else min(2 * pause, KEPT_WARM)

    def _tell(self, detail: str) -> None:
        if detail:
            logger.warning("fcm: apps of %s are not rung: %s", self._fcm.project, detail)
        else:
            logger.info("fcm: apps of %s can be rung", self._fcm.project)

    async def _look(self) -> Outcome:
        """The least that keeps a connection and a token: whatever it answers to this, it is there."""
        try:
            async with asyncio.timeout(DEADLINE):
                await self._account.token()
                await self._line.ask("GET", f"{self._fcm.url}/")
        except TimeoutError:
            return Unreachable(f"{self._host}: no answer within {DEADLINE:.0f} s", SOON)
        except NoAnswer as none:
            return none.outcome
        return Delivered()


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
