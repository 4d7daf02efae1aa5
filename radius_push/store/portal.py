"""In the store: sign-ins to the page for people's own phones, and who is signed in there."""

from __future__ import annotations

import sqlite3

from radius_push.events import Event
from radius_push.model import Assertion, PersonKey
from radius_push.portal_store import (
    IDLE_SECONDS,
    MOST_SESSIONS,
    WHOLE_SECONDS,
    KeptDevice,
    Opening,
    PortalSession,
    PortalSignIn,
    SignInState,
)
from radius_push.shapes import RingLimit
from radius_push.store import biometrics, rows
from radius_push.store.bells import person_topic
from radius_push.store.writer import Transaction

FETCH_SECONDS = 60.0
"""So long after its end an approved sign-in waits for its browser."""
_SEEN_AGAIN = 30.0
"""Seconds: a session that was seen so shortly before is not written."""

OF_PERSON = """
SELECT * FROM portal_sign_ins WHERE person = ?1 AND opened_at > ?2 AND state = 'pending' ORDER BY opened_at
"""
CAME_TO_NOTHING = (
    "SELECT count(*) AS many FROM portal_sign_ins"
    " WHERE person = ?1 AND opened_at > ?2 AND state IN ('pending', 'denied')"
)
ANSWER = """
UPDATE portal_sign_ins SET state = ?3, device = ?2, answered_at = ?4
WHERE id = ?1 AND state = 'pending' AND expires_at > ?4
    AND EXISTS (SELECT 1 FROM devices WHERE devices.id = ?2 AND devices.state = 'active'
                AND devices.person = portal_sign_ins.person)
    AND (?5 IS NULL OR EXISTS (SELECT 1 FROM credentials
                WHERE credentials.device = ?2 AND credentials.state = 'active' AND credentials.id = ?5
                AND (counter < ?6 OR counter = 0 AND ?6 = 0)))
"""
SPEND = """
UPDATE portal_sign_ins SET state = 'spent'
WHERE id = ?1 AND browser = ?2 AND person = ?3 AND device = ?4 AND state = 'approved' AND expires_at > ?5
    AND EXISTS (SELECT 1 FROM devices
                WHERE devices.id = ?4 AND devices.state = 'active' AND devices.person = ?3)
"""
# A session lives as long as what stands behind it: the phone, or that there never was one.
ALIVE = """
SELECT * FROM portal_sessions AS session WHERE mark = ?1 AND opened_at > ?2 AND seen_at > ?3
    AND CASE WHEN device IS NULL
        THEN NOT EXISTS (SELECT 1 FROM persons WHERE persons.person = session.person)
        ELSE EXISTS (SELECT 1 FROM devices WHERE devices.id = session.device
                     AND devices.state = 'active' AND devices.person = session.person) END
"""
TOO_MANY = """
SELECT mark FROM portal_sessions WHERE person = ?1 ORDER BY opened_at DESC, mark LIMIT -1 OFFSET ?2
"""
KEPT = f"""
SELECT devices.*, {rows.LAST_ANSWER} AS answered_at,
    EXISTS (SELECT 1 FROM push_addresses WHERE push_addresses.device = devices.id) AS rung
FROM devices WHERE person = ?1 AND state != 'removed' ORDER BY created_at, id
"""  # noqa: S608  # our own words


def open_sign_in(
    transaction: Transaction, sign_in: PortalSignIn, *, mark: bytes, limit: RingLimit, event: Event
) -> Opening:
    person, at = str(sign_in.person), sign_in.opened_at
    if sign_ins_of(transaction, sign_in.person, now=at):
        return "one_waits"
    vain = transaction.execute(CAME_TO_NOTHING, person, at - limit.within).fetchone()
    if vain["many"] >= limit.unanswered:
        return "rung_too_often"
    transaction.execute(
        "INSERT INTO portal_sign_ins"
        " (id, person, account, page, address, nonce, browser, opened_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        sign_in.id,
        person,
        sign_in.account,
        sign_in.page,
        sign_in.address,
        sign_in.nonce,
        mark,
        at,
        sign_in.expires_at,
    )
    transaction.write(at, event)
    transaction.ring(person_topic(person))
    return "opened"


def sign_ins_of(transaction: Transaction, person: PersonKey, *, now: float) -> list[PortalSignIn]:
    found = map(_sign_in, transaction.execute(OF_PERSON, str(person), now - WHOLE_SECONDS))
    return [each for each in found if now < each.expires_at]


def read(transaction: Transaction, id: str) -> PortalSignIn | None:
    row = transaction.execute("SELECT * FROM portal_sign_ins WHERE id = ?", id).fetchone()
    return None if row is None else _sign_in(row)


