"""How often a person may be tried: what was wrong a moment ago is not asked again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from radius_push.model import PersonKey, Secret


class Remembered:
    """Marks that are known for a while, in memory only. Bounded: the oldest go first."""

    def __init__(self, *, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def remember(self, mark: bytes, now: float) -> None:
        """`now`: seconds that never go back."""
        self._until.pop(mark, None)
        self._until[mark] = now + self._seconds
        while len(self._until) > self._most:
            self._until.popitem(last=False)

    def known(self, mark: bytes, now: float) -> bool:
        while self._until:
            oldest, until = next(iter(self._until.items()))
            if until > now:
                break
            del self._until[oldest]
        return mark in self._until


class WrongPasswords:
    """Remembers for a while which password was wrong for whom, so that a gateway that repeats it does
    not lock the account in the directory. Kept as keyed hashes.
    """

    def __init__(self, key: Secret, *, seconds: float = 60.0, most: int = 50_000) -> None:
        self._key = key
        self._marks = Remembered(seconds=seconds, most=most)

    def remember(self, person: PersonKey, password: Secret, now: float) -> None:
        """`now`: seconds that never go back."""
        self._marks.remember(self._mark(person, password), now)

    def known(self, person: PersonKey, password: Secret, now: float) -> bool:
        """Was this very password wrong for this person within the last `seconds`?"""
        return self._marks.known(self._mark(person, password), now)

    def _mark(self, person: PersonKey, password: Secret) -> bytes:
        # The length in front keeps person and password apart, whatever either holds.
        name = str(person).encode()
        text = len(name).to_bytes(4, "big") + name + password.reveal()
        return hashlib.blake2b(text, key=self._key.reveal(), digest_size=32).digest()
