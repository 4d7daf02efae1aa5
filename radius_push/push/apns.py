"""The door to an organisation's own app on Apple's devices: Apple's push service (APNs) is asked to wake it.

Apple can read what it is handed, so it gets the kind and the id of what waits, and words by their keys: the
app has the texts.
"""

from __future__ import annotations

import asyncio
import math
import re
import ssl
from concurrent.futures import ThreadPoolExecutor

from aioapns.common import NotificationRequest, PushType

from radius_push.model import Secret
from radius_push.ports import Clock
from radius_push.push.apns_answers import EXPIRED_JWT, Said, mend_for, outcome_of
from radius_push.push.apns_identity import Signer, expired
from radius_push.push.apns_line import Answer, Line, LineLost
from radius_push.push.apns_lines import Lines, place_of
from radius_push.push.apns_streams import NotTaken
from radius_push.push.message import Kind, Message
from radius_push.push.retry_after import seconds_until
from radius_push.push.tunnel import SOON, CannotReach, LookUp, look_up
from radius_push.push_shapes import Apns, Push, Token
from radius_push.waking import TOKENS, AppAddress, Channel, Gone, Outcome, PushAddress, Refused, Unreachable

DEADLINE = 10.0
"""Seconds for one try, a new connection included, or what is left of the login."""
MOST_LINES = 3
"""Connections that one try may be handed to, when those before did not look at it."""
TRIAL_SECONDS = 60.0
"""For so long Apple may keep what `try_out` sends."""
AT_ONCE = 10
"""Apple's priority for what a person has to see now."""
LOOK_UPS = 2
"""Threads: a DNS server that hangs must not take those of others."""
DATA_KEY = "radius_push"
NOT_SET_UP = (
    "methods.push.apns is not set up; name the app's bundle id, and the key of Apple's developer page there"
)
_DEVICE_TOKEN = re.compile(TOKENS["apns"])


