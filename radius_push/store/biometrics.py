"""The fingerprints and faces of phones in the store: which credential counts, and which one waits."""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from collections.abc import Iterable

from radius_push import events
from radius_push.events import Event
from radius_push.model import Assertion, Biometrics, Credential, PersonKey
from radius_push.phone_store import Confirmation
from radius_push.store import rows, telling
from radius_push.store.bells import person_topic
from radius_push.store.writer import Transaction

_WITH_PERSON = "SELECT credentials.*, person FROM credentials JOIN devices ON devices.id = credentials.device"


# A phone that a backup brought back counts, too: else nothing guards its person until it is confirmed.
_GUARDED = """
    SELECT 1 FROM devices
    WHERE person = ? AND state IN ('active', 'restored') AND (biometrics_missed OR EXISTS (
        SELECT 1 FROM credentials WHERE credentials.device = devices.id AND credentials.state = 'active'))"""
_USE = """
    UPDATE credentials SET counter = ?3
    WHERE device = ?1 AND state = 'active' AND id = ?2 AND (counter < ?3 OR counter = 0 AND ?3 = 0)
        AND EXISTS (SELECT 1 FROM devices WHERE devices.id = ?1 AND devices.state = 'active')"""


def of_device(transaction: Transaction, device: str) -> dict[str, Biometrics]:
    return _by_device(transaction.execute(f"{_WITH_PERSON} WHERE device = ?", device))


def of_person(transaction: Transaction, person: PersonKey | None) -> dict[str, Biometrics]:
    """None: everybody's."""
    whose = None if person is None else str(person)
    return _by_device(transaction.execute(f"{_WITH_PERSON} WHERE ?1 IS NULL OR person = ?1", whose))


def _by_device(found: Iterable[sqlite3.Row]) -> dict[str, Biometrics]:
    states: dict[str, dict[str, Credential]] = {}
    for row in found:
        states.setdefault(row["device"], {})[row["state"]] = rows.credential(row)
    return {device: Biometrics(each.get("active"), each.get("waiting")) for device, each in states.items()}


def keep(transaction: Transaction, credential: Credential, *, at: float) -> bool:
    row = transaction.execute(
        "SELECT person FROM devices WHERE id = ? AND state IN ('pending', 'active')", credential.device
    ).fetchone()
    if row is None or transaction.execute("SELECT 1 FROM credentials WHERE id = ?", credential.id).fetchone():
        return False  # an authenticator makes a new id each time: this one was sent before, by whomever
    transaction.execute("DELETE FROM credentials WHERE device = ? AND state = 'waiting'", credential.device)
    transaction.execute(
        "INSERT INTO credentials (device, state, id, public_key, counter, mark, synced, since)"
        " VALUES (?, 'waiting', ?, ?, ?, ?, ?, ?)",
        credential.device,
        credential.id,
        credential.public_key,
        credential.counter,
        credential.mark,
        int(credential.synced),
        credential.since,
    )
    octets = base64.urlsafe_b64encode(credential.public_key).decode().rstrip("=")
    key = key_of(credential)
    added = events.BiometricsAdded(row["person"], credential.device, key, octets, credential.synced)
    _tell(transaction, row["person"], added, at=at)
    return True


def confirm(
    transaction: Transaction, device: str, mark: bytes, *, right: bool, limit: int, by: str, at: float
) -> Confirmation:
    row = transaction.execute(
        f"{_WITH_PERSON} WHERE device = ? AND credentials.state = 'waiting' AND mark = ?"
        " AND devices.state = 'active'",
        device,
        mark,
    ).fetchone()
    if row is None:
        return "not_pending"
    if right:
        activate(transaction, device, mark, by=by, at=at)
        whose = transaction.execute("SELECT * FROM devices WHERE id = ?", device).fetchone()
        telling.tell(transaction, rows.device(whose).person, "credential_added", rows.device(whose), at)
        return "confirmed"
    wrong = row["wrong_codes"] + 1
    given_up = wrong >= limit
    if given_up:
        transaction.execute("DELETE FROM credentials WHERE device = ? AND state = 'waiting'", device)
    else:
        transaction.execute(
            "UPDATE credentials SET wrong_codes = ? WHERE device = ? AND state = 'waiting'", wrong, device
        )
    key = key_of(rows.credential(row))
    _tell(
        transaction,
        row["person"],
        events.BiometricsNotConfirmed(row["person"], device, key, wrong, given_up),
        at=at,
    )
    return "given_up" if given_up else "wrong"


def activate(transaction: Transaction, device: str, mark: bytes, *, by: str, at: float) -> None:
    """The one of this mark that waits is the one that counts, in place of an earlier one."""
    row = transaction.execute(
        f"{_WITH_PERSON} WHERE device = ? AND credentials.state = 'waiting' AND mark = ?", device, mark
    ).fetchone()
    if row is None:
        return
    transaction.execute("DELETE FROM credentials WHERE device = ? AND state = 'active'", device)
    transaction.execute(
        "UPDATE credentials SET state = 'active', wrong_codes = 0 WHERE device = ? AND state = 'waiting'",
        device,
    )
    transaction.execute("UPDATE devices SET biometrics_missed = 0 WHERE id = ?", device)
    confirmed = events.BiometricsConfirmed(row["person"], device, key_of(rows.credential(row)), by)
    _tell(transaction, row["person"], confirmed, at=at)


def forget(transaction: Transaction, device: str, *, by: str, at: float, missed: bool) -> bool:
    row = transaction.execute(
        "SELECT devices.*, EXISTS (SELECT 1 FROM credentials WHERE device = devices.id) AS any_there,"
        " EXISTS (SELECT 1 FROM credentials WHERE device = devices.id AND state = 'active') AS one_counts"
        " FROM devices WHERE id = ?",
        device,
    ).fetchone()
    if row is None or not (row["any_there"] or (row["biometrics_missed"] and not missed)):
        return False
    transaction.execute("DELETE FROM credentials WHERE device = ?", device)
    stays = missed and (row["one_counts"] or row["biometrics_missed"])
    transaction.execute("UPDATE devices SET biometrics_missed = ? WHERE id = ?", int(bool(stays)), device)
    _tell(transaction, row["person"], events.BiometricsRemoved(row["person"], device, by), at=at)
    return True


def guarded(transaction: Transaction, person: PersonKey) -> bool:
    return transaction.execute(_GUARDED, str(person)).fetchone() is not None


def use(transaction: Transaction, device: str, assertion: Assertion) -> bool:
    return transaction.execute(_USE, device, assertion.credential, assertion.counter).rowcount > 0


def count(transaction: Transaction, device: str, assertion: Assertion) -> None:
    """It was used for an answer that is written."""
    transaction.execute(
        "UPDATE credentials SET counter = ? WHERE device = ? AND state = 'active' AND id = ?",
        assertion.counter,
        device,
        assertion.credential,
    )


def key_of(credential: Credential) -> str:
    """How the evidence calls it."""
    return hashlib.sha256(credential.public_key).hexdigest()


def _tell(transaction: Transaction, person: str, event: Event, *, at: float) -> None:
    """Adding or replacing a credential is an enrolment: the one place from which the person hears of it."""
    transaction.write(at, event)
    transaction.ring(person_topic(person))
