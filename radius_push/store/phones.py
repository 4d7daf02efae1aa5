"""Devices, invitations and the phone origin in the store: how a phone becomes trusted, and stops to be."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import replace

from radius_push import events
from radius_push.events import Event
from radius_push.model import Device, DeviceState, Invitation, Known, PersonKey
from radius_push.phone_store import Confirmation, Redemption
from radius_push.store import biometrics, rows
from radius_push.store.bells import person_topic
from radius_push.store.writer import Transaction

PHONE_ORIGIN = "phone_origin"
AFTER_A_RESTORE = "after a restore"

# --- devices ---------------------------------------------------------------------------------------


def active_of(transaction: Transaction, person: PersonKey) -> list[Device]:
    found = transaction.execute(
        "SELECT * FROM devices WHERE person = ? AND state = 'active' ORDER BY created_at, id", str(person)
    )
    return [rows.device(row) for row in found]


def all_there(transaction: Transaction) -> list[Device]:
    found = transaction.execute("SELECT * FROM devices WHERE state != 'removed' ORDER BY created_at, id")
    return [rows.device(row) for row in found]


def read(transaction: Transaction, id: str) -> Device | None:
    row = transaction.execute("SELECT * FROM devices WHERE id = ?", id).fetchone()
    return None if row is None else rows.device(row)


def remove(transaction: Transaction, id: str, *, at: float, event: Event) -> bool:
    """Its questions stay for the person's other devices; only this one can no longer answer."""
    removed = transaction.execute(
        "UPDATE devices SET state = 'removed' WHERE id = ? AND state != 'removed' RETURNING person", id
    ).fetchall()
    if not removed:
        return False
    # An invitation that waited for this phone's code has nothing left to confirm, and nobody is left to
    # confirm what this phone had invited.
    transaction.execute("UPDATE invitations SET closed = 1 WHERE redeemed_by = ?1 OR by_device = ?1", id)
    orphaned = transaction.execute(
        "UPDATE devices SET state = 'removed' WHERE state = 'pending' AND invitation IN"
        " (SELECT id FROM invitations WHERE by_device = ?) RETURNING id",
        id,
    ).fetchall()
    for row in orphaned:
        gone = events.DeviceRemoved(removed[0]["person"], row["id"], by=f"the removal of {id}")
        transaction.write(at, gone)
    transaction.write(at, event)
    transaction.ring(person_topic(removed[0]["person"]))
    return True


def confirm_restored(transaction: Transaction, id: str, *, by: str, at: float) -> bool:
    confirmed = transaction.execute(
        "UPDATE devices SET state = 'active' WHERE id = ? AND state = 'restored'"
        " RETURNING person, invitation",
        id,
    ).fetchall()
    for row in confirmed:
        by = f"{by}, {AFTER_A_RESTORE}"
        transaction.write(at, events.DeviceConfirmed(row["person"], row["invitation"], id, by))
        transaction.ring(person_topic(row["person"]))
    return bool(confirmed)


def has_ever_had(transaction: Transaction, person: PersonKey) -> bool:
    found = transaction.execute("SELECT 1 FROM persons WHERE person = ?", str(person)).fetchone()
    return found is not None


def people(transaction: Transaction) -> list[Known]:
    """Everybody who has or had a device, by name."""
    counted: dict[str, dict[DeviceState, int]] = {}
    for row in transaction.execute("SELECT person, state, count(*) AS many FROM devices GROUP BY 1, 2"):
        counted.setdefault(row["person"], {})[DeviceState(row["state"])] = row["many"]
    # In a group with one max(), SQLite takes the other columns from the row that has it.
    named = transaction.execute("SELECT person, username, max(created_at) FROM devices GROUP BY person")
    known = [Known(PersonKey.parse(row["person"]), row["username"], counted[row["person"]]) for row in named]
    return sorted(known, key=lambda each: (each.username.casefold(), str(each.person)))


# --- invitations -----------------------------------------------------------------------------------


def invite(
    transaction: Transaction, invitation: Invitation, *, token: bytes, code: bytes, at: float, event: Event
) -> None:
    """Earlier open invitations are closed, and phones that waited for their code go with them."""
    person = str(invitation.person)
    dropped = transaction.execute(
        "UPDATE devices SET state = 'removed' WHERE person = ? AND state = 'pending' RETURNING id", person
    ).fetchall()
    for row in dropped:
        transaction.write(at, events.DeviceRemoved(person, row["id"], by="a newer invitation"))
    transaction.execute("UPDATE invitations SET closed = 1 WHERE person = ? AND closed = 0", person)
    transaction.execute(
        "INSERT INTO invitations (id, person, username, token, code, expires_at, by_device)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        invitation.id,
        person,
        invitation.username,
        token,
        code,
        invitation.expires_at,
        invitation.by_device,
    )
    transaction.write(at, event)
    transaction.ring(person_topic(person))


def read_invitation(transaction: Transaction, id: str) -> Invitation | None:
    row = transaction.execute("SELECT * FROM invitations WHERE id = ?", id).fetchone()
    return None if row is None else rows.invitation(row)


