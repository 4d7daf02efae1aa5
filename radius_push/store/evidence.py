"""The evidence log: what happened, in rows that hold each other by their hashes.

A row's hash is SHA-256(hash of the row before || canonical JSON of [number, at, kind, body]), where the
canonical JSON is ASCII, without spaces, its keys sorted. Changing, removing or moving a row breaks the
chain at that row. Cutting rows off the end leaves a whole chain: compare with an exported copy. The oldest
rows are let go in time; number and hash of the last one of them stay, and the chain begins there.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from radius_push.events import Event, fields, kind
from radius_push.evidence import EvidenceRow
from radius_push.model import PersonKey
from radius_push.ports import StoreDown

MOST_OF_A_LOGIN = 1000
"""Rows read of one trace code."""
MOST_ACCEPTS = 50
"""Of one person's last minute, or last ones."""

Row = tuple[int, float, str, str, bytes]
"""number, at, kind, body as JSON, hash."""


_BEHIND_ALL = 2**63 - 1
_LAST_ACCEPTS = """
    SELECT body FROM evidence WHERE person = ?1 AND kind = 'accepted' AND at < ?2
    ORDER BY at DESC LIMIT ?3"""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain."""

    number: int = 0
    hash: bytes = bytes(32)


def head(rows: sqlite3.Connection) -> Head:
    """The newest row: another process may have written it."""
    row = rows.execute("SELECT number, hash FROM evidence ORDER BY number DESC LIMIT 1").fetchone()
    return beginning(rows) if row is None else Head(row["number"], row["hash"])


def beginning(rows: sqlite3.Connection) -> Head:
    """What the oldest row that is there must continue."""
    row = rows.execute("SELECT number, hash FROM evidence_let_go").fetchone()
    return Head() if row is None else Head(row["number"], row["hash"])


def oldest(rows: sqlite3.Connection, *, most: int) -> list[Row]:
    """The first rows that are there, in order."""
    return page(rows, after=0, most=most)


def append(rows: sqlite3.Connection, head: Head, *, at: float, event: Event) -> Head:
    """Write one event behind `head`, inside the caller's transaction; returns the new head."""
    number, at, name, body = head.number + 1, float(at), kind(event), canonical(fields(event))
    digest = _chained(head, number=number, at=at, kind=name, body=body)
    rows.execute(
        "INSERT INTO evidence (number, at, kind, body, hash, login, person)"
        " VALUES (?1, ?2, ?3, ?4, ?5, json_extract(?4, '$.login'), json_extract(?4, '$.person'))",
        (number, at, name, body, digest),
    )
    return Head(number, digest)


def page(rows: sqlite3.Connection, *, after: int, most: int) -> list[Row]:
    """The next rows in order."""
    found = rows.execute(
        "SELECT number, at, kind, body, hash FROM evidence WHERE number > ? ORDER BY number LIMIT ?",
        (after, most),
    )
    return [(row["number"], row["at"], row["kind"], row["body"], row["hash"]) for row in found]


def before(
    rows: sqlite3.Connection, number: int | None, *, kinds: Collection[str], most: int
) -> list[EvidenceRow]:
    """The newest rows of these kinds that stand before `number` (None: the end), newest first."""
    found = rows.execute(
        "SELECT number, at, kind, body FROM evidence"
        " WHERE number < ? AND kind IN (SELECT value FROM json_each(?)) ORDER BY number DESC LIMIT ?",
        (_BEHIND_ALL if number is None else number, canonical(sorted(kinds)), most),
    )
    return [_read(row) for row in found]


def of_login(rows: sqlite3.Connection, login: str) -> list[EvidenceRow]:
    """Rows of one trace code in order; of very many the newest."""
    found = rows.execute(
        "SELECT number, at, kind, body FROM evidence WHERE login = ? ORDER BY number DESC LIMIT ?",
        (login, MOST_OF_A_LOGIN),
    )
    return [_read(row) for row in found][::-1]


def was_let_in(
    rows: sqlite3.Connection,
    person: PersonKey,
    *,
    clients: Collection[str],
    profile: str,
    since: float,
    until: float,
) -> bool:
    """By a login: not by an authorization alone, and not in what a clock that went back calls the future.

    Nor if one of the yeses behind it was taken back: for which of them it is asked, nobody can tell.
    """
    found = rows.execute(
        "SELECT body FROM evidence WHERE person = ? AND kind = 'accepted' AND at BETWEEN ? AND ?"
        " AND kind IN ('accepted', 'rejected', 'unanswered') ORDER BY number DESC LIMIT ?",
        (str(person), since, until, MOST_ACCEPTS),
    )
    accepts = [
        each
        for each in (json.loads(row[0]) for row in found)
        if each["client"] in clients and each["profile"] == profile and each["method"] != "authorize_only"
    ]
    return bool(accepts) and not any(_contested(rows, each["question"]) for each in accepts)


def _contested(rows: sqlite3.Connection, question: str | None) -> bool:
    found = rows.execute(
        "SELECT 1 FROM questions WHERE id = ? AND contested_at IS NOT NULL", (question,)
    ).fetchone()
    return found is not None


def last_login_of(rows: sqlite3.Connection, person: PersonKey) -> EvidenceRow | None:
    """How their last login ended."""
    row = rows.execute(
        "SELECT number, at, kind, body FROM evidence WHERE person = ?"
        " AND kind IN ('accepted', 'rejected', 'unanswered') ORDER BY number DESC LIMIT 1",
        (str(person),),
    ).fetchone()
    return None if row is None else _read(row)


def last_address_of(rows: sqlite3.Connection, person: PersonKey, *, before: float) -> str | None:
    """From where they were let in last before then.

    An authorization alone is no login, and a yes that was taken back was not theirs.
    """
    found = rows.execute(_LAST_ACCEPTS, (str(person), before, MOST_ACCEPTS))
    accepts = (json.loads(row["body"]) for row in found)
    logins = (each for each in accepts if each["method"] != "authorize_only")
    last = next((each for each in logins if not _contested(rows, each["question"])), None)
    return None if last is None else last["address"]


def check_copies(rows: sqlite3.Connection) -> None:
    """What rows are found by is what stands in them. Raises StoreDown naming the first row that is not."""
    row = rows.execute(
        "SELECT number FROM evidence WHERE login IS NOT json_extract(body, '$.login')"
        " OR person IS NOT json_extract(body, '$.person') ORDER BY number LIMIT 1"
    ).fetchone()
    if row is not None:
        raise StoreDown(f"evidence row {row['number']} is filed under what it does not say")


def _read(row: sqlite3.Row) -> EvidenceRow:
    return row["number"], row["at"], row["kind"], json.loads(row["body"])


def follow(head: Head, rows: Iterable[Row]) -> Head:
    """Check that `rows` continue the chain at `head`. Raises StoreDown naming the first broken row."""
    for number, at, name, body, digest in rows:
        if number != head.number + 1:
            raise StoreDown(f"evidence row {head.number + 1} is missing")
        if digest != _chained(head, number=number, at=at, kind=name, body=body):
            raise StoreDown(f"evidence row {number} is not what was written")
        head = Head(number, digest)
    return head


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: object) -> str:
    """One value, one text: ASCII, no spaces, keys sorted."""
    return _CANONICAL.encode(value)


def _chained(head: Head, *, number: int, at: float, kind: str, body: str) -> bytes:
    # `body` is canonical JSON already, so this is the canonical JSON of the four together.
    text = f"[{canonical(number)},{canonical(at)},{canonical(kind)},{body}]"
    return hashlib.sha256(head.hash + text.encode()).digest()
