"""One log line per evidence event: logfmt, `accepted login=K7F2QX client=fw1 username=alice ...`, or JSON."""

from __future__ import annotations

import json
import logging
import re
from typing import Literal

from radius_push import events
from radius_push.events import Event
from radius_push.observe.json_line import json_line

logger = logging.getLogger("radius_push")

LONGEST = 8000
"""Characters of a line of text."""
_PLAIN = re.compile(r"[\w.:/@+,-]+")
_LEVELS: dict[type, int] = {
    events.Contested: logging.CRITICAL,
    events.Rejected: logging.WARNING,
    events.Unanswered: logging.WARNING,
    events.ConfirmationFailed: logging.WARNING,
    events.PhonesForgotten: logging.WARNING,
    events.Latched: logging.WARNING,
    events.Unlatched: logging.WARNING,
    events.Abandoned: logging.WARNING,
    events.ClockTrusted: logging.WARNING,
    events.SettingsRefused: logging.WARNING,
    events.Shown: logging.DEBUG,
    events.PushReceived: logging.DEBUG,
    events.Sent: logging.DEBUG,
}
_LEFT_OUT = {"payload", "signature"}
"""What is long and of use only as evidence."""
_LEFT_OUT_OF_TEXT = _LEFT_OUT | {"arrived_at", "last_at", "packet"}


def set_up(*, level: int = logging.INFO, form: Literal["text", "json"] = "text") -> None:
    """Log lines go to standard error; journald and friends add what they add.

    What libraries have to say is bounded and written in the same form, from warnings on.
    """
    formatter = JsonLines() if form == "json" else TextLines()
    ours, theirs = logging.StreamHandler(), logging.StreamHandler()
    theirs.setLevel(logging.WARNING)
    for handler in (ours, theirs):
        handler.setFormatter(formatter)
    logger.handlers[:] = [ours]
    logger.setLevel(level)
    logger.propagate = False
    logging.getLogger().handlers[:] = [theirs]


def log_event(at: float, event: Event) -> None:
    """Write the event's line. `at` is in the evidence; the log has its own clock."""
    refused = isinstance(event, events.Rang) and event.outcome == "refused"  # something has to be mended
    level = logging.WARNING if refused else _LEVELS.get(type(event), logging.INFO)
    if logger.isEnabledFor(level):
        logger.log(level, "%s", line(event), extra={"event": event})


def line(event: Event) -> str:
    """The event as one line; what is empty is left out."""
    words = [events.kind(event)]
    for name, value in events.fields(event).items():
        if name in _LEFT_OUT_OF_TEXT or value is None or value == "" or value == ():
            continue
        words.append(f"{name}={_text(value)}")
    return " ".join(words)


class TextLines(logging.Formatter):
    """`time LEVEL message`. A traceback stands below its line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  its name in `logging`
        message = record.message if len(record.message) <= LONGEST else f"{record.message[:LONGEST]}…"
        record.message = _escaped(message)
        return super().formatMessage(record)


class JsonLines(logging.Formatter):
    """One JSON object a line: `time`, `level`, `kind`, then the event's fields, or `logger` and `message`."""

    def format(self, record: logging.LogRecord) -> str:
        event, told = getattr(record, "event", None), dict[str, object]()
        if event is None:
            kind, told = "message", {"logger": record.name, "message": record.getMessage()}
            if record.exc_info:
                told["exception"] = self.formatException(record.exc_info)
        else:
            kind = events.kind(event)
            told = {k: v for k, v in events.fields(event).items() if k not in _LEFT_OUT}
        return json_line(at=record.created, level=record.levelname.lower(), kind=kind, fields=told)


def _text(value: object) -> str:
    text = "; ".join(_item(item) for item in value) if isinstance(value, tuple | list) else str(value)
    # JSON's quotes escape line ends and control characters: nobody writes a second log line by their name.
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=not text.isprintable())


def _item(item: object) -> str:
    return "=".join(str(part) for part in item) if isinstance(item, tuple | list) else str(item)


def _escaped(text: str) -> str:
    """Printable characters as they are, all others as Python writes them in quotes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
