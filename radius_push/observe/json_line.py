"""A log line for programs: one JSON object, ASCII, never longer than a line may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

LONGEST = 8192
"""Octets of a line, without its end."""
_BOUNDS = ((1000, 50), (200, 20), (40, 5))
"""Characters of a text and items of a list, the next pair when a line became too long."""
_TRACEBACK = 4
"""A traceback may be so many times longer than another text."""


def json_line(*, at: float, level: str, kind: str, fields: Mapping[str, object]) -> str:
    """`at`: UTC seconds. What is too long is cut, and ends with `…` or begins with it (a traceback)."""
    head: dict[str, object] = {"time": _time(at), "level": level, "kind": kind}
    for characters, items in _BOUNDS:
        told = {name: _bounded(name, value, characters, items) for name, value in fields.items()}
        line = json.dumps(head | told)
        if len(line) <= LONGEST:
            return line
    login = {"login": str(fields["login"])[:20]} if "login" in fields else {}
    return json.dumps(head | login | {"cut": "everything else was too long"})


def _bounded(name: str, value: object, characters: int, items: int) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case list() | tuple():
            kept = [_bounded(name, item, characters, items) for item in value[:items]]
            return kept if len(value) <= items else [*kept, f"… {len(value) - items} more"]
        case _ if name == "exception":
            return _end(str(value), characters * _TRACEBACK)
        case _:
            return _beginning(str(value), characters)


def _beginning(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _end(text: str, most: int) -> str:
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _time(at: float) -> str:
    """`2026-09-21T14:13:20.123Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
