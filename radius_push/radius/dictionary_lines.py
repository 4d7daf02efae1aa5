"""Dictionary files, line by line, in FreeRADIUS's format: what they name, and all that is wrong with them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from radius_push.radius.dictionary import INTEGERS, TYPES, Attribute, Dictionary, Key
from radius_push.shapes import DictionaryLine

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+/-]{0,127}")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,16}|-?[0-9]{1,20}", re.ASCII)
_OID = re.compile(r"[0-9]+(?:\.[0-9]+)+", re.ASCII)
# What has an inside of its own goes as octets: no gateway of ours needs more (RFC 6929, section 3).
_ALSO = dict.fromkeys(("tlv", "vsa", "extended", "long-extended"), "octets") | {
    "text": "string",
    "bool": "byte",
    "uint8": "byte",
    "uint16": "short",
    "uint32": "integer",
    "uint64": "integer64",
    "int32": "signed",
    "comboip": "combo-ip",
}
_FLAGS = frozenset({"has_tag", "encrypt", "secret", "concat", "array", "virtual", "internal"})
_OF_FREERADIUS_4 = frozenset(
    {"PROTOCOL", "BEGIN-PROTOCOL", "END-PROTOCOL", "ENUM", "STRUCT", "MEMBER", "DEFINE", "ALIAS"}
)
_WORDS = ("ATTRIBUTE", "VALUE", "VENDOR", "BEGIN-VENDOR", "END-VENDOR", "$INCLUDE")


@dataclass(frozen=True, slots=True)
class DictionaryMistake:
    """What is wrong with a line, and how to mend it."""

    line: DictionaryLine
    column: int
    """From 1."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Merged:
    """A dictionary with the lines of more files."""

    dictionary: Dictionary
    mistakes: tuple[DictionaryMistake, ...]
    """What they say is left out."""
    unnamed: int
    """Attributes that are shown by number only: they lie inside others, or their vendor has a format of its
    own."""


class _Wrong(Exception):
    """A line can't be used; `word` is what to look at."""

    def __init__(self, word: str, sentence: str) -> None:
        self.word = word
        super().__init__(sentence)


def merge(known: Dictionary, lines: Iterable[DictionaryLine]) -> Merged:
    """What is known already, and what these lines add. Saying the same again is no mistake."""
    reader = _Reader(known)
    for line in lines:
        reader.read(line)
    return reader.merged()


@dataclass(frozen=True, slots=True)
class _Vendor:
    name: str
    number: int
    plain: bool
    """One octet of type, one of length (RFC 2865, section 5.26)."""


