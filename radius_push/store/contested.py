"""A yes that is taken back, in the store: one conditional UPDATE, and what it could still open is closed."""

from __future__ import annotations

from collections.abc import Sequence

from radius_push.events import Event
from radius_push.model import PersonKey
from radius_push.store import attempts, telling
from radius_push.store.bells import person_topic, question_topic
from radius_push.store.writer import Transaction

_CONTEST = """
    UPDATE questions SET contested_at = ?3
    WHERE id = ?1 AND contested_at IS NULL AND state IN ('approved', 'ticket', 'spent')
        AND answered_at > ?3 - ?4 AND EXISTS (
            SELECT 1 FROM devices
            WHERE devices.id = ?2 AND devices.state = 'active' AND devices.person = questions.person)
    RETURNING person, account, client, login, address"""


def contest(
    transaction: Transaction,
    question: str,
    *,
    device: str,
    within: float,
    at: float,
    event: Event,
    alerts: Sequence[str],
) -> bool:
    """The yes stays what it was. False if there is none that can be taken back: nothing is written."""
    changed = transaction.execute(_CONTEST, question, device, at, within).fetchone()
    if changed is None:
        return False
    attempts.void_tickets(transaction, question)
    transaction.write(at, event)
    telling.alert(
        transaction,
        "contested",
        to=alerts,
        person=PersonKey.parse(changed["person"]),
        username=changed["account"],
        about=changed["login"],
        name=changed["client"],
        at=at,
        login_address=changed["address"],
    )
    transaction.ring(question_topic(question))
    transaction.ring(person_topic(changed["person"]))
    return True
