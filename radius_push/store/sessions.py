"""In the store: who is in, by what gateways tell. What news make of a session is decided by `meet`."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

from radius_push import events
from radius_push.ports import Accounted, Closed
from radius_push.sessions import Became, News, Reset, Session, Status, meet
from radius_push.store import rows
from radius_push.store.writer import Transaction

SESSION_MEMORY = 400 * 86400.0
"""Seconds that the packet of a Start or Stop is remembered."""
RESET_MEMORY = 86400.0
"""Of an On or Off: a machine may send the very same one whenever it boots."""
LOGIN_WITHIN = 600.0
"""Seconds before its session within which a login was let in."""
LOGIN_AHEAD = 60.0
"""Seconds by which the gateway's clock may be behind ours."""
_BEHIND_ALL = 2**63 - 1

_COLUMNS = (
    "client", "nas", "id", "username", "address", "framed", "port", "started_at", "started_told", "heard_at",
    "seconds", "octets_in", "octets_out", "packets_in", "packets_out", "ended_at", "ended_by", "cause",
    "login", "person",
)  # fmt: skip
_INSERT = f"INSERT INTO sessions ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_UPDATE = f"UPDATE sessions SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE number = ?"  # noqa: S608


def account(transaction: Transaction, news: News, *, packet: bytes, most: int, may_open: bool) -> Accounted:
    """One word about one session. Nothing is written unless it says `opened` or `kept`."""
    if news.status is not Status.INTERIM and _is_seen(transaction, packet, at=news.heard_at):
        return "repeated"
    row = transaction.execute(
        "SELECT * FROM sessions WHERE client = ? AND nas = ? AND id = ? ORDER BY number DESC LIMIT 1",
        *(news.key.client, news.key.nas, news.key.id),
    ).fetchone()
    became = meet(None if row is None else rows.session(row), news)
    if became is None:
        return "old"
    if became.what == "started" and became.closes is None and _is_full(transaction, news, most=most):
        return "too_many"
    opens = became.is_new or became.what == "started"
    if opens and not may_open:
        return "too_many_today"
    if news.status is not Status.INTERIM:
        _remember(transaction, packet, forget_at=news.heard_at + SESSION_MEMORY)
    _write(transaction, became, row, at=news.heard_at)
    return "opened" if opens else "kept"


def reset(transaction: Transaction, news: Reset, *, packet: bytes, may_note: bool) -> Closed:
    """End what lives there and began before. How many, or why nothing is written."""
    if _is_seen(transaction, packet, at=news.heard_at):
        return "repeated"
    ended = transaction.execute(
        "UPDATE sessions SET ended_at = ?1, ended_by = ?2"
        " WHERE client = ?3 AND nas = ?4 AND ended_at IS NULL AND started_at <= ?1",
        *(news.at, news.status.value, news.client, news.nas),
    ).rowcount
    if not ended and not may_note:
        return "too_many_today"
    _remember(transaction, packet, forget_at=news.heard_at + RESET_MEMORY)
    event = events.SessionsClosed(news.client, news.nas, f"accounting_{news.status}", ended)
    transaction.write(news.heard_at, event)
    return ended


def newest(
    transaction: Transaction, *, live: bool, before: int | None, most: int
) -> list[tuple[int, Session]]:
    """Newest first, each with its number."""
    found = transaction.execute(
        "SELECT * FROM sessions WHERE (?1 = 0 OR ended_at IS NULL) AND number < ?2"
        " ORDER BY number DESC LIMIT ?3",
        *(int(live), _BEHIND_ALL if before is None else before, most),
    )
    return [(row["number"], rows.session(row)) for row in found]


