"""Apple's push service for tests: HTTP/2 with TLS as its documents say it, on the `h2` package alone.

It shares no code with ours: it reads the JWT by hand, checks every header and the payload as Apple's tables
say, and keeps what a device would show, where a later push of one collapse id takes the place of an earlier.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from tests.directory.certificates import Authority

TOPIC = "com.example.mfa"
KEY_ID, TEAM_ID = "8XFAKEKEY1", "TEAMFAKE01"
LARGEST = 4096
STATUS_OF = {
    "BadCollapseId": 400, "BadDeviceToken": 400, "BadExpirationDate": 400, "BadMessageId": 400,
    "BadPriority": 400, "BadTopic": 400, "DeviceTokenNotForTopic": 400, "DuplicateHeaders": 400,
    "IdleTimeout": 400, "InvalidPushType": 400, "MissingDeviceToken": 400, "MissingTopic": 400,
    "PayloadEmpty": 400, "TopicDisallowed": 400, "BadCertificate": 403, "BadCertificateEnvironment": 403,
    "ExpiredProviderToken": 403, "Forbidden": 403, "InvalidProviderToken": 403, "MissingProviderToken": 403,
    "UnrelatedKeyIdInToken": 403, "BadEnvironmentKeyIdInToken": 403, "BadPath": 404, "MethodNotAllowed": 405,
    "ExpiredToken": 410, "Unregistered": 410, "PayloadTooLarge": 413, "TooManyProviderTokenUpdates": 429,
    "TooManyRequests": 429, "InternalServerError": 500, "ServiceUnavailable": 503, "Shutdown": 503,
}  # fmt: skip
"""Apple's tables, status by reason."""


@dataclass(frozen=True)
class Pushed:
    """One push that was taken."""

    token: str
    headers: dict[str, str]
    payload: dict[str, Any]
    line: int
    """The number of its connection, from 1."""


@dataclass
class Answer:
    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    pieces: int = 1
    """In how many DATA frames the body comes."""
    body: bytes | None = None
    """Instead of Apple's JSON."""
    bare: bool = False
    """No apns-id, as what stands before Apple's own machines answers."""


def error(reason: str, **more: Any) -> Answer:
    return Answer(STATUS_OF[reason], reason, **more)


Act = Callable[["Connection", int], "Answer | None"]
"""What is done instead for one push; the answer that it gives, if any. None: silence."""


@dataclass
class Apple:
    """All connections of one service, and what it knows."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    tokens: set[str] = field(default_factory=set)
    """Device tokens of this environment and topic."""
    gone: set[str] = field(default_factory=set)
    ahead: float = 0.0
    """Seconds by which its clock is before ours."""
    streams: int = 1000
    """As its SETTINGS allow at once."""
    streams_after_first: int | None = None
    window: int | None = None
    """Octets of a stream's window, if not HTTP/2's own."""
    no_settings: bool = False
    goes_away: bool = False
    """GOAWAY is the second that each connection hears."""
    acts: list[Act] = field(default_factory=list)
    """For the next pushes, one each, after they were found good."""
    always: Act | None = None
    """For all others."""
    pushed: list[Pushed] = field(default_factory=list)
    shown: dict[tuple[str, str], list[Pushed]] = field(default_factory=dict)
    """What a device shows, by its token and collapse id: the newest of each; how often it was replaced."""
    asked: int = 0
    pings: int = 0
    resets: int = 0
    mute: bool = False
    """No connection says anything any more, as behind a firewall that forgot them."""
    connections: list[Connection] = field(default_factory=list)
    connected: int = 0
    port: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def p8(self) -> bytes:
        """The key as Apple's developer page gives it, for once."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def device(self, octets: int = 32) -> str:
        token = f"{len(self.tokens) + 1:0{octets * 2}x}"
        self.tokens.add(token)
        return token

    def tell(self) -> None:
        self.news.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self.news.clear()
            await self.news.wait()

    def take(self, connection: Connection, headers: dict[str, str], body: bytes) -> None:
        token = headers[":path"].removeprefix("/3/device/")
        pushed = Pushed(token, headers, json.loads(body), connection.number)
        self.pushed.append(pushed)
        collapse = headers.get("apns-collapse-id") or f"alone-{len(self.pushed)}"
        self.shown.setdefault((token, collapse), []).append(pushed)


