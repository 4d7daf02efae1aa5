"""The phone in software: the same keys, the same signed texts, for tests, demos and load."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from radius_push.enrollment import confirmation_code

Card = dict[str, Any]
RETRY_SECONDS = 0.2
SILENCE_SECONDS = 40.0
"""The server pings every 15 s."""


class PhoneRefused(Exception):
    """The server said no. `word` is for programs, the message for people."""

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


class Unreachable(Exception):
    """The server was not reached, or is not a radius-push."""


class NobodyAsked(Exception):
    """No request came in time."""


@dataclass(frozen=True, slots=True)
class State:
    """What the phone would show."""

    now: int
    """UTC milliseconds, the server's."""
    device: str
    """pending, active or removed."""
    questions: tuple[Card, ...]
    closed: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a phone keeps beside its key."""

    origin: str
    device: str
    person: str
    account: str
    name: str
    invitation: str


class SoftwarePhone:
    """An enrolled phone. Close it, or use it with `async with`."""

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey,
        enrolled: Enrolled,
        *,
        session: aiohttp.ClientSession | None = None,
        ca_file: str | None = None,
    ) -> None:
        """`session` is shared with others and not closed; without it the phone has one of its own."""
        self._key = key
        self.enrolled = enrolled
        self._wire = _Wire(enrolled.origin, session, ca_file)

    # --- how it comes to be ----------------------------------------------------------------------------

    @classmethod
    async def enrol(
        cls,
        by: str | tuple[str, str],
        *,
        name: str = "test phone",
        password: str | None = None,
        session: aiohttp.ClientSession | None = None,
        ca_file: str | None = None,
    ) -> SoftwarePhone:
        """By a link, or by (origin, typed code); with the person's `password` if it was sent. Raises
        PhoneRefused, Unreachable, or ValueError for a link that is none."""
        origin, secret = _read_link(by) if isinstance(by, str) else (by[0], {"code": by[1]})
        secret = secret if password is None else {**secret, "password": password}
        key = ec.generate_private_key(ec.SECP256R1())
        wire = _Wire(origin, session, ca_file)
        try:
            said = {
                "version": 1,
                "purpose": "enrol",
                "origin": origin,
                "nonce": await wire.nonce(),
                "public_key": _text(_public(key)),
                "name": name,
            }
            told = await wire.post("/api/enrol", secret | _signed(key, said))
        finally:
            await wire.close()
        enrolled = Enrolled(
            origin=origin,
            device=told["device"],
            person=told["person"],
            account=told["account"],
            name=told["name"],
            invitation=told["invitation"],
        )
        return cls(key, enrolled, session=session, ca_file=ca_file)

    def save(self, path: Path) -> None:
        """Key and names in one file that only its owner reads."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        kept = {name: getattr(self.enrolled, name) for name in Enrolled.__slots__} | {"key": pem}
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A name that nobody foresees, and never a file or link that somebody laid there.
        new = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
        with os.fdopen(
            os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w"
        ) as file:
            try:
                json.dump(kept, file)
                file.flush()
                new.replace(path)
            except BaseException:
                new.unlink()
                raise

    @classmethod
    def load(
        cls, path: Path, *, session: aiohttp.ClientSession | None = None, ca_file: str | None = None
    ) -> SoftwarePhone:
        """What `save` wrote. Raises OSError, or ValueError if it is something else."""
        kept = json.loads(path.read_text())
        try:
            key = load_pem_private_key(kept.pop("key").encode(), None)
            enrolled = Enrolled(**kept)
        except (KeyError, TypeError, AttributeError):
            raise ValueError(f"{path} does not hold a test phone") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{path} does not hold a test phone")
        return cls(key, enrolled, session=session, ca_file=ca_file)

    async def close(self) -> None:
        await self._wire.close()

    async def __aenter__(self) -> SoftwarePhone:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    # --- what it does ----------------------------------------------------------------------------------

    @property
    def confirmation_code(self) -> str:
        """The 6 digits that the issuer types."""
        return confirmation_code(self.enrolled.invitation, _public(self._key))

    def sign(self, said: dict[str, Any]) -> dict[str, str]:
        """Any text in this phone's hand, as the server takes it: `payload` and `signature`."""
        return _signed(self._key, said)

    def signed_stream(self, nonce: str) -> dict[str, str]:
        """The body that opens a stream."""
        return self.sign(
            {
                "version": 1,
                "purpose": "stream",
                "origin": self.enrolled.origin,
                "device": self.enrolled.device,
                "nonce": nonce,
            }
        )

    async def says(self, path: str, purpose: str, **fields: str | None) -> dict[str, Any]:
        """A signed request that is no answer: what the server told. Raises PhoneRefused."""
        said = {
            "version": 1,
            "purpose": purpose,
            "origin": self.enrolled.origin,
            "device": self.enrolled.device,
            "nonce": await self._wire.nonce(),
        }
        return await self._wire.post(path, self.sign(said | fields))

    def signed_answer(self, card: Card, *, approve: bool) -> dict[str, str]:
        """The body that answers a question."""
        said = {
            "version": 1,
            "purpose": "approve" if approve else "deny",
            "origin": self.enrolled.origin,
            "question": card["id"],
            "person": card["person"],
            "device": self.enrolled.device,
            "client": card["client"],
            "address": card["address"],
            "number_mode": card["number_mode"],
            "nonce": card["nonce"],
            "late": card["late"],
            "expires_at": card["expires_at"],
        }
        return self.sign(said)

    async def questions(self) -> AsyncGenerator[State, None]:
        """The stream: the state at once and after each change, until the server ends it."""
        opening = self.signed_stream(await self._wire.nonce())
        async with self._wire.stream("/api/stream", opening) as events:
            async for kind, body in events:
                if kind == "state":
                    yield State(
                        now=body["now"],
                        device=body["device"]["state"],
                        questions=tuple(body["questions"]),
                        closed=tuple(body["closed"]),
                    )

    async def answer(self, card: Card, *, approve: bool = True) -> str:
        """Say yes or no; returns `approved` or `denied`. Raises PhoneRefused (`too_late`, ...)."""
        outcome: str = (await self._wire.post("/api/answer", self.signed_answer(card, approve=approve)))[
            "outcome"
        ]
        return outcome

    async def next_question(self, *, seconds: float, but: Collection[str] = ()) -> Card:
        """The oldest open question whose id is not in `but`, as soon as there is one.

        Raises NobodyAsked, or PhoneRefused if this phone is no more; a server that is away for a moment is
        waited for.
        """
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        return await self._first(but)
                    except Unreachable:
                        pass
                    await asyncio.sleep(RETRY_SECONDS)
        except TimeoutError:
            raise NobodyAsked(f"no request within {seconds:g} s") from None

    async def _first(self, but: Collection[str]) -> Card:
        """On one stream. Raises Unreachable when it ends."""
        async with aclosing(self.questions()) as states:
            async for state in states:
                if state.device == "removed":
                    raise PhoneRefused("removed", "This phone was removed.")
                for card in state.questions:
                    if card["id"] not in but:
                        return card
        raise Unreachable(f"{self.enrolled.origin} ended the stream")

    async def answer_next(self, approve: bool, seconds: float) -> str:
        """Wait for a question and answer it; returns `approved` or `denied`."""
        return await self.answer(await self.next_question(seconds=seconds), approve=approve)


