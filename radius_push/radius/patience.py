"""How long a gateway really waits, told by how it repeats itself (RFC 5080 2.2.1).

A gateway sends a request, waits, sends it again, waits again perhaps longer, and gives up one such interval
after the last time. All of that is seen from here while a request is held; one long try without a repetition
tells nothing. Time is an argument: seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from radius_push.gateway import Series
from radius_push.model import Client

MOST = 20
"""Series of one gateway that are kept, the newest."""
MOST_OF_ONE = 3
"""Of one person: nobody's laptop pushes out what others' logins have shown."""
ENOUGH = 3
"""Series that ended by giving up, before any of them counts."""
WORTH = 7 * 86400.0
"""Seconds that a series counts. With a shorter bar we answer before the gateway gives up, and so would never
see that it waits longer by now."""
LEAST = 10.0
"""Seconds under which no gateway's patience is ever cut: five are for the way back, and with less than the
other five nobody could answer at all. Who has a gateway hang up early on purpose takes no more than that."""

EARLY = 0.01
"""Seconds by which a timer may ring too soon, and be right."""
TWIN = 0.2
"""A repetition that comes so soon is the network's copy: no gateway asks faster."""
CROSSED = 0.25
"""Seconds behind the reply in which a repetition has crossed it on the way."""
STEADY, DOUBLING = 1.15, 2.2
"""Growth of the intervals that is chance (RFC 5080's RAND is a tenth), and the most that gateways do."""


class Repeats:
    """The repetitions of one request that is held."""

    __slots__ = ("_before", "_began", "_first", "_gap", "_last", "tries")

    def __init__(self, began: float) -> None:
        self._began = began
        self.tries = 1
        self._first = self._last = self._gap = self._before = 0.0

    def again(self, now: float) -> None:
        """It is here once more."""
        gap = now - self._began - self._last
        if gap < TWIN:
            return
        self.tries += 1
        self._last += gap
        self._first = self._first or gap
        self._before, self._gap = self._gap, gap

    def held(self, now: float) -> float:
        """Seconds since it came."""
        return now - self._began

    def over_at(self, now: float) -> float:
        """The moment at which its gateway has given it up, if it is not here once more by then. Of a request
        that came once nobody can tell: then it is the next moment worth a look, and never `now`."""
        if self.tries == 1:
            held = self.held(now)
            return self._began + max(LEAST, 2 * held + patient_for(held))
        return self._began + max(LEAST, self._last + patient_for(self._longest_next()))

    def _longest_next(self) -> float:
        """Seconds to the next try, at most. Of two tries nobody can tell whether the next interval would
        have been twice as long."""
        return self._next() if self._before else self._gap * DOUBLING

    def _next(self) -> float:
        """Seconds to the next try, if it follows the ones before it."""
        growth = self._gap / self._before if self._before else 1.0
        return self._gap * (1.0 if growth < STEADY else min(growth, DOUBLING))

    def series(self, ended: float, *, at: float, whose: bytes) -> Series | None:
        """What they were when the request was answered or let go; None: it came once. `at`: that moment in
        UTC seconds."""
        if self.tries == 1:
            return None
        over = self.held(ended) - self._last >= patient_for(self._longest_next()) - EARLY
        return Series(at, whose, self.tries, self._first, self._last, self._next(), given_up=over)


def patient_for(interval: float) -> float:
    """Seconds without a repetition that say: there will be none. More than the interval, for the jitter and
    the way."""
    return interval * 1.25 + 1.0


@dataclass(frozen=True, slots=True)
class Learned:
    """What a gateway's series come to."""

    waits: float
    """Seconds from the first try until it gives up."""
    tries: int
    interval: float
    """Seconds between the first two tries."""
    grows: bool
    """The later intervals are longer."""
    seen: int
    """Series that ended by giving up."""
    whose: frozenset[bytes]
    """Whose they were."""

    @property
    def enough(self) -> bool:
        return self.seen >= ENOUGH

    @property
    def of_many(self) -> bool:
        """More than one person's logins show it."""
        return len(self.whose) > 1

    def counts_for(self, whose: bytes | None) -> bool:
        """May it shorten this person's time, or everybody's (None)? What only one person's logins show counts
        for that person."""
        return self.enough and (self.of_many or whose in self.whose)


def learn(series: Sequence[Series], now: float) -> Learned | None:
    """`now`: UTC seconds. None: the gateway was not seen to give up in the last `WORTH` seconds.

    The longest counts: a laptop that hangs up makes its gateway stop early, and a repetition may be lost.
    """
    found = [each for each in series if abs(now - each.at) <= WORTH]
    given_up = [each for each in found if each.given_up]
    if not given_up:
        return None
    longest = max(found, key=lambda each: each.last)
    then = median(each.then for each in found)
    first = median(each.first for each in found)
    return Learned(
        waits=longest.last + then,
        tries=longest.tries,
        interval=first,
        grows=then >= first * STEADY,
        seen=len(given_up),
        whose=frozenset(each.whose for each in given_up),
    )


def add(series: Sequence[Series], new: Series, now: float) -> tuple[Series, ...]:
    """With one more. What was answered in time says only that the gateway waits longer than was known."""
    if not new.given_up:
        known = learn(series, now)
        if known is None or new.last + new.then <= known.waits:
            return tuple(series)
    kept = [each for each in (*series, new) if abs(now - each.at) <= WORTH]
    of_one = [each for each in kept if each.whose == new.whose]
    for one_too_many in of_one[:-MOST_OF_ONE]:
        kept.remove(one_too_many)
    return tuple(kept[-MOST:])


def contradicts(known: Learned, repeats: Repeats, new: Series | None, ended: float) -> bool:
    """Does a request that is over show other timers than are known? It was not repeated when it should have
    been, or sooner or later than it should."""
    if new is None:
        return repeats.held(ended) >= patient_for(known.interval)
    return not known.interval / 1.7 < new.first < known.interval * 1.7


def patience(client: Client, known: Learned | None, whose: bytes | None = None) -> float:
    """Seconds that the gateway waits for this person's logins (None: for everybody's), as far as is known:
    what the settings say themselves; else the preset's, or less if the gateway was seen to wait less."""
    if client.patience_said or known is None or not known.counts_for(whose):
        return client.patience
    return min(client.patience, max(LEAST, known.waits))
