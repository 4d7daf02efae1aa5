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
    """Counts wrong tries of the last 10 minutes, per neighbourhood and in all.

    Whoever asks `admits` and then `note`s must do both for one try before the next.
    """

    def __init__(self, *, per_neighbourhood: int = 10, in_all: int = 1000) -> None:
        self._per_neighbourhood = per_neighbourhood
        self._in_all = in_all
        self._tries: deque[tuple[float, str]] = deque()

    def admits(self, neighbourhood: str, now: float) -> bool:
        """May this one try again? `now`: seconds that never go back."""
        while self._tries and self._tries[0][0] <= now - WINDOW:
            self._tries.popleft()
        mine = sum(1 for _, who in self._tries if who == neighbourhood)
        return len(self._tries) < self._in_all and mine < self._per_neighbourhood

    def note(self, neighbourhood: str, now: float) -> None:
        """It was wrong."""
        self._tries.append((now, neighbourhood))

    def forgive(self, neighbourhood: str, noted_at: float) -> None:
        """It was noted before anybody knew, and was right."""
        if (noted_at, neighbourhood) in self._tries:
            self._tries.remove((noted_at, neighbourhood))
