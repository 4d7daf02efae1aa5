"""Google for tests: the OAuth token endpoint and FCM's HTTP v1, with TLS, strict, sharing no code with ours.

What it checks and how it refuses is what Google documents: RFC 7523 as in "Using OAuth 2.0 for server to
server applications", and the REST reference of projects.messages. JWTs are verified by hand.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from radius_push.model import Secret
from radius_push.waking import AppAddress
from tests.directory.certificates import Authority

PROJECT = "corp-vpn-app"
EMAIL = f"firebase-adminsdk-x1@{PROJECT}.iam.gserviceaccount.com"
KEY_ID = "0123456789abcdef0123456789abcdef01234567"
GOOGLES_OWN = "https://oauth2.googleapis.com/token"
"""google-auth names this as the audience whatever the token_uri is."""
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"

NO_TOKEN = "The registration token is not a valid FCM registration token"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@cache
def private_key() -> rsa.RSAPrivateKey:
    """One for the test run: making one takes a moment."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem() -> str:
    return private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class Google:
    authority: Authority
    origin: str = ""
    ahead: float = 0.0
    """Seconds by which its clock is ahead of this machine's."""
    keys: dict[str, rsa.RSAPublicKey] = field(default_factory=lambda: {KEY_ID: private_key().public_key()})
    """Of the service account, by their ids; a deleted one is not here."""
    lifetime: int = 3599
    tokens_given: list[str] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    good_tokens: set[str] = field(default_factory=set)
    apps: dict[str, str] = field(default_factory=dict)
    """Registration token -> the project its app was built for."""
    removed: set[str] = field(default_factory=set)
    """Tokens of apps that were removed from their phones."""
    enabled: bool = True
    permitted: bool = True
    sent: list[dict[str, Any]] = field(default_factory=list)
    """Messages that were taken, for a phone."""
    validated: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    asked: int = 0
    """Requests for a message."""
    looked: int = 0
    """Requests for anything else."""
    connections: set[object] = field(default_factory=set)
    answers: list[Answer] = field(default_factory=list)
    """What a message is answered with instead, once each, before anything is looked at."""
    token_answers: list[Answer] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    # --- what a test says -----------------------------------------------------------------------

    def app(self, *, project: str = PROJECT) -> AppAddress:
        """An app that registered itself."""
        token = f"{secrets.token_urlsafe(16)}:APA91b{secrets.token_urlsafe(100)}"
        self.apps[token] = project
        return AppAddress("d1", "fcm", Secret(token))

    def account(self, **changed: Any) -> dict[str, Any]:
        """The JSON file that the Firebase console gives out."""
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": KEY_ID,
            "private_key": pem(),
            "client_email": EMAIL,
            "client_id": "123456789012345678901",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": f"{self.origin}/token",
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": "https://www.googleapis.com/robot/v1/metadata/x509/x",
            "universe_domain": "googleapis.com",
        } | changed

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self.news.clear()
            await self.news.wait()

    # --- what it answers ------------------------------------------------------------------------

    async def exchange(self, request: web.Request) -> web.StreamResponse:
        self.looked += 1
        self.news.set()
        if self.token_answers:
            return await self.token_answers.pop(0)(request)
        form = await request.post()
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return self.oauth_error("unsupported_grant_type")
        refused = self._refusal_of(str(form.get("assertion")))
        if refused is not None:
            return refused
        token = f"ya29.c.{secrets.token_urlsafe(200)}"
        self.tokens_given.append(token)
        self.good_tokens.add(token)
        said = {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"}
        return web.json_response(said, headers=self._date())

    def _refusal_of(self, assertion: str) -> web.Response | None:
        try:
            head, body, signature = assertion.split(".")
            header, claims = json.loads(_octets(head)), json.loads(_octets(body))
        except ValueError:
            return self.oauth_error("invalid_grant", "Bad Request")
        key = self.keys.get(header.get("kid"))
        if header.get("alg") != "RS256" or key is None or claims.get("iss") != EMAIL:
            return self.oauth_error("invalid_grant", "Invalid JWT Signature.")
        try:
            key.verify(_octets(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return self.oauth_error("invalid_grant", "Invalid JWT Signature.")
        self.claims.append(claims)
        now = time.time() + self.ahead
        if not (claims["iat"] <= now + 60 and now < claims["exp"] <= claims["iat"] + 3600):
            return self.oauth_error(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                "Check your iat and exp values in the JWT claim.",
            )
        if claims.get("aud") not in (f"{self.origin}/token", GOOGLES_OWN):
            return self.oauth_error("invalid_grant", "Invalid JWT: Failed audience check.")
        if SCOPE not in str(claims.get("scope")).split():
            return self.oauth_error("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return None

    def oauth_error(self, error: str, description: str = "", *, status: int = 400) -> web.Response:
        said = {"error": error, "error_description": description}
        return web.json_response(said, status=status, headers=self._date())

    async def message(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        self.headers.append(dict(request.headers))
        if request.transport is not None:
            self.connections.add(request.transport.get_extra_info("peername"))
        self.news.set()
        if self.answers:
            return await self.answers.pop(0)(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.good_tokens:
            return error(401, "UNAUTHENTICATED", reason="ACCESS_TOKEN_TYPE_UNSUPPORTED")
        if request.match_info["project"] != PROJECT or not self.permitted:
            return error(403, "PERMISSION_DENIED", reason="IAM_PERMISSION_DENIED")
        if not self.enabled:
            return error(403, "PERMISSION_DENIED", reason="SERVICE_DISABLED")
        try:
            asked = json.loads(await request.read())
        except ValueError:
            return error(400, "INVALID_ARGUMENT")
        return self._take(asked)

    def _take(self, asked: Any) -> web.Response:
        wrong = wrong_fields(asked)
        if wrong:
            return error(400, "INVALID_ARGUMENT", fields=wrong)
        message = asked["message"]
        token = message.get("token")
        if token is not None:
            if token in self.removed:
                return error(404, "NOT_FOUND", code="UNREGISTERED")
            if token not in self.apps:
                return error(400, "INVALID_ARGUMENT", code="INVALID_ARGUMENT", text=NO_TOKEN)
            if self.apps[token] != PROJECT:
                return error(403, "PERMISSION_DENIED", code="SENDER_ID_MISMATCH")
        (self.validated if asked.get("validate_only") else self.sent).append(message)
        self.news.set()
        number = "fake_message_id" if asked.get("validate_only") else secrets.token_hex(8)
        return web.json_response({"name": f"projects/{PROJECT}/messages/{number}"})

    async def other(self, request: web.Request) -> web.StreamResponse:
        self.looked += 1
        self.news.set()
        return web.Response(status=404, text="<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>")

    def _date(self) -> dict[str, str]:
        return {"Date": formatdate(time.time() + self.ahead, usegmt=True)}


# --- refusals, and worse --------------------------------------------------------------------------


def error(
    status: int, word: str, *, code: str = "", reason: str = "", fields: list[str] | None = None,
    headers: dict[str, str] | None = None, text: str = "canary-of-google",
) -> web.Response:  # fmt: skip
    """As Google's APIs say what is wrong (google.rpc.Status)."""
    kinds = "type.googleapis.com/google"
    details: list[dict[str, Any]] = []
    if code:
        details.append({"@type": f"{kinds}.firebase.fcm.v1.FcmError", "errorCode": code})
    if reason:
        details.append({"@type": f"{kinds}.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"})
    if fields:
        violations = [{"field": each, "description": text} for each in fields]
        details.append({"@type": f"{kinds}.rpc.BadRequest", "fieldViolations": violations})
    said = {"error": {"code": status, "message": text, "status": word, "details": details}}
    return web.json_response(said, status=status, headers=headers)


def says(response: Callable[[], web.Response]) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return response()

    return answer


async def silence(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def reset(request: web.Request) -> web.StreamResponse:
    """RST instead of an answer."""
    assert request.transport is not None
    sock: socket.socket = request.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    """A head, an octet, and then nothing that ends."""
    response = web.StreamResponse(headers={"Content-Length": "1000000"})
    await response.prepare(request)
    await response.write(b"{")
    await asyncio.Event().wait()
    raise AssertionError


async def flood(request: web.Request) -> web.StreamResponse:
    """More than anybody should read."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65536)


# --- what a message may be ------------------------------------------------------------------------

_TARGETS = {"token", "topic", "condition"}
_MESSAGE = _TARGETS | {"name", "data", "notification", "android", "webpush", "apns", "fcm_options"}
_ANDROID = {
    "collapse_key", "priority", "ttl", "restricted_package_name", "data", "notification", "fcm_options",
    "direct_boot_ok",
}  # fmt: skip
_APNS = {"headers", "payload", "fcm_options", "live_activity_token"}
_RESERVED = re.compile(r"from|message_type|google.*|gcm.*")


def wrong_fields(asked: Any) -> list[str]:
    """The fields that the REST reference does not have, or not like that."""
    if not isinstance(asked, dict) or not isinstance(asked.get("message"), dict):
        return ["message"]
    message = asked["message"]
    found = [key for key in asked if key not in ("message", "validate_only")]
    found += [f"message.{key}" for key in message if key not in _MESSAGE]
    if len(_TARGETS & set(message)) != 1:
        found.append("message")
    data = message.get("data", {})
    if not all(isinstance(value, str) and not _RESERVED.fullmatch(key) for key, value in data.items()):
        found.append("message.data")
    found += _wrong_of_android(message.get("android", {})) + _wrong_of_apns(message.get("apns", {}))
    longest = 4096 if "token" in message else 2048
    if len(json.dumps({**message, "token": ""}, separators=(",", ":")).encode()) > longest:
        found.append("message")
    return found


def _wrong_of_android(android: dict[str, Any]) -> list[str]:
    found = [f"message.android.{key}" for key in android if key not in _ANDROID]
    ttl = re.fullmatch(r"([0-9]+)(\.[0-9]{1,9})?s", android.get("ttl", "0s"))
    if ttl is None or int(ttl[1]) > 2419200:
        found.append("message.android.ttl")
    if android.get("priority", "HIGH") not in ("HIGH", "NORMAL"):
        found.append("message.android.priority")
    return found


def _wrong_of_apns(apns: dict[str, Any]) -> list[str]:
    found = [f"message.apns.{key}" for key in apns if key not in _APNS]
    headers = apns.get("headers", {})
    good = {
        "apns-priority": r"1|5|10",
        "apns-expiration": r"[0-9]{1,10}",
        "apns-collapse-id": r".{1,64}",
        "apns-push-type": r"alert|background",
    }
    found += [
        f"message.apns.headers.{name}"
        for name, value in headers.items()
        if not isinstance(value, str) or not re.fullmatch(good.get(name, r"(?!)"), value)
    ]
    if len(json.dumps(apns.get("payload", {})).encode()) > 4096:
        found.append("message.apns.payload")
    return found


def _octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# --- how it stands --------------------------------------------------------------------------------


@asynccontextmanager
async def google(folder: Path, *, certified: str = "localhost") -> AsyncIterator[Google]:
    """On a free port of localhost, under an authority of its own. `certified`: whose name it shows."""
    authority = Authority(folder)
    papers = authority.issue(certified)
    fake = Google(authority)
    app = web.Application()
    app.router.add_post("/token", fake.exchange)
    app.router.add_post("/v1/projects/{project}/messages:send", fake.message)
    app.router.add_route("*", "/{path:.*}", fake.other)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers.certificate, papers.key)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    fake.origin = f"https://localhost:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()