def let_go(transaction: Transaction, before: float, *, at: float, most: int) -> bool:
    """Delete a stretch of those without news since `before`. True if there may be more."""
    seen = transaction.execute(
        "DELETE FROM seen_accounting WHERE hash IN"
        " (SELECT hash FROM seen_accounting WHERE forget_at < ? ORDER BY forget_at LIMIT ?)",
        *(at, most),
    )
    gone = transaction.execute(
        "DELETE FROM sessions WHERE number IN"
        " (SELECT number FROM sessions WHERE heard_at < ? ORDER BY heard_at LIMIT ?)",
        *(before, most),
    )
    return seen.rowcount > 0 or gone.rowcount > 0


def _write(transaction: Transaction, became: Became, row: sqlite3.Row | None, *, at: float) -> None:
    now = became.session
    if row is not None and became.closes is not None:
        _update(transaction, row["number"], became.closes)
        transaction.write(at, _ended(became.closes))
    if row is None or became.is_new:
        now = _with_login(transaction, now)
        transaction.execute(_INSERT, *_values(now))
    else:
        _update(transaction, row["number"], now)
    if became.what == "started":
        transaction.write(at, _started(now))
    elif became.what == "ended":
        transaction.write(at, _ended(now))


def _update(transaction: Transaction, number: int, now: Session) -> None:
    transaction.execute(_UPDATE, *_values(now), number)


def _values(each: Session) -> tuple[object, ...]:
    """In the order of `_COLUMNS`."""
    key, traffic = each.key, each.traffic
    return (
        *(key.client, key.nas, key.id, each.username, each.address, json.dumps(each.framed), each.port),
        *(each.started_at, int(each.started_told), each.heard_at, traffic.seconds),
        *(traffic.octets_in, traffic.octets_out, traffic.packets_in, traffic.packets_out),
        *(each.ended_at, each.ended_by, each.cause, each.login, each.person),
    )


def _with_login(transaction: Transaction, new: Session) -> Session:
    """By its name alone: the gateway does not say which login a session came from."""
    row = transaction.execute(
        "SELECT json_extract(body, '$.login') AS login, json_extract(body, '$.person') AS person"
        " FROM evidence WHERE kind = 'accepted' AND json_extract(body, '$.client') = ?"
        " AND json_extract(body, '$.username') = ? AND at BETWEEN ? AND ? ORDER BY at DESC LIMIT 1",
        *(new.key.client, new.username, new.started_at - LOGIN_WITHIN, new.started_at + LOGIN_AHEAD),
    ).fetchone()
    return new if row is None else replace(new, login=row["login"], person=row["person"])


def _is_full(transaction: Transaction, news: News, *, most: int) -> bool:
    return (
        transaction.execute(
            "SELECT 1 FROM sessions WHERE client = ? AND ended_at IS NULL LIMIT 1 OFFSET ?",
            *(news.key.client, most - 1),
        ).fetchone()
        is not None
    )


def _is_seen(transaction: Transaction, packet: bytes, *, at: float) -> bool:
    row = transaction.execute(
        "SELECT 1 FROM seen_accounting WHERE hash = ? AND forget_at > ?", packet, at
    ).fetchone()
    return row is not None


def _remember(transaction: Transaction, packet: bytes, *, forget_at: float) -> None:
    transaction.execute(
        "INSERT OR REPLACE INTO seen_accounting (hash, forget_at) VALUES (?, ?)", packet, forget_at
    )


def _started(now: Session) -> events.SessionStarted:
    return events.SessionStarted(
        login=now.login,
        client=now.key.client,
        nas=now.key.nas,
        session=now.key.id,
        username=now.username or "",
        person=now.person,
        address=now.address,
        framed=now.framed,
        started_at=now.started_at,
    )


def _ended(now: Session) -> events.SessionEnded:
    return events.SessionEnded(
        login=now.login,
        client=now.key.client,
        nas=now.key.nas,
        session=now.key.id,
        username=now.username or "",
        person=now.person,
        by=now.ended_by or "",
        cause=now.cause,
        ended_at=now.ended_at or now.heard_at,
        seconds=now.traffic.seconds,
    )
