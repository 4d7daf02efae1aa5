"""Whose password is this? Asked at the page for phones, as a login would be, by the same directories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

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


class Tries(Protocol):
    """How often this person's password is tried from here, by whatever name."""

    def begin(self, person: PersonKey) -> bool:
        """Count a try before it is made. False: there were enough."""

    def take_back(self, person: PersonKey) -> None:
        """It came to no answer."""

    def forget(self, person: PersonKey) -> None:
        """It was right."""


async def whose(
    username: str,
    password: Secret,
    *,
    directories: Sequence[Directory],
    wrong_passwords: WrongPasswords,
    clock: Clock,
    tries: Tries,
) -> Whose:
    """The first directory that knows the name alone speaks for it; once one could not be asked, only the word
    of an `emergency` one counts."""
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
        match await _prove(directory, person, password, wrong_passwords, clock, tries):
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
    tries: Tries,
) -> Proved:
    """A password that was wrong a moment ago is not bound again, here or at a login: a directory that counts
    wrong ones locks nobody out for it. Where none is bound, it takes as long."""
    known = wrong_passwords.known(person.key, password, clock.monotonic())
    if known or not tries.begin(person.key):
        await directory.pretend(person.entry)
        return Wrong()
    proved = await directory.prove(person, password)
    match proved:
        case Right():
            tries.forget(person.key)
        case Wrong(Reason.WRONG_PASSWORD):
            wrong_passwords.remember(person.key, password, clock.monotonic())
        case _:  # a directory that is down, or crowded, must keep nobody out of here for an hour
            tries.take_back(person.key)
    return proved
