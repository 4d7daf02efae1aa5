"""A RadSec client of our own on Python's `ssl`: many logins on one connection, answered in any order."""

from __future__ import annotations

import secrets
import socket
import ssl
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.directory.certificates import Certificate
from tests.interop.packets import (
    ACCESS_REQUEST,
    CALLING_STATION_ID,
    STATUS_SERVER,
    USER_NAME,
    USER_PASSWORD,
    Request,
    attribute,
    believed,
    hidden,
    sealed,
)

SECRET = b"radsec"
"""RFC 6614 2.3: always this one; the certificates are what counts."""


class RadSecClient:
    """Open it with `with`. A server that wants no such client raises ssl.SSLError or OSError, at once or when
    the first reply is read: TLS 1.3 says no to a certificate only after the handshake."""

    def __init__(self, port: int, *, authority: Path, own: Certificate | None, seconds: float = 40.0) -> None:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(authority))
        if own is not None:
            context.load_cert_chain(own.certificate, own.key)
        plain = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._tls = context.wrap_socket(plain, server_hostname="127.0.0.1", do_handshake_on_connect=False)
        self._waiting: dict[int, Request] = {}

    def __enter__(self) -> Self:
        self._tls.do_handshake()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tls.close()

    @property
    def version(self) -> str | None:
        return self._tls.version()

    def ask(self, user: str, password: str, *, address: str = "203.0.113.7") -> int:
        """Send one login; its Identifier. At most 256 may wait."""
        authenticator = secrets.token_bytes(16)
        attributes = (
            attribute(USER_NAME, user.encode())
            + attribute(USER_PASSWORD, hidden(password, authenticator, SECRET))
            + attribute(CALLING_STATION_ID, address.encode())
        )
        return self._send(ACCESS_REQUEST, attributes, authenticator)

    def ask_whether_it_lives(self) -> int:
        return self._send(STATUS_SERVER, b"", secrets.token_bytes(16))

    def next_reply(self) -> tuple[int, int]:
        """(Identifier, code) of whatever is answered next. EOFError: the server closed the connection."""
        head = self._exactly(4)
        reply = head + self._exactly(struct.unpack("!H", head[2:])[0] - 4)
        request = self._waiting.pop(reply[1])
        return request.identifier, believed(reply, request, SECRET)

    def _send(self, code: int, attributes: bytes, authenticator: bytes) -> int:
        free = next(number for number in range(256) if number not in self._waiting)
        request = sealed(code, attributes, SECRET, identifier=free, authenticator=authenticator)
        self._waiting[free] = request
        self._tls.sendall(request.octets)
        return free

    def _exactly(self, count: int) -> bytes:
        octets = b""
        while len(octets) < count:
            more = self._tls.recv(count - len(octets))
            if not more:
                raise EOFError
            octets += more
        return octets