class Connection(asyncio.Protocol):
    def __init__(self, apple: Apple) -> None:
        self.apple = apple
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.requests: dict[int, tuple[list[tuple[str, str]], bytearray]] = {}
        self.answered = 0
        apple.connected += 1
        self.number = apple.connected

    # --- asyncio -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self.apple.connections.append(self)
        if not self.apple.no_settings:
            said: dict[SettingCodes, int] = {SettingCodes.MAX_CONCURRENT_STREAMS: self.apple.streams}
            if self.apple.window is not None:
                said[SettingCodes.INITIAL_WINDOW_SIZE] = self.apple.window
            self.h2.local_settings = Settings(client=False, initial_values=said)
            self.h2.initiate_connection()
            self.flush()
            if self.apple.goes_away:
                self.go_away(0)
        self.apple.tell()

    def connection_lost(self, exc: Exception | None) -> None:
        self.apple.connections.remove(self)
        self.apple.tell()

    def data_received(self, data: bytes) -> None:
        if self.apple.mute:
            return
        try:
            for event in self.h2.receive_data(data):
                self.heard(event)
        except ProtocolError as fault:
            self.flush()
            self.transport.close()
            raise AssertionError(f"the client breaks HTTP/2: {fault}") from fault
        self.flush()
        self.apple.tell()

    def flush(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(self.h2.data_to_send())

    # --- HTTP/2 ------------------------------------------------------------------------------------

    def heard(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream), headers=list(headers)):
                self.requests[stream] = ([(str(name), str(value)) for name, value in headers], bytearray())
            case DataReceived(stream_id=int(stream), data=bytes(data), flow_controlled_length=size):
                self.requests[stream][1].extend(data)
                self.h2.acknowledge_received_data(size or 0, stream)
            case StreamEnded(stream_id=int(stream)):
                self.asked(stream)
            case StreamReset(stream_id=int(stream)):
                self.apple.resets += 1
                self.requests.pop(stream, None)
            case ConnectionTerminated():
                self.transport.close()
            case _ if type(event).__name__ == "PingReceived":
                self.apple.pings += 1

    def asked(self, stream: int) -> None:
        self.apple.asked += 1
        headers, body = self.requests.pop(stream)
        wrong = self.wrong(headers, bytes(body))
        if wrong is not None:
            self.answer(stream, error(wrong), dict(headers))
            return
        act = self.apple.acts.pop(0) if self.apple.acts else self.apple.always
        if act is None:
            self.apple.take(self, dict(headers), bytes(body))
            self.answer(stream, Answer(200), dict(headers))
            return
        self.requests[stream] = (headers, body)
        said = act(self, stream)
        if said is not None:
            self.answer(stream, said, dict(headers))

    def taken(self, stream: int) -> None:
        """For an act: as if it were answered, and it is not."""
        headers, body = self.requests[stream]
        self.apple.take(self, dict(headers), bytes(body))

    def answer(self, stream: int, said: Answer, headers: dict[str, str]) -> None:
        apns_id = () if said.bare else (("apns-id", headers["apns-id"]),)
        body = said.body
        if body is None:
            told: dict[str, Any] = {"reason": said.reason}
            if said.status == 410:
                told["timestamp"] = int(time.time() * 1000)
            body = json.dumps(told).encode() if said.reason else b""
        head = [(":status", str(said.status)), *apns_id, *said.headers]
        self.h2.send_headers(stream, head, end_stream=not body)
        step = max(1, -(-len(body) // said.pieces))
        for at in range(0, len(body), step):
            self.h2.send_data(stream, body[at : at + step], end_stream=at + step >= len(body))
        self.answered += 1
        if self.answered == 1 and self.apple.streams_after_first is not None:
            self.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: self.apple.streams_after_first})

    def go_away(self, last: int, reason: str = "") -> None:
        told = json.dumps({"reason": reason}).encode() if reason else None
        # `close_connection` would take no answer after it; the frame is what Apple sends.
        data = told or b""
        frame = struct.pack(">I", 8 + len(data))[1:] + b"\x07\x00" + bytes(4)
        self.flush()
        self.transport.write(frame + struct.pack(">II", last, ErrorCodes.NO_ERROR) + data)

    def cut(self) -> None:
        """RST."""
        self.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.transport.abort()

    # --- Apple's rules -----------------------------------------------------------------------------

    def wrong(self, listed: list[tuple[str, str]], body: bytes) -> str | None:
        """The reason of the first rule that is broken."""
        headers = dict(listed)
        if len(headers) != len(listed):
            return "DuplicateHeaders"
        if headers[":method"] != "POST":
            return "MethodNotAllowed"
        path = re.fullmatch(r"/3/device/([0-9a-fA-F]*)", headers[":path"])
        if path is None:
            return "BadPath"
        if not path[1]:
            return "MissingDeviceToken"
        return (
            self.wrong_identity(headers)
            or self.wrong_header(headers)
            or self.wrong_push(path[1], headers, body)
        )

    def wrong_header(self, headers: dict[str, str]) -> str | None:
        if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers.get("apns-id", "")):
            return "BadMessageId"
        if not re.fullmatch(r"[0-9]{1,10}", headers.get("apns-expiration", "0")):
            return "BadExpirationDate"
        if headers.get("apns-priority", "10") not in ("1", "5", "10"):
            return "BadPriority"
        if len(headers.get("apns-collapse-id", "").encode()) > 64:
            return "BadCollapseId"
        if headers.get("apns-push-type") not in ("alert", "background"):
            return "InvalidPushType"
        if "apns-topic" not in headers:
            return "MissingTopic"
        return None if headers["apns-topic"] == TOPIC else "TopicDisallowed"

    def wrong_push(self, token: str, headers: dict[str, str], body: bytes) -> str | None:
        if token in self.apple.gone:
            return "Unregistered"
        if token not in self.apple.tokens:
            return "BadDeviceToken"
        if len(body) > LARGEST:
            return "PayloadTooLarge"
        try:
            payload = json.loads(body)
        except ValueError:
            return "PayloadEmpty"
        return None if isinstance(payload, dict) and payload.get("aps") else "PayloadEmpty"

    def wrong_identity(self, headers: dict[str, str]) -> str | None:
        """By the certificate of the connection, else by the JWT of the request."""
        seen = self.transport.get_extra_info("peercert")
        if seen:
            found = x509.load_der_x509_certificate(
                self.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            )
            names = found.subject.get_attributes_for_oid(NameOID.USER_ID)
            return None if [name.value for name in names] == [TOPIC] else "BadCertificate"
        authorization = headers.get("authorization")
        if authorization is None:
            return "MissingProviderToken"
        return self.wrong_jwt(authorization.partition(" "))

    def wrong_jwt(self, authorization: tuple[str, str, str]) -> str | None:
        scheme, _, token = authorization
        parts = token.split(".")
        if scheme.lower() != "bearer" or len(parts) != 3:
            return "InvalidProviderToken"
        head, claims, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts)
        said = json.loads(head)
        told = json.loads(claims)
        if said.get("alg") != "ES256" or said.get("kid") != KEY_ID or told.get("iss") != TEAM_ID:
            return "InvalidProviderToken"
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            self.apple.key.public_key().verify(
                encode_dss_signature(r, s), f"{parts[0]}.{parts[1]}".encode(), ec.ECDSA(SHA256())
            )
        except InvalidSignature:
            return "InvalidProviderToken"
        age = time.time() + self.apple.ahead - told["iat"]
        if age > 3600:
            return "ExpiredProviderToken"
        return "InvalidProviderToken" if age < -60 else None


def tls_for(authority: Authority, *names: str, clients: Path | None = None) -> ssl.SSLContext:
    """A server's TLS; `clients`: who signs certificates that we may be asked for."""
    issued = authority.issue(*(names or ("localhost",)))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(issued.certificate, issued.key)
    context.set_alpn_protocols(["h2"])
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


@asynccontextmanager
async def apple_service(tls: ssl.SSLContext) -> AsyncIterator[Apple]:
    apple = Apple()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(apple), "127.0.0.1", 0, ssl=tls
    )
    apple.port = server.sockets[0].getsockname()[1]
    try:
        yield apple
    finally:
        server.close()
        for connection in tuple(apple.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        await server.wait_closed()
