"""A TCP connection to a host that the settings name, through their HTTP proxy if they have one."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any
from urllib.parse import urlsplit

SECONDS_AN_ADDRESS = 3.0
"""Until the next address of a name is tried: one that leads nowhere must not take the time of the others."""
LONGEST_ANSWER = 8192
"""Octets that a proxy may say before the connection is through."""
SOON = 1.0
"""Seconds until a second try when nobody says."""

Found = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]]
LookUp = Callable[[str, int], Found]


class CannotReach(Exception):
    """Why there is no connection, with the mend; without a secret."""

    def __init__(self, detail: str, *, soon: float | None = SOON) -> None:
        """`soon`: seconds until a second try may end otherwise; None: it would not."""
        super().__init__(detail)
        self.detail = detail
        self.soon = soon


def look_up(host: str, port: int) -> Found:
    """DNS, as the system does it."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def reach(
    host: str, port: int, *, proxy: str | None, threads: Executor, look_up: LookUp = look_up
) -> socket.socket:
    """Connected, non-blocking; the first octet after it is the host's. `proxy`: `http://HOST:PORT`;
    `threads`: where names are looked up. Raises CannotReach; it has no time limit of its own."""
    if proxy is None:
        return await _connect(host, port, threads, look_up)
    parts = urlsplit(proxy)
    try:
        made = await _connect(parts.hostname or "", parts.port or 80, threads, look_up)
    except CannotReach as problem:
        raise CannotReach(f"{problem.detail}; look at server.outbound_proxy") from None
    try:
        await _ask_proxy(made, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except BaseException:
        made.close()
        raise
    return made


async def _connect(host: str, port: int, threads: Executor, look_up: LookUp) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(threads, look_up, host, port)
    except OSError:
        raise CannotReach(f"{host}: the name is not found; is DNS allowed to go out?") from None
    why = "no address"
    for family, kind, protocol, _, address in found:
        made = socket.socket(family, kind, protocol)
        try:
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(SECONDS_AN_ADDRESS):
                await loop.sock_connect(made, address)
        except OSError as problem:  # TimeoutError is one
            made.close()
            why = type(problem).__name__
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise CannotReach(f"{host}: no connection ({why}); is TCP to its port {port} allowed to go out?")


async def _ask_proxy(made: socket.socket, target: str) -> None:
    """CONNECT (RFC 9110, section 9.3.6). The host speaks after us, so nothing of it is read here."""
    loop = asyncio.get_running_loop()
    answer = b""
    try:
        await loop.sock_sendall(made, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        while b"\r\n\r\n" not in answer and len(answer) <= LONGEST_ANSWER:
            octets = await loop.sock_recv(made, 2048)
            if not octets:
                break
            answer += octets
    except OSError as problem:
        raise CannotReach(f"the proxy ended the connection ({type(problem).__name__})") from None
    status = re.match(rb"HTTP/1\.[01] ([0-9]{3})[ \r]", answer)
    _, end, rest = answer.partition(b"\r\n\r\n")
    if status is None or not end or rest:
        raise CannotReach(
            "the proxy's answer is no answer of an HTTP proxy; look at server.outbound_proxy", soon=None
        )
    if not 200 <= int(status[1]) < 300:
        raise CannotReach(
            f"the proxy answered {int(status[1])}; let it connect this machine to {target}, without a "
            "password"
        )
