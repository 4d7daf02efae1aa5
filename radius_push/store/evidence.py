"""The evidence log: what happened, in rows that hold each other by their hashes.

A row's hash is SHA-256(hash of the row before || canonical JSON of [number, at, kind, body]), where the
canonical JSON is ASCII, without spaces, its keys sorted. Changing, removing or moving a row breaks the
chain at that row. Cutting rows off the end leaves a whole chain: compare with an exported copy.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from radius_push.events import Event, fields, kind
from radius_push.ports import StoreDown

Row = tuple[int, float, str, str, bytes]
"""number, at, kind, body as JSON, hash."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain."""

    number: int = 0
    hash: bytes = bytes(32)


def head(rows: sqlite3.Connection) -> Head:
    """The newest row: another process may have written it."""
    row = rows.execute("SELECT number, hash FROM evidence ORDER BY number DESC LIMIT 1").fetchone()
    return Head() if row is None else Head(row["number"], row["hash"])


def append(rows: sqlite3.Connection, head: Head, *, at: float, event: Event) -> Head:
    """Write one event behind `head`, inside the caller's transaction; returns the new head."""
    number, at, name, body = head.number + 1, float(at), kind(event), canonical(fields(event))
    digest = _chained(head, number=number, at=at, kind=name, body=body)
    rows.execute("INSERT INTO evidence VALUES (?, ?, ?, ?, ?)", (number, at, name, body, digest))
    return Head(number, digest)


def page(rows: sqlite3.Connection, *, after: int, most: int) -> list[Row]:
    """The next rows in order."""
    found = rows.execute(
        "SELECT number, at, kind, body, hash FROM evidence WHERE number > ? ORDER BY number LIMIT ?",
        (after, most),
    )
    return [(row["number"], row["at"], row["kind"], row["body"], row["hash"]) for row in found]


def follow(head: Head, rows: Iterable[Row]) -> Head:
    """Check that `rows` continue the chain at `head`. Raises StoreDown naming the first broken row."""
    for number, at, name, body, digest in rows:
        if number != head.number + 1:
            raise StoreDown(f"evidence row {head.number + 1} is missing")
        if digest != _chained(head, number=number, at=at, kind=name, body=body):
            raise StoreDown(f"evidence row {number} is not what was written")
        head = Head(number, digest)
    return head


def canonical(value: object) -> str:
    """One value, one text: ASCII, no spaces, keys sorted."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _chained(head: Head, *, number: int, at: float, kind: str, body: str) -> bytes:
    # `body` is canonical JSON already, so this is the canonical JSON of the four together.
    text = f"[{canonical(number)},{canonical(at)},{canonical(kind)},{body}]"
    return hashlib.sha256(head.hash + text.encode()).digest()
