"""What a login is decided on, and what it may knock at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from radius_push import policy
from radius_push.client_table import ClientTable
from radius_push.factors.limits import Remembered, WrongPasswords
from radius_push.model import Person, Proved, Question, Secret
from radius_push.ports import Clock, Directory, Store
from radius_push.radius.packet import Arrival, Dictionary
from radius_push.shapes import Settings
from radius_push.story import End


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a login is decided on; `explain` needs no more than this."""

    settings: Settings
    rules: policy.Rules
    directories: Mapping[str, Directory]
    """By authentication profile."""
    clock: Clock
    dictionary: Dictionary


@dataclass(frozen=True, slots=True)
class Doors(Grounds):
    """What one login may knock at. A new value is made when settings change."""

    clients: ClientTable
    store: Store
    wrong_passwords: WrongPasswords
    replayed: Remembered
    """Requests whose password was wrong, or that were played again: playing them locks nobody out, and fills
    no disk."""
    tag_key: Secret = field(repr=False)
    """Lies outside the store: what is kept there of a password tells nothing without it."""
    new_id: Callable[[], str] = field(repr=False)
    """128 unguessable bits as text: question ids and nonces."""
    asking: Callable[[str], AbstractContextManager[None]] = field(repr=False)
    """Entered with the client's name while the directories are asked: see `pressure.py`."""
    count: Callable[[Arrival, End], None] = field(repr=False)
    """What is told to the counters, and to the log now and then, in place of the evidence."""
    ring: Callable[[Question, float], None] = field(repr=False)
    """Wake the person's closed phones: never waits, never raises."""
    current: Callable[[], Doors] = field(repr=False)
    """The doors of this moment: other ones after a reload."""


Prove = Callable[[Directory, Person], Awaitable[Proved]]
"""Asks the directory that knows this person whether it is them."""
