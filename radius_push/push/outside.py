"""The way out to push services: one HTTP session, and names that must not lead back inside."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from radius_push.push.endpoints import is_public

CONNECTIONS = 128
CONNECTIONS_PER_HOST = 64
"""One push service that hangs leaves most of the connections to the others."""
LOOK_UPS = 4
"""Threads: a DNS server that hangs must not take those of others."""

Found = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]]
LookUp = Callable[[str, int, int], Found]


class LeadsInside(OSError):
    """A push service's name has only addresses that are not on the internet."""


def look_up(host: str, port: int, family: int) -> Found:
    """DNS, as the system does it."""
    return socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)


class PublicResolver(AbstractResolver):
    """Looks names up for the connection that is about to be made, and leaves out what is not public: so a
    name that answers otherwise the second time (DNS rebinding) leads nowhere else."""

    def __init__(self, may_lie_anywhere: Callable[[str], bool], *, look_up: LookUp = look_up) -> None:
        self._may_lie_anywhere = may_lie_anywhere
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="push-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._look_up, host, port, family
        )
        results = [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
            if self._may_lie_anywhere(host) or is_public(str(address[0]))
        ]
        if not results:
            raise LeadsInside(f"{host} has no address on the internet")
        return results

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def open_session(
    resolver: PublicResolver,
    *,
    tls: ssl.SSLContext | None = None,
    connections: int = CONNECTIONS,
    per_host: int = CONNECTIONS_PER_HOST,
    kept_seconds: float = 15.0,
) -> aiohttp.ClientSession:
    """Nothing of the environment (proxies, .netrc), no cookies; the time-out is that of each request.

    `tls`: None: whom the system trusts; `kept_seconds`: how long a connection nobody uses stays open.
    """
    connector = aiohttp.TCPConnector(
        limit=connections,
        limit_per_host=per_host,
        resolver=resolver,
        ttl_dns_cache=30,
        keepalive_timeout=kept_seconds,
        ssl=True if tls is None else tls,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
        trust_env=False,
        auto_decompress=False,
    )
