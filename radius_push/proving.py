"""A password of somebody who was invited by mail: proved as a login proves it, and never in a login's way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from radius_push import first_factor
from radius_push.doors import Doors
from radius_push.model import Down, Person, PersonKey, Proved, Secret, Wrong

AT_ONCE = 2
"""Directories are asked by four threads each: two are always left to logins."""
MOST_WAITING = 20
WAIT_SECONDS = 10.0


class InvitedPasswords:
    """What the phone side is given, which knows no directory."""

    def __init__(self, doors: Callable[[], Doors]) -> None:
        """`doors`: of the moment, as a reload exchanges them."""
        self._doors = doors
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def prove(self, key: PersonKey, username: str, password: Secret) -> Proved:
        """Is it the password of the person with this key, whom their directory calls `username`? One that was
        wrong a moment ago, also in a login, is not asked again."""
        octets = password.reveal()
        if not octets or b"\0" in octets:
            return Wrong(detail="empty, or with NUL: not sent to the directory")
        if self._waiting >= MOST_WAITING:
            return Down("too many wait for their password to be checked")
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS) as limit, self._turns:
                limit.reschedule(None)  # the directory has a limit of its own
                return await self._ask(key, username, password)
        except TimeoutError:
            return Down(f"not checked within {WAIT_SECONDS:g} s")
        finally:
            self._waiting -= 1

    async def _ask(self, key: PersonKey, username: str, password: Secret) -> Proved:
        doors = self._doors()
        directory = doors.directories.get(key.authentication_profile)
        if directory is None:
            return Down("the settings do not name this directory any more")
        found = await directory.find(username)
        match found:
            case Person() if found.key == key:
                return await first_factor.prove(directory, found, password, doors)
            case Down():
                return found
        return Wrong(detail="the directory does not know them by this name any more")
