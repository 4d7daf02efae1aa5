"""Devices, invitations and the phone origin in the store: how a phone becomes trusted, and stops to be."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from radius_push import events
from radius_push.events import Event
from radius_push.model import Device, DeviceState, Invitation, Known, PersonKey
from radius_push.phone_store import Confirmation, Redemption
from radius_push.store import biometrics, rows, telling
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


def remove(transaction: Transaction, id: str, *, at: float, event: Event, alerts: Sequence[str] = ()) -> bool:
    """Its questions stay for the person's other devices; only this one can no longer answer."""
    device = read(transaction, id)
    if device is None or device.state is DeviceState.REMOVED:
        return False
    transaction.execute("UPDATE devices SET state = 'removed' WHERE id = ?", id)
    # An invitation that waited for this phone's code has nothing left to confirm, and nobody is left to
    # confirm what this phone had invited.
    transaction.execute("UPDATE invitations SET closed = 1 WHERE redeemed_by = ?1 OR by_device = ?1", id)
    orphaned = transaction.execute(
        "UPDATE devices SET state = 'removed' WHERE state = 'pending' AND invitation IN"
        " (SELECT id FROM invitations WHERE by_device = ?) RETURNING id",
        id,
    ).fetchall()
    for row in orphaned:
        gone = events.DeviceRemoved(str(device.person), row["id"], by=f"the removal of {id}")
        transaction.write(at, gone)
    transaction.write(at, event)
    if device.state is not DeviceState.PENDING:
        telling.tell(transaction, device.person, "device_removed", device, at)
    telling.alert(
        transaction,
        "removed_by_notice",
        to=alerts,
        person=device.person,
        username=device.username,
        about=id,
        name=device.name,
        at=at,
    )
    transaction.ring(person_topic(device.person))
    return True


def confirm_restored(transaction: Transaction, id: str, *, by: str, at: float) -> bool:
    confirmed = transaction.execute(
        "UPDATE devices SET state = 'active' WHERE id = ? AND state = 'restored' RETURNING *",
        id,
    ).fetchall()
    for device in map(rows.device, confirmed):
        by = f"{by}, {AFTER_A_RESTORE}"
        transaction.write(at, events.DeviceConfirmed(str(device.person), device.invitation, id, by))
        telling.tell(transaction, device.person, "device_added", device, at)
        transaction.ring(person_topic(device.person))
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
    transaction: Transaction,
    invitation: Invitation,
    *,
    token: bytes,
    code: bytes,
    mail: str | None,
    at: float,
    event: Event,
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
        "INSERT INTO invitations"
        " (id, person, username, token, code, expires_at, by_device, sent, asks_code, invited_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        invitation.id,
        person,
        invitation.username,
        token,
        code,
        invitation.expires_at,
        invitation.by_device,
        invitation.sent,
        invitation.asks_code,
        at,
    )
    if mail is not None:
        telling.write_to(transaction, invitation.person, mail)
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
    proved: bool,
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
    there = transaction.execute(
        "SELECT count(*) AS many FROM devices WHERE person = ? AND state != 'removed'", row["person"]
    ).fetchone()
    if there["many"] >= devices_per_user:
        return "too_many_devices"
    if row["sent"] and not proved:
        return "password_needed"
    transaction.execute("UPDATE invitations SET redeemed_by = ? WHERE id = ?", device.id, row["id"])
    added = _add(transaction, device, row, origin=origin, at=at)
    if row["asks_code"]:
        return added
    return _trust(transaction, added, by="the invitation, without a code", at=at)


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
    on: str | None,
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
        pending = read(transaction, device)
        assert pending is not None  # noqa: S101  # the statement above has found it
        _trust(transaction, pending, by=by, at=at, on=on)
        if credential is not None:
            biometrics.activate(transaction, device, credential, by=by, at=at)
        return "confirmed"
    transaction.execute("UPDATE invitations SET wrong_codes = ? WHERE id = ?", wrong, invitation)
    given_up = wrong >= limit
    if given_up:
        _settle(transaction, invitation, device, DeviceState.REMOVED)
    transaction.write(at, events.ConfirmationFailed(person, invitation, device, wrong, given_up))
    return "given_up" if given_up else "wrong"


def _trust(transaction: Transaction, device: Device, *, by: str, at: float, on: str | None = None) -> Device:
    """From now on it counts, and the person is told so; not `on` the device that did it."""
    _settle(transaction, device.invitation, device.id, DeviceState.ACTIVE)
    person = str(device.person)
    transaction.execute("INSERT INTO persons VALUES (?, ?) ON CONFLICT DO NOTHING", person, at)
    transaction.write(at, events.DeviceConfirmed(person, device.invitation, device.id, by))
    telling.tell(transaction, device.person, "device_added", device, at, did_it=on)
    return replace(device, state=DeviceState.ACTIVE)


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
    removed = all_there(transaction)
    transaction.execute("UPDATE devices SET state = 'removed' WHERE state != 'removed'")
    closed = transaction.execute(
        "UPDATE invitations SET closed = 1 WHERE closed = 0 RETURNING person"
    ).fetchall()
    transaction.execute("DELETE FROM meta WHERE key = ?", PHONE_ORIGIN)
    transaction.write(at, events.PhonesForgotten(len(removed), by))
    for device in removed:
        if device.state is not DeviceState.PENDING:
            telling.tell(transaction, device.person, "device_removed", device, at)
    for person in {*(str(device.person) for device in removed), *(row["person"] for row in closed)}:
        transaction.ring(person_topic(person))
    return len(removed)