def read_of(transaction: Transaction, mark: bytes) -> PortalSignIn | None:
    row = transaction.execute("SELECT * FROM portal_sign_ins WHERE browser = ?", mark).fetchone()
    return None if row is None else _sign_in(row)


def answer(
    transaction: Transaction,
    id: str,
    *,
    device: str,
    approve: bool,
    assertion: Assertion | None,
    at: float,
    event: Event,
) -> SignInState | None:
    state = SignInState.APPROVED if approve else SignInState.DENIED
    used = (assertion.credential, assertion.counter) if assertion else (None, None)
    if transaction.execute(ANSWER, id, device, state, at, *used).rowcount == 0:
        return None
    if assertion is not None:
        biometrics.count(transaction, device, assertion)
    transaction.write(at, event)
    answered = read(transaction, id)
    if answered is not None:
        transaction.ring(person_topic(str(answered.person)))
    return state


def begin(
    transaction: Transaction,
    mark: bytes,
    session: PortalSession,
    *,
    approved: str | None,
    browser: bytes,
    event: Event,
) -> bool:
    person, at = str(session.person), session.opened_at
    if approved is not None:
        spent = transaction.execute(SPEND, approved, browser, person, session.device, at - FETCH_SECONDS)
        if spent.rowcount == 0:
            return False
    elif session.device is not None:
        return False
    transaction.execute("DELETE FROM portal_sessions WHERE opened_at <= ?", at - WHOLE_SECONDS)
    transaction.execute(
        "INSERT INTO portal_sessions (mark, person, account, device, opened_at, seen_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        mark,
        person,
        session.account,
        session.device,
        at,
    )
    if find(transaction, mark, at=at) is None:  # a phone came meanwhile: then it is to be asked
        transaction.execute("DELETE FROM portal_sessions WHERE mark = ?", mark)
        return False
    for row in transaction.execute(TOO_MANY, person, MOST_SESSIONS).fetchall():
        transaction.execute("DELETE FROM portal_sessions WHERE mark = ?", row["mark"])
    transaction.write(at, event)
    return True


def find(transaction: Transaction, mark: bytes, *, at: float) -> PortalSession | None:
    row = transaction.execute(ALIVE, mark, at - WHOLE_SECONDS, at - IDLE_SECONDS).fetchone()
    return None if row is None else _session(row)


def must_be_seen(transaction: Transaction, mark: bytes, *, at: float) -> bool:
    row = transaction.execute("SELECT seen_at FROM portal_sessions WHERE mark = ?", mark).fetchone()
    return row is not None and at - row["seen_at"] > _SEEN_AGAIN


def see(transaction: Transaction, mark: bytes, *, at: float) -> PortalSession | None:
    found = find(transaction, mark, at=at)
    if found is not None:
        transaction.execute("UPDATE portal_sessions SET seen_at = ? WHERE mark = ?", at, mark)
    return found


def end(transaction: Transaction, mark: bytes, *, at: float, event: Event) -> bool:
    if transaction.execute("DELETE FROM portal_sessions WHERE mark = ?", mark).rowcount == 0:
        return False
    transaction.write(at, event)
    return True


def note_invitation(
    transaction: Transaction, mark: bytes, *, invitation: str | None, device: str | None
) -> None:
    transaction.execute(
        "UPDATE portal_sessions SET invitation = ?2, device = coalesce(device, ?3) WHERE mark = ?1",
        mark,
        invitation,
        device,
    )


def kept_devices_of(transaction: Transaction, person: PersonKey) -> list[KeptDevice]:
    return [
        KeptDevice(rows.device(row), row["answered_at"], rung=bool(row["rung"]))
        for row in transaction.execute(KEPT, str(person))
    ]


def rename(
    transaction: Transaction, id: str, *, name: str, person: PersonKey | None, at: float, event: Event
) -> bool:
    renamed = transaction.execute(
        "UPDATE devices SET name = ?2"
        " WHERE id = ?1 AND state != 'removed' AND name != ?2 AND person = coalesce(?3, person)"
        " RETURNING person",
        id,
        name,
        None if person is None else str(person),
    ).fetchall()
    if not renamed:
        return False
    transaction.write(at, event)
    transaction.ring(person_topic(renamed[0]["person"]))
    return True


def _sign_in(row: sqlite3.Row) -> PortalSignIn:
    return PortalSignIn(
        id=row["id"],
        person=PersonKey.parse(row["person"]),
        account=row["account"],
        page=row["page"],
        address=row["address"],
        nonce=row["nonce"],
        opened_at=row["opened_at"],
        expires_at=row["expires_at"],
        state=SignInState(row["state"]),
        device=row["device"],
    )


def _session(row: sqlite3.Row) -> PortalSession:
    return PortalSession(
        person=PersonKey.parse(row["person"]),
        account=row["account"],
        device=row["device"],
        opened_at=row["opened_at"],
        invitation=row["invitation"],
    )
