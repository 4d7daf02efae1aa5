"""One message as FCM takes it (HTTP v1, projects.messages:send), for Android and for iPhones behind Firebase.

For Android it holds data alone: then the app's own code runs, also while the app is closed, and writes the
notification in the phone's language. An iPhone shows nothing for data alone, so there Apple is handed an
alert whose sentences lie in the app, under the same keys as by `apns`.
"""

from __future__ import annotations

import json
import math
from typing import Any

from radius_push.model import Secret
from radius_push.push.message import Kind, Message

LONGEST = 4096
"""Octets: what FCM takes."""
LONGEST_KEPT = 28 * 86400.0
"""Seconds that FCM keeps a message."""
DRY_TOPIC = "radius-push-doctor"
"""Nobody listens to it, and nothing is sent to it: it stands where a token would."""


def message_for(token: Secret, message: Message, *, seconds: float) -> bytes:
    """JSON. `seconds`: how long it is worth anything."""
    to = {"token": token.reveal().decode()}
    data = message.for_app()
    made = _message(
        to, data, kind=message.kind, topic=message.topic, until=message.expires_at, seconds=seconds
    )
    return _json({"message": made})


def dry_message(token: Secret | None, *, now: float, seconds: float) -> bytes:
    """A message that FCM checks and throws away."""
    to = {"topic": DRY_TOPIC} if token is None else {"token": token.reveal().decode()}
    data = {"kind": "test", "id": "doctor"}
    made = _message(to, data, kind="test", topic=DRY_TOPIC, until=now + seconds, seconds=seconds)
    return _json({"validate_only": True, "message": made})


def _message(
    to: dict[str, str], data: dict[str, str], *, kind: Kind, topic: str, until: float, seconds: float
) -> dict[str, Any]:
    words = f"RADIUS_PUSH_{kind.upper()}"
    kept = math.floor(min(max(0.0, seconds), LONGEST_KEPT) * 10) / 10
    return {
        **to,
        "data": data,
        "android": {"priority": "HIGH", "ttl": f"{kept:.1f}s", "collapse_key": topic},
        "apns": {
            "headers": {
                "apns-push-type": "alert",
                "apns-priority": "10",
                "apns-expiration": str(int(until)),
                "apns-collapse-id": topic,
            },
            "payload": {
                "aps": {
                    "alert": {"title-loc-key": f"{words}_TITLE", "loc-key": f"{words}_BODY"},
                    "category": words,
                    "sound": "default",
                    "mutable-content": 1,
                }
            },
        },
    }


def _json(made: dict[str, Any]) -> bytes:
    return json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode()
