"""Bells across processes: what one rings is written down, and the others hear it when they look.

Looking costs one `PRAGMA data_version` while nothing changed. When something did, only those are woken whom
it is about: a thousand held logins do not read their rows for each one that somebody else's phone answers.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence

from radius_push.store.bells import EVERYBODY, EVIDENCE

MOST_KEPT = 4096
"""Whoever looks so seldom that more were rung meanwhile wakes everybody."""
FORGET_EVERY = 256


class Rumours:
    """Of one connection, for the thread that owns it."""

    def __init__(self, rows: sqlite3.Connection) -> None:
        self._rows = rows
        self._by = secrets.randbits(62)
        self._version = self._data_version()
        self._heard: int | None = None
        """The last one, once anything was heard."""

    def spread(self, topics: Sequence[str]) -> None:
        """Inside the transaction that changes what these are about."""
        # Whoever waits for evidence is woken by any change.
        for topic in dict.fromkeys(topics):
            if topic == EVIDENCE:
                continue
            added = self._rows.execute("INSERT INTO rung (topic, by) VALUES (?, ?)", (topic, self._by))
            if added.lastrowid and added.lastrowid % FORGET_EVERY == 0:
                self._rows.execute("DELETE FROM rung WHERE number <= ?", (added.lastrowid - MOST_KEPT,))

    def heard(self) -> Sequence[str]:
        """The topics that others have rung since the last time; `EVERYBODY` if nobody knows which."""
        version = self._data_version()
        if version == self._version:
            return ()
        self._version = version
        since, self._heard = self._heard, self._newest()
        if since is None or self._oldest() > since + 1:
            return (EVERYBODY,)
        found = self._rows.execute(
            "SELECT DISTINCT topic FROM rung WHERE number > ? AND by != ?", (since, self._by)
        )
        return (EVIDENCE, *(row["topic"] for row in found))

    def _data_version(self) -> int:
        return int(self._rows.execute("PRAGMA data_version").fetchone()[0])

    def _newest(self) -> int:
        return int(self._rows.execute("SELECT coalesce(max(number), 0) FROM rung").fetchone()[0])

    def _oldest(self) -> int:
        return int(self._rows.execute("SELECT coalesce(min(number), 1) FROM rung").fetchone()[0])
