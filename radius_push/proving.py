"""Passwords that come by the web are proved as a login proves them, and never in a login's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from radius_push import first_factor
from radius_push.doors import Doors
from radius_push.model import Down, Person, PersonKey, Proved, Secret, Wrong

AT_ONCE = 2
"""From portal and phone side together. LDAP directories are asked by four threads each: two are always left
to logins."""
MOST_WAITING = 20
WAIT_SECONDS = 10.0


class NoTurn(Exception):
    """Too many passwords are being proved; the text says so."""


class PasswordTurns:
    """Whose turn it is, of all passwords that come by the web."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one and have it. Raises NoTurn."""
        if self._waiting >= MOST_WAITING:
            raise NoTurn("too many wait for their password to be checked")
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise NoTurn(f"not checked within {WAIT_SECONDS:g} s") from None
        finally:
            self._waiting -= 1
        try:
            yield  # the directory has a limit of its own
        finally:
            self._turns.release()


class InvitedPasswords:
    """What the phone side is given, which knows no directory."""

    def __init__(self, doors: Callable[[], Doors], turns: PasswordTurns) -> None:
        """`doors`: of the moment, as a reload exchanges them."""
        self._doors = doors
        self._turns = turns

    async def prove(self, key: PersonKey, username: str, password: Secret) -> Proved:
        """Is it the password of the person with this key, whom their directory calls `username`? One that was
        wrong a moment ago, also in a login, is not asked again."""
        octets = password.reveal()
        if not octets or b"\0" in octets:
            return Wrong(detail="empty, or with NUL: not sent to the directory")
        try:
            async with self._turns.turn():
                return await self._ask(key, username, password)
        except NoTurn as why:
            return Down(str(why))

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
