"""Is a host reached from here: its name, TCP (through the proxy if any), and TLS with its certificate?"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from radius_push.doctor.finding import SECONDS, Finding
from radius_push.doctor.network import Line

LONGEST_ANSWER = 8192
"""Octets of a proxy's header."""
LookUp = Callable[[str, int], list[str]]


class NotReached(Exception):
    """What went wrong, and the mend."""

    def __init__(self, says: str, mend: str) -> None:
        super().__init__(says)
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Place:
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def look_up(host: str, port: int) -> list[str]:
    """Addresses, as the system finds them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def try_line(
    line: Line, host: str, *, proxy: str | None, matters: bool = True, look_up: LookUp = look_up
) -> Finding:
    """Try it by one of its hosts. Never raises. `matters`: if not reached it is wrong, and not only odd."""
    there, through = Place(host, line.port), _place(proxy) if line.by_proxy and proxy else None
    try:
        async with asyncio.timeout(SECONDS):
            said = await _reach(there, line, through, look_up)
    except NotReached as why:
        return Finding("wrong" if matters else "warning", line.channel, f"{there}: {why}", why.mend)
    except TimeoutError:
        mend = f"a firewall may drop it: let {line.source} reach {there} by TCP"
        return Finding(
            "wrong" if matters else "warning", line.channel, f"{there}: no answer within {SECONDS:g} s", mend
        )
    return Finding("ok", line.channel, f"{there}: {said} ({line.purpose})")


async def _reach(there: Place, line: Line, proxy: Place | None, look_up: LookUp) -> str:
    """What was seen to hold. Raises NotReached."""
    context = tls_for(line) if line.tls == "tls" else None
    if proxy is None:
        reader, writer = await _connect(there, look_up)
    else:
        try:
            reader, writer = await _connect(proxy, look_up)
        except NotReached as problem:
            raise NotReached(f"the proxy {proxy}: {problem}", problem.mend) from problem
        try:
            await _tunnel(reader, writer, there, proxy)
        except BaseException:
            writer.transport.abort()
            raise
    by = "" if proxy is None else f" through the proxy {proxy}"
    try:
        if context is None:
            return f"reached{by}"
        await _secure(writer, context, there)
        return f"reached{by}, TLS and its certificate are right" if line.checked else f"reached{by}, TLS"
    finally:
        writer.transport.abort()


async def _connect(to: Place, look_up: LookUp) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    problem = OSError(errno.EHOSTUNREACH, "no address")
    for address in await _addresses(to, look_up):
        try:
            return await asyncio.open_connection(address, to.port)
        except OSError as error:
            problem = error
    match problem.errno:
        case errno.ECONNREFUSED:
            says, mend = "refused", "nobody listens there, or a firewall says so: are host and port right?"
        case errno.ENETUNREACH | errno.EHOSTUNREACH:
            says, mend = "no way there", "this machine has no route: look at `ip route`, and at the firewall"
        case _:
            says, mend = (problem.strerror or str(problem)).lower(), "look at the firewall"
    raise NotReached(says, mend) from problem


async def _addresses(to: Place, look_up: LookUp) -> list[str]:
    """Raises NotReached."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def tell(act: Callable[[], None]) -> None:
        # Nobody may wait any more: then the loop is gone, or the future over.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if answer.done() else act())

    def work() -> None:
        try:
            found = look_up(to.host, to.port)
        except OSError as error:
            problem = error
            tell(lambda: answer.set_exception(problem))
        else:
            tell(lambda: answer.set_result(found))

    # A daemon: a DNS server that hangs must not keep the verb from ending.
    threading.Thread(target=work, name=f"look up {to.host}", daemon=True).start()
    try:
        found = await answer
    except OSError as problem:
        raise NotReached(
            f"its name is not found ({problem.strerror or 'no answer'})",
            "is the name right, and may this machine ask its DNS servers (/etc/resolv.conf, port 53)?",
        ) from problem
    if not found:
        raise NotReached("its name has no address", "is the name right?")
    return found


async def _tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: Place, proxy: Place
) -> None:
    """RFC 9110, 9.3.6. Raises NotReached."""
    writer.write(f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n\r\n".encode("ascii"))
    try:
        answer = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        raise NotReached(
            f"the proxy {proxy} does not speak HTTP", "is `server.outbound_proxy` right?"
        ) from None
    found = re.match(rb"HTTP/1\.[01] ([0-9]{3})", answer[:LONGEST_ANSWER])
    status = int(found[1]) if found else 0
    if not 200 <= status < 300:
        raise NotReached(
            f"the proxy {proxy} answers {status or 'nonsense'}", f"let the proxy admit CONNECT to {there}"
        )


async def _secure(writer: asyncio.StreamWriter, context: ssl.SSLContext, there: Place) -> None:
    try:
        await writer.start_tls(context, server_hostname=there.host)
    except ssl.SSLCertVerificationError as error:
        raise NotReached(
            f"its certificate is not believed: {error.verify_message}",
            "if something on the way opens TLS, let it leave this host alone; if the authority is your own, "
            "name its file in the settings; else is this machine's clock right?",
        ) from None
    except (ssl.SSLError, ConnectionError) as error:
        why = getattr(error, "reason", None) or "closed"
        raise NotReached(f"no TLS: {why}", "is that port one for TLS? Does a firewall cut it off?") from None


def tls_for(line: Line) -> ssl.SSLContext:
    """TLS 1.2 or newer. Raises NotReached."""
    try:
        if line.ca is None:
            context = ssl.create_default_context()
        elif "-----BEGIN" in line.ca:
            context = ssl.create_default_context(cadata=line.ca)
        else:
            context = ssl.create_default_context(cafile=str(Path(line.ca)))
    except (OSError, ValueError) as error:  # SSLError is an OSError
        why = getattr(error, "strerror", None) or str(error)
        raise NotReached(f"its authority's file cannot be used: {why}", "name a PEM file") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not line.checked:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _place(url: str) -> Place:
    parts = urlsplit(url)
    return Place(str(parts.hostname), parts.port or (80 if parts.scheme == "http" else 443))
