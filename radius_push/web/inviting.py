"""How it stands with the phone that somebody's phone adds."""

from __future__ import annotations

from radius_push.factors.question import milliseconds
from radius_push.model import Device
from radius_push.ports import Store


class Inviting:
    """For all phones."""

    def __init__(self, store: Store, *, allowed: bool) -> None:
        self._store = store
        self.allowed = allowed

    async def state(self, device: Device, *, now: float) -> tuple[dict[str, object] | None, float | None]:
        """As the phone is told it, and when that changes by the clock alone (UTC seconds). None: it may
        not."""
        if not self.allowed:
            return None, None
        row = await self._store.invited_by(device.id)
        if row is None or (row.redeemed_by is None and now >= row.expires_at):
            return {"invitation": None, "phone": None, "expires_at": None}, None
        added = None if row.redeemed_by is None else await self._store.device(row.redeemed_by)
        told: dict[str, object] = {
            "invitation": row.id,
            "phone": None if added is None else added.name,
            "expires_at": milliseconds(row.expires_at),
        }
        return told, row.expires_at if added is None else None
