"""How often: so many a second, and a burst now and then. Time is an argument."""

from __future__ import annotations

from collections.abc import Hashable


class Rate:
    """For each subject `per_second` in the long run, and at most `burst` at once.

    The subjects must be few and not of a stranger's choosing: they are kept for ever.
    """

    def __init__(self, per_second: float, *, burst: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left: dict[Hashable, tuple[float, float]] = {}

    def take(self, subject: Hashable, now: float) -> bool:
        """One more at `now` (monotonic seconds). False: too many."""
        left, at = self._left.get(subject, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        self._left[subject] = (left - 1.0 if left >= 1.0 else left, now)
        return left >= 1.0
