"""What strangers cause is logged seldom and without their words: their flood must not become one of lines."""

from __future__ import annotations

import traceback
from collections.abc import Hashable

INTERVAL = 10.0


class Hush:
    """At most one line about each subject in `interval` seconds. Time is an argument.

    The subjects must be few and not of a stranger's choosing: they are kept for ever.
    """

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._last: dict[Hashable, float] = {}
        self._untold: dict[Hashable, int] = {}

    def due(self, subject: Hashable, now: float) -> int | None:
        """Is it time for a line? Then how many were swallowed since the last one; else None."""
        last = self._last.get(subject)
        if last is not None and now - last < self._interval:
            self._untold[subject] = self._untold.get(subject, 0) + 1
            return None
        self._last[subject] = now
        return self._untold.pop(subject, 0)


def place_of(error: BaseException) -> str:
    """Where it was raised. Its message stays unsaid: it may hold what somebody typed."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else "nowhere"
