"""One connection to an LDAP server that is in time, in size and in TLS what it should be, or is lost.

The only module that knows ldap3. What it is protected from, each seen by trying:
time-outs are per `recv` and take whole seconds only; a refused connection leaks its socket; an
operation on a closed connection silently opens a new one, without StartTLS; the host name of a
certificate is checked apart from its chain, by a function that Python 3.12 no longer has.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
import warnings
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from radius_push.model import Secret

with warnings.catch_warnings():
    # ldap3 2.9.1 asks pyasn1 for names that are called otherwise by now.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import LDAPExceptionError

_MAX_ANSWER = 2 * 1024 * 1024  # octets of one operation's answer
_RECEIVE = 65536


class Lost(Exception):
    """This server could not be asked now. The text is for the log and holds no secret."""


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


@dataclass(frozen=True, slots=True)
class Result:
    """The end of an LDAP operation (RFC 4511, 4.1.9)."""

    code: int
    message: str
    """The server's own words, shortened to what a log line bears."""


@dataclass(frozen=True, slots=True)
class Entry:
    dn: bytes
    attributes: dict[str, tuple[bytes, ...]]
    """Attribute description as the server wrote it (with options) -> values."""


def tls_context(*, ca_file: str | None, check_certificate: bool) -> ssl.SSLContext:
    """Chain and host name are checked against `ca_file` or the system's store, unless told not to.
    Raises OSError (ssl.SSLError is one) for a file that cannot be read as certificates."""
    context = ssl.create_default_context(cafile=ca_file)
    if not check_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _Socket:
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


class _StartTls(ldap3.Tls):
    """What ldap3 calls once the server has agreed to StartTLS."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self._host = host

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:
        connection.socket.secure(self._context, self._host)


class LdapConnection:
    """Open from its making until `close`, or until an operation raises Lost. For one thread at a time."""

    def __init__(
        self,
        url: str,
        *,
        tls: ssl.SSLContext,
        start_tls: bool,
        connect_timeout: float,
        deadline: Deadline,
    ) -> None:
        """Connects, with TLS as asked. Raises Lost."""
        place = urlsplit(url)
        self.url = url
        self.idle_since = time.monotonic()
        self._host = place.hostname or ""
        self._tls = tls
        ldaps = place.scheme == "ldaps"
        start_tls = start_tls and not ldaps
        self._encrypted = start_tls or ldaps
        self._connect_timeout = connect_timeout
        self._deadline = deadline
        self._opened = False
        with self._losing("connecting"):
            server = ldap3.Server(
                self._host,
                port=place.port,
                use_ssl=ldaps,
                get_info=ldap3.NONE,
                tls=_StartTls(tls, self._host),
                allowed_referral_hosts=[],
            )
            self._ldap = ldap3.Connection(
                server,
                auto_bind=ldap3.AUTO_BIND_NONE,
                client_strategy=ldap3.SYNC,
                auto_referrals=False,
                auto_range=False,
                check_names=False,
                read_only=True,
                return_empty_attributes=False,
            )
            self._ldap.strategy._open_socket = self._open_socket  # noqa: SLF001  the module's first lines say why
            self._ldap.open(read_server_info=False)
            if start_tls and not self._ldap.start_tls(read_server_info=False):
                raise Lost(f"{self.url}: StartTLS was not done")

    def _open_socket(self, address: Any, use_ssl: bool = False, unix_socket: bool = False) -> None:
        if self._opened:
            raise OSError("the connection was closed")
        bounded = _Socket(socket.socket(*address[:3]))
        try:
            # Small messages back and forth: without this each handshake waits 40 ms for an acknowledgement.
            bounded.plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            bounded.begin(self._deadline)
            bounded.connect(address[4], seconds=self._connect_timeout)
            if use_ssl:
                bounded.secure(self._tls, self._host)
        except BaseException:
            bounded.close()
            raise
        self._opened = True
        self._ldap.socket = bounded
        self._ldap.closed = False

    def bind(self, dn: str, password: Secret, deadline: Deadline) -> Result:
        """A simple bind (RFC 4513, 5.1.3) with the password's own octets. Raises Lost."""
        if not dn or not password.reveal() or b"\0" in password.reveal():
            # RFC 4513, 5.1.2: a server may call an empty password a success.
            raise ValueError("a simple bind needs a name and a password")
        with self._losing("bind"):
            self._begin(deadline)
            self._ldap.authentication = ldap3.SIMPLE
            self._ldap.user = dn
            # As octets: from a string ldap3 would make another one (SASLprep).
            self._ldap.password = password.reveal()
            try:
                self._ldap.bind(read_server_info=False)
                result = _result(self._ldap.result)
            finally:
                # The connection keeps both otherwise, in the clear.
                self._ldap.password = None
                self._ldap.request = None
            if password.reveal().decode(errors="replace") in result.message:
                return Result(result.code, "(the server repeated the password)")
            return result

    def search(
        self, base: str, filter: str, attributes: list[str], *, limit: int, deadline: Deadline
    ) -> tuple[Result, tuple[Entry, ...]]:
        """The whole subtree; entries only, references to other servers are left out. Raises Lost."""
        with self._losing("search"):
            self._begin(deadline)
            self._ldap.search(
                base,
                filter,
                search_scope=ldap3.SUBTREE,
                dereference_aliases=ldap3.DEREF_NEVER,
                attributes=attributes or [ldap3.NO_ATTRIBUTES],
                size_limit=limit,
                time_limit=max(1, math.ceil(deadline.left)),
            )
            found = tuple(
                _entry(item) for item in self._ldap.response or () if item["type"] == "searchResEntry"
            )
            return _result(self._ldap.result), found

    def _begin(self, deadline: Deadline) -> None:
        if self._ldap.closed:
            raise OSError("the connection was closed")
        if self._encrypted and not self._ldap.socket.is_secure:
            raise OSError("the connection is not encrypted")
        self._ldap.socket.begin(deadline)

    def _losing(self, doing: str) -> _Losing:
        return _Losing(self, doing)

    def close(self) -> None:
        """Hang up. Never raises."""
        connection = getattr(self, "_ldap", None)
        if connection is not None and not connection.closed:
            connection.strategy.close()


class _Losing:
    """Whatever goes wrong inside closes the connection and is Lost, with a text that holds no secret."""

    def __init__(self, connection: LdapConnection, doing: str) -> None:
        self._connection = connection
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self._connection.idle_since = time.monotonic()
            return
        self._connection.close()
        if isinstance(error, Lost) or not isinstance(error, Exception):
            return
        # ldap3 reads the server's octets with bare indexing, so that garbage is a KeyError, an IndexError
        # or a RecursionError: only errors of the socket and of ldap3 itself have words worth keeping.
        known = isinstance(error, OSError | LDAPExceptionError)
        words = str(error).strip("(),'") if known else "the answer is not LDAP"
        name = type(error).__name__
        raise Lost(f"{self._connection.url}: {self._doing}: {_short(words)} ({name})") from None


def _result(result: dict[str, Any]) -> Result:
    return Result(int(result["result"]), _short(result["message"] or result["description"]))


def _entry(item: dict[str, Any]) -> Entry:
    attributes = {name: tuple(values or ()) for name, values in item["raw_attributes"].items()}
    return Entry(bytes(item["raw_dn"]), attributes)


def _short(words: str) -> str:
    return "".join(c if c.isprintable() else " " for c in words[:200]).strip()
