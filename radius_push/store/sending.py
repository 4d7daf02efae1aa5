"""In the store: invitations that were sent, and the passwords that they ask for."""

from __future__ import annotations

from radius_push import events
from radius_push.events import Event
from radius_push.model import Device, DeviceState, Invitation
from radius_push.store import phones, rows
from radius_push.store.bells import person_topic
from radius_push.store.writer import Transaction


def open_ones(transaction: Transaction) -> list[tuple[Invitation, Device | None]]:
    found = transaction.execute(
        "SELECT * FROM invitations WHERE closed = 0 ORDER BY invited_at, id"
    ).fetchall()
    read = [rows.invitation(row) for row in found]
    return [(each, _waiting(transaction, each)) for each in read]


def _waiting(transaction: Transaction, invitation: Invitation) -> Device | None:
    device = phones.read(transaction, invitation.redeemed_by) if invitation.redeemed_by else None
    return device if device is not None and device.state is DeviceState.PENDING else None


def by_secret(transaction: Transaction, secret: bytes) -> Invitation | None:
    row = transaction.execute("SELECT * FROM invitations WHERE token = ?1 OR code = ?1", secret).fetchone()
    return None if row is None else rows.invitation(row)


def mailed(transaction: Transaction, invitation: str, *, at: float, event: Event) -> bool:
    changed = transaction.execute("UPDATE invitations SET mailed_at = ? WHERE id = ?", at, invitation)
    if changed.rowcount:
        transaction.write(at, event)
    return bool(changed.rowcount)


def withdraw(transaction: Transaction, invitation: str, *, at: float, event: Event) -> bool:
    closed = transaction.execute(
        "UPDATE invitations SET closed = 1 WHERE id = ? AND closed = 0 AND redeemed_by IS NULL"
        " RETURNING person",
        invitation,
    ).fetchall()
    for row in closed:
        transaction.write(at, event)
        transaction.ring(person_topic(row["person"]))
    return bool(closed)


def begin_password(transaction: Transaction, invitation: str, *, most: int) -> bool:
    counted = transaction.execute(
        "UPDATE invitations SET wrong_passwords = wrong_passwords + 1"
        " WHERE id = ? AND sent = 1 AND closed = 0 AND redeemed_by IS NULL AND wrong_passwords < ?",
        invitation,
        most,
    )
    return counted.rowcount > 0


def password_not_asked(transaction: Transaction, invitation: str) -> None:
    transaction.execute(
        "UPDATE invitations SET wrong_passwords = max(0, wrong_passwords - 1) WHERE id = ?", invitation
    )


def password_wrong(transaction: Transaction, invitation: str, *, most: int, at: float) -> bool:
    row = transaction.execute("SELECT * FROM invitations WHERE id = ?", invitation).fetchone()
    if row is None:
        return True
    given_up = bool(row["wrong_passwords"] >= most)
    if given_up:
        transaction.execute("UPDATE invitations SET closed = 1 WHERE id = ?", invitation)
        transaction.ring(person_topic(row["person"]))
    wrong = row["wrong_passwords"]
    transaction.write(at, events.InvitationPasswordWrong(row["person"], invitation, wrong, given_up))
    return given_up
