"""A RadSec client on Python's own `ssl`: what a gateway does, and what it had better not do."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from radius_push.radius.framing import Framing
from tests.directory.certificates import Certificate


def tls(
    authority: Path, own: Certificate | None, *, at_most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED
) -> ssl.SSLContext:
    """Believes this authority, and shows its own certificate if it has one."""
    context = ssl.create_default_context(cafile=str(authority))
    if at_most != ssl.TLSVersion.MAXIMUM_SUPPORTED:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = at_most
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    return context


class Caller:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._framing = Framing()
        self._replies: list[bytes] = []

    def send(self, *packets: bytes) -> None:
        self.writer.write(b"".join(packets))

    async def reply(self) -> bytes:
        """The next whole packet. ConnectionError if there will be none."""
        async with asyncio.timeout(5):
            while not self._replies:
                octets = await self._reader.read(4096)
                if not octets:
                    raise ConnectionResetError("closed")
                self._replies += self._framing.feed(octets)
        return self._replies.pop(0)

    async def closed(self, seconds: float = 5) -> bool:
        """Wait until the other side ends it. False: it said something instead."""
        async with asyncio.timeout(seconds):
            try:
                return not await self._reader.read(1)
            except (OSError, ssl.SSLError):
                return True


@contextlib.asynccontextmanager
async def calling(
    server: tuple[str, int], context: ssl.SSLContext | None = None, *, source: str | None = None
) -> AsyncIterator[Caller]:
    """Raises OSError (ssl.SSLError is one) if there is no connection; by TLS 1.3 that may show later."""
    reader, writer = await asyncio.open_connection(
        *server,
        ssl=context,
        server_hostname="radius.example.com" if context else None,
        local_addr=(source, 0) if source else None,
    )
    try:
        yield Caller(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
