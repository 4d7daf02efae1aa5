"""In the store: how fast devices are rung, and what they say of it. Nothing that lets anybody in is here."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from radius_push.events import PushReceived, Rang
from radius_push.store.bells import person_topic
from radius_push.store.writer import Transaction
from radius_push.waking import LAST_RINGS, Channel, Receipt, Ring, Speed


def begin(transaction: Transaction, rings: Iterable[Ring]) -> None:
    """Before a push service is asked, as a fast phone speaks sooner than a slow push service."""
    for ring in rings:
        transaction.execute(
            "INSERT INTO rings (device, channel, kind, about, login, began_at, since_request)"
            " SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM devices WHERE id = ?1 AND state = 'active'"
            " ON CONFLICT DO NOTHING",
            ring.device,
            ring.channel,
            ring.kind,
            ring.about,
            ring.login,
            ring.began_at,
            ring.since_request,
        )
        transaction.execute(
            "DELETE FROM rings WHERE device = ?1 AND channel = ?2 AND number <= (SELECT number FROM rings"
            " WHERE device = ?1 AND channel = ?2 ORDER BY number DESC LIMIT 1 OFFSET ?3)",
            ring.device,
            ring.channel,
            LAST_RINGS,
        )


def over(transaction: Transaction, rang: Rang, *, at: float) -> None:
    transaction.execute(
        "UPDATE rings SET delivered = ? WHERE device = ? AND channel = ? AND about = ?",
        rang.outcome == "delivered",
        rang.device,
        rang.channel,
        rang.question,
    )
    transaction.write(at, rang)


def receive(transaction: Transaction, receipt: Receipt, *, at: float) -> bool:
    column = f"{receipt.what}_at"
    found = transaction.execute(
        f"UPDATE rings SET {column} = ?1"  # noqa: S608  # one of two words
        f" WHERE device = ?2 AND channel = ?3 AND about = ?4 AND kind = ?5 AND {column} IS NULL"
        " AND EXISTS (SELECT 1 FROM devices WHERE id = ?2 AND state = 'active')"
        " RETURNING login, began_at, (SELECT person FROM devices WHERE id = ?2) AS person",
        at,
        receipt.device,
        receipt.channel,
        receipt.about,
        receipt.kind,
    ).fetchall()
    for row in found:
        event = PushReceived(
            login=row["login"],
            question=receipt.about,
            person=row["person"],
            device=receipt.device,
            channel=receipt.channel,
            push_kind=receipt.kind,
            what=receipt.what,
            milliseconds=_milliseconds(row["began_at"], at),
        )
        transaction.write(at, event)
        transaction.execute("UPDATE devices SET push_seen_at = ? WHERE id = ?", at, receipt.device)
        transaction.ring(person_topic(row["person"]))
    return bool(found)


def speed(transaction: Transaction, device: str | None) -> dict[str, dict[Channel, Speed]]:
    """By device id and channel, of those that were rung."""
    taken: dict[tuple[str, Channel], list[int]] = {}
    said: dict[tuple[str, Channel], list[int]] = {}
    for row in transaction.execute(
        "SELECT * FROM rings WHERE ?1 IS NULL OR device = ?1 ORDER BY device, channel DESC", device
    ):
        key = (row["device"], row["channel"])
        rings, receipts = taken.setdefault(key, []), said.setdefault(key, [])
        if row["delivered"] or row["received_at"] is not None:
            rings.append(row["since_request"])
        if row["received_at"] is not None:
            receipts.append(_milliseconds(row["began_at"], row["received_at"]))
    found: dict[str, dict[Channel, Speed]] = {}
    for (id, channel), rings in taken.items():
        receipts = said[id, channel]
        found.setdefault(id, {})[channel] = Speed(
            _median(rings), len(rings), _median(receipts), len(receipts)
        )
    return found


def _milliseconds(since: float, at: float) -> int:
    """Two servers' clocks, or one that was set back, may differ a little."""
    return max(0, round((at - since) * 1000))


def _median(values: list[int]) -> int | None:
    return round(median(values)) if values else None