class _Reader:
    def __init__(self, known: Dictionary) -> None:
        self._by_name = {each.name.casefold(): each for each in known}
        self._by_key = {each.key: each for each in known}
        self._ours = frozenset(self._by_key)
        self._vendors: dict[str, _Vendor] = {}
        self._open: _Vendor | None = None
        self._in_tlv = 0
        self._unnamed: set[str] = set()
        self._values: list[tuple[DictionaryLine, list[str]]] = []
        self._mistakes: list[DictionaryMistake] = []

    def read(self, line: DictionaryLine) -> None:
        words = line.text.split("#", 1)[0].split()
        if not words:
            return
        try:
            self._meaning(line, words)
        except _Wrong as wrong:
            self._note(line, wrong)

    def merged(self) -> Merged:
        """Values come last: they may stand before their attribute."""
        added: dict[str, dict[str, int]] = {}
        for line, words in self._values:
            try:
                self._value(words, added)
            except _Wrong as wrong:
                self._note(line, wrong)
        for name, values in added.items():
            self._by_name[name] = _with_values(self._by_name[name], values)
        return Merged(Dictionary(self._by_name.values()), tuple(self._mistakes), len(self._unnamed))

    def _note(self, line: DictionaryLine, wrong: _Wrong) -> None:
        found = re.search(rf"(?<!\S){re.escape(wrong.word)}", line.text)
        self._mistakes.append(DictionaryMistake(line, found.start() + 1 if found else 1, str(wrong)))

    def _meaning(self, line: DictionaryLine, words: list[str]) -> None:
        match words[0].upper(), words[1:]:
            case "ATTRIBUTE", [name, number, type, *flags] if len(flags) < 2:
                self._attribute(line, name, number, type, flags[0] if flags else "")
            case "VALUE", [_, _, _]:
                self._values.append((line, words))
            case "VENDOR", [name, number, *format] if len(format) < 2:
                self._vendor(name, number, format[0] if format else "format=1,1")
            case "BEGIN-VENDOR", [name, *format] if len(format) < 2:
                self._begin_vendor(name, extended=bool(format))
            case "END-VENDOR", [name]:
                if self._open is None or self._open.name != name.casefold():
                    raise _Wrong(name, f"{name} was not begun; write BEGIN-VENDOR {name} above")
                self._open = None
            case "BEGIN-TLV", [_]:
                self._in_tlv += 1
            case "END-TLV", [_]:
                self._in_tlv = max(0, self._in_tlv - 1)
            case word, _:
                raise _Wrong(words[0], _not_a_line(word))

    def _vendor(self, name: str, number: str, format: str) -> None:
        if not _NAME.fullmatch(name):
            raise _Wrong(name, _BAD_NAME)
        if not re.fullmatch(r"format=[124],[012](,c)?", format):
            raise _Wrong(format, "no format; write nothing, or format=1,1")
        made = _Vendor(name.casefold(), _number(number, 1, (1 << 32) - 1), format == "format=1,1")
        before = self._vendors.setdefault(made.name, made)
        if before.number != made.number:
            raise _Wrong(number, f"vendor {name} has the number {before.number} already; take another name")

    def _begin_vendor(self, name: str, *, extended: bool) -> None:
        found = self._vendors.get(name.casefold())
        if found is None:
            raise _Wrong(name, f"no vendor is called {name} here; write VENDOR {name} NUMBER above")
        # RFC 6929, section 2.4: attributes inside an extended one.
        self._open = replace(found, plain=found.plain and not extended)

    def _attribute(self, line: DictionaryLine, name: str, number: str, type: str, flags: str) -> None:
        vendor = self._open
        if flags and flags.casefold() in self._vendors:  # as files of old name it
            vendor, flags = self._vendors[flags.casefold()], ""
        if not _NAME.fullmatch(name) or name.casefold().startswith("attr-"):
            raise _Wrong(name, _BAD_NAME)
        named = _flags(flags)
        if _OID.fullmatch(number) or self._in_tlv or (vendor is not None and not vendor.plain):
            self._unnamed.add(name.casefold())
            return
        bare = type.split("[", 1)[0].casefold()
        bare = _ALSO.get(bare, bare)
        if bare not in TYPES:
            raise _Wrong(type, f"no type that is known{_near(bare, sorted(TYPES))}")
        code = _number(number, 0 if vendor else 1, 255)
        key: Key = code if vendor is None else (vendor.number, code)
        hidden = bool({"encrypt", "secret"} & named)
        self._add(
            Attribute(
                name,
                key,
                bare,
                tagged="has_tag" in named,
                hidden=hidden,
                values={},
                value_names={},
                split="concat" in named,
                where=f"{line.file}:{line.number}",
            ),
            number,
        )

    def _add(self, made: Attribute, number: str) -> None:
        """The same again is no mistake, nor is a second name for a number of theirs: it is shown by the
        later one."""
        before, of_number = self._by_name.get(made.name.casefold()), self._by_key.get(made.key)
        if before is None and of_number is not None and made.key in self._ours:
            raise _Wrong(
                number,
                f"{_shown(made.key)} is {of_number.name} already ({of_number.where}); use that name",
            )
        if before is not None and (before.key, before.type, before.tagged) != (
            made.key,
            made.type,
            made.tagged,
        ):
            tagged = ", tagged" if before.tagged else ""
            raise _Wrong(
                made.name,
                f"{before.name} is {_shown(before.key)}, {before.type}{tagged}, already ({before.where}); "
                "remove this line, or take another name",
            )
        # What one line hides no other line shows.
        hidden = made.hidden or (of_number is not None and of_number.hidden)
        for each in (of_number, before or made):
            if each is not None:
                self._by_name[each.name.casefold()] = self._by_key[each.key] = replace(each, hidden=hidden)

    def _value(self, words: list[str], added: dict[str, dict[str, int]]) -> None:
        _, of, name, written = words
        attribute = self._by_name.get(of.casefold())
        if attribute is None:
            if of.casefold() in self._unnamed:
                return
            raise _Wrong(of, f"no attribute is called {of}; write its ATTRIBUTE line, or remove this one")
        if attribute.type == "octets":
            return  # FreeRADIUS takes them, and nothing could be shown by them
        if attribute.type not in INTEGERS:
            raise _Wrong(of, f"{attribute.name} is no number ({attribute.type}); its values have no names")
        bits = 8 * INTEGERS[attribute.type]
        signed = attribute.type == "signed"
        number = _number(written, -(1 << (bits - 1)) if signed else 0, (1 << (bits - signed)) - 1)
        before = attribute.values.get(name, added.get(attribute.name.casefold(), {}).get(name))
        if before not in (None, number):
            raise _Wrong(name, f"{name} of {attribute.name} is {before} already; take another name")
        if before is None:
            added.setdefault(attribute.name.casefold(), {})[name] = number


_BAD_NAME = "not the name of an attribute or vendor: letters, digits and _.+/-, and Attr- begins none"


def _with_values(attribute: Attribute, values: dict[str, int]) -> Attribute:
    """Of two names for one number the first is shown."""
    shown = dict(attribute.value_names)
    for name, number in values.items():
        shown.setdefault(number, name)
    return replace(attribute, values={**attribute.values, **values}, value_names=shown)


def _number(written: str, least: int, most: int) -> int:
    number = int(written, 16 if written[:2] in ("0x", "0X") else 10) if _NUMBER.fullmatch(written) else None
    if number is None or not least <= number <= most:
        raise _Wrong(written, f"must be a whole number from {least} to {most}")
    return number


def _flags(written: str) -> frozenset[str]:
    named = frozenset(flag.partition("=")[0] for flag in written.split(",") if flag)
    for flag in sorted(named - _FLAGS):
        raise _Wrong(flag, f"no flag that is known, nor a vendor{_near(flag, sorted(_FLAGS))}")
    return named


def _shown(key: Key) -> str:
    return f"number {key}" if isinstance(key, int) else f"number {key[1]} of vendor {key[0]}"


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean '{near[0]}'?" if near else f"; there are: {', '.join(known)}"


def _not_a_line(word: str) -> str:
    shapes = {
        "ATTRIBUTE": "ATTRIBUTE NAME NUMBER TYPE, and flags like has_tag,encrypt=2",
        "VALUE": "VALUE ATTRIBUTE NAME NUMBER",
        "VENDOR": "VENDOR NAME NUMBER",
        "BEGIN-VENDOR": "BEGIN-VENDOR NAME",
        "END-VENDOR": "END-VENDOR NAME",
    }
    if word in shapes:
        return f"write {shapes[word]}"
    if word in _OF_FREERADIUS_4:
        return f"{word} is of FreeRADIUS 4; take the dictionary of FreeRADIUS 3"
    return f"no line of a dictionary begins so{_near(word, _WORDS)}"
