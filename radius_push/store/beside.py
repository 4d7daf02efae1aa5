"""What else is known of a login: rows beside its story, which nobody waits for."""

from __future__ import annotations

from collections.abc import Iterable

from radius_push.events import Event, fields, kind
from radius_push.store.evidence import canonical
from radius_push.store.writer import Transaction


def add(transaction: Transaction, events: Iterable[tuple[float, Event]]) -> None:
    """Each with its time, and under the code that it names. One of a login that left no evidence would lead
    nowhere, and whoever makes many of those must fill no disk; one that is there already says nothing new."""
    for at, event in events:
        login, name, body = getattr(event, "login", None), kind(event), canonical(fields(event))
        there = transaction.execute(
            "SELECT count(*), sum(kind = ? AND body = ?) FROM evidence WHERE login = ?", name, body, login
        ).fetchone()
        if there[0] and not there[1]:
            transaction.write(at, event)
