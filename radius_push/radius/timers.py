"""How a gateway asks and waits, as numbers: what it plays when it is simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from radius_push.model import ProofName


@dataclass(frozen=True, slots=True)
class Timers:
    """One kind of gateway, set up in one way."""

    seconds: float
    """How long it waits for the first packet of a login to be answered."""
    tries: int = 1
    """How often it sends that packet to one server, the same octets each time."""
    growth: float = 1.0
    """So many times longer than the one before it is each try."""
    cut_off: float | None = None
    """Seconds after a login's first packet at which the gateway, or the person's VPN client, gives it up,
    whatever tries are left. None: nothing but the tries ends it, as far as is known."""
    protocols: tuple[ProofName, ...] = ()
    """What it asks by, one after the other, each after a reject. Empty: by what its preset accepts, once."""
    logins: int = 1
    """How many logins, one after the other, one sign-in of a person is."""
    reports_address: bool = True
    """Does it send the user's address, where its preset knows an attribute for it?"""
    assumed: tuple[str, ...] = ()
    """What of this nobody has confirmed; each a phrase after "assumed:"."""

    def waits(self) -> Iterator[float]:
        """Seconds of each try at one server."""
        for number in range(self.tries):
            yield self.seconds * self.growth**number

    def patience(self, servers: int = 1) -> float:
        """Seconds in which a login must be answered by one of so many servers."""
        tried = servers * sum(self.waits())
        return tried if self.cut_off is None else min(tried, self.cut_off)
