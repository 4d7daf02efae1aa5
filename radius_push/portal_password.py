"""Whose password is this? Asked at the page for phones, as a login would be, by the same directories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from radius_push.factors.limits import WrongPasswords
from radius_push.model import (
    Ambiguous,
    Down,
    Person,
    PersonKey,
    Proved,
    Reason,
    Right,
    Secret,
    Unknown,
    Wrong,
)
from radius_push.ports import Clock, Directory


@dataclass(frozen=True, slots=True)
class NotTheirs:
    """To whoever asks there is one refusal, whatever it was."""

    person: Person | None
    """None: nobody has that name, or several."""


@dataclass(frozen=True, slots=True)
class NotAsked:
    """No directory that counts could be asked."""


Whose = Person | NotTheirs | NotAsked


async def whose(
    username: str,
    password: Secret,
    *,
    directories: Sequence[Directory],
    wrong_passwords: WrongPasswords,
    clock: Clock,
    may_try: Callable[[PersonKey], bool],
) -> Whose:
    """The first directory that knows the name alone speaks for it; once one could not be asked, only the word
    of an `emergency` one counts. `may_try`: is this person's password to be tried once more from here?"""
    someone_down = False
    for directory in directories:
        if someone_down and not directory.emergency:
            continue
        match await directory.find(username):
            case Unknown():
                continue
            case Ambiguous():
                return NotTheirs(None)
            case Down():
                someone_down = True
                continue
            case Person() as person:
                pass
        match await _prove(directory, person, password, wrong_passwords, clock, may_try):
            case Right():
                return person
            case Wrong():
                return NotTheirs(person)
            case Down():
                someone_down = True
    return NotAsked() if someone_down else NotTheirs(None)


async def _prove(
    directory: Directory,
    person: Person,
    password: Secret,
    wrong_passwords: WrongPasswords,
    clock: Clock,
    may_try: Callable[[PersonKey], bool],
) -> Proved:
    """A password that was wrong a moment ago is not bound again, here or at a login: a directory that counts
    wrong ones locks nobody out for it. Where none is bound, it takes as long."""
    known = wrong_passwords.known(person.key, password, clock.monotonic())
    if known or not may_try(person.key):
        await directory.pretend(person.entry)
        return Wrong()
    proved = await directory.prove(person, password)
    if isinstance(proved, Wrong) and proved.reason is Reason.WRONG_PASSWORD:
        wrong_passwords.remember(person.key, password, clock.monotonic())
    return proved
