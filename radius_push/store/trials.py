"""In the store: test requests that come from outside the server, and wait for one that rings."""

from __future__ import annotations

from radius_push.events import Event
from radius_push.model import Device, DeviceState, Trial
from radius_push.store import phones, push, rows
from radius_push.store.bells import POST
from radius_push.store.writer import Transaction


def ask(transaction: Transaction, trial: Trial, *, most: int, since: float, event: Event) -> bool:
    if not push.open_trial(transaction, trial, most=most, since=since, event=event):
        return False
    transaction.execute("UPDATE trials SET to_ring = 1 WHERE id = ?", trial.id)
    transaction.ring(POST)
    return True


def to_ring(transaction: Transaction, *, now: float) -> list[tuple[Trial, Device]]:
    """Handed out once, and not when their time is over."""
    found = transaction.execute("UPDATE trials SET to_ring = 0 WHERE to_ring = 1 RETURNING *").fetchall()
    read = [rows.trial(row) for row in found]
    asked = [(trial, phones.read(transaction, trial.device)) for trial in read if trial.expires_at > now]
    return [
        (trial, device)
        for trial, device in asked
        if device is not None and device.state is DeviceState.ACTIVE
    ]
