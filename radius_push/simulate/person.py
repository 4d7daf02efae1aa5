"""Who signs in, as a script: how often they try, and what they do when the phone rings."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from dataclasses import dataclass

from radius_push.simulate.gateway import Answer, Gateway, Heard, Send, log_in

PAUSE = 5.0
"""Seconds that a person takes to sign in again. Assumed."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Person:
    approves: bool | None = True
    """What they tap; None: nothing."""
    after: float = 3.0
    """Seconds after the ring."""
    afterwards: float | None = None
    """Seconds after every ring but the first; None: as after the first."""
    again: int = 0
    """How often they sign in again after a failure."""
    pause: float = PAUSE
    """Seconds between a failure and the next sign-in."""

    def hesitates(self, ring: int) -> float:
        """Seconds before they tap; 0 is the first ring."""
        return self.after if ring == 0 or self.afterwards is None else self.afterwards


@dataclass(frozen=True, slots=True)
class Try:
    """One sign-in, as the person sees it."""

    answer: Answer | None
    """None: the gateway got no answer."""
    seconds: float


Script = Generator[Send | Pause, Heard, tuple[Try, ...]]
"""Steps, and what was heard of each; at its end every sign-in, in order."""


def signs_in(person: Person, gateway: Gateway) -> Script:
    """The person signs in, again after a failure if they are like that. A sign-in that is several logins is
    over with the first that fails."""
    packets, sockets = itertools.count(), itertools.count()
    tries: list[Try] = []
    while len(tries) <= person.again:
        if tries:
            yield Pause(person.pause)
        took, answer = 0.0, None
        for _ in range(gateway.timers.logins):
            socket = 0 if gateway.one_socket else next(sockets)
            answer, seconds = yield from log_in(gateway, packets=packets, socket=socket)
            took += seconds
            if answer != "accepted":
                break
        tries.append(Try(answer, took))
        if answer == "accepted":
            break
    return tuple(tries)
