"""In the store: which processes serve from it, and how often each of them counted what."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from radius_push.events import ServerStarted, ServerStopped
from radius_push.store.evidence import canonical
from radius_push.store.writer import Transaction


def started(transaction: Transaction, event: ServerStarted, *, at: float, names: Collection[str]) -> None:
    """`names`: of all the servers that there may be; what others counted is forgotten."""
    transaction.execute(
        "INSERT INTO servers (name, pid, started_at) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (name) DO UPDATE SET pid = ?2, started_at = ?3",
        event.server,
        event.pid,
        at,
    )
    others = canonical(sorted({*names} - {event.server}))
    transaction.execute("DELETE FROM tallies WHERE server NOT IN (SELECT value FROM json_each(?))", others)
    transaction.write(at, event)


def stopped(transaction: Transaction, event: ServerStopped, *, at: float) -> None:
    transaction.execute("DELETE FROM servers WHERE name = ?", event.server)
    transaction.write(at, event)


def serving(transaction: Transaction) -> dict[str, int]:
    """Name -> process, as each said when it started; one that was killed is still there."""
    found = transaction.execute("SELECT name, pid FROM servers ORDER BY started_at, name")
    return {row["name"]: row["pid"] for row in found}


def keep_tallies(transaction: Transaction, tallies: Mapping[tuple[str, str], int], *, server: str) -> None:
    transaction.execute("DELETE FROM tallies WHERE server = ?", server)
    for (client, counter), times in tallies.items():
        transaction.execute(
            "INSERT INTO tallies (server, client, counter, times) VALUES (?, ?, ?, ?)",
            server,
            client,
            counter,
            times,
        )


def tallies(transaction: Transaction) -> dict[tuple[str, str], int]:
    """Of all servers together."""
    found = transaction.execute(
        "SELECT client, counter, sum(times) AS times FROM tallies GROUP BY client, counter"
        " ORDER BY client, counter"
    )
    return {(row["client"], row["counter"]): row["times"] for row in found}
