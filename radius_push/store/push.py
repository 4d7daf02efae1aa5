"""In the store: where closed phones are reached, and the test requests they asked for."""

from __future__ import annotations

from urllib.parse import urlsplit

from radius_push.events import Event
from radius_push.model import PersonKey, Trial
from radius_push.store import rows
from radius_push.store.bells import person_topic
from radius_push.store.writer import Transaction
from radius_push.waking import BrowserAddress, Channel, PushAddress, PushReach

_KEPT_SECONDS = 600.0
"""Test requests that are older are forgotten at the next one."""


def addresses_of(transaction: Transaction, person: PersonKey) -> list[PushAddress]:
    found = transaction.execute(
        "SELECT push_addresses.* FROM push_addresses JOIN devices ON devices.id = push_addresses.device"
        " WHERE devices.person = ? AND devices.state = 'active' ORDER BY devices.created_at, devices.id,"
        " push_addresses.channel",
        str(person),
    )
    return [rows.push_address(row) for row in found]


def keep(transaction: Transaction, address: PushAddress, *, at: float, event: Event) -> bool:
    keys: tuple[bytes, bytes] | tuple[None, None] = (None, None)
    if isinstance(address, BrowserAddress):
        keys = (address.p256dh, address.auth.reveal())
    known = transaction.execute(
        "SELECT 1 FROM push_addresses WHERE device = ? AND channel = ? AND endpoint = ?"
        " AND p256dh IS ? AND auth IS ?",
        address.device,
        address.channel,
        address.where,
        *keys,
    ).fetchone()
    if known is not None or _person_of(transaction, address.device) is None:
        return False
    # One browser or app that was added a second time: it is rung once, as the device that it is now.
    transaction.execute(
        "DELETE FROM push_addresses WHERE endpoint = ? AND channel = ? AND auth IS ?",
        address.where,
        address.channel,
        keys[1],
    )
    transaction.execute(
        "INSERT INTO push_addresses (device, channel, endpoint, p256dh, auth, since)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT (device, channel) DO UPDATE SET endpoint = ?3, p256dh = ?4, auth = ?5, since = ?6",
        address.device,
        address.channel,
        address.where,
        *keys,
        at,
    )
    transaction.execute("UPDATE devices SET push_gone_at = NULL WHERE id = ?", address.device)
    transaction.write(at, event)
    return True


def forget(
    transaction: Transaction, device: str, channel: Channel, *, only: str | None, at: float, event: Event
) -> bool:
    gone = transaction.execute(
        "DELETE FROM push_addresses WHERE device = ?1 AND channel = ?2 AND endpoint = coalesce(?3, endpoint)",
        device,
        channel,
        only,
    )
    if gone.rowcount == 0:
        return False
    # This one alone: its push service said that it is no more, and the phone does not know that yet.
    transaction.execute("UPDATE devices SET push_gone_at = ?2 WHERE id = ?1", device, only and at)
    transaction.write(at, event)
    if (person := _person_of(transaction, device)) is not None:
        transaction.ring(person_topic(person))
    return True


def seen(transaction: Transaction, device: str, *, at: float) -> None:
    transaction.execute("UPDATE devices SET push_seen_at = ? WHERE id = ?", at, device)
    if (person := _person_of(transaction, device)) is not None:
        transaction.ring(person_topic(person))


def reached(transaction: Transaction, device: str | None) -> dict[str, PushReach]:
    """By device id, of those that are not removed."""
    found = transaction.execute(
        "SELECT id, channel, endpoint, push_gone_at, push_seen_at FROM devices"
        " LEFT JOIN push_addresses ON push_addresses.device = devices.id"
        " WHERE state != 'removed' AND (?1 IS NULL OR id = ?1) ORDER BY channel DESC",
        device,
    )
    reach: dict[str, PushReach] = {}
    for row in found:
        services = reach[row["id"]].services if row["id"] in reach else ()
        if row["channel"] is not None:
            services = (*services, _service(row["channel"], row["endpoint"]))
        reach[row["id"]] = PushReach(services, row["push_gone_at"], row["push_seen_at"])
    return reach


def _service(channel: Channel, endpoint: str) -> str:
    return urlsplit(endpoint).hostname or channel if channel == "web_push" else channel


def open_trial(transaction: Transaction, trial: Trial, *, most: int, since: float, event: Event) -> bool:
    person = _person_of(transaction, trial.device)
    transaction.execute("DELETE FROM trials WHERE opened_at <= ?", trial.opened_at - _KEPT_SECONDS)
    opened = transaction.execute(
        "SELECT count(*) AS so_far FROM trials WHERE device = ? AND opened_at > ?", trial.device, since
    ).fetchone()
    if person is None or opened["so_far"] >= most:
        return False
    transaction.execute(
        "INSERT INTO trials (id, device, opened_at, expires_at) VALUES (?, ?, ?, ?)",
        trial.id,
        trial.device,
        trial.opened_at,
        trial.expires_at,
    )
    transaction.write(trial.opened_at, event)
    transaction.ring(person_topic(person))
    return True


def trials_of(transaction: Transaction, device: str, *, now: float) -> list[Trial]:
    found = transaction.execute(
        "SELECT * FROM trials WHERE device = ? AND answered_at IS NULL AND expires_at > ?"
        " ORDER BY opened_at, id",
        device,
        now,
    )
    return [rows.trial(row) for row in found]


def answer_trial(transaction: Transaction, trial: str, *, device: str, at: float, event: Event) -> bool:
    answered = transaction.execute(
        "UPDATE trials SET answered_at = ?1"
        " WHERE id = ?2 AND device = ?3 AND answered_at IS NULL AND expires_at > ?1",
        at,
        trial,
        device,
    )
    person = _person_of(transaction, device)
    if answered.rowcount == 0 or person is None:
        return False
    transaction.write(at, event)
    transaction.ring(person_topic(person))
    return True


def _person_of(transaction: Transaction, device: str) -> str | None:
    """Of an active device."""
    row = transaction.execute(
        "SELECT person FROM devices WHERE id = ? AND state = 'active'", device
    ).fetchone()
    return None if row is None else str(row["person"])
