"""What a harness is: `play` takes whatever octets, and raises only if a promise is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Harness:
    """How one parser is tried."""

    play: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    mend: Callable[[bytes], bytes] | None = None
    """Makes Length and seals right again, so that a mutation is not stopped by them."""
    close: Callable[[], None] = lambda: None
    """Gives back what it holds open."""
