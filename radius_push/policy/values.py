"""What a policy's value fits: exactly, with `*`, by a regular expression, or as a group's name.

Texts compare as LDAP compares them, without regard to case. On an attribute that holds distinguished
names both sides are parsed first, `*` stays within one part, and a regular expression sees the canonical
form of `dn.normal`: lower case, no spaces around commas, a comma inside a value written as `\\2c`.
Regular expressions are RE2's (no back-references, linear time) and must fit the whole value.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any

import re2

from radius_push import dn
from radius_push.shapes import Value

LONGEST_PATTERN = 256
"""Characters of a regular expression or a wildcard."""
LONGEST_VALUE = 1024
"""Octets of a value, written or read."""
_REGEX_MEMORY = 1 << 20


@dataclass(frozen=True, slots=True)
class Subject:
    """A value of a person or a request, ready to be compared."""

    value: str
    """As it was read."""
    folded: str
    written: str
    """What a regular expression sees."""


@dataclass(frozen=True, slots=True)
class Exactly:
    shown: str
    folded: str

    def fits(self, subject: Subject) -> bool:
        return subject.folded == self.folded


@dataclass(frozen=True, slots=True)
class Like:
    """A wildcard: RE2 over folded text."""

    shown: str
    expression: Any = field(repr=False, compare=False)

    def fits(self, subject: Subject) -> bool:
        return self.expression.fullmatch(subject.folded) is not None


@dataclass(frozen=True, slots=True)
class Regex:
    shown: str
    expression: Any = field(repr=False, compare=False)

    def fits(self, subject: Subject) -> bool:
        return self.expression.fullmatch(subject.written) is not None


@dataclass(frozen=True, slots=True)
class Group:
    """A bare group name on a DN attribute: the directory says which group carries it."""

    shown: str


Pattern = Exactly | Like | Regex | Group


class BadValue(ValueError):
    """A value that no rule can be made of. Its text is the sentence for the admin."""


def subject(value: str, *, is_dn: bool) -> Subject | None:
    """None: too long, or not the name it should be. The attribute then counts as not read."""
    if len(value) > LONGEST_VALUE or len(value.encode("utf-8", "surrogatepass")) > LONGEST_VALUE:
        return None
    if not is_dn:
        return Subject(value, dn.fold(value), unicodedata.normalize("NFKC", value))
    try:
        canonical = dn.normal(value)
    except ValueError:
        return None
    return Subject(value, canonical, canonical)


def pattern(value: Value, *, is_dn: bool) -> Pattern:
    """Prepare one value of a policy. Raises BadValue."""
    text = value.text
    if not text:
        raise BadValue("an empty value fits nothing; to say that an attribute is absent use none_of")
    match value.kind:
        case "exact":
            if len(text.encode("utf-8", "surrogatepass")) > LONGEST_VALUE:
                raise BadValue(f"longer than {LONGEST_VALUE} octets, which no value may be")
            return _exact_dn(text) if is_dn else Exactly(text, dn.fold(text))
        case "wildcard":
            _bound(text)
            return Like(text, _compile(_dn_wildcard(text) if is_dn else _wildcard(text), folded=True))
        case "regex":
            _bound(text)
            return Regex(f"/{text}/", _compile(unicodedata.normalize("NFC", text), folded=False))


def is_bare(value: Value) -> bool:
    """On a DN attribute: a group's name, not a distinguished name?"""
    return value.kind == "exact" and "=" not in value.text


def _bound(text: str) -> None:
    if len(text) > LONGEST_PATTERN:
        raise BadValue(f"longer than {LONGEST_PATTERN} characters; split it into several values")


def _exact_dn(text: str) -> Pattern:
    if "=" not in text:
        return Group(text)
    try:
        return Exactly(text, dn.normal(text))
    except ValueError as error:
        raise BadValue(f"{error}; write it as the directory shows it") from None


def _wildcard(text: str) -> str:
    # Folded piece by piece: NFKC must not turn another character into a star.
    return ".*".join(re2.escape(dn.fold(piece)) for piece in text.split("*"))


# Stands for `*` while the rest of a wildcard is brought into canonical form: an escaped star
# (`\2a`) becomes a plain one there and must stay itself.
_STAR = "\U000f0000"


def _dn_wildcard(text: str) -> str:
    if "=" not in text:
        raise BadValue("a name with * is no distinguished name; write CN=VPN-*,OU=Groups,DC=example,DC=com")
    if _STAR in text:
        raise BadValue("holds a character that is for private use")
    parts = (_part_wildcard(part.strip(" ")) for part in dn.split(text.replace("\\*", "\\2a"), ","))
    return ",".join(parts)


def _part_wildcard(part: str) -> str:
    if part == "*":
        return "[^,]*"
    try:
        canonical = dn.normal(part.replace("*", _STAR))
    except ValueError as error:
        raise BadValue(f"{error}; * stays within one part, between two commas") from None
    return "[^,]*".join(re2.escape(piece) for piece in canonical.split(_STAR))


def _compile(expression: str, *, folded: bool) -> Any:
    options = re2.Options()
    options.case_sensitive = folded
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = _REGEX_MEMORY
    try:
        return re2.compile(expression, options=options)
    except re2.error as error:
        why = error.args[0] if error.args else b""
        said = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
        raise BadValue(f"not a regular expression of RE2: {said}") from None
