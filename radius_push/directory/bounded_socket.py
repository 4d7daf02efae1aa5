"""A socket that keeps one deadline and one limit of octets, in the clear or in checked TLS."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

_MAX_ANSWER = 2 * 1024 * 1024  # octets of one operation's answer
_RECEIVE = 65536


class Deadline:
    """A point in time by which something must be over; counts from its making."""

    def __init__(self, seconds: float) -> None:
        self._begun = time.monotonic()
        self._seconds = seconds

    @property
    def left(self) -> float:
        return max(0.0, self._seconds - self.elapsed)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._begun

    def share(self, parts: int) -> Deadline:
        """An equal part of what is left."""
        return Deadline(self.left / parts)


def tls_context(*, ca_file: str | None, check_certificate: bool) -> ssl.SSLContext:
    """Chain and host name are checked against `ca_file` or the system's store, unless told not to.
    Raises OSError (ssl.SSLError is one) for a file that cannot be read as certificates."""
    context = ssl.create_default_context(cafile=ca_file)
    if not check_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class BoundedSocket:
    """A socket whose every operation ends by one deadline and within one number of octets."""

    def __init__(self, plain: socket.socket) -> None:
        self.plain = plain
        self._deadline = Deadline(0)
        self._room = 0

    def begin(self, deadline: Deadline) -> None:
        """From now on `deadline` and a full allowance of octets hold."""
        self._deadline = deadline
        self._room = _MAX_ANSWER

    def _in_time(self) -> socket.socket:
        left = self._deadline.left
        if left <= 0:
            raise TimeoutError("timed out")
        self.plain.settimeout(left)
        return self.plain

    def connect(self, address: Any, *, seconds: float) -> None:
        self._in_time().settimeout(min(seconds, self._deadline.left))
        self.plain.connect(address)

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """The TLS handshake; afterwards nothing goes or comes in the clear."""
        self.plain = context.wrap_socket(self._in_time(), server_hostname=host)

    @property
    def is_secure(self) -> bool:
        return isinstance(self.plain, ssl.SSLSocket)

    def recv(self, _size: int) -> bytes:
        octets = self._in_time().recv(_RECEIVE)
        self._room -= len(octets)
        if self._room < 0:
            raise OSError(f"the answer is larger than {_MAX_ANSWER} octets")
        return octets

    def sendall(self, octets: bytes) -> None:
        self._in_time().sendall(octets)

    def shutdown(self, how: int) -> None:
        self.plain.shutdown(how)

    def close(self) -> None:
        self.plain.close()
