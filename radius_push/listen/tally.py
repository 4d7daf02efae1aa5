"""What nobody is told is counted, and logged seldom."""

from __future__ import annotations

import logging
from collections import Counter

from radius_push.gateways import Gateways
from radius_push.hush import Hush
from radius_push.ports import Clock

log = logging.getLogger("radius_push.listen")


class Tally:
    """Counters in all and for each client, and log lines that a flood does not make a flood of."""

    def __init__(self, counters: Counter[str], clock: Clock, gateways: Gateways) -> None:
        self._counters = counters
        self._clock = clock
        self._gateways = gateways
        self._hush = Hush()

    def note(self, counter: str, client: str, times: int = 1) -> None:
        self._counters[counter] += times
        self._gateways.count(client, counter, times)

    def tell(self, counter: str, client: str, sentence: str, *values: object, of: str = "") -> None:
        """Count it, and say so now and then; `of` tells two matters of one counter apart."""
        self.note(counter, client)
        more = self._hush.due((counter, client, of), self._clock.monotonic())
        if more is not None:
            since = f" ({more} more since the last line)" if more else ""
            log.warning("%s%s", sentence % values, since)
