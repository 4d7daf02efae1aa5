"""The latest time that was ever written: a clock behind it is wrong, unless an admin says otherwise."""

from __future__ import annotations

import sqlite3

from radius_push.events import ClockTrusted
from radius_push.store.writer import Transaction

TRUSTED = "clock_trusted_since"
"""Number of the evidence row from which on times count."""


def latest(rows: sqlite3.Connection) -> float:
    """UTC seconds; 0 if nothing counts yet."""
    trusted = rows.execute("SELECT value FROM meta WHERE key = ?", (TRUSTED,)).fetchone()
    row = rows.execute(
        "SELECT at FROM evidence WHERE +number >= ? ORDER BY at DESC LIMIT 1",
        (0 if trusted is None else int(trusted["value"]),),
    ).fetchone()
    return 0.0 if row is None else float(row["at"])


def trust(transaction: Transaction, event: ClockTrusted, *, at: float) -> None:
    """What was written before this moment says no more what time it is."""
    transaction.write(at, event)
    transaction.execute(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
        TRUSTED,
        str(transaction.number()),
    )
