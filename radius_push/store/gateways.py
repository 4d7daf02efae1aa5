"""In the store: what was seen of the gateways, and which of them must seal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from radius_push.events import Latched, Unlatched
from radius_push.gateway import Series
from radius_push.model import Sighting, Stranger
from radius_push.store.writer import Transaction

MOST_SOURCES = 256
"""Of one client: the newest are kept."""
MOST_STRANGERS = 100


def keep_sightings(
    transaction: Transaction,
    sightings: Sequence[Sighting],
    strangers: Sequence[Stranger],
    series: Mapping[tuple[str, str], Sequence[Series]],
) -> None:
    for each in sightings:
        transaction.execute(
            "INSERT INTO sightings (client, source, first_at, last_at, sealed_at, unsealed_at, secret)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (client, source) DO UPDATE SET"
            # Another server may have heard it later than we did.
            " first_at = min(first_at, ?3), last_at = max(last_at, ?4),"
            " secret = iif(?5 >= coalesce(sealed_at, 0), coalesce(?7, secret), secret),"
            " sealed_at = max(coalesce(?5, sealed_at), coalesce(sealed_at, ?5)),"
            " unsealed_at = max(coalesce(?6, unsealed_at), coalesce(unsealed_at, ?6))",
            each.client,
            each.source,
            each.first_at,
            each.last_at,
            each.sealed_at,
            each.unsealed_at,
            each.secret,
        )
    for (client, source), those in series.items():
        transaction.execute(
            "UPDATE sightings SET series = ? WHERE client = ? AND source = ?",
            json.dumps([{**asdict(each), "whose": each.whose.hex()} for each in those]),
            client,
            source,
        )
    for client in {each.client for each in sightings}:
        transaction.execute(
            "DELETE FROM sightings WHERE client = ?1 AND source NOT IN"
            " (SELECT source FROM sightings WHERE client = ?1 ORDER BY last_at DESC LIMIT ?2)",
            client,
            MOST_SOURCES,
        )
    for stranger in strangers:
        transaction.execute(
            "INSERT INTO strangers (source, packets, first_at, last_at) VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT (source) DO UPDATE SET packets = packets + ?2, last_at = max(last_at, ?4)",
            stranger.source,
            stranger.packets,
            stranger.first_at,
            stranger.last_at,
        )
    if strangers:
        transaction.execute(
            "DELETE FROM strangers WHERE source NOT IN"
            " (SELECT source FROM strangers ORDER BY last_at DESC LIMIT ?)",
            MOST_STRANGERS,
        )


def sightings(transaction: Transaction) -> list[Sighting]:
    return [
        Sighting(
            client=row["client"],
            source=row["source"],
            first_at=row["first_at"],
            last_at=row["last_at"],
            sealed_at=row["sealed_at"],
            unsealed_at=row["unsealed_at"],
            secret=row["secret"],
            series=tuple(
                Series(**{**each, "whose": bytes.fromhex(each["whose"])})
                for each in json.loads(row["series"] or "[]")
            ),
        )
        for row in transaction.execute("SELECT * FROM sightings ORDER BY client, source")
    ]


def strangers(transaction: Transaction) -> list[Stranger]:
    return [
        Stranger(row["source"], row["packets"], row["first_at"], row["last_at"])
        for row in transaction.execute("SELECT * FROM strangers ORDER BY last_at DESC, source")
    ]


def latch(transaction: Transaction, client: str, source: str, *, at: float) -> bool:
    made = transaction.execute(
        "INSERT INTO latches (client, source, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", client, source, at
    )
    if made.rowcount == 0:
        return False
    transaction.write(at, Latched(client, source))
    return True


def unlatch(transaction: Transaction, client: str, source: str | None, *, by: str, at: float) -> int:
    gone = transaction.execute(
        "DELETE FROM latches WHERE client = ?1 AND source = coalesce(?2, source)", client, source
    )
    if gone.rowcount:
        transaction.write(at, Unlatched(client, source, gone.rowcount, by))
    return gone.rowcount


def latches(transaction: Transaction) -> list[tuple[str, str]]:
    found = transaction.execute("SELECT client, source FROM latches ORDER BY client, source")
    return [(row["client"], row["source"]) for row in found]
