"""The end of what is kept: the oldest evidence goes, and the questions, phones and sessions it was about.

Evidence goes from its beginning only. The number and hash of the last row that went stay behind, and the
event that says so is in the chain: what is left can be verified as before.
"""

from __future__ import annotations

from radius_push.events import EvidenceLetGo
from radius_push.store import evidence, sessions
from radius_push.store.writer import Transaction

MOST_TOGETHER = 2_000
"""Rows deleted in one transaction: logins wait as long as it takes."""

_QUESTIONS = """
    DELETE FROM questions WHERE id IN (
        SELECT id FROM questions
        WHERE opened_at < ?1 AND state NOT IN ('pending', 'approved', 'late', 'ticket')
        ORDER BY opened_at LIMIT ?2)"""
# An answer in the evidence is verified with the key of its device: the key goes when the last answer has.
_DEVICES = """
    DELETE FROM devices WHERE state = 'removed' AND created_at < ?1
        AND NOT EXISTS (SELECT 1 FROM questions WHERE questions.device = devices.id)
        AND NOT EXISTS (SELECT 1 FROM trials WHERE trials.device = devices.id)
        AND NOT EXISTS (SELECT 1 FROM portal_sign_ins WHERE portal_sign_ins.device = devices.id)
        AND NOT EXISTS (SELECT 1 FROM portal_sessions WHERE portal_sessions.device = devices.id)"""
_TRIALS = "DELETE FROM trials WHERE opened_at < ?1"
_PORTAL = (
    "DELETE FROM portal_sign_ins WHERE opened_at < ?1",
    "DELETE FROM portal_sessions WHERE opened_at < ?1",
)
_INVITATIONS = """
    DELETE FROM invitations WHERE expires_at < ?1
        AND (redeemed_by IS NOT NULL OR closed = 1)
        AND NOT EXISTS (SELECT 1 FROM devices WHERE devices.invitation = invitations.id)"""


def let_go(transaction: Transaction, before: float, *, at: float) -> bool:
    """Delete a stretch of what is older than `before`. True if there may be more."""
    gone = transaction.execute(_QUESTIONS, before, MOST_TOGETHER).rowcount
    old = _oldest(transaction, before)
    if old is not None:
        transaction.execute("DELETE FROM evidence WHERE number <= ?", old.number)
        transaction.execute(
            "INSERT INTO evidence_let_go VALUES (1, ?1, ?2)"
            " ON CONFLICT (one) DO UPDATE SET number = ?1, hash = ?2",
            old.number,
            old.hash,
        )
        transaction.write(at, EvidenceLetGo(old.number, old.hash.hex()))
    more = sessions.let_go(transaction, before, at=at, most=MOST_TOGETHER)
    if gone == 0 and old is None and not more:
        for statement in (_TRIALS, *_PORTAL):
            transaction.execute(statement, before)
        transaction.execute(_DEVICES, before)
        transaction.execute(_INVITATIONS, before)
        return False
    return True


def _oldest(transaction: Transaction, before: float) -> evidence.Head | None:
    """The last row of the unbroken run of old ones at the beginning."""
    last = None
    for row in evidence.oldest(transaction.rows, most=MOST_TOGETHER):
        if row[1] >= before:
            break
        last = evidence.Head(row[0], row[4])
    return last
