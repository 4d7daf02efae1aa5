"""The servers of one LDAP directory: which to ask first, and the connections that are kept open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

from radius_push.directory.bounded_socket import Deadline, tls_context
from radius_push.directory.ldap_answers import Code
from radius_push.directory.ldap_connection import LdapConnection, Lost
from radius_push.shapes import LdapProfile

T = TypeVar("T")
Question = Callable[[LdapConnection, Deadline], T]

_SKIPPED = 10.0  # seconds that a server which failed is left out
_KEPT_IDLE = 60.0  # seconds; firewalls forget older ones without a word
_KEPT = 4  # per server


class LdapServers:
    """Used by several threads. `now` is the monotonic time at the beginning of the whole question."""

    def __init__(self, profile: LdapProfile) -> None:
        self._profile = profile
        self._tls = tls_context(ca_file=profile.ca_file, check_certificate=profile.check_certificate)
        self._skipped_until: dict[str, float] = {}
        self._lock = Lock()
        self._kept: dict[str, list[LdapConnection]] = {url: [] for url in profile.urls}
        self._closed = False

    def ask(self, question: Question[T], *, now: float, deadline: Deadline) -> T:
        """Put a question to the first server that answers it, as the service account. A kept
        connection that turns out dead is replaced by a fresh one. Raises Lost."""
        failures = []
        for url, share in self._in_order(now, deadline):
            kept = self._take(url)
            if kept is not None:
                try:
                    return self._put(kept, question, share.share(2))
                except Lost:
                    pass
            try:
                return self._put(self._open_as_service(url, share), question, share)
            except Lost as lost:
                failures.append(str(lost))
                self._skip(url, now, deadline)
        raise Lost("; ".join(failures))

    @contextmanager
    def connection(self, *, now: float, deadline: Deadline) -> Iterator[LdapConnection]:
        """A fresh connection, bound as nobody, to the first server that can be reached. Raises Lost."""
        connection = self._reach(now, deadline)
        try:
            yield connection
        except Lost:
            self._skip(connection.url, now, deadline)
            raise
        finally:
            connection.close()

    def _reach(self, now: float, deadline: Deadline) -> LdapConnection:
        failures = []
        for url, share in self._in_order(now, deadline):
            try:
                return self._open(url, share)
            except Lost as lost:
                failures.append(str(lost))
                self._skip(url, now, deadline)
        raise Lost("; ".join(failures))

    def _in_order(self, now: float, deadline: Deadline) -> Iterator[tuple[str, Deadline]]:
        """Servers to try, each with its share of the time that is left. All failed lately: all of them."""
        urls = [url for url in self._profile.urls if self._skipped_until.get(url, now) <= now]
        urls = urls or list(self._profile.urls)
        for tried, url in enumerate(urls):
            if deadline.left <= 0:
                raise Lost("no time was left to ask")
            yield url, deadline.share(len(urls) - tried)

    def _skip(self, url: str, now: float, deadline: Deadline) -> None:
        self._skipped_until[url] = now + deadline.elapsed + _SKIPPED

    def _open(self, url: str, deadline: Deadline) -> LdapConnection:
        return LdapConnection(
            url,
            tls=self._tls,
            start_tls=self._profile.start_tls,
            connect_timeout=self._profile.connect_timeout,
            deadline=deadline,
        )

    def _open_as_service(self, url: str, deadline: Deadline) -> LdapConnection:
        connection = self._open(url, deadline)
        result = connection.bind(self._profile.bind_dn, self._profile.bind_password, deadline)
        if result.code != Code.SUCCESS:
            connection.close()
            raise Lost(f"{url}: bind_dn {self._profile.bind_dn!r}: {result.message} (result {result.code})")
        return connection

    def _put(
        self,
        connection: LdapConnection,
        question: Question[T],
        deadline: Deadline,
    ) -> T:
        try:
            answer = question(connection, deadline)
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return answer

    def _take(self, url: str) -> LdapConnection | None:
        with self._lock:
            kept = self._kept[url]
            fresh = time.monotonic() - _KEPT_IDLE
            stale = [connection for connection in kept if connection.idle_since < fresh]
            kept[:] = [connection for connection in kept if connection.idle_since >= fresh]
            taken = kept.pop() if kept else None
        for connection in stale:
            connection.close()
        return taken

    def _keep(self, connection: LdapConnection) -> None:
        with self._lock:
            kept = self._kept[connection.url]
            if not self._closed and len(kept) < _KEPT:
                kept.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            connections = [connection for kept in self._kept.values() for connection in kept]
            self._kept = {url: [] for url in self._profile.urls}
        for connection in connections:
            connection.close()
