"""An LDAP directory: finds people with the service account, proves passwords by a bind as themselves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from radius_push.directory.bounded_socket import Deadline
from radius_push.directory.ldap_answers import Code, what_a_bind_says
from radius_push.directory.ldap_connection import Entry, LdapConnection, Lost
from radius_push.directory.ldap_entry import (
    NotReadable,
    escape,
    own_spelling,
    plain_name,
    read_attributes,
    read_dn,
    read_id,
)
from radius_push.directory.ldap_inspection import Finding, inspect
from radius_push.directory.ldap_members import (
    Members,
    Named,
    NoGroup,
    is_within,
    named_in,
    people_of,
    the_one,
)
from radius_push.directory.ldap_servers import LdapServers
from radius_push.directory.threads import Crowded, Threads
from radius_push.model import (
    Ambiguous,
    Down,
    Found,
    Person,
    PersonKey,
    Proof,
    Proved,
    Reason,
    Secret,
    Unknown,
    Wrong,
)
from radius_push.ports import Clock
from radius_push.shapes import LdapProfile

T = TypeVar("T")

_THREADS = 4  # more are slower
_WAITING = 252
_GRACE = 0.25  # seconds the threads get to say themselves what was late
_MEMBERS_SECONDS = 60.0
_GROUPS_KEPT = 60.0  # seconds
_MAX_PASSWORD = 1024  # octets
_ALWAYS_READ = ("cn", "displayName", "mail")
_GROUP_CLASSES = ("groupOfNames", "groupOfUniqueNames", "posixGroup", "group")

Groups = dict[str, tuple[str, ...]]


class LdapDirectory:
    """The Directory of a `type: ldap` authentication profile.

    `attributes` is what policies and replies need besides cn, displayName and mail; `group_names` are
    the bare names of groups in policies. Each find and each prove ends within `receive_timeout`.
    Raises OSError when `ca_file` cannot be read.
    """

    def __init__(
        self, profile: LdapProfile, *, attributes: frozenset[str], group_names: frozenset[str], clock: Clock
    ) -> None:
        self.name = profile.name
        self.emergency = profile.emergency
        self._profile = profile
        self._clock = clock
        self._naming = re.findall(r"\(\s*([A-Za-z][\w.-]*)\s*=\s*\{username\}", profile.user_filter)
        self._wanted = attributes
        self._asked = sorted({a.casefold(): a for a in (*attributes, *_ALWAYS_READ)}.values())
        self._group_names = group_names
        self._groups: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._servers = LdapServers(profile)
        self._threads = Threads(f"ldap-{profile.name}", count=_THREADS, waiting=_WAITING)

    async def find(self, username: str) -> Found:
        name = plain_name(username)
        if name is None:
            return Unknown()
        now = self._clock.monotonic()
        known = {group: dns for group, (until, dns) in self._groups.items() if now < until}
        missing = self._group_names - known.keys()
        looked_up = await self._in_thread(lambda deadline: self._look_up(name, missing, now, deadline))
        if isinstance(looked_up, Down):
            return looked_up
        entry, groups = looked_up
        self._groups.update((group, (now + _GROUPS_KEPT, dns)) for group, dns in groups.items())
        if not isinstance(entry, Entry):
            return entry
        return self._person(entry, username, known | groups)

    async def prove(self, person: Person, proof: Proof) -> Proved:
        if not isinstance(proof, Secret):
            return Wrong(
                Reason.PROOF_NOT_ACCEPTED, f"{self.name} is an LDAP directory, which proves only pap"
            )
        if not _may_be_sent(proof.reveal()):
            return Wrong(detail="empty, too long, not UTF-8 or with NUL: not sent to the directory")
        now = self._clock.monotonic()
        return await self._in_thread(lambda deadline: self._bind_once(person.entry, proof, now, deadline))

    async def pretend(self, username: str) -> None:
        """Nothing: a search and a bind wait for threads alike, and no bind is made up for a name."""

    async def members(self, group: str, *, most: int) -> Members | Down:
        """The people whom a group names, by its DN, or by the one name under `group_base_dn`. Groups in it
        are not followed. Takes up to a minute. Raises NoGroup."""
        deadline, now = Deadline(_MEMBERS_SECONDS), self._clock.monotonic()
        try:
            return await self._threads.run(
                lambda: self._servers.ask(
                    lambda connection, deadline: self._members(group, most, connection, deadline),
                    now=now,
                    deadline=deadline,
                ),
                seconds=_MEMBERS_SECONDS + _GRACE,
            )
        except Lost as lost:
            return Down(f"{self.name}: {lost}")
        except (Crowded, TimeoutError):
            return Down(f"{self.name}: no answer within {_MEMBERS_SECONDS:g} s")

    async def inspect(self) -> tuple[Finding, ...]:
        """Ask every server, and then one of them for all that the settings name. For `check --online`:
        takes up to `receive_timeout` for each server and again for what the settings name."""
        return await asyncio.to_thread(
            inspect,
            self._profile,
            groups=self._group_names,
            attributes=self._wanted,
            groups_called=self._dns_of,
        )

    async def close(self) -> None:
        self._threads.close()
        self._servers.close()

    async def _in_thread(self, work: Callable[[Deadline], T]) -> T | Down:
        seconds = self._profile.receive_timeout
        deadline = Deadline(seconds)
        try:
            return await self._threads.run(lambda: work(deadline), seconds=seconds + _GRACE)
        except Lost as lost:
            return Down(f"{self.name}: {lost}")
        except Crowded:
            return Down(f"{self.name}: too many logins wait for this directory")
        except TimeoutError:
            return Down(f"{self.name}: no answer within {seconds:g} s")

    # What follows runs in a thread.

    def _look_up(
        self, name: str, groups: Iterable[str], now: float, deadline: Deadline
    ) -> tuple[Entry | Unknown | Ambiguous, Groups]:
        def ask(connection: LdapConnection, deadline: Deadline) -> tuple[Entry | Unknown | Ambiguous, Groups]:
            entry = self._entry_of(name, connection, deadline)
            if not isinstance(entry, Entry):
                return entry, {}
            return entry, {group: self._dns_of(group, connection, deadline) for group in groups}

        return self._servers.ask(ask, now=now, deadline=deadline)

    def _entry_of(
        self, name: str, connection: LdapConnection, deadline: Deadline
    ) -> Entry | Unknown | Ambiguous:
        result, entries = connection.search(
            self._profile.base_dn,
            self._profile.user_filter.replace("{username}", escape(name)),
            [*self._asked, *self._naming, self._profile.id_attribute],
            limit=2,
            deadline=deadline,
        )
        if result.code == Code.SIZE_LIMIT_EXCEEDED or len(entries) > 1:
            return Ambiguous()
        if result.code == Code.NO_SUCH_OBJECT:
            profile = self._profile
            raise Lost(f"{connection.url}: base_dn {profile.base_dn!r} is not there for {profile.bind_dn!r}")
        if result.code != Code.SUCCESS:
            raise Lost(f"{connection.url}: search: {result.message} (result {result.code})")
        return entries[0] if entries else Unknown()

    def _members(self, group: str, most: int, connection: LdapConnection, deadline: Deadline) -> Members:
        if "=" not in group and self._profile.group_base_dn is None:
            raise NoGroup("has no group_base_dn to look for it in: write the whole DN of the group")
        name = group if "=" in group else the_one(group, self._dns_of(group, connection, deadline))

        def read(named: Named) -> Person | None:
            return self._member(named, connection, deadline)

        return people_of(named_in(name, connection, deadline, most=most), read)

    def _member(self, named: Named, connection: LdapConnection, deadline: Deadline) -> Person | None:
        profile, typed = self._profile, ""
        found: tuple[Entry, ...]
        if not named.is_dn:
            typed = plain_name(named.text) or ""
            entry = self._entry_of(typed, connection, deadline) if typed else None
            found = (entry,) if isinstance(entry, Entry) else ()
        elif is_within(named.text, profile.base_dn):
            result, found = connection.search(
                named.text,
                profile.user_filter.replace("{username}", "*"),
                [*self._asked, *self._naming, profile.id_attribute],
                limit=2,
                deadline=deadline,
            )
            if result.code not in (Code.SUCCESS, Code.NO_SUCH_OBJECT, Code.SIZE_LIMIT_EXCEEDED):
                raise Lost(f"{connection.url}: {named.text}: {result.message} (result {result.code})")
        else:
            return None
        # What lies beneath a member is none.
        person = self._person(found[0], typed, {}) if len(found) == 1 else None
        return person if isinstance(person, Person) and person.username else None

    def _dns_of(self, group: str, connection: LdapConnection, deadline: Deadline) -> tuple[str, ...]:
        """The names of the groups called so; of two or more, two."""
        if self._profile.group_base_dn is None:
            return ()
        classes = "".join(f"(objectClass={name})" for name in _GROUP_CLASSES)
        result, entries = connection.search(
            self._profile.group_base_dn,
            f"(&(cn={escape(group)})(|{classes}))",
            [],
            limit=2,
            deadline=deadline,
        )
        if result.code != Code.SUCCESS and not (result.code == Code.SIZE_LIMIT_EXCEEDED and len(entries) > 1):
            raise Lost(
                f"{connection.url}: group_base_dn {self._profile.group_base_dn!r}:"
                f" {result.message} (result {result.code})"
            )
        try:
            return tuple(read_dn(entry.dn) for entry in entries[:2])
        except NotReadable as why:
            raise Lost(f"{connection.url}: group {group!r}: {why}") from None

    def _bind_once(self, dn: str, password: Secret, now: float, deadline: Deadline) -> Proved:
        """Any server that can be reached, but the password goes to one only: each wrong one counts."""
        with self._servers.connection(now=now, deadline=deadline) as connection:
            return what_a_bind_says(connection.bind(dn, password, deadline))

    def _person(self, entry: Entry, typed: str, groups: Groups) -> Person | Down:
        try:
            id = read_id(entry.attributes, self._profile.id_attribute)
            dn = read_dn(entry.dn)
        except NotReadable as why:
            return Down(f"{self.name}: {why}")
        read = read_attributes(entry.attributes, self._asked)
        return Person(
            PersonKey(self.name, id),
            own_spelling(entry.attributes, self._naming, typed),
            dn,
            read.values,
            read.unread,
            {group.casefold(): dns for group, dns in groups.items()},
        )


def _may_be_sent(password: bytes) -> bool:
    # RFC 4513, 5.1.2: a server may call a bind without a password a success.
    if not password or b"\0" in password or len(password) > _MAX_PASSWORD:
        return False
    try:
        password.decode()
    except UnicodeDecodeError:
        return False
    return True
