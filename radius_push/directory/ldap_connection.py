"""One connection to an LDAP server that is in time, in size and in TLS what it should be, or is lost.

The only module that knows ldap3. What it guards against in its version 2.9.1: time-outs are per `recv`
and take whole seconds only; a refused connection leaks its socket; a bind on a closed connection opens
a new one by itself, without StartTLS; the host name of a certificate is checked apart from its chain,
by a function that Python 3.12 no longer has.
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

from radius_push.directory.bounded_socket import BoundedSocket, Deadline
from radius_push.model import Secret

with warnings.catch_warnings():
    # ldap3 2.9.1 asks pyasn1 for names that are called otherwise by now.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import LDAPExceptionError


class Lost(Exception):
    """This server could not be asked now. The text is for the log and holds no secret."""


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
        bounded = BoundedSocket(socket.socket(*address[:3]))
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
