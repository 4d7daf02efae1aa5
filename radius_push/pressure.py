"""How much work of one gateway waits. Beyond a bound its next packets wait too, in the kernel: so what it
floods with is lost from its own queue, and no other gateway's login waits behind it.

A login presses while it asks a directory, or has a job at the store. One that waits for a phone, or for the
moment at which refusals leave, presses nobody: a gateway may hold thousands of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MOST_OWED = 6
"""Jobs at the store: a commit takes what is there of every gateway, and who comes next waits for two."""
MOST_ASKING = 128
"""Logins that ask a directory: more than a local one lets wait of one user, so that a flood of one name stays
in that name's line; half of what a directory lets wait in all, so that others find room."""


class Pressure:
    """Of each client, by its name."""

    def __init__(self, owed: Callable[[str], int]) -> None:
        """`owed`: how many jobs of a client the store has not done yet."""
        self._owed = owed
        self._asking: Counter[str] = Counter()

    def too_much(self, client: str) -> bool:
        """Is no more of it to be read for the moment?"""
        return self._owed(client) >= MOST_OWED or self._asking[client] >= MOST_ASKING

    @contextmanager
    def asking(self, client: str) -> Iterator[None]:
        """While a login of it asks the directories."""
        self._asking[client] += 1
        try:
            yield
        finally:
            self._asking[client] -= 1
