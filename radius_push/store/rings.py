"""May a question ring? Read in the very transaction that would write it, so that no two processes differ."""

from __future__ import annotations

from typing import NamedTuple

from radius_push.model import Question, QuestionState, Reason
from radius_push.shapes import RingLimit
from radius_push.store.writer import Transaction

NO_COUNTS = 60.0
"""Seconds for which a deny, or a time-out, speaks for the next tries of its attempt."""
FAMILIAR = 30 * 86400.0
"""Seconds for which an address stays one that the person was let in from."""

# Rows of a future further off than this were written under a wrong clock: they mute nobody until then.
_MUTED = """
    SELECT state FROM questions
    WHERE person = ?1 AND attempt = ?2 AND state IN ('denied', 'timed_out')
        AND closed_at > ?3 - ?4 AND closed_at < ?3 + ?4
    ORDER BY state LIMIT 1"""
_IN_VAIN = """
    SELECT
        (SELECT count(*) FROM questions
            WHERE person = ?1 AND closed_at > ?2 - ?3 AND closed_at < ?2 + ?3
            AND state IN ('timed_out', 'closed') AND device IS NULL) AS ended,
        (SELECT count(*) FROM questions WHERE person = ?1 AND state = 'pending') AS waiting"""
_LET_IN = """
    SELECT 1 FROM questions
    WHERE person = ?1 AND address = ?2 AND state = 'spent' AND closed_at > ?3 LIMIT 1"""


class InVain(NamedTuple):
    """How many of a person's questions nobody has answered."""

    ended: int
    waiting: int


def muted(transaction: Transaction, question: Question, *, at: float) -> Reason | None:
    """What became of the same attempt less than a minute ago, if that was a no; a deny before a time-out."""
    if question.attempt is None:
        return None
    row = transaction.execute(_MUTED, str(question.person), question.attempt, at, NO_COUNTS).fetchone()
    if row is None:
        return None
    return Reason.DENIED_BEFORE if row["state"] == QuestionState.DENIED else Reason.NOT_ANSWERED_BEFORE


def in_vain(transaction: Transaction, question: Question, limit: RingLimit | None, *, at: float) -> InVain:
    """Of this person, as far back as the limit looks."""
    if limit is None:
        return InVain(0, 0)
    row = transaction.execute(_IN_VAIN, str(question.person), at, limit.within).fetchone()
    return InVain(row["ended"], row["waiting"])


def too_often(
    transaction: Transaction, question: Question, so_far: InVain, limit: RingLimit | None, *, at: float
) -> Reason | None:
    """Did too many ring in vain? Those that wait count as well: they all ring at once. From an address that
    the person was let in from lately they are not kept out, whoever else rang them."""
    if limit is None or sum(so_far) < limit.unanswered:
        return None
    familiar = transaction.execute(_LET_IN, str(question.person), question.address, at - FAMILIAR)
    return None if familiar.fetchone() else Reason.RUNG_TOO_OFTEN
