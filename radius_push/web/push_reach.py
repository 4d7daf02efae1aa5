"""What a phone is told about being woken: by which channels can it be, is it, and when was it last?"""

from __future__ import annotations

from radius_push.factors.question import milliseconds
from radius_push.push_shapes import Push
from radius_push.waking import CHANNELS, PushReach

_NOWHERE = PushReach((), None, None)


def shown(reach: PushReach | None) -> dict[str, object]:
    """As the stream carries it."""
    reach = reach or _NOWHERE
    channels = {channel: _state(channel in reach.channels, channel in reach.gone) for channel in CHANNELS}
    return {
        "state": _state(bool(reach.channels), bool(reach.gone)),
        "channels": channels,
        "seen_at": None if reach.seen_at is None else milliseconds(reach.seen_at),
    }


def apps(settings: Push) -> dict[str, object]:
    """Which apps of one's own this server rings: for whoever asks, so nothing that is secret."""
    apns, fcm = settings.apns, settings.fcm
    return {
        "apns": None if apns is None else {"topic": apns.topic, "environment": apns.environment},
        "fcm": None if fcm is None else {"project": fcm.project},
    }


def _state(on: bool, gone: bool) -> str:
    return "on" if on else "gone" if gone else "off"
