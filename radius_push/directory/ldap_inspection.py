"""What an LDAP directory says of the settings that lead to it: asked once, while nobody logs in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from radius_push.directory.bounded_socket import Deadline, tls_context
from radius_push.directory.ldap_answers import Code
from radius_push.directory.ldap_connection import LdapConnection, Lost, Result
from radius_push.directory.ldap_entry import NotReadable, read_id
from radius_push.shapes import LdapProfile

GroupsCalled = Callable[[str, LdapConnection, Deadline], tuple[str, ...]]
"""The DNs of the groups of a name; of two or more, two."""

_ANYTHING = "(objectClass=*)"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was asked, and what came back."""

    what: Literal["good", "look", "bad"]
    path: tuple[str | int, ...]
    """Into the authentication profile, `("urls", 0)`; or `("group", NAME)` of policies."""
    sentence: str
    """With the mend, where it is not good."""


def inspect(
    profile: LdapProfile, *, groups: Iterable[str], attributes: Iterable[str], groups_called: GroupsCalled
) -> tuple[Finding, ...]:
    """Blocks up to `receive_timeout` for each server, and once more for the rest."""
    return tuple(_Inspection(profile, groups_called).findings(sorted(groups), sorted(attributes)))


class _Inspection:
    def __init__(self, profile: LdapProfile, groups_called: GroupsCalled) -> None:
        self._profile = profile
        self._groups_called = groups_called
        self._tls = tls_context(ca_file=profile.ca_file, check_certificate=profile.check_certificate)

    def findings(self, groups: list[str], attributes: list[str]) -> Iterator[Finding]:
        first: LdapConnection | None = None
        for at, url in enumerate(self._profile.urls):
            found, connection = self._server(at, url)
            yield found
            if connection is not None and first is None:
                first = connection
            elif connection is not None:
                connection.close()
        if first is None:
            return
        try:
            yield from self._settings(first, groups, attributes)
        finally:
            first.close()

    def _server(self, at: int, url: str) -> tuple[Finding, LdapConnection | None]:
        """Reachable, TLS as asked, and the service account may in."""
        profile, path = self._profile, ("urls", at)
        deadline = Deadline(profile.receive_timeout)
        try:
            connection = LdapConnection(
                url,
                tls=self._tls,
                start_tls=profile.start_tls,
                connect_timeout=profile.connect_timeout,
                deadline=deadline,
            )
        except Lost as lost:
            return Finding("bad", path, f"{lost}; {_mend(str(lost))}"), None
        try:
            result = connection.bind(profile.bind_dn, profile.bind_password, deadline)
        except Lost as lost:
            return Finding("bad", path, f"{lost}; does an LDAP server answer there?"), None
        if result.code != Code.SUCCESS:
            connection.close()
            said = f"{url} refuses {profile.bind_dn}: {_said(result)}; mend bind_dn or bind_password"
            return Finding("bad", ("bind_dn",), said), None
        said = f"{url} answers {self._how(url)}, and {profile.bind_dn} may in"
        return Finding("good", path, said), connection

    def _how(self, url: str) -> str:
        if not (self._profile.start_tls or url.startswith("ldaps:")):
            return "in clear text"
        return "over TLS" if self._profile.check_certificate else "over TLS that is not checked"

    def _settings(
        self, connection: LdapConnection, groups: list[str], attributes: list[str]
    ) -> Iterator[Finding]:
        deadline = Deadline(self._profile.receive_timeout)
        base = self._profile.group_base_dn
        try:
            there = self._base(connection, "base_dn", self._profile.base_dn, deadline)
            yield there
            if base is not None:
                groups_there = self._base(connection, "group_base_dn", base, deadline)
                yield groups_there
                if groups_there.what != "bad":
                    yield from (self._group(connection, name, deadline) for name in groups)
            if there.what != "bad":
                yield from (
                    each for name in attributes for each in self._attribute(connection, name, deadline)
                )
                yield from self._people(connection, deadline)
        except Lost as lost:
            yield Finding("bad", ("urls",), f"{lost}; the connection was lost before all was asked")

    def _base(self, connection: LdapConnection, key: str, base: str, deadline: Deadline) -> Finding:
        result, entries = connection.search(base, _ANYTHING, [], limit=1, deadline=deadline)
        bind_dn = self._profile.bind_dn
        if result.code == Code.NO_SUCH_OBJECT:
            return Finding("bad", (key,), f"is not there for {bind_dn}; mend it, or let bind_dn read it")
        if result.code not in (Code.SUCCESS, Code.SIZE_LIMIT_EXCEEDED):
            return Finding("bad", (key,), f"cannot be searched: {_said(result)}")
        if not entries:
            return Finding("bad", (key,), f"holds nothing that {bind_dn} can see; let bind_dn read it")
        return Finding("good", (key,), f"{base} is there")

    def _group(self, connection: LdapConnection, name: str, deadline: Deadline) -> Finding:
        path = ("group", name)
        found = self._groups_called(name, connection, deadline)
        match found:
            case (one,):
                return Finding("good", path, f"group {name} is {one}")
            case ():
                said = f"no group under group_base_dn is called {name}; mend the name, or let bind_dn see it"
                return Finding("bad", path, said)
        both = " and ".join(sorted(found))
        return Finding("bad", path, f"two groups are called {name}: {both}; write the whole name of one")

    def _attribute(self, connection: LdapConnection, name: str, deadline: Deadline) -> Iterator[Finding]:
        """An attribute that nobody has is often one that is misspelled, or made by an overlay that is off."""
        result, entries = connection.search(
            self._profile.base_dn, f"({name}=*)", [], limit=1, deadline=deadline
        )
        if result.code == Code.SUCCESS and not entries:
            yield Finding(
                "look", ("base_dn",), f"no entry has {name} for bind_dn; policies and replies ask for it"
            )

    def _people(self, connection: LdapConnection, deadline: Deadline) -> Iterator[Finding]:
        """Last, as a filter that ldap3 cannot read costs the connection."""
        profile, path = self._profile, ("user_filter",)
        try:
            result, entries = connection.search(
                profile.base_dn,
                profile.user_filter.replace("{username}", "*"),
                [profile.id_attribute],
                limit=1,
                deadline=deadline,
            )
        except Lost as lost:
            yield Finding("bad", path, f"{lost}; mend the filter")
            return
        if result.code not in (Code.SUCCESS, Code.SIZE_LIMIT_EXCEEDED):
            yield Finding("bad", path, f"the server refuses it: {_said(result)}; mend the filter")
        elif not entries:
            yield Finding("bad", path, "finds nobody under base_dn, whatever the name; mend one of them")
        else:
            yield Finding("good", path, f"{profile.user_filter} finds people")
            try:
                read_id(entries[0].attributes, profile.id_attribute)
            except NotReadable as why:
                sentence = str(why).removeprefix("id_attribute: ")
                yield Finding("bad", ("id_attribute",), sentence)
            else:
                yield Finding("good", ("id_attribute",), f"{profile.id_attribute} is readable")


def _mend(lost: str) -> str:
    """Of a connection that did not come up."""
    if "CERTIFICATE" in lost:
        return "name its authority in ca_file, and the server in urls as its certificate does"
    if "SSL" in lost or "StartTLS" in lost:
        return "does it speak TLS there? ldaps:// is TLS from the start, start_tls begins it on ldap://"
    return "is it running, and is that its host and port?"


def _said(result: Result) -> str:
    return f"{result.message} (result {result.code})"
