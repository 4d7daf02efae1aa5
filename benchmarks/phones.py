"""Phones for load: the signed texts of `radius_push.test_phone` over HTTP that costs next to nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from radius_push.test_phone import Card, SoftwarePhone

PER_ADDRESS = 80
"""Connections from one address; the phone side lets in 100."""


class Addresses:
    """Source addresses in 127.30/16, so many connections from each."""

    def __init__(self) -> None:
        self._used = 0

    def next(self) -> str:
        number = self._used // PER_ADDRESS % 60_000
        self._used += 1
        return f"127.30.{number // 250}.{number % 250 + 1}"


class Line:
    """One connection that is kept alive."""

    def __init__(self, origin: str, source: str) -> None:
        self._host = urlsplit(origin).netloc
        self._port = urlsplit(origin).port
        self._source = source
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and answer; once more on a new connection if the server had closed an idle one."""
        for attempt in (1, 2):
            try:
                reader = await self.send(path, body)
                status, headers = await _head(reader)
                told = json.loads(await reader.readexactly(int(headers["content-length"])))
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
                if attempt == 2:
                    raise
            else:
                return status, told
        raise AssertionError

    async def send(self, path: str, body: dict[str, str]) -> asyncio.StreamReader:
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self.close()
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", self._port, local_addr=(self._source, 0), limit=2**20
            )
        octets = json.dumps(body).encode()
        self._writer.write(
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(octets)}\r\n\r\n".encode()
            + octets
        )
        return self._reader

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


class Phones:
    """A pool of kept connections for short requests, and streams of their own for whoever listens."""

    def __init__(self, origin: str, *, lines: int) -> None:
        self._origin = origin
        self._addresses = Addresses()
        self._all = [Line(origin, self._addresses.next()) for _ in range(lines)]
        self._free: asyncio.Queue[Line] = asyncio.Queue()
        for line in self._all:
            self._free.put_nowait(line)

    async def post(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        line = await self._free.get()
        try:
            status, told = await line.post(path, body)
        finally:
            self._free.put_nowait(line)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {told}")
        return told

    async def answer(self, phone: SoftwarePhone, card: Card) -> None:
        await self.post("/api/answer", phone.signed_answer(card, approve=True))

    @asynccontextmanager
    async def listening(self, phone: SoftwarePhone) -> AsyncIterator[AsyncIterator[Card]]:
        """An open app: each question once, as it comes."""
        nonce = (await self.post("/api/nonce", {}))["nonce"]
        line = Line(self._origin, self._addresses.next())
        try:
            reader = await line.send("/api/stream", phone.signed_stream(nonce))
            status, _ = await _head(reader)
            if status != 200:
                raise RuntimeError(f"/api/stream: {status}")
            yield _cards(reader)
        finally:
            line.close()

    async def look(self, phone: SoftwarePhone) -> Card:
        """Open the app, see the question as soon as there is one, close the app."""
        async with self.listening(phone) as cards:
            return await anext(cards)

    def close(self) -> None:
        for line in self._all:
            line.close()


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in rest if line)
    return int(first.split()[1]), headers


async def _cards(reader: asyncio.StreamReader) -> AsyncIterator[Card]:
    """Questions out of server-sent events in chunks (RFC 9112 7.1)."""
    seen: set[str] = set()
    text = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        text += (await reader.readexactly(size + 2))[:-2]
        *events, text = text.split(b"\n\n")
        for event in events:
            if not event.startswith(b"event: state\ndata: "):
                continue
            for card in json.loads(event.partition(b"data: ")[2])["questions"]:
                if card["id"] not in seen:
                    seen.add(card["id"])
                    yield card
