"""Attempts in the store: what a newcomer meets is read and written in one transaction, so that no two
processes differ about it."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple, cast

from radius_push.attempts import Rider
from radius_push.factors.joining import Crowd, Past, Waiting
from radius_push.model import ProofName, Question
from radius_push.shapes import RingLimit
from radius_push.store import rows
from radius_push.store.writer import Transaction

FAMILIAR = 30 * 86400.0
"""Seconds for which an address stays one that the person was let in from."""
LOOK_BACK = 86400.0
LONGEST = 7200.0
"""Seconds that no question takes."""
MOST_PAST = 64
"""Questions of one attempt that are looked at, the newest."""

_PAST = """
    SELECT questions.*,
        (SELECT group_concat(DISTINCT proof) FROM riders WHERE question = questions.id) AS proofs,
        EXISTS (SELECT 1 FROM devices WHERE devices.id = questions.device AND devices.state = 'active'
            AND devices.person = questions.person) AS phone_there,
        newest.source AS newest_source, newest.source_port AS newest_port
    FROM questions LEFT JOIN riders AS newest ON newest.number = (
        SELECT max(number) FROM riders WHERE question = questions.id AND gone = 0 AND until > ?2)
    WHERE attempt = ?1 AND opened_at > ?2 - ?3 ORDER BY opened_at DESC, questions.rowid DESC LIMIT ?4"""
# Rows of a future further off than the limit looks were written under a wrong clock: they count no more.
_IN_VAIN = """
    SELECT count(*) FILTER (WHERE rang) AS rang, count(*) FILTER (WHERE state != 'pending') AS ended
    FROM questions
    WHERE person = ?1 AND state IN ('timed_out', 'closed', 'late', 'pending') AND device IS NULL
        AND opened_at > ?2 - ?3 - ?4 AND abs(coalesce(closed_at, expires_at) - ?2) < ?3"""
_WAITING = """
    SELECT count(*) AS waiting FROM questions INDEXED BY open_questions_of_person
    WHERE person = ?1 AND state IN ('pending', 'late') AND coalesce(later_until, expires_at) > ?2
        AND (NOT ?3 OR address IS ?4 AND (address IS NOT NULL OR client = ?5))"""
_FAMILIAR = """
    SELECT 1 FROM questions
    WHERE person = ?1 AND state = 'spent' AND closed_at > ?4
        AND address IS ?2 AND (address IS NOT NULL OR client = ?3) LIMIT 1"""
_LATE_IS_OVER = """
    UPDATE questions SET state = 'timed_out', closed_at = expires_at
    WHERE attempt = ?1 AND opened_at > ?2 - ?3 AND state = 'late' AND later_until <= ?2"""


class Seen(NamedTuple):
    """What there is of a newcomer's attempt and person."""

    past: list[Past]
    crowd: Crowd
    unanswered: int
    """Questions that ended, as far back as the limit looks."""


def look(transaction: Transaction, question: Question, limit: RingLimit, *, at: float) -> Seen:
    """`question`: what would be asked."""
    past = []
    if question.attempt is not None:
        transaction.execute(_LATE_IS_OVER, question.attempt, at, LOOK_BACK)
        found = transaction.execute(_PAST, question.attempt, at, LOOK_BACK, MOST_PAST)
        past = [_past(row) for row in found]
    person = str(question.person)
    in_vain = transaction.execute(_IN_VAIN, person, at, limit.within, LONGEST).fetchone()
    place = question.address, question.client
    familiar = transaction.execute(_FAMILIAR, person, *place, at - FAMILIAR).fetchone() is not None
    # Who fills the queue from elsewhere must not keep them out of where they were let in.
    waiting = transaction.execute(_WAITING, person, at, familiar, *place).fetchone()["waiting"]
    return Seen(past, Crowd(in_vain["rang"], waiting, familiar), in_vain["ended"])


def _past(row: sqlite3.Row) -> Past:
    proofs = (row["proofs"] or "").split(",")
    source = row["newest_source"]
    return Past(
        rows.question(row),
        decision=row["decision"] or b"",
        rang=bool(row["rang"]),
        followed=bool(row["followed"]),
        proofs=cast("frozenset[ProofName]", frozenset(proofs)),
        waiting=None if source is None else Waiting(source, row["newest_port"]),
        phone_there=bool(row["phone_there"]),
    )


def held_elsewhere(
    transaction: Transaction, question: Question, rider: Rider, request: bytes, *, decision: bytes, at: float
) -> Question | None:
    """The pending question for which these very octets are held already, as they came from the same port to
    another address of ours: a gateway that asks its second server so. `question`: what would be asked; a
    server whose settings differ may take them for somebody else's, or decide otherwise."""
    row = transaction.execute(
        "SELECT questions.* FROM riders JOIN questions ON questions.id = riders.question"
        " WHERE request = ? AND source = ? AND source_port = ? AND gone = 0 AND until > ?"
        " AND state = 'pending' AND expires_at > ? AND person = ? AND decision = ? LIMIT 1",
        request,
        rider.source,
        rider.source_port,
        at,
        at,
        str(question.person),
        decision,
    ).fetchone()
    return None if row is None else rows.question(row)


def add_rider(transaction: Transaction, question: str, rider: Rider, request: bytes) -> None:
    transaction.execute(
        "INSERT INTO riders (packet, question, client, source, source_port, proof, until, request)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rider.packet,
        question,
        rider.client,
        rider.source,
        rider.source_port,
        rider.proof,
        rider.until,
        request,
    )


def is_newest(transaction: Transaction, question: str, packet: bytes, *, at: float) -> bool:
    """Is it this request's turn? The newest one whose gateway still waits hears of the answer."""
    row = transaction.execute(
        "SELECT packet FROM riders WHERE question = ? AND gone = 0 AND until > ?"
        " ORDER BY number DESC LIMIT 1",
        question,
        at,
    ).fetchone()
    return row is not None and row["packet"] == packet


def leave(transaction: Transaction, question: str, packet: bytes, *, at: float) -> bool:
    """This request's gateway waits no more. Does none any more?"""
    transaction.execute("UPDATE riders SET gone = 1 WHERE packet = ? AND question = ?", packet, question)
    row = transaction.execute(
        "SELECT 1 FROM riders WHERE question = ? AND gone = 0 AND until > ? LIMIT 1", question, at
    ).fetchone()
    return row is None


def void_tickets(transaction: Transaction, question: str) -> None:
    """A no: whatever yes of the same attempt was not used yet is worth nothing, nor is its second use."""
    transaction.execute(
        "UPDATE questions SET state = 'closed', later_until = NULL"
        " WHERE state = 'ticket' AND attempt = (SELECT attempt FROM questions WHERE id = ?)",
        question,
    )
    transaction.execute(
        "UPDATE questions SET followed = 1"
        " WHERE state = 'spent' AND followed = 0 AND attempt = (SELECT attempt FROM questions WHERE id = ?)",
        question,
    )
