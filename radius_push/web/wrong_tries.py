"""How often somebody may guess at a link or a typed code."""

from __future__ import annotations

from collections import deque

from radius_push.model import Address

WINDOW = 600.0


def neighbourhood(address: Address | None) -> str:
    """Whom an address speaks for: itself, or its /64, which one IPv6 user has for themselves."""
    if address is None:
        return "unknown"
    if address.version == 6:
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{int(address) >> 64:016x}/64"
    return str(address)


class WrongTries:
    """Counts wrong tries of the last 10 minutes, per neighbourhood (or name) and in all.

    Whoever asks `admits` and then `note`s must do both for one try before the next.
    """

    def __init__(self, *, per_neighbourhood: int = 10, in_all: int = 1000, window: float = WINDOW) -> None:
        """`window`: seconds that a wrong try counts."""
        self._window = window
        self._per_neighbourhood = per_neighbourhood
        self._in_all = in_all
        self._tries: deque[tuple[float, str]] = deque()

    def admits(self, neighbourhood: str, now: float) -> bool:
        """May this one try again? `now`: seconds that never go back."""
        while self._tries and self._tries[0][0] <= now - self._window:
            self._tries.popleft()
        mine = sum(1 for _, who in self._tries if who == neighbourhood)
        return len(self._tries) < self._in_all and mine < self._per_neighbourhood

    def note(self, neighbourhood: str, now: float) -> None:
        """It was wrong."""
        self._tries.append((now, neighbourhood))

    def take_back(self, neighbourhood: str) -> None:
        """Its newest try was noted before it turned out to be right."""
        for at in range(len(self._tries) - 1, -1, -1):
            if self._tries[at][1] == neighbourhood:
                del self._tries[at]
                return

    def forget(self, neighbourhood: str) -> None:
        """All of them: it was right."""
        self._tries = deque(each for each in self._tries if each[1] != neighbourhood)
