"""Web Push: a message encrypted for one browser (RFC 8291), handed to its push service (RFC 8030) under this
server's name (VAPID, RFC 8292).

pywebpush and py_vapid make the octets. They are sent by our own session, with our own deadline.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import re

import aiohttp
import py_vapid
import pywebpush
import yarl

from radius_push.model import Secret
from radius_push.ports import Clock
from radius_push.push.endpoints import Endpoint, EndpointRefused, Endpoints
from radius_push.push.message import Message
from radius_push.push.outside import LeadsInside, LookUp, PublicResolver, look_up, open_session
from radius_push.push.retry_after import seconds_until
from radius_push.push_shapes import Push
from radius_push.waking import (
    BrowserAddress,
    Channel,
    Delivered,
    Gone,
    Outcome,
    PushAddress,
    Refused,
    Unreachable,
)

LONGEST_PAYLOAD = 3993
"""Octets: with what encryption adds, the 4096 that every push service takes (RFC 8291, section 4)."""
DEADLINE = 10.0
"""Seconds for one try, or what is left of the login."""
TOKEN_SECONDS = 12 * 3600
"""A VAPID token may live 24 h at most (RFC 8292, section 2)."""
TOKEN_USED_SECONDS = 6 * 3600
MOST_TOKENS = 64
SOON = 1.0
"""Seconds until a second try when the push service does not say."""
LONGEST_BODY = 2048


class WebPushDoor:
    """Sends to any push service that is allowed. One for the process: it holds the HTTP session."""

    channel: Channel = "web_push"

    def __init__(
        self, settings: Push, *, key: Secret, url: str, clock: Clock, look_up: LookUp = look_up
    ) -> None:
        """`key`: 32 octets, P-256; `url`: what phones open. Within a running event loop."""
        self._vapid = py_vapid.Vapid02.from_raw(base64.urlsafe_b64encode(key.reveal()).rstrip(b"="))
        # Its own check of `sub` knows no port and no path; ours was made when the settings were read.
        self._vapid.conf = {"no-strict": True}
        self._url = url
        self._clock = clock
        self._tokens: dict[str, tuple[float, str]] = {}
        self.use(settings)
        self._session = open_session(PublicResolver(self._may_lie_anywhere, look_up=look_up))
        self.public_key: str = self._authorization("https://push.example").partition(",k=")[2]

    def open(self) -> None:
        """Nothing: which push services there are, only phones know."""

    def use(self, settings: Push) -> None:
        """After a reload: other settings."""
        self.endpoints = Endpoints(settings.web_push.allow_endpoints)
        self._proxy = settings.proxy
        self._proxy_host = yarl.URL(settings.proxy).host if settings.proxy else None
        self._sub = settings.web_push.contact or (
            self._url if self._url.startswith("https:") else "https://localhost"
        )
        self._tokens.clear()

    async def close(self) -> None:
        await self._session.close()

    def _may_lie_anywhere(self, host: str) -> bool:
        return host == self._proxy_host or self.endpoints.may_lie_anywhere(host)

    async def send(self, address: PushAddress, message: Message, *, seconds: float) -> Outcome:
        """As `ringing.Door` says."""
        if not isinstance(address, BrowserAddress):
            return Refused("not asked: no browser's address")
        return await self.hand_over(address, message.for_browser(), topic=message.topic, seconds=seconds)

    async def hand_over(
        self, address: BrowserAddress, payload: bytes, *, topic: str, seconds: float
    ) -> Outcome:
        """Hand `payload` to the device's push service, which may hold it for `seconds`. Never raises but
        when it is cancelled."""
        if len(payload) > LONGEST_PAYLOAD:
            return Refused("the message is too long: a fault of ours")
        try:
            endpoint = self.endpoints.check(address.endpoint)
            body = _encrypt(payload, address)
        except EndpointRefused as refused:
            return Refused(f"not asked: {refused}")
        except ValueError:
            return Refused("not asked: the device's key is not on the curve")
        headers = {
            "TTL": str(math.floor(max(0.0, seconds))),
            "Urgency": "high",
            "Topic": topic,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": self._authorization(endpoint.origin),
            "Accept-Encoding": "identity",  # nothing that is sent to us is unpacked: its word must be legible
        }
        return await self._post(endpoint, address.endpoint, body, headers, min(DEADLINE, seconds))

    async def _post(
        self, endpoint: Endpoint, url: str, body: bytes, headers: dict[str, str], seconds: float
    ) -> Outcome:
        # What was checked is what is asked: no second reader rewrites the URL.
        target = yarl.URL(url, encoded=True)
        if target.host != endpoint.host:
            return Refused(f"not asked: {endpoint.host} is read in two ways")
        try:
            async with (
                asyncio.timeout(seconds),
                self._session.post(
                    target, data=body, headers=headers, allow_redirects=False, proxy=self._proxy
                ) as response,
            ):
                return await self._read(endpoint, response)
        except TimeoutError:
            return Unreachable(f"{endpoint.host}: no answer within {seconds:.0f} s", SOON)
        except aiohttp.ClientConnectorCertificateError:
            return Unreachable(f"{endpoint.host}: its certificate is not trusted here", None)
        except aiohttp.ClientConnectorDNSError as problem:
            if isinstance(problem.os_error, LeadsInside):
                return Refused(f"not asked: {problem.os_error}")
            return Unreachable(f"{endpoint.host}: the name is not found; is DNS allowed to go out?", SOON)
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            what = type(problem).__name__  # the message may hold the URL
            return Unreachable(f"{endpoint.host}: {what}; is HTTPS (port 443) allowed to go out?", SOON)

    async def _read(self, endpoint: Endpoint, response: aiohttp.ClientResponse) -> Outcome:
        status, host = response.status, endpoint.host
        if 200 <= status < 300:
            return Delivered()
        if status in (404, 410):
            return Gone(f"{host} answered {status}: the device has to turn notifications on again")
        if status == 429 or status >= 500:
            after = seconds_until(response.headers.get("Retry-After"), now=self._clock.now(), otherwise=SOON)
            return Unreachable(f"{host} answered {status}", after)
        word = _word(await response.content.read(LONGEST_BODY))
        said = f"{host} answered {status}{f' ({word})' if word else ''}"
        match status:
            case 401 | 403:
                return Refused(f"{said}: look at methods.push.contact, and at this machine's clock")
            case 413:
                return Refused(f"{said}: the message is too long for it")
            case _ if 300 <= status < 400:
                return Refused(f"{said}: a redirect, which is never followed")
            case _:
                return Refused(f"{said}: it does not take what this server sends")

    def _authorization(self, origin: str) -> str:
        """`vapid t=TOKEN,k=KEY` for one push service, the same one for hours."""
        now = self._clock.now()
        made, header = self._tokens.get(origin, (-math.inf, ""))
        if not 0 <= now - made < TOKEN_USED_SECONDS:
            if len(self._tokens) >= MOST_TOKENS:
                self._tokens.clear()
            claims = {"aud": origin, "exp": int(now) + TOKEN_SECONDS, "sub": self._sub}
            header = self._vapid.sign(claims)["Authorization"]
            self._tokens[origin] = (now, header)
        return header


def _encrypt(payload: bytes, address: BrowserAddress) -> bytes:
    """aes128gcm with a fresh key and salt. ValueError for a key that is no point of the curve."""
    keys = {
        name: base64.urlsafe_b64encode(octets)
        for name, octets in (("p256dh", address.p256dh), ("auth", address.auth.reveal()))
    }
    pusher = pywebpush.WebPusher({"endpoint": address.endpoint, "keys": keys})
    encrypted: bytes = pusher.encode(payload, content_encoding="aes128gcm")["body"]
    return encrypted


def _word(body: bytes) -> str:
    """The one word in which Apple and Mozilla say why. The rest may hold the URL."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    word = (said.get("reason") or said.get("errno") or "") if isinstance(said, dict) else ""
    return str(word) if re.fullmatch(r"[A-Za-z0-9]{1,40}", str(word)) else ""
