"""Reply values that are made of what the directory says: `{department}`, `{matched}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from radius_push.policy.values import LONGEST_VALUE, BadValue

SEPARATOR = ";"
"""What gateways part groups and pairs by; text around a hole that has one takes none from the hole."""
MATCHED = "matched"
"""`{matched}`: the value that the policy's first attribute condition fitted."""
_PIECE = re.compile(r"\{\{|\}\}|\{([A-Za-z][A-Za-z0-9._;-]*)\}|[{}]|[^{}]+")


@dataclass(frozen=True, slots=True)
class Hole:
    attribute: str
    """Casefolded."""


@dataclass(frozen=True, slots=True)
class Template:
    pieces: tuple[str | Hole, ...]

    @property
    def attributes(self) -> frozenset[str]:
        """Casefolded names of the attributes it needs; `{matched}` is none."""
        return frozenset(piece.attribute for piece in self.pieces if isinstance(piece, Hole)) - {MATCHED}

    @property
    def needs_matched(self) -> bool:
        return Hole(MATCHED) in self.pieces

    @property
    def begins(self) -> str:
        """The text before its first hole."""
        first = self.pieces[0] if self.pieces else ""
        return first if isinstance(first, str) else ""

    @property
    def constant(self) -> str | None:
        """The text itself, if it has no holes."""
        texts = [piece for piece in self.pieces if isinstance(piece, str)]
        return "".join(texts) if len(texts) == len(self.pieces) else None


class NotComputed(Exception):
    """A hole has no value, or several, or one that would say more than a value. The login is refused: it
    must not come in with other rights."""


def read(text: str) -> Template:
    """Read `staff-{department}`; `{{` and `}}` stand for the braces themselves. Raises BadValue."""
    pieces: list[str | Hole] = []
    for found in _PIECE.finditer(text):
        if found[1] is not None:
            pieces.append(Hole(found[1].casefold()))
        elif found[0] in ("{", "}"):
            raise BadValue(
                f"a lone {found[0]}; write {{attribute}}, or {found[0] * 2} for the character itself"
            )
        else:
            pieces.append(found[0][0] if found[0] in ("{{", "}}") else found[0])
    return Template(tuple(pieces))


def fill(template: Template, *, attributes: Mapping[str, tuple[str, ...]], matched: str | None) -> str:
    """The value to reply with. `attributes` by casefolded name. Raises NotComputed."""
    text, parted = "", any(isinstance(piece, str) and SEPARATOR in piece for piece in template.pieces)
    for piece in template.pieces:
        if isinstance(piece, str):
            text += piece
            continue
        value = _value(piece.attribute, attributes, matched)
        if parted and SEPARATOR in value:
            raise NotComputed(f"{{{piece.attribute}}} holds {SEPARATOR}, which parts what stands around it")
        text += value
    if text.startswith("0x") and not template.begins.startswith("0x"):
        # An attribute of octets would read it as digits, and so hold what no text may.
        raise NotComputed(f"{text[:40]!r} looks like octets in hexadecimal digits")
    return text


def _value(attribute: str, attributes: Mapping[str, tuple[str, ...]], matched: str | None) -> str:
    values = attributes.get(attribute, ())
    if attribute == MATCHED:
        values = () if matched is None else (matched,)
    if len(values) != 1:
        raise NotComputed(f"{{{attribute}}} has {len(values) or 'no'} values, and takes exactly one")
    if len(values[0].encode("utf-8", "surrogatepass")) > LONGEST_VALUE:
        raise NotComputed(f"{{{attribute}}} is longer than {LONGEST_VALUE} octets")
    return values[0]
