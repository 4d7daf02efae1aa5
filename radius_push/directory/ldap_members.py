"""Who is in an LDAP group: its direct members that are people, each with what the directory says of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from radius_push import dn
from radius_push.directory.bounded_socket import Deadline
from radius_push.directory.ldap_answers import Code
from radius_push.directory.ldap_connection import Entry, LdapConnection, Lost
from radius_push.model import Person

MOST_SEGMENTS = 100
"""Of one group's members: Active Directory hands out 1,500 at a time (MS-ADTS, 3.1.1.3.1.3.3)."""
_ATTRIBUTES = ("member", "uniqueMember", "memberUid")
_RANGE = re.compile(r"(?P<name>[a-z]+);range=[0-9]+-(?P<last>[0-9]+|\*)", re.IGNORECASE)


class NoGroup(Exception):
    """There is no such group, or more than one; the text is for the admin."""


@dataclass(frozen=True, slots=True)
class Members:
    people: tuple[Person, ...]
    others: tuple[str, ...]
    """As the group names them: groups in it, which are not followed, and entries that are no people."""


@dataclass(frozen=True, slots=True)
class Named:
    """A member as its group names it."""

    text: str
    is_dn: bool


def the_one(group: str, found: tuple[str, ...]) -> str:
    """The DN of the group that a bare name stands for. Raises NoGroup."""
    match found:
        case (one,):
            return one
        case ():
            raise NoGroup(f"no group under group_base_dn is called {group!r}")
    both = " and ".join(sorted(found))
    raise NoGroup(f"two groups are called {group!r}: {both}; write the whole DN of one")


def named_in(group: str, connection: LdapConnection, deadline: Deadline, *, most: int) -> tuple[Named, ...]:
    """The members that the group with this DN names, at most `most`. Raises Lost, NoGroup."""
    found: dict[Named, None] = {}
    wanted = list(_ATTRIBUTES)
    for _ in range(MOST_SEGMENTS):
        entry = _read(group, wanted, connection, deadline)
        wanted = []
        for description, values in entry.attributes.items():
            name = description.partition(";")[0].casefold()
            if name not in {each.casefold() for each in _ATTRIBUTES}:
                continue
            found.update(dict.fromkeys(_named(name, values)))
            part = _RANGE.fullmatch(description)
            if part is not None and part["last"] != "*":
                wanted.append(f"{part['name']};range={int(part['last']) + 1}-*")
        if len(found) > most:
            raise NoGroup(f"{group} has more than {most} members; name smaller groups, or a file")
        if not wanted:
            return tuple(found)
    raise NoGroup(f"{group} is not read to its end: too many parts")


def _read(group: str, wanted: list[str], connection: LdapConnection, deadline: Deadline) -> Entry:
    result, entries = connection.search(group, "(objectClass=*)", wanted, limit=1, deadline=deadline)
    if result.code == Code.NO_SUCH_OBJECT or (result.code == Code.SUCCESS and not entries):
        raise NoGroup(f"{group} is not there, or not for bind_dn to see")
    if not entries:
        raise Lost(f"{connection.url}: {group}: {result.message} (result {result.code})")
    return entries[0]


def _named(attribute: str, values: tuple[bytes, ...]) -> Iterator[Named]:
    for value in values:
        text = value.decode(errors="replace")
        yield Named(text, is_dn=attribute != "memberuid")


def is_within(name: str, base: str) -> bool:
    """Does the entry lie in the tree under `base`?"""
    try:
        return dn.under(name, base)
    except ValueError:
        return False


Read = Callable[[Named], Person | None]
"""The person that is so named; None: it is none of ours."""


def people_of(named: tuple[Named, ...], read: Read) -> Members:
    people: dict[str, Person] = {}
    others = []
    for each in named:
        person = read(each)
        if person is None:
            others.append(each.text)
        else:
            people.setdefault(person.key.id, person)
    return Members(tuple(people.values()), tuple(others))
