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

    A try is booked when it begins and struck out when it was right: so a hundred at once are not
    admitted by a count that none of them has raised yet.
    """

    def __init__(self, *, per_neighbourhood: int = 10, in_all: int = 1000) -> None:
        self._per_neighbourhood = per_neighbourhood
        self._in_all = in_all
        self._tries: deque[tuple[float, str]] = deque()

    def book(self, neighbourhood: str, now: float) -> tuple[float, str] | None:
        """A try, or None if there were too many. `now`: seconds that never go back."""
        while self._tries and self._tries[0][0] <= now - WINDOW:
            self._tries.popleft()
        if len(self._tries) >= self._in_all:
            return None
        if sum(1 for _, who in self._tries if who == neighbourhood) >= self._per_neighbourhood:
            return None
        booked = (now, neighbourhood)
        self._tries.append(booked)
        return booked

    def strike(self, booked: tuple[float, str]) -> None:
        """It was right."""
        if booked in self._tries:
            self._tries.remove(booked)
