"""Questions in the store: each change is one conditional UPDATE, so that only one of two can win."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import Literal

from radius_push import events
from radius_push.attempts import Joined, Lateness, Met, Opened, Owed, Rider, Standing, Without
from radius_push.events import Asked, Event, Sent
from radius_push.factors import joining
from radius_push.factors.question import next_nonce
from radius_push.model import Assertion, Earlier, PersonKey, Question, QuestionState, Reason
from radius_push.shapes import RingLimit
from radius_push.store import attempts, biometrics, rows
from radius_push.store.bells import person_topic, question_topic
from radius_push.store.writer import Transaction

SEEN_SECONDS = 24 * 3600.0
MOST_SEEN = 200_000
"""Requests remembered at most: beyond that the oldest are forgotten first."""
FORGET_EVERY = 256
"""Requests after which the old ones are looked for: so many more may be remembered."""
MOST_LISTED = 200
By = Literal["push"] | Without
"""Which yes lets a request in."""

# Both ask for more than the state: the device is active and the same person's. What was signed before the
# gateway gave up is no yes to the next try.
_ANSWER = """
    UPDATE questions SET device = ?2, closed_at = ?3, answered_at = ?3,
        state = CASE WHEN ?4 = 'deny' THEN 'denied' WHEN state = 'late' THEN 'ticket' ELSE 'approved' END,
        later_until = CASE WHEN ?4 = 'approve' AND state = 'late' THEN ?3 + ?6 END
    WHERE id = ?1 AND (state = 'pending' AND expires_at > ?3
            OR state = 'late' AND later_until > ?3 AND (?4 = 'deny' OR ?5 AND late_counts))
        AND (?4 = 'deny' OR ?7 IS NULL OR nonce = ?7) AND EXISTS (
            SELECT 1 FROM devices
            WHERE devices.id = ?2 AND devices.state = 'active' AND devices.person = questions.person)
        AND (?4 = 'deny' OR CASE WHEN ?8 IS NULL THEN biometrics != 'required' ELSE EXISTS (
            SELECT 1 FROM credentials
            WHERE credentials.device = ?2 AND credentials.state = 'active' AND credentials.id = ?8
            AND (counter < ?9 OR counter = 0 AND ?9 = 0)) END)
    RETURNING person, state"""
# What spends a yes; none of them can happen twice.
_ACCEPT = """
    UPDATE questions SET state = 'spent', later_until = NULL,
        closed_at = CASE WHEN ?3 = 'follow_on' THEN closed_at ELSE ?1 END,
        followed = CASE WHEN ?3 = 'follow_on' THEN 1 ELSE followed END
    WHERE id = ?2 AND (?3 = 'push' AND state = 'approved'
            OR ?3 = 'ticket' AND state = 'ticket' AND later_until > ?1
            OR ?3 = 'follow_on' AND state = 'spent' AND followed = 0)
        AND contested_at IS NULL
        AND EXISTS (
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


def open_or_join(
    transaction: Transaction,
    question: Question,
    rider: Rider,
    *,
    decision: bytes,
    request: bytes,
    limit: RingLimit,
    at: float,
    event: Asked,
) -> Met:
    """What this request meets; nothing is written of it if a reason says no, but that it was seen."""
    if transaction.execute("SELECT 1 FROM riders WHERE packet = ?", rider.packet).fetchone():
        return Reason.REPLAYED
    if not remember_request(transaction, request, at=at):
        held = attempts.held_elsewhere(transaction, question, rider, request, decision=decision, at=at)
        if held is None:
            return Reason.REPLAYED
        return _join(transaction, held, rider, request, ends_at=min(rider.ends_at, held.closes_at), at=at)
    seen = attempts.look(transaction, question, limit, at=at)
    match joining.meet(rider, decision, seen.past, seen.crowd, limit, at=at):
        case joining.Join(past, ends_at):
            return _join(transaction, past.question, rider, request, ends_at=ends_at, at=at)
        case joining.Skip(past, by):
            attempts.add_rider(transaction, past.question.id, rider, request)
            return Owed(past.question, by)
        case joining.Open(lane, rings):
            question = replace(question, lane=lane, unanswered=seen.unanswered)
            _insert(transaction, question, decision=decision, rings=rings)
            attempts.add_rider(transaction, question.id, rider, request)
            transaction.write(at, replace(event, lane=lane, unanswered=seen.unanswered, rings=rings))
            _ring(transaction, question.id, question.person)
            last = seen.past[0].question if seen.past else None
            return Opened(rings, last if last and last.state is QuestionState.SPENT else None)
        case reason:
            return reason


def _insert(transaction: Transaction, question: Question, *, decision: bytes, rings: bool) -> None:
    transaction.execute(
        "INSERT INTO questions (id, login, person, account, client, profile, address, nonce, opened_at,"
        " expires_at, closes_at, state, device, closed_at, decision, attempt, lane, rang, unanswered,"
        " not_from_login_address, biometrics)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        question.closes_at,
        question.state,
        question.device,
        question.closed_at,
        decision,
        question.attempt,
        question.lane,
        int(rings),
        question.unanswered,
        int(question.not_from_login_address),
        question.biometrics,
    )


def _join(
    transaction: Transaction, question: Question, rider: Rider, request: bytes, *, ends_at: float, at: float
) -> Joined:
    """A question that was late is open again; one that is answered stays so, and this request hears of it."""
    attempts.add_rider(transaction, question.id, rider, request)
    if question.state in {QuestionState.PENDING, QuestionState.LATE}:
        transaction.execute(
            "UPDATE questions SET state = 'pending', expires_at = max(expires_at, ?), later_until = NULL"
            " WHERE id = ?",
            ends_at,
            question.id,
        )
    transaction.write(
        at,
        events.Joined(
            question.login,
            question.id,
            rider.client,
            rider.source,
            rider.source_port,
            rider.proof,
            question.state,
            rider.arrived_at,
        ),
    )
    _ring(transaction, question.id, question.person)
    joined = read(transaction, question.id)
    assert joined is not None  # noqa: S101  # it was changed a moment ago
    return Joined(joined)


def read(transaction: Transaction, id: str) -> Question | None:
    row = transaction.execute("SELECT * FROM questions WHERE id = ?", id).fetchone()
    return None if row is None else rows.question(row)


def standing(transaction: Transaction, id: str, packet: bytes, *, at: float) -> Standing | None:
    question = read(transaction, id)
    if question is None:
        return None
    return Standing(question, newest=attempts.is_newest(transaction, id, packet, at=at))


def earlier(transaction: Transaction, packet: bytes) -> Earlier | None:
    row = transaction.execute(
        "SELECT questions.*, riders.client AS came_by, riders.until, riders.gone, riders.sent_at,"
        " evidence.body AS event FROM riders JOIN questions ON questions.id = riders.question"
        " LEFT JOIN evidence ON evidence.number = riders.accepted WHERE riders.packet = ?",
        packet,
    ).fetchone()
    if row is None:
        return None
    accepted = None if row["event"] is None else json.loads(row["event"])
    return Earlier(
        rows.question(row),
        client=row["came_by"],
        decision=row["decision"] or b"",
        until=row["until"],
        over=bool(row["gone"]),
        reply=None if accepted is None else tuple((name, value) for name, value in accepted["reply"]),
        sent_at=row["sent_at"],
    )


def of_person(transaction: Transaction, person: PersonKey, *, closed_since: float) -> list[Question]:
    """Oldest first; of very many the newest."""
    found = transaction.execute(
        "SELECT * FROM (SELECT * FROM questions INDEXED BY open_questions_of_person"
        " WHERE person = ?1 AND state IN ('pending', 'late')"
        " UNION SELECT * FROM questions WHERE person = ?1 AND closed_at >= ?2)"
        " ORDER BY opened_at DESC, id DESC LIMIT ?3",
        str(person),
        closed_since,
        MOST_LISTED,
    )
    return [rows.question(row) for row in found][::-1]


def last_answers(transaction: Transaction) -> dict[str, float]:
    """By device id: when it last said yes or no."""
    found = transaction.execute(f"SELECT id, {rows.LAST_ANSWER} AS at FROM devices")  # noqa: S608  # our own words
    return {row["id"]: row["at"] for row in found if row["at"] is not None}


def answer(
    transaction: Transaction,
    question: str,
    *,
    device: str,
    approve: bool,
    late: bool,
    nonce: str | None,
    assertion: Assertion | None,
    at: float,
    event: Event,
) -> QuestionState | None:
    said = "approve" if approve else "deny"
    credential, counter = (assertion.credential, assertion.counter) if assertion else (None, None)
    changed = transaction.execute(
        _ANSWER, question, device, at, said, late, joining.TICKET_SECONDS, nonce, credential, counter
    ).fetchall()
    if changed and assertion is not None:
        biometrics.count(transaction, device, assertion)
    if changed and not approve:
        attempts.void_tickets(transaction, question)
    written = _written(transaction, question, changed, at=at, event=event)
    return QuestionState(changed[0]["state"]) if written else None


def end_of_bar(
    transaction: Transaction, question: str, packet: bytes, *, late: Lateness, at: float, event: Event
) -> bool:
    """pending -> late, or over where there is no late window, if it is this request's turn."""
    if not attempts.is_newest(transaction, question, packet, at=at):
        return False
    return _nobody_waits(transaction, question, late=late, at=at, event=event)


def leave(
    transaction: Transaction, question: str, packet: bytes, *, late: Lateness, at: float, event: Event
) -> None:
    """This request's gateway is gone. If no other one waits, a yes can only be for the next try."""
    if attempts.leave(transaction, question, packet, at=at):
        _nobody_waits(transaction, question, late=late, at=at, event=event)
    else:
        transaction.ring(question_topic(question))  # perhaps it is another one's turn now


def _nobody_waits(
    transaction: Transaction, question: str, *, late: Lateness, at: float, event: Event
) -> bool:
    asked = read(transaction, question)
    if asked is None:
        return False
    nonce = next_nonce(asked.nonce) if late.window > 0 else asked.nonce
    # The bar ends at this moment, if not before: an open app must not show more.
    changed = transaction.execute(
        "UPDATE questions SET expires_at = min(expires_at, ?2), nonce = ?5,"
        " closed_at = CASE WHEN ?3 > 0 THEN NULL ELSE ?2 END,"
        " state = CASE WHEN ?3 > 0 THEN 'late' ELSE 'timed_out' END,"
        " later_until = CASE WHEN ?3 > 0 THEN min(?2 + ?3, max(closes_at, expires_at)) END, late_counts = ?4"
        " WHERE id = ?1 AND state = 'pending' RETURNING person",
        question,
        at,
        late.window,
        late.counts,
        nonce,
    ).fetchall()
    if changed:
        transaction.execute("UPDATE riders SET gone = 1 WHERE question = ?", question)
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
    transaction: Transaction,
    question: str | None,
    *,
    packet: bytes | None,
    by: By,
    at: float,
    event: Event,
    request: bytes | None,
) -> bool:
    if request is not None and not remember_request(transaction, request, at=at):
        return False
    if question is None:
        transaction.write(at, event)
        return True
    if packet is None or (by == "push" and not attempts.is_newest(transaction, question, packet, at=at)):
        return False
    changed = transaction.execute(_ACCEPT, at, question, by).fetchall()
    if not _written(transaction, question, changed, at=at, event=event):
        return False
    transaction.execute(
        "UPDATE riders SET gone = 1, accepted = CASE packet WHEN ? THEN ? ELSE accepted END"
        " WHERE question = ?",
        packet,
        transaction.number(),
        question,
    )
    return True


def sent(transaction: Transaction, packet: bytes, *, login: str, at: float) -> None:
    # The first time counts: saying it once more must not make it last longer.
    noted = transaction.execute(
        "UPDATE riders SET sent_at = coalesce(sent_at, ?) WHERE packet = ? RETURNING question", at, packet
    ).fetchall()
    asked = read(transaction, noted[0]["question"]) if noted else None
    transaction.write(at, Sent(login if asked is None else asked.login))


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
