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
    person = _person_of(transaction, address.device)
    if known is not None or person is None:
        return False
    # One browser or app that was added a second time: it is rung once, as the device that it is now. A
    # browser proves by a secret of its own that it is the same. An app's token proves nothing: it takes
    # nobody's away but its own person's, and an app with two people's accounts is rung for both.
    transaction.execute(
        "DELETE FROM push_addresses WHERE endpoint = ?1 AND channel = ?2 AND auth IS ?3 AND (auth IS NOT NULL"
        " OR device IN (SELECT id FROM devices WHERE person = ?4))",
        address.where,
        address.channel,
        keys[1],
        person,
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
    transaction.execute(
        "DELETE FROM gone_addresses WHERE device = ? AND channel = ?", address.device, address.channel
    )
    transaction.write(at, event)
    transaction.ring(person_topic(person))
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
    if only is None:
        transaction.execute("DELETE FROM gone_addresses WHERE device = ? AND channel = ?", device, channel)
    else:  # its push service said that it is no more, and the phone does not know that yet
        transaction.execute("INSERT OR REPLACE INTO gone_addresses VALUES (?, ?, ?)", device, channel, at)
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
        "SELECT id, channel, endpoint, push_seen_at FROM devices"
        " LEFT JOIN push_addresses ON push_addresses.device = devices.id"
        " WHERE state != 'removed' AND (?1 IS NULL OR id = ?1) ORDER BY channel DESC",
        device,
    )
    gone = _gone(transaction, device)
    reach: dict[str, PushReach] = {}
    for row in found:
        since = gone.get(row["id"], {})
        before = reach.get(row["id"])
        services, channels = ((), ()) if before is None else (before.services, before.channels)
        if row["channel"] is not None:
            services = (*services, _service(row["channel"], row["endpoint"]))
            channels = (*channels, row["channel"])
        latest = max(since.values(), default=None)
        reach[row["id"]] = PushReach(services, latest, row["push_seen_at"], channels, tuple(since))
    return reach


def _gone(transaction: Transaction, device: str | None) -> dict[str, dict[Channel, float]]:
    """By device id and channel, since when."""
    since: dict[str, dict[Channel, float]] = {}
    for row in transaction.execute(
        "SELECT * FROM gone_addresses WHERE ?1 IS NULL OR device = ?1 ORDER BY channel DESC", device
    ):
        since.setdefault(row["device"], {})[row["channel"]] = row["gone_at"]
    return since


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
