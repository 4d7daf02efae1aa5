"""What tests of directories share: a clock that is turned by hand, and directories that get closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from radius_push.directory.ldap import LdapDirectory
from radius_push.model import Person
from radius_push.ports import Directory
from radius_push.shapes import LdapProfile


class TurnedClock:
    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@asynccontextmanager
async def opened(
    profile: LdapProfile,
    *,
    attributes: frozenset[str] = frozenset({"departmentNumber", "memberOf"}),
    group_names: frozenset[str] = frozenset(),
    clock: TurnedClock | None = None,
) -> AsyncIterator[LdapDirectory]:
    directory = LdapDirectory(
        profile, attributes=attributes, group_names=group_names, clock=clock or TurnedClock()
    )
    try:
        yield directory
    finally:
        await directory.close()


async def known(directory: Directory, username: str) -> Person:
    """The person of that name, who must be known."""
    found = await directory.find(username)
    assert isinstance(found, Person), found
    return found
