"""Questions for which nobody waits any more, without anybody having said so: looked for now and then."""

from __future__ import annotations

from radius_push.events import Abandoned
from radius_push.model import QuestionState
from radius_push.store.questions import close_question
from radius_push.store.writer import Transaction

PENDING_TOO_LONG = 30.0
"""Seconds after its end: whoever waits for it lives no more."""
APPROVED_TOO_LONG = 3600.0
"""The longest patience of a gateway: so long the same packet may come for it."""
MOST_CLOSED = 1000
"""Abandoned questions closed in one transaction."""

# Both name the four states as the index does: without them SQLite does not see that it may be used.
_LATE_IS_OVER = """
    UPDATE questions INDEXED BY unfinished_questions
    SET closed_at = coalesce(closed_at, expires_at), later_until = NULL,
        state = CASE state WHEN 'late' THEN 'timed_out' ELSE 'closed' END
    WHERE state IN ('pending', 'approved', 'late', 'ticket') AND state IN ('late', 'ticket')
        AND later_until <= ?"""
_ABANDONED = """
    SELECT id, login, person, state FROM questions INDEXED BY unfinished_questions
    WHERE state IN ('pending', 'approved', 'late', 'ticket') AND state IN ('pending', 'approved')
        AND expires_at <= CASE state WHEN 'pending' THEN ?1 ELSE ?2 END LIMIT ?3"""


def close_abandoned(transaction: Transaction, *, at: float) -> int:
    transaction.execute(_LATE_IS_OVER, at)
    left = transaction.execute(
        _ABANDONED, at - PENDING_TOO_LONG, at - APPROVED_TOO_LONG, MOST_CLOSED
    ).fetchall()
    for row in left:
        event = Abandoned(row["login"], row["id"], row["person"], row["state"])
        state = QuestionState(row["state"])
        close_question(transaction, row["id"], expected=state, state=QuestionState.CLOSED, at=at, event=event)
    return len(left)
