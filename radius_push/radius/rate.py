"""How often: so many a second, and a burst now and then. Time is an argument."""

from __future__ import annotations

from collections.abc import Hashable


class Rate:
    """For each subject so many a second in the long run, and no more than a burst at once.

    The subjects must be few and not of a stranger's choosing: they are kept for ever.
    """

    def __init__(self) -> None:
        self._left: dict[Hashable, tuple[float, float]] = {}

    def take(self, subject: Hashable, now: float, *, per_second: float, burst: float) -> bool:
        """One more at `now` (monotonic seconds). False: too many."""
        left, at = self._left.get(subject, (burst, now))
        left = min(burst, left + (now - at) * per_second)
        self._left[subject] = (left - 1.0 if left >= 1.0 else left, now)
        return left >= 1.0
