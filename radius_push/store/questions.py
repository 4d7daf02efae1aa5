"""Questions in the store: each change is one conditional UPDATE, so that only one of two can win."""

from __future__ import annotations

import json
import sqlite3

from radius_push.events import Abandoned, Event, Sent
from radius_push.model import Earlier, PersonKey, Question, QuestionState, Reason
from radius_push.shapes import RingLimit
from radius_push.store import rings, rows
from radius_push.store.bells import person_topic, question_topic
from radius_push.store.writer import Transaction

SEEN_SECONDS = 24 * 3600.0
MOST_SEEN = 200_000
"""Requests remembered at most: beyond that the oldest are forgotten first."""
FORGET_EVERY = 256
"""Requests after which the old ones are looked for: so many more may be remembered."""
MOST_LISTED = 200
PENDING_TOO_LONG = 30.0
"""Seconds after its end: whoever waits for it lives no more."""
APPROVED_TOO_LONG = 3600.0
"""The longest patience of a gateway: so long the same packet may come for it."""
MOST_CLOSED = 1000
"""Abandoned questions closed in one transaction."""

# Both ask for more than the state: the device is active and the same person's.
_ANSWER = """
    UPDATE questions SET state = ?1, device = ?2, closed_at = ?3
    WHERE id = ?4 AND state = 'pending' AND expires_at > ?3 AND EXISTS (
        SELECT 1 FROM devices
        WHERE devices.id = ?2 AND devices.state = 'active' AND devices.person = questions.person)
    RETURNING person"""
_ACCEPT = """
    UPDATE questions SET state = 'spent', closed_at = ?1
    WHERE id = ?2 AND state = 'approved' AND EXISTS (
        SELECT 1 FROM devices
        WHERE devices.id = questions.device AND devices.state = 'active'
        AND devices.person = questions.person)
    RETURNING person"""


def remember_request(transaction: Transaction, request: bytes, *, at: float) -> bool:
    """False if it was seen before."""
    number = _remember(transaction, request, at=at)
    if number is None:  # unless that was so long ago that it counts no more
        _forget_requests(transaction, at=at)
        number = _remember(transaction, request, at=at)
    if number is None:
        return False
    if number % FORGET_EVERY == 0:
        _forget_requests(transaction, at=at)
    return True


def _remember(transaction: Transaction, request: bytes, *, at: float) -> int | None:
    """Its row's number, which only grows; None if it is there already."""
    added = transaction.execute(
        "INSERT INTO seen_requests (hash, at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING", request, at
    )
    return added.lastrowid if added.rowcount else None


def _forget_requests(transaction: Transaction, *, at: float) -> None:
    transaction.execute("DELETE FROM seen_requests WHERE at <= ?", at - SEEN_SECONDS)
    transaction.execute(
        "DELETE FROM seen_requests WHERE number <= (SELECT max(number) FROM seen_requests) - ?", MOST_SEEN
    )


def open_question(
    transaction: Transaction,
    question: Question,
    *,
    packet: bytes | None,
    decision: bytes,
    request: bytes,
    limit: RingLimit | None,
    at: float,
    event: Event,
) -> Reason | None:
    """None: it is asked. Else why not, and no question is written."""
    if transaction.execute("SELECT 1 FROM questions WHERE packet = ?", packet).fetchone():
        return Reason.REPLAYED
    if not remember_request(transaction, request, at=at):
        return Reason.REPLAYED
    in_vain = rings.in_vain(transaction, question, limit, at=at)
    why = rings.muted(transaction, question, at=at) or rings.too_often(
        transaction, question, in_vain, limit, at=at
    )
    if why is not None:
        return why
    transaction.execute(
        "INSERT INTO questions (id, login, person, account, client, profile, address, nonce, opened_at,"
        " expires_at, state, device, closed_at, packet, decision, attempt, unanswered)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        question.id,
        question.login,
        str(question.person),
        question.account,
        question.client,
        question.profile,
        question.address,
        question.nonce,
        question.opened_at,
        question.expires_at,
        question.state,
        question.device,
        question.closed_at,
        packet,
        decision,
        question.attempt,
        in_vain.ended,
    )
    transaction.write(at, event)
    _ring(transaction, question.id, question.person)
    return None


def read(transaction: Transaction, id: str) -> Question | None:
    row = transaction.execute("SELECT * FROM questions WHERE id = ?", id).fetchone()
    return None if row is None else rows.question(row)


