"""What was looked at, how it is, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

What = Literal["ok", "warning", "wrong"]

SECONDS = 10.0
"""For each thing that is tried; all at once."""


@dataclass(frozen=True, slots=True)
class Finding:
    what: What
    about: str
    """One or two words: `store`, `apns`."""
    says: str
    mend: str = ""
    """What to do; empty if nothing."""
