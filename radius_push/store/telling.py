"""In the store: what a person is told of their phones. It is written with what it tells of, so that nothing
that changes a phone can forget to tell."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import get_args

from radius_push import events
from radius_push.events import Event
from radius_push.model import Device, PersonKey
from radius_push.notices import AlertKind, Mail, Notice, NoticeKind
from radius_push.store.bells import POST, person_topic
from radius_push.store.writer import Transaction

MOST_NOTICES = 20
"""Of one device; the oldest give way."""
MOST_MAILS = 2_000
"""That wait. More are given up, with evidence: a mail server that is down must not fill the disk."""
MOST_MAILS_OF_ONE = 20
"""Of one person."""
MOST_ALERTS_OF_ONE = 100
"""To administrators, about one person."""
_BY_MAIL_ALONE = frozenset({"device_removed"})


def tell(
    transaction: Transaction,
    person: PersonKey,
    kind: NoticeKind,
    device: Device,
    at: float,
    *,
    did_it: str | None = None,
) -> None:
    """The person's other active devices get a notice, and the person a mail if their address is known.

    `did_it`: the device in whose app it was done just now; it knows, and is told only where nobody else is:
    whoever borrowed an unlocked phone must not add one of their own unseen. Called in the transaction of what
    it tells of.
    """
    row = transaction.execute("SELECT address FROM mail_addresses WHERE person = ?", str(person)).fetchone()
    if kind not in _BY_MAIL_ALONE:
        told = _notify(transaction, person, kind, device, at=at, but=did_it)
        if not told and row is None and did_it is not None:
            _notify(transaction, person, kind, device, at=at, but=None)
    if row is not None:
        _mail(transaction, person, kind, device, address=row["address"], at=at)
    transaction.ring(POST)


def _notify(
    transaction: Transaction,
    person: PersonKey,
    kind: NoticeKind,
    device: Device,
    *,
    at: float,
    but: str | None,
) -> bool:
    """Is there any that was told?"""
    others = transaction.execute(
        "SELECT id FROM devices WHERE person = ? AND state = 'active' AND id NOT IN (?, ?)",
        str(person),
        device.id,
        device.id if but is None else but,
    ).fetchall()
    for other in others:
        transaction.execute(
            "INSERT INTO notices (device, person, kind, about, name, at) VALUES (?, ?, ?, ?, ?, ?)",
            other["id"],
            str(person),
            kind,
            device.id,
            device.name,
            at,
        )
        transaction.execute(
            "DELETE FROM notices WHERE device = ?1 AND id NOT IN"
            " (SELECT id FROM notices WHERE device = ?1 ORDER BY id DESC LIMIT ?2)",
            other["id"],
            MOST_NOTICES,
        )
    if others:
        transaction.ring(person_topic(person))
    return bool(others)


def alert(
    transaction: Transaction,
    kind: AlertKind,
    *,
    to: Sequence[str],
    person: PersonKey,
    username: str,
    about: str,
    name: str,
    at: float,
    login_address: str | None = None,
) -> None:
    """Administrators get a mail. Called in the transaction of what it tells of."""
    for address in to:
        mail = Mail(0, person, username, address, kind, about, name, at, 0, login_address)
        _write(transaction, mail, of_one=MOST_ALERTS_OF_ONE, kinds=get_args(AlertKind))
    if to:
        transaction.ring(POST)


def _mail(
    transaction: Transaction, person: PersonKey, kind: NoticeKind, device: Device, *, address: str, at: float
) -> None:
    mail = Mail(0, person, device.username, address, kind, device.id, device.name, at, 0)
    _write(transaction, mail, of_one=MOST_MAILS_OF_ONE, kinds=get_args(NoticeKind))


def _write(transaction: Transaction, mail: Mail, *, of_one: int, kinds: Sequence[str]) -> None:
    """It waits to be sent. `kinds`: those that are counted with it, so that neither a person's mails nor the
    administrators' keep the others from being written."""
    waiting = transaction.execute("SELECT person, kind FROM mails LIMIT ?", MOST_MAILS).fetchall()
    person = str(mail.person)
    theirs = sum(1 for row in waiting if row["person"] == person and row["kind"] in kinds)
    if len(waiting) >= MOST_MAILS or theirs >= of_one:
        why = f"{len(waiting)} mails wait already, {theirs} of them theirs"
        transaction.write(mail.at, events.MailGivenUp(person, mail.kind, mail.about, 0, why))
        return
    transaction.execute(
        "INSERT INTO mails (person, username, address, kind, about, name, at, due, login_address)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)",
        person,
        mail.username,
        mail.address,
        mail.kind,
        mail.about,
        mail.name,
        mail.at,
        mail.login_address,
    )


# --- on phones -------------------------------------------------------------------------------------------


def notices_of(transaction: Transaction, device: str) -> list[Notice]:
    found = transaction.execute("SELECT * FROM notices WHERE device = ? ORDER BY id", device)
    return [_notice(row) for row in found]


def to_ring(transaction: Transaction) -> list[Notice]:
    """Handed out once: it is only a tap on the shoulder, and the open app shows it all the same."""
    found = transaction.execute("UPDATE notices SET rung = 1 WHERE rung = 0 RETURNING *").fetchall()
    return [_notice(row) for row in sorted(found, key=lambda row: int(row["id"]))]


def dismiss(transaction: Transaction, notice: str, *, device: str) -> bool:
    gone = transaction.execute(
        "DELETE FROM notices WHERE CAST(id AS TEXT) = ? AND device = ? RETURNING person", notice, device
    ).fetchall()
    for row in gone:
        transaction.ring(person_topic(row["person"]))
    return bool(gone)


def _notice(row: sqlite3.Row) -> Notice:
    person = PersonKey.parse(row["person"])
    return Notice(str(row["id"]), row["device"], person, row["kind"], row["about"], row["name"], row["at"])


# --- by mail ---------------------------------------------------------------------------------------------


def write_to(transaction: Transaction, person: PersonKey, address: str) -> None:
    """From now on they are written to there."""
    transaction.execute(
        "INSERT INTO mail_addresses VALUES (?1, ?2) ON CONFLICT (person) DO UPDATE SET address = ?2",
        str(person),
        address,
    )


def to_send(transaction: Transaction, *, at: float, until: float, most: int) -> Sequence[Mail]:
    """`due` goes to `until` in the same statement: another server finds none of them due."""
    found = transaction.execute(
        "UPDATE mails SET due = ?1, tries = tries + 1"
        " WHERE id IN (SELECT id FROM mails WHERE due <= ?2 ORDER BY due, id LIMIT ?3) RETURNING *",
        until,
        at,
        most,
    ).fetchall()
    return [_mail_of(row) for row in sorted(found, key=lambda row: int(row["id"]))]


def put_off(transaction: Transaction, mail: Mail, *, until: float) -> None:
    transaction.execute("UPDATE mails SET due = ? WHERE id = ?", until, mail.id)


def done(transaction: Transaction, mail: Mail, *, at: float, event: Event) -> None:
    if transaction.execute("DELETE FROM mails WHERE id = ?", mail.id).rowcount:
        transaction.write(at, event)


def _mail_of(row: sqlite3.Row) -> Mail:
    return Mail(
        id=row["id"],
        person=PersonKey.parse(row["person"]),
        username=row["username"],
        address=row["address"],
        kind=row["kind"],
        about=row["about"],
        name=row["name"],
        at=row["at"],
        tries=row["tries"],
        login_address=row["login_address"],
    )