def invited_by(transaction: Transaction, device: str) -> Invitation | None:
    row = transaction.execute(
        "SELECT * FROM invitations WHERE by_device = ? AND closed = 0 ORDER BY rowid DESC LIMIT 1", device
    ).fetchone()
    return None if row is None else rows.invitation(row)


def redeem(
    transaction: Transaction,
    secret: bytes,
    device: Device,
    *,
    devices_per_user: int,
    origin: str,
    at: float,
    not_before: float,
) -> Redemption:
    """`not_before`: a clock that is behind this cannot say what has expired, so nothing is redeemed."""
    row = transaction.execute("SELECT * FROM invitations WHERE token = ?1 OR code = ?1", secret).fetchone()
    kept = phone_origin(transaction)
    if row is None or kept not in (None, origin):
        return "unknown"
    if row["closed"] or row["redeemed_by"] is not None:
        return "spent"
    if at >= row["expires_at"] or at < not_before:
        return "expired"
    redeemed = transaction.execute(
        "UPDATE invitations SET redeemed_by = ?1 WHERE id = ?2 AND closed = 0 AND redeemed_by IS NULL"
        " AND expires_at > ?3 AND ?4 > (SELECT count(*) FROM devices"
        " WHERE devices.person = invitations.person AND devices.state != 'removed')",
        device.id,
        row["id"],
        at,
        devices_per_user,
    )
    if redeemed.rowcount == 0:
        return "too_many_devices"
    return _add(transaction, device, row, origin=origin, at=at)


def _add(
    transaction: Transaction, device: Device, invitation: sqlite3.Row, *, origin: str, at: float
) -> Device:
    added = replace(
        device,
        person=PersonKey.parse(invitation["person"]),
        username=invitation["username"],
        invitation=invitation["id"],
        state=DeviceState.PENDING,
    )
    person = str(added.person)
    transaction.execute(
        "INSERT INTO devices (id, person, username, name, public_key, state, created_at, invitation)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        added.id,
        person,
        added.username,
        added.name,
        added.public_key,
        added.state,
        added.created_at,
        added.invitation,
    )
    _keep_origin(transaction, origin, at=at)
    key = hashlib.sha256(added.public_key).hexdigest()
    transaction.write(at, events.Redeemed(person, added.invitation, added.id, added.name, key))
    transaction.ring(person_topic(person))
    return added


def confirm(
    transaction: Transaction,
    invitation: str,
    *,
    right: bool,
    limit: int,
    by: str,
    at: float,
    credential: bytes | None,
) -> Confirmation:
    row = transaction.execute(
        "SELECT invitations.person, redeemed_by AS device, wrong_codes FROM invitations"
        " JOIN devices ON devices.id = invitations.redeemed_by"
        " WHERE invitations.id = ? AND closed = 0 AND devices.state = 'pending'",
        invitation,
    ).fetchone()
    if row is None:
        return "not_pending"
    person, device, wrong = row["person"], row["device"], row["wrong_codes"] + 1
    transaction.ring(person_topic(person))
    if right:
        _settle(transaction, invitation, device, DeviceState.ACTIVE)
        transaction.execute("INSERT INTO persons VALUES (?, ?) ON CONFLICT DO NOTHING", person, at)
        transaction.write(at, events.DeviceConfirmed(person, invitation, device, by))
        if credential is not None:
            biometrics.activate(transaction, device, credential, by=by, at=at)
        return "confirmed"
    transaction.execute("UPDATE invitations SET wrong_codes = ? WHERE id = ?", wrong, invitation)
    given_up = wrong >= limit
    if given_up:
        _settle(transaction, invitation, device, DeviceState.REMOVED)
    transaction.write(at, events.ConfirmationFailed(person, invitation, device, wrong, given_up))
    return "given_up" if given_up else "wrong"


def _settle(transaction: Transaction, invitation: str, device: str, state: DeviceState) -> None:
    transaction.execute("UPDATE devices SET state = ? WHERE id = ?", state, device)
    transaction.execute("UPDATE invitations SET closed = 1 WHERE id = ?", invitation)


# --- the phone origin --------------------------------------------------------------------------------


def phone_origin(transaction: Transaction) -> str | None:
    row = transaction.execute("SELECT value FROM meta WHERE key = ?", PHONE_ORIGIN).fetchone()
    return None if row is None else str(row["value"])


def _keep_origin(transaction: Transaction, origin: str, *, at: float) -> None:
    kept = transaction.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING", PHONE_ORIGIN, origin
    )
    if kept.rowcount:
        transaction.write(at, events.PhoneOriginKept(origin))


def forget(transaction: Transaction, *, by: str, at: float) -> int:
    removed = transaction.execute(
        "UPDATE devices SET state = 'removed' WHERE state != 'removed' RETURNING person"
    ).fetchall()
    closed = transaction.execute(
        "UPDATE invitations SET closed = 1 WHERE closed = 0 RETURNING person"
    ).fetchall()
    transaction.execute("DELETE FROM meta WHERE key = ?", PHONE_ORIGIN)
    transaction.write(at, events.PhonesForgotten(len(removed), by))
    for person in {row["person"] for row in (*removed, *closed)}:
        transaction.ring(person_topic(person))
    return len(removed)