# --- the wire ------------------------------------------------------------------------------------------


class _Wire:
    """Requests to one server."""

    def __init__(self, origin: str, session: aiohttp.ClientSession | None, ca_file: str | None) -> None:
        self._origin = origin
        self._session = session
        self._ours = session is None
        self._tls = ssl.create_default_context(cafile=ca_file) if ca_file else True

    async def nonce(self) -> str:
        nonce: str = (await self.post("/api/nonce", {}))["nonce"]
        return nonce

    async def post(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        try:
            async with self._open(path, body) as response:
                told = await response.json()
                if not isinstance(told, dict):
                    raise Unreachable(f"{self._origin} is not a radius-push")
                return told
        except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
            raise Unreachable(f"{self._origin}: {type(problem).__name__}") from problem

    @asynccontextmanager
    async def stream(
        self, path: str, body: dict[str, str]
    ) -> AsyncIterator[AsyncIterator[tuple[str, dict[str, Any]]]]:
        try:
            async with self._open(path, body) as response, aclosing(_events(response.content)) as events:
                yield events
        except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
            raise Unreachable(f"{self._origin}: {type(problem).__name__}") from problem

    @asynccontextmanager
    async def _open(self, path: str, body: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=None, connect=10, sock_read=SILENCE_SECONDS)
        async with self._session.post(
            self._origin + path, json=body, ssl=self._tls, timeout=timeout, allow_redirects=False
        ) as response:
            if response.status != 200:
                await _refused(response)
            yield response

    async def close(self) -> None:
        if self._ours and self._session is not None:
            await self._session.close()
            self._session = None


async def _refused(response: aiohttp.ClientResponse) -> None:
    told = await response.json()
    if not (isinstance(told, dict) and "error" in told and "message" in told):
        raise ValueError("not an answer of radius-push")
    if response.status == 503:
        raise Unreachable(str(told["message"]))
    raise PhoneRefused(str(told["error"]), str(told["message"]))


async def _events(lines: aiohttp.StreamReader) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """Server-sent events: (kind, data). A long state is one line, longer than aiohttp reads at once."""
    rest = b""
    async for octets in lines.iter_any():
        *whole, rest = (rest + octets).split(b"\n\n")
        for event in whole:
            parts = dict(line.split(": ", 1) for line in event.decode().splitlines() if ": " in line)
            if "event" in parts and "data" in parts:
                yield parts["event"], json.loads(parts["data"])


# --- signing -------------------------------------------------------------------------------------------


def _read_link(link: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(link)
    name, _, token = parts.fragment.partition("=")
    if name != "enrol" or not token or parts.scheme not in {"https", "http"}:
        raise ValueError(
            "this is not an enrolment link; `radius-push enroll` shows it: "
            "https://mfa.example.com/#enrol=... (in quotes, for the shell)"
        )
    return f"{parts.scheme}://{parts.netloc}", {"token": token}


def _signed(key: ec.EllipticCurvePrivateKey, said: dict[str, Any]) -> dict[str, str]:
    """The exact text, and r and s over it as WebCrypto writes them."""
    payload = json.dumps(said, ensure_ascii=False)
    r, s = decode_dss_signature(key.sign(payload.encode(), ec.ECDSA(SHA256())))
    return {"payload": payload, "signature": _text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
