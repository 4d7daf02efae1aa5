"""Mozilla's push service for tests: Firefox holds a WebSocket to it, our server posts to it, and what was
posted is handed on unread. Only Firefox has the key.

Its protocol is autopush's: `hello`, `register`, `notification`, `ack`, `unregister`, and `{}` as a ping.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.push.vapid import unpadded, vapid_claims

TAKEN = 100
"""In an `ack`: the browser could read it and gave it to the service worker."""


@dataclass
class Subscription:
    channel: str
    key: str
    """base64url: the server key that the browser subscribed with. Nobody else may send."""
    browser: str
    path: str = field(default_factory=lambda: f"/wpush/v2/{secrets.token_urlsafe(40)}")


@dataclass(frozen=True)
class Posted:
    """One message as our server posted it; its body is for Firefox alone."""

    subscription: Subscription
    headers: dict[str, str]
    claims: dict[str, Any]
    body: bytes
    version: str

    @property
    def topic(self) -> str:
        return self.headers["Topic"]

    def as_notification(self) -> dict[str, Any]:
        return {
            "messageType": "notification",
            "channelID": self.subscription.channel,
            "version": self.version,
            "data": unpadded(self.body),
            "headers": {"encoding": self.headers["Content-Encoding"]},
        }


@dataclass
class Autopush:
    origin: str = ""
    subscriptions: list[Subscription] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    waiting: dict[str, Posted] = field(default_factory=dict)
    """Kept for a browser that is out of reach, by topic (RFC 8030, section 5.4)."""
    acked: dict[str, int] = field(default_factory=dict)
    """Version -> what Firefox said about it."""
    in_reach: bool = True
    """False: what comes waits, as for a phone without signal."""
    complaints: list[str] = field(default_factory=list)
    _browsers: dict[str, web.WebSocketResponse] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> str:
        """For `dom.push.serverURL`."""
        return self.origin.replace("http://", "ws://") + "/"

    async def until(self, true: Callable[[Autopush], bool]) -> None:
        while not true(self):
            self._news.clear()
            await self._news.wait()

    def _tell(self) -> None:
        self._news.set()

    # --- the browser's side ----------------------------------------------------------------------------

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse(protocols=["push-notification"])
        await line.prepare(request)
        browser = ""
        async for message in line:
            said = json.loads(message.data)
            match said.get("messageType"):
                case "hello":
                    browser = said.get("uaid") or secrets.token_hex(16)
                    self._browsers[browser] = line
                    greeting = {"messageType": "hello", "status": 200, "uaid": browser, "use_webpush": True}
                    await line.send_json({**greeting, "broadcasts": {}})
                case "register":
                    await line.send_json(self._register(browser, said))
                case "unregister":
                    self.subscriptions = [s for s in self.subscriptions if s.channel != said["channelID"]]
                    await line.send_json({**said, "status": 200})
                case "ack":
                    for update in said["updates"]:
                        self.acked[update["version"]] = update.get("code", TAKEN)
                case "nack":
                    self.complaints.append(f"{said['version']}: {said.get('code')}")
                case "broadcast_subscribe":
                    pass
                case None:
                    await line.send_str("{}")
                case other:
                    self.complaints.append(f"Firefox said {other!r}")
            self._tell()
        self._browsers.pop(browser, None)
        return line

    def _register(self, browser: str, said: dict[str, Any]) -> dict[str, Any]:
        made = Subscription(said["channelID"], said["key"].rstrip("="), browser)
        self.subscriptions.append(made)
        answer = {"messageType": "register", "channelID": made.channel, "status": 200}
        return {**answer, "pushEndpoint": self.origin + made.path}

    def forget(self, subscription: Subscription) -> None:
        """As if the service had dropped it: the server that posts there learns it, the browser does not."""
        self.subscriptions.remove(subscription)

    async def back_in_reach(self) -> None:
        self.in_reach = True
        kept, self.waiting = self.waiting, {}
        for posted in kept.values():
            await self._hand_over(posted)

    async def _hand_over(self, posted: Posted) -> None:
        await self._browsers[posted.subscription.browser].send_json(posted.as_notification())

    # --- the server's side -----------------------------------------------------------------------------

    async def take(self, request: web.Request) -> web.Response:
        subscription = next((s for s in self.subscriptions if s.path == request.path), None)
        if subscription is None:
            return web.json_response({"code": 410, "errno": 106}, status=410)
        headers = dict(request.headers)
        claims = vapid_claims(headers["Authorization"], origin=self.origin, key=subscription.key)
        assert headers["TTL"].isdigit()
        assert headers["Content-Encoding"] == "aes128gcm"
        version = secrets.token_hex(8)
        posted = Posted(subscription, headers, claims, await request.read(), version)
        self.posted.append(posted)
        if self.in_reach:
            await self._hand_over(posted)
        else:
            self.waiting[posted.topic] = posted
        self._tell()
        return web.Response(
            status=201, headers={"Location": f"{self.origin}/m/{version}", "TTL": headers["TTL"]}
        )


@asynccontextmanager
async def autopush() -> AsyncIterator[Autopush]:
    service = Autopush()
    app = web.Application()
    app.router.add_get("/", service.connect)
    app.router.add_post("/{path:.*}", service.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.origin = f"http://localhost:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()
    assert service.complaints == []