class ApnsDoor:
    """Sends for one app. One for the process: it holds the connections."""

    channel: Channel = "apns"

    def __init__(self, settings: Push, *, clock: Clock, look_up: LookUp = look_up) -> None:
        """Within a running event loop."""
        self._clock = clock
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="apns-dns")
        self._lines: Lines | None = None
        self._retired: list[Lines] = []
        self._why_none = NOT_SET_UP
        self._open = False
        self.use(settings)

    def open(self) -> None:
        """As `ringing.Door` says."""
        self._open = True
        if self._lines is not None:
            self._lines.keep()

    def wants(self) -> tuple[str, int] | None:
        """Host and port that must be reachable, by the proxy if there is one; None: not set up."""
        return None if self._lines is None else place_of(self._lines.settings.url)

    async def send(self, address: PushAddress, message: Message, *, seconds: float) -> Outcome:
        """As `ringing.Door` says."""
        if not isinstance(address, AppAddress) or address.channel != "apns":
            return Refused("not asked: no device token of Apple's")
        payload = payload_of(message.kind, message.for_app())
        return await self._try(address.token, payload, collapse=message.topic, seconds=seconds)

    async def try_out(self, token: Secret) -> Outcome:
        """One real push of kind "test" to this device: whether the settings are right."""
        payload = payload_of("test", {"kind": "test", "id": "doctor"})
        return await self._try(token, payload, collapse="radius-push-doctor", seconds=TRIAL_SECONDS)

    def use(self, settings: Push) -> None:
        """After a reload: other settings. What is on its way ends on the connections it began on."""
        old, apns = self._lines, settings.apns
        if old is not None and (old.settings, old.proxy) == (apns, settings.proxy):
            return
        if old is not None:
            old.retire()
            self._retired = [*(each for each in self._retired if not each.over), old]
        self._lines, self._why_none = None, NOT_SET_UP
        if apns is not None:
            try:
                self._lines = self._lines_for(apns, settings.proxy, old)
            except (ssl.SSLError, OSError, ValueError) as problem:
                self._why_none = f"methods.push.apns cannot be used ({type(problem).__name__}); run `check`"
        if self._lines is not None and self._open:
            self._lines.keep()

    async def close(self) -> None:
        for lines in (*self._retired, *([] if self._lines is None else [self._lines])):
            await lines.close()
        self._lines, self._why_none = None, "the server is closing"
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _lines_for(self, apns: Apns, proxy: str | None, old: Lines | None) -> Lines:
        signer = None
        if isinstance(apns.identity, Token):
            kept = None if old is None else old.signer
            # Apple counts how often it sees another JWT of one key.
            same = kept is not None and kept.token == apns.identity
            signer = kept if same else Signer(apns.identity, clock=self._clock)
        return Lines(
            apns,
            proxy=proxy,
            signer=signer,
            clock=self._clock,
            threads=self._threads,
            look_up=self._look_up,
        )

    async def _try(
        self, token: Secret, payload: dict[str, object], *, collapse: str, seconds: float
    ) -> Outcome:
        if self._lines is None:
            return Refused(self._why_none)
        if (why := expired(self._lines.settings, now=self._clock.now())) is not None:
            return Refused(why)
        written = token.reveal().decode("latin-1")
        if not _DEVICE_TOKEN.fullmatch(written):
            return Gone("the app's token is not one of Apple's: hexadecimal digits")
        limit = min(DEADLINE, seconds)
        if limit <= 0:
            return Unreachable("no time is left for it", None)
        request = NotificationRequest(
            device_token=written,
            message=payload,
            time_to_live=math.floor(seconds),
            priority=AT_ONCE,
            collapse_key=collapse,
            push_type=PushType.ALERT,
        )
        used: list[Line] = []
        host = self._lines.host
        try:
            async with asyncio.timeout(limit):
                return await self._hand_over(request, used)
        except TimeoutError:
            if used:
                used[-1].check()
            return Unreachable(f"{host}: no answer within {limit:.0f} s", SOON)
        except CannotReach as problem:
            return Unreachable(problem.detail, problem.soon)
        except LineLost as lost:
            # Apple may have taken it. What comes again has the same collapse id, and takes its place.
            return Unreachable(f"{host}: the connection ended before the answer ({lost})", SOON)

    async def _hand_over(self, request: NotificationRequest, used: list[Line]) -> Outcome:
        """To at most MOST_LINES connections; `used`: those it was handed to."""
        why, renewed = "", False
        for _ in range(MOST_LINES):
            if (lines := self._lines) is None:
                break
            header = None if lines.signer is None else lines.signer.get_header()
            try:
                line = await lines.line()
                used.append(line)
                answer = await line.push(request)
            except NotTaken as not_taken:
                why = not_taken.reason
                continue
            expired = answer.description == EXPIRED_JWT and not renewed and header is not None
            if expired and lines.signer is not None and lines.signer.renew(header or ""):
                renewed = True
                continue
            return outcome_of(self._said(answer), lines.settings, host=lines.host)
        return self._not_taken(why)

    def _not_taken(self, reason: str) -> Outcome:
        if self._lines is None:
            return Refused(self._why_none)
        said = f"{self._lines.host} ended the connection before it took it{f' ({reason})' if reason else ''}"
        mend = mend_for(reason, self._lines.settings)
        return Unreachable(said, SOON) if mend is None else Refused(f"{said}: {mend}")

    def _said(self, answer: Answer) -> Said:
        after = answer.retry_after
        wait = None if after is None else seconds_until(after, now=self._clock.now(), otherwise=SOON)
        status = int(answer.status) if re.fullmatch("[0-9]{3}", answer.status) else 0
        return Said(status, answer.description or "", wait)


def payload_of(kind: Kind, data: dict[str, str]) -> dict[str, object]:
    """What Apple is handed: no name, no number, no secret. The app has the words for the keys."""
    name = f"RADIUS_PUSH_{kind.upper()}"
    return {
        "aps": {
            "alert": {"title-loc-key": f"{name}_TITLE", "loc-key": f"{name}_BODY"},
            "category": name,
            "mutable-content": 1,
            "sound": "default",
        },
        DATA_KEY: data,
    }
