"""What policies ask of the packet: attributes that a request can show, and values as it shows them.

A condition that can never hold is a mistake: in a policy that refuses, it would let everybody by.
"""

from __future__ import annotations

from radius_push import shapes
from radius_push.dn import fold
from radius_push.radius.dictionary import Attribute, Dictionary
from radius_push.settings import gateways
from radius_push.settings.book import Book
from radius_push.settings.mistakes import Path


def check(book: Book, at: int, of: shapes.Policy, dictionary: Dictionary) -> None:
    """One policy's `request`."""
    if book.report.spoiled_within(gateways.DICTIONARIES):
        return
    seen: dict[str, str] = {}
    for condition in of.conditions:
        if not isinstance(condition, shapes.RequestCondition):
            continue
        where: Path = ("policies", at, "request", condition.attribute)
        known = dictionary.named(condition.attribute)
        first = seen.setdefault(fold(condition.attribute), condition.attribute)
        if first != condition.attribute:
            book.report.wrong(where, f"is {first} once more: case does not count", of_key=True)
        elif known is None:
            book.report.wrong(
                where,
                f"no RADIUS attribute is called so{_meant(condition.attribute, dictionary)}",
                of_key=True,
            )
        elif why := gateways.never_shown(known, dictionary):
            book.report.wrong(where, why, of_key=True)
        else:
            _values(book, where, known, condition.values)


def _values(book: Book, where: Path, known: Attribute, values: tuple[shapes.Value, ...]) -> None:
    for number, value in enumerate(values):
        why = _never_said(known, value.text) if value.kind == "exact" else ""
        if why:
            book.report.wrong((*where, number), why)


def _never_said(known: Attribute, text: str) -> str:
    """Why no value of this attribute is ever shown as this text; empty if one can be."""
    if fold(text) in map(fold, known.value_names.values()):
        return ""
    try:
        shown = known.decode(known.encode(text))
    except ValueError as error:
        return f"no value of {known.name} is shown so: {error}"
    return "" if fold(shown) == fold(text) else f"requests show it as {shown}; write that"


def _meant(name: str, dictionary: Dictionary) -> str:
    near = dictionary.nearest(name)
    return f", did you mean '{near}'?" if near else "; name a file that has it in server.dictionaries"
