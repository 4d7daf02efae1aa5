"""How much a client may still have written today: what it writes stays for as long as evidence is kept."""

from __future__ import annotations

from collections import Counter

DAY = 86400.0


class Allowance:
    """Counted by client for a day at a time. What is under way already may go a little over it."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()
        self._since: float | None = None

    def is_left(self, client: str, now: float, *, most: int) -> bool:
        """`now`: seconds of a clock that never goes back."""
        if self._since is None or now - self._since >= DAY:
            self._since = now
            self._used.clear()
        return self._used[client] < most

    def spend(self, client: str) -> None:
        self._used[client] += 1
