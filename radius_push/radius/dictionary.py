"""What the numbers on the wire are called, and what type each has: the one door to pyrad."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, ip_address

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
    "ipv4prefix": "an IPv4 prefix",
    "combo-ip": "an IPv4 or IPv6 address",
    "abinary": "an Ascend filter",
}
TYPES = frozenset({"string", "octets", *INTEGERS, *_IN_WORDS})
"""What a value can be."""
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
    split: bool = False
    """A value too long for one attribute goes on in the next ones (RFC 2865 5.18, RFC 4849 2)."""
    where: str = field(default="", compare=False)
    """`FILE:LINE` that says so."""

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
            decoded = _decode_address(self.type, octets) or tools.DecodeAttr(self.type, octets)
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
            return _encode_address(self.type, text) or bytes(tools.EncodeAttr(self.type, text))
        except Exception as error:  # pyrad promises no list of what it raises
            raise ValueError(f"{text!r} is not {_IN_WORDS[self.type]}") from error


class Dictionary:
    """Attributes by name and by number. Case does not count in a name."""

    def __init__(self, attributes: Iterable[Attribute]) -> None:
        self._by_name: dict[str, Attribute] = {}
        self._by_key: dict[Key, Attribute] = {}
        for attribute in attributes:
            self._by_name[attribute.name.casefold()] = attribute
            self._by_key[attribute.key] = attribute

    def named(self, name: str) -> Attribute | None:
        """By its name, without a tag."""
        return self._by_name.get(name.casefold())

    def keyed(self, key: Key) -> Attribute | None:
        return self._by_key.get(key)

    def nearest(self, name: str) -> str | None:
        """The name somebody may have meant."""
        near = difflib.get_close_matches(name.casefold(), self._by_name, n=1, cutoff=0.75)
        return self._by_name[near[0]].name if near else None

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)


def has_control_character(text: str) -> bool:
    """Unicode category Cc: nobody types one, and a log line must not hold one."""
    # What is printable holds none: that is nearly every text there is, and much quicker to see.
    return not text.isprintable() and any(unicodedata.category(letter) == "Cc" for letter in text)


def _encode_address(type: str, text: str) -> bytes:
    """What pyrad does not know (RFC 8044, section 3.11); nothing for another type."""
    match type:
        case "combo-ip":
            return ip_address(text).packed
        case "ipv4prefix":
            prefix = IPv4Network(text)
            return bytes((0, prefix.prefixlen)) + prefix.network_address.packed
    return b""


def _decode_address(type: str, octets: bytes) -> str:
    match type:
        case "combo-ip":
            return str(ip_address(octets))
        case "ipv4prefix" if len(octets) == 6:
            return str(IPv4Network((IPv4Address(octets[2:]), octets[1] & 0x3F), strict=False))
    return ""


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