def earlier(transaction: Transaction, packet: bytes) -> Earlier | None:
    row = transaction.execute(
        "SELECT questions.*, evidence.body AS event FROM questions"
        " LEFT JOIN evidence ON evidence.number = questions.accepted WHERE packet = ?",
        packet,
    ).fetchone()
    if row is None:
        return None
    accepted = None if row["event"] is None else json.loads(row["event"])
    return Earlier(
        rows.question(row),
        decision=row["decision"],
        reply=None if accepted is None else tuple((name, value) for name, value in accepted["reply"]),
        sent_at=row["sent_at"],
    )


def of_person(transaction: Transaction, person: PersonKey, *, closed_since: float) -> list[Question]:
    """Oldest first; of very many the newest."""
    found = transaction.execute(
        "SELECT * FROM (SELECT * FROM questions WHERE person = ?1 AND state = 'pending'"
        " UNION SELECT * FROM questions WHERE person = ?1 AND state != 'pending' AND closed_at >= ?2)"
        " ORDER BY opened_at DESC, id DESC LIMIT ?3",
        str(person),
        closed_since,
        MOST_LISTED,
    )
    return [rows.question(row) for row in found][::-1]


def last_answers(transaction: Transaction) -> dict[str, float]:
    """By device id: when the last question it answered was closed, a moment after its answer."""
    found = transaction.execute(
        "SELECT id, (SELECT max(closed_at) FROM questions WHERE device = devices.id) AS at FROM devices"
    )
    return {row["id"]: row["at"] for row in found if row["at"] is not None}


def answer(
    transaction: Transaction, question: str, *, device: str, approve: bool, at: float, event: Event
) -> bool:
    state = QuestionState.APPROVED if approve else QuestionState.DENIED
    changed = transaction.execute(_ANSWER, state, device, at, question).fetchall()
    return _written(transaction, question, changed, at=at, event=event)


def close_question(
    transaction: Transaction,
    question: str,
    *,
    expected: QuestionState,
    state: QuestionState,
    at: float,
    event: Event,
) -> bool:
    changed = transaction.execute(
        "UPDATE questions SET state = ?, closed_at = ? WHERE id = ? AND state = ? RETURNING person",
        state,
        at,
        question,
        expected,
    ).fetchall()
    return _written(transaction, question, changed, at=at, event=event)


def accept(
    transaction: Transaction, question: str | None, *, at: float, event: Event, request: bytes | None
) -> bool:
    if request is not None and not remember_request(transaction, request, at=at):
        return False
    if question is None:
        transaction.write(at, event)
        return True
    changed = transaction.execute(_ACCEPT, at, question).fetchall()
    if not _written(transaction, question, changed, at=at, event=event):
        return False
    transaction.execute("UPDATE questions SET accepted = ? WHERE id = ?", transaction.number(), question)
    return True


def sent(transaction: Transaction, packet: bytes, *, login: str, at: float) -> None:
    # The first time counts: saying it once more must not make it last longer.
    noted = transaction.execute(
        "UPDATE questions SET sent_at = coalesce(sent_at, ?) WHERE packet = ? RETURNING login", at, packet
    ).fetchall()
    transaction.write(at, Sent(noted[0]["login"] if noted else login))


def close_abandoned(transaction: Transaction, *, at: float) -> int:
    left = transaction.execute(
        "SELECT id, login, person, state FROM questions WHERE state IN ('pending', 'approved')"
        " AND expires_at <= CASE state WHEN 'pending' THEN ?1 ELSE ?2 END LIMIT ?3",
        at - PENDING_TOO_LONG,
        at - APPROVED_TOO_LONG,
        MOST_CLOSED,
    ).fetchall()
    for row in left:
        event = Abandoned(row["login"], row["id"], row["person"], row["state"])
        state = QuestionState(row["state"])
        close_question(transaction, row["id"], expected=state, state=QuestionState.CLOSED, at=at, event=event)
    return len(left)


def _written(
    transaction: Transaction, question: str, changed: list[sqlite3.Row], *, at: float, event: Event
) -> bool:
    if not changed:
        return False
    transaction.write(at, event)
    _ring(transaction, question, changed[0]["person"])
    return True


def _ring(transaction: Transaction, question: str, person: PersonKey | str) -> None:
    transaction.ring(question_topic(question))
    transaction.ring(person_topic(person))
