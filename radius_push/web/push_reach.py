"""What a phone is told about being woken: is it rung while its app is closed, and when was it last?"""

from __future__ import annotations

from radius_push.factors.question import milliseconds
from radius_push.waking import PushReach


def shown(reach: PushReach | None) -> dict[str, object]:
    """As the stream carries it."""
    if reach is None:
        return {"state": "off", "seen_at": None}
    state = "gone" if reach.gone_at is not None else "off"
    return {
        "state": "on" if reach.services else state,
        "seen_at": None if reach.seen_at is None else milliseconds(reach.seen_at),
    }
