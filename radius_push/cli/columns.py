"""Rows under headings, in columns that grow no narrower while more rows come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from radius_push.cli.invitation import plain

LONGEST = 100
"""Characters of a cell; a stranger chooses what user name they type."""

Row = Sequence[str | None]


class Columns:
    """As wide as the headings and the rows so far ask for; nothing in a cell is shown as `-`."""

    def __init__(self, headings: Sequence[str], rows: Sequence[Row], *, least: Sequence[int] = ()) -> None:
        """`least`: widths for rows to come, of the first columns."""
        self._headings = headings
        self._rows = [[shown(cell) for cell in row] for row in rows]
        self._widths = [max(map(len, column)) for column in zip(headings, *self._rows, strict=True)]
        for number, width in enumerate(least):
            self._widths[number] = max(self._widths[number], width)

    def table(self) -> str:
        """The headings and the rows known at first."""
        return "\n".join(self.line(row) for row in [self._headings, *self._rows])

    def line(self, row: Row) -> str:
        cells = [shown(cell) for cell in row]
        self._widths = [max(len(cell), width) for cell, width in zip(cells, self._widths, strict=True)]
        padded = (cell.ljust(width) for cell, width in zip(cells, self._widths, strict=True))
        return "  ".join(padded).rstrip()


def shown(text: str | None, *, longest: int = LONGEST) -> str:
    """Text from elsewhere, fit for a terminal and not too long."""
    if not text:
        return "-"
    return plain(text if len(text) <= longest else f"{text[: longest - 1]}…")


def day_and_time(at: float | None) -> str | None:
    """`2026-09-21T14:13:20Z`."""
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
