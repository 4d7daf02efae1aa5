"""A push service for tests: an HTTP server that is as strict as the real ones, and shares no code with ours.

It knows its subscriptions, checks VAPID by hand and opens the message with the reference implementation of
RFC 8188 (http_ece).
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from radius_push.model import Secret
from radius_push.waking import BrowserAddress
from tests.push.vapid import octets_of, vapid_claims


@dataclass
class Browser:
    """What a browser keeps of one subscription."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    @property
    def p256dh(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def address(self, device: str = "d1") -> BrowserAddress:
        return BrowserAddress(device, self.endpoint, self.p256dh, Secret(self.auth))

    def opens(self, body: bytes) -> dict[str, Any]:
        text = http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        opened = json.loads(text)
        assert isinstance(opened, dict)
        return opened


@dataclass(frozen=True)
class Pushed:
    """One message that was taken."""

    headers: dict[str, str]
    claims: dict[str, Any]
    size: int
    message: dict[str, Any]


Answer = Callable[[web.Request], web.Response]


@dataclass
class PushService:
    origin: str
    application_key: str | None = None
    """base64url: the key that browsers subscribed with; None: any."""
    subscriptions: dict[str, Browser] = field(default_factory=dict)
    pushed: list[Pushed] = field(default_factory=list)
    asked: int = 0
    answers: list[Answer] = field(default_factory=list)
    """What is answered instead, once each, before anything is looked at."""
    hangs: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def subscribe(self) -> Browser:
        path = f"/push/{secrets.token_urlsafe(24)}"
        browser = self.subscriptions[path] = Browser(self.origin + path)
        return browser

    async def until(self, count: int) -> list[Pushed]:
        while len(self.pushed) < count:
            self.news.clear()
            await self.news.wait()
        return self.pushed

    async def until_asked(self, count: int) -> None:
        while self.asked < count:
            self.news.clear()
            await self.news.wait()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        self.news.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.answers:
            return self.answers.pop(0)(request)
        browser = self.subscriptions.get(request.path)
        if browser is None:
            return web.Response(status=410)
        body = await request.read()
        assert len(body) <= 4096
        assert request.headers["Content-Encoding"] == "aes128gcm"
        assert request.headers["TTL"].isdigit()
        assert len(request.headers["Topic"]) <= 32
        octets_of(request.headers["Topic"])
        claims = vapid_claims(request.headers["Authorization"], origin=self.origin, key=self.application_key)
        self.pushed.append(Pushed(dict(request.headers), claims, len(body), browser.opens(body)))
        self.news.set()
        return web.Response(status=201, headers={"Location": f"{self.origin}/message/1"})


@asynccontextmanager
async def push_service(*, host: str = "localhost") -> AsyncIterator[PushService]:
    service = PushService("")
    app = web.Application()
    app.router.add_post("/{path:.*}", service.handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.origin = f"http://{host}:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()
