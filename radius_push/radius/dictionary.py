"""What the numbers on the wire are called, and what type each has: the one door to pyrad."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyrad import dictionary as pyrad_dictionary
from pyrad import tools

Key = int | tuple[int, int]
"""An attribute's type, or (vendor id, vendor's type)."""

INTEGERS = {"byte": 1, "short": 2, "integer": 4, "signed": 4, "integer64": 8, "date": 4}
"""Octets of each kind of whole number (RFC 8044, section 3)."""
_IN_WORDS = {
    "ipaddr": "an IPv4 address",
    "ipv6addr": "an IPv6 address",
    "ipv6prefix": "an IPv6 prefix",
    "ifid": "an interface id (1:2:3:4)",
    "ether": "a MAC address",
    "abinary": "an Ascend filter",
}
_NUMBER = re.compile(r"-?[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One line of a dictionary."""

    name: str
    key: Key
    type: str
    tagged: bool
    """Carries a tag (RFC 2868): 24 bits are left of an integer."""
    hidden: bool
    """Encrypted with the shared secret: never shown, never taken from the settings."""
    values: Mapping[str, int]
    value_names: Mapping[int, str]

    def encode(self, text: str) -> bytes:
        """The octets of a value written as text. ValueError says why not, in words."""
        if self.type in INTEGERS:
            return self._encode_integer(text)
        if not text:
            raise ValueError("an empty value")
        if self.type == "string":
            return _encode_text(text)
        if self.type == "octets":
            return _encode_octets(text)
        return self._encode_other(text)

    def decode(self, octets: bytes) -> str:
        """A value as text. ValueError if the octets do not fit the type."""
        if self.type in INTEGERS:
            return self._decode_integer(octets)
        if self.type == "octets":
            return "0x" + octets.hex()
        if self.type == "string":
            text = octets.decode("utf-8")
            if has_control_character(text):
                raise ValueError("control characters in a text")
            return text
        try:
            decoded = tools.DecodeAttr(self.type, octets)
        except Exception as error:  # pyrad promises no list of what it raises
            raise ValueError(f"not {_IN_WORDS[self.type]}") from error
        return str(decoded)

    def _encode_integer(self, text: str) -> bytes:
        number = self.values.get(text)
        if number is None:
            if not _NUMBER.fullmatch(text):
                raise ValueError(f"{text!r} is neither a number nor one of its names{self._names_hint(text)}")
            number = int(text)
        try:
            return number.to_bytes(INTEGERS[self.type], "big", signed=self.type == "signed")
        except OverflowError as error:
            raise ValueError(f"{text} is out of range") from error

    def _decode_integer(self, octets: bytes) -> str:
        if len(octets) != INTEGERS[self.type]:
            raise ValueError("a number of the wrong length")
        number = int.from_bytes(octets, "big", signed=self.type == "signed")
        return self.value_names.get(number) or str(number)

    def _names_hint(self, text: str) -> str:
        near = difflib.get_close_matches(text, self.values, n=1)
        return f"; did you mean {near[0]!r}?" if near else ""

    def _encode_other(self, text: str) -> bytes:
        # A scope (`fe80::1%eth0`) means something on one machine only.
        if "%" in text or text != text.strip():
            raise ValueError(f"{text!r} is not {_IN_WORDS[self.type]}")
        try:
            return bytes(tools.EncodeAttr(self.type, text))
        except Exception as error:  # pyrad promises no list of what it raises
            raise ValueError(f"{text!r} is not {_IN_WORDS[self.type]}") from error


class Dictionary:
    """Attributes by name and by number."""

    def __init__(self, attributes: Mapping[str, Attribute]) -> None:
        self._by_name = dict(attributes)
        # Of two names for one number the later one is shown, as in pyrad.
        self._by_key = {attribute.key: attribute for attribute in attributes.values()}

    def named(self, name: str) -> Attribute | None:
        """By its exact name, without a tag."""
        return self._by_name.get(name)

    def keyed(self, key: Key) -> Attribute | None:
        return self._by_key.get(key)

    def nearest(self, name: str) -> str | None:
        """The name somebody may have meant."""
        folded = {known.casefold(): known for known in self._by_name}
        near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.75)
        return folded[near[0]] if near else None

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)


def load_dictionary(folder: Path | None = None) -> Dictionary:
    """Read the file `dictionary` in `folder` (FreeRADIUS's format) and what it includes.

    Without a folder: the one that lies in the installed package, else the repository's.
    OSError if it can't be read, pyrad's ParseError if it is written wrongly.
    """
    if folder is None:
        package = Path(__file__).resolve().parent.parent
        installed = package / "dictionaries"
        folder = installed if installed.is_dir() else package.parent / "dictionaries"
    read = pyrad_dictionary.Dictionary(str(folder / "dictionary"))
    # TLVs (RFC 6929) are shown as octets: no gateway of ours needs more.
    return Dictionary(
        {
            name: _attribute(read, found)
            for name, found in read.attributes.items()
            if not found.is_sub_attribute and found.type != "tlv"
        }
    )


def has_control_character(text: str) -> bool:
    """Unicode category Cc: nobody types one, and a log line must not hold one."""
    # What is printable holds none: that is nearly every text there is, and much quicker to see.
    return not text.isprintable() and any(unicodedata.category(letter) == "Cc" for letter in text)


def _attribute(read: pyrad_dictionary.Dictionary, found: pyrad_dictionary.Attribute) -> Attribute:
    code: int = found.code
    key: Key = (int(read.vendors.GetForward(found.vendor)), code) if found.vendor else code
    whole = found.type in INTEGERS
    signed = found.type == "signed"
    values = {
        str(name): int.from_bytes(octets, "big", signed=signed)
        for name, octets in found.values.forward.items()
        if whole
    }
    return Attribute(
        name=str(found.name),
        key=key,
        type=str(found.type),
        tagged=bool(found.has_tag),
        hidden=bool(found.encrypt),
        values=values,
        value_names={number: name for name, number in values.items()},
    )


def _encode_text(text: str) -> bytes:
    if has_control_character(text):
        raise ValueError("control characters in a text")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("not a text") from error


def _encode_octets(text: str) -> bytes:
    """`0x6f75` are octets; anything else is its own UTF-8, as Class `OU=staff;` needs it."""
    if not text.startswith("0x"):
        return _encode_text(text)
    if not re.fullmatch(r"0x(?:[0-9a-fA-F]{2})+", text, re.ASCII):
        raise ValueError(f"{text!r} is not 0x and pairs of hexadecimal digits")
    return bytes.fromhex(text[2:])
