"""Kept connections to a push service that the settings name, and a bound on everything that comes back."""

from __future__ import annotations

import email.utils
import json
import ssl
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import yarl

from radius_push.push.outside import LookUp, PublicResolver, look_up, open_session
from radius_push.waking import Refused, Unreachable

CONNECTIONS = 64
KEPT_SECONDS = 220.0
"""Google closes what is idle for four minutes; ours end before, so that no push meets that moment."""
LONGEST_BODY = 16384
SOON = 1.0
"""Seconds until a second try when nobody says."""
_LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


class NoAnswer(Exception):
    """What becomes of the push without one."""

    def __init__(self, outcome: Unreachable | Refused) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said. Its body may repeat what it was sent: not for the log."""

    status: int
    body: bytes
    """At most LONGEST_BODY octets; of a longer one, nothing."""
    retry_after: str | None
    """As it was sent."""
    at: float | None
    """UTC seconds by the service's own clock."""

    def json(self) -> dict[str, Any]:
        """An object; an empty one for whatever else it is."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class Line:
    """One HTTP session, to hosts that the admin named: they may lie anywhere. No redirect is followed."""

    def __init__(self, *, ca: str | None, proxy: str | None, place: str, look_up: LookUp = look_up) -> None:
        """`ca`: PEM, trusted instead of the system's; `place`: in the settings, for what is to be mended.
        Within a running event loop."""
        self._proxy = proxy
        self._place = place
        self._session = open_session(
            PublicResolver(lambda host: True, look_up=look_up),
            tls=ssl.create_default_context(cadata=ca),
            connections=CONNECTIONS,
            per_host=CONNECTIONS,
            kept_seconds=KEPT_SECONDS,
        )

    async def close(self) -> None:
        await self._session.close()

    async def ask(
        self,
        method: Literal["GET", "POST"],
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Raises NoAnswer. It has no time limit of its own.

        A kept connection may end in the very moment of asking: then it is asked once more.
        """
        for again in (True, False):
            try:
                return await self._ask(method, url, headers or {}, body)
            except aiohttp.ClientConnectorError as problem:
                raise NoAnswer(self._not_connected(url, problem)) from None
            except (aiohttp.ClientError, OSError, ValueError) as problem:
                if not (again and isinstance(problem, _LOST)):
                    raise NoAnswer(self._no_answer(url, problem)) from None
        raise AssertionError("the second try either answers or raises")

    async def _ask(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
        if self._session.closed:
            raise NoAnswer(Unreachable(f"{yarl.URL(url).host}: the server is closing", None))
        async with self._session.request(
            method,
            yarl.URL(url, encoded=True),
            data=body,
            # Left to itself, aiohttp asks for gzip, which can be small here and huge when it is unpacked.
            headers={**headers, "Accept-Encoding": "identity"},
            allow_redirects=False,
            proxy=self._proxy,
        ) as response:
            return Answer(
                response.status,
                await _bounded(response.content),
                response.headers.get("Retry-After"),
                _moment(response.headers.get("Date")),
            )

    def _not_connected(self, url: str, problem: aiohttp.ClientConnectorError) -> Unreachable:
        host = yarl.URL(url).host
        match problem:
            case aiohttp.ClientConnectorCertificateError():
                why = getattr(problem.certificate_error, "verify_message", "") or "not trusted"
                return Unreachable(
                    f"{host}: its certificate is refused here ({why.rstrip('.')}); if something on the way "
                    f"opens TLS, let it leave {host} alone, or name its authority as {self._place}.ca_file",
                    None,
                )
            case aiohttp.ClientConnectorDNSError():
                return Unreachable(f"{problem.host}: the name is not found; is DNS allowed to go out?", SOON)
            case aiohttp.ClientProxyConnectionError():
                return Unreachable(
                    f"{host}: the proxy {problem.host}:{problem.port} does not answer; look at "
                    "server.outbound_proxy",
                    SOON,
                )
            case aiohttp.ClientSSLError():
                return Unreachable(
                    f"{host}: what answers there does not speak TLS as we do; is there something on the way?",
                    SOON,
                )
        port = yarl.URL(url).port
        return Unreachable(
            f"{host}: no connection ({type(problem.os_error).__name__}); is TCP to its port {port} allowed "
            "to go out?",
            SOON,
        )

    def _no_answer(self, url: str, problem: Exception) -> Unreachable | Refused:
        host = yarl.URL(url).host
        if isinstance(problem, aiohttp.ClientHttpProxyError):
            return Refused(
                f"{host}: the proxy answered {problem.status}; let it connect this machine to {host}, "
                "without a password"
            )
        what = type(problem).__name__  # the message may hold what was sent
        return Unreachable(f"{host}: the connection ended before the answer ({what})", SOON)


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    found = bytearray()
    while chunk := await content.read(LONGEST_BODY + 1 - len(found)):
        found += chunk
        if len(found) > LONGEST_BODY:
            return b""
    return bytes(found)


def _moment(date: str | None) -> float | None:
    try:
        return None if date is None else email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
