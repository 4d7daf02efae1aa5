"""One log line per evidence event, in logfmt: `accepted login=K7F2QX client=fw1 username=alice ...`."""

from __future__ import annotations

import json
import logging
import re

from radius_push import events
from radius_push.events import Event

logger = logging.getLogger("radius_push")

_PLAIN = re.compile(r"[\w.:/@+,-]+")
_LEVELS: dict[type, int] = {
    events.Rejected: logging.WARNING,
    events.Unanswered: logging.WARNING,
    events.ConfirmationFailed: logging.WARNING,
    events.PhonesForgotten: logging.WARNING,
    events.Sent: logging.DEBUG,
}
_LEFT_OUT = {"payload", "signature"}
"""What is long and of use only as evidence."""


def set_up(*, level: int = logging.INFO) -> None:
    """Log lines go to standard error; journald and friends add what they add."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False


def log_event(at: float, event: Event) -> None:
    """Write the event's line. `at` is in the evidence; the log has its own clock."""
    logger.log(_LEVELS.get(type(event), logging.INFO), "%s", line(event))


def line(event: Event) -> str:
    """The event as one line; what is empty is left out."""
    words = [events.kind(event)]
    for name, value in events.fields(event).items():
        if name in _LEFT_OUT or value is None or value == "" or value == ():
            continue
        words.append(f"{name}={_text(value)}")
    return " ".join(words)


def _text(value: object) -> str:
    text = "; ".join(_item(item) for item in value) if isinstance(value, tuple | list) else str(value)
    # JSON's quotes escape line ends and control characters: nobody writes a second log line by their name.
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=not text.isprintable())


def _item(item: object) -> str:
    return "=".join(str(part) for part in item) if isinstance(item, tuple | list) else str(item)
