"""Distinguished names, read as a directory reads them: by their parts, not by their letters.

Source: RFC 4514 (the string form) and RFC 4518 (what counts as the same value). Two names are the same
when their parts are: case, spaces around separators, the way a character is escaped and the order inside
a multi-valued part do not matter. Everything here raises ValueError for what is not a name.
"""

from __future__ import annotations

import re
import unicodedata

Part = tuple[tuple[str, str], ...]
"""One relative name: attribute type (lower case, the short name where there is one) and plain value."""

# The short names of RFC 4514, section 3, by what else people and directories write for them.
_SHORT = {
    "commonname": "cn", "2.5.4.3": "cn",
    "localityname": "l", "2.5.4.7": "l",
    "stateorprovincename": "st", "2.5.4.8": "st",
    "organizationname": "o", "2.5.4.10": "o",
    "organizationalunitname": "ou", "2.5.4.11": "ou",
    "countryname": "c", "2.5.4.6": "c",
    "streetaddress": "street", "2.5.4.9": "street",
    "domaincomponent": "dc", "0.9.2342.19200300.100.1.25": "dc",
    "userid": "uid", "0.9.2342.19200300.100.1.1": "uid",
}  # fmt: skip
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")
_HEX = re.compile(r"#((?:[0-9A-Fa-f]{2})+)")
_HEX_PAIR = re.compile(r"[0-9A-Fa-f]{2}")
_MUST_BE_ESCAPED = '",;<>\x00'
_MAY_BE_ESCAPED = ' "#+,;<=>\\'
# Escaped in the canonical form, so that each separator in it separates.
_SPECIAL = set('",+;<=>\\\x00#')
_STRING_TAGS = {0x04, 0x0C, 0x13, 0x16}  # BER: OCTET STRING, UTF8String, PrintableString, IA5String


def fold(text: str) -> str:
    """The form in which texts of people and directories are compared: NFKC, then case-folded."""
    return unicodedata.normalize("NFKC", text).casefold()


def parse(dn: str) -> tuple[Part, ...]:
    """The parts of a name, the entry's own first. The empty name (the root) has none."""
    if not dn.strip(" "):
        return ()
    return tuple(_part(text) for text in split(dn, ","))


def normal(dn: str) -> str:
    """The canonical string: the same for the same name, and a comma in it only ever separates."""
    return ",".join(_written(part) for part in parse(dn))


def same(a: str, b: str) -> bool:
    """Do two strings name the same entry?"""
    return normal(a) == normal(b)


def under(dn: str, base: str) -> bool:
    """Does `dn` name `base` itself or an entry anywhere beneath it?"""
    parts, above = ([_written(part) for part in parse(name)] for name in (dn, base))
    return len(parts) >= len(above) and parts[len(parts) - len(above) :] == above


def first_rdn(dn: str) -> Part:
    """The entry's own part, `(("cn", "VPN Users"),)`; its value as a person would write it."""
    parts = parse(dn)
    if not parts:
        raise ValueError("the empty name has no first part")
    return parts[0]


def split(text: str, separator: str) -> list[str]:
    """Cut at each separator that no backslash escapes."""
    pieces, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == separator:
            pieces.append(text[start:at])
            start = at + 1
        at += 1
    return [*pieces, text[start:]]


def _part(text: str) -> Part:
    return tuple(sorted(_type_and_value(piece) for piece in split(text, "+")))


def _type_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    name = name.strip(" ")
    if name[:4].lower() == "oid.":
        name = name[4:]
    if not equals or not _TYPE.fullmatch(name):
        raise ValueError("not a distinguished name: each part is written type=value")
    name = name.lower()
    return _SHORT.get(name, name), _value(value)


def _value(text: str) -> str:
    """The plain value of what stands behind the equals sign (RFC 4514, section 2.4, backwards)."""
    text = text.lstrip(" ")
    if text.startswith("#"):
        return _from_hex(text.rstrip(" "))
    octets = bytearray()
    significant, at = 0, 0
    while at < len(text):
        if text[at] == "\\":
            escaped, at = _escaped(text, at + 1)
            octets += escaped
            significant = len(octets)
            continue
        if text[at] in _MUST_BE_ESCAPED:
            raise ValueError("not a distinguished name: a special character must be escaped")
        octets += text[at].encode()
        if text[at] != " ":
            significant = len(octets)
        at += 1
    return bytes(octets[:significant]).decode()


def _escaped(text: str, at: int) -> tuple[bytes, int]:
    if _HEX_PAIR.fullmatch(text, at, at + 2):
        return bytes.fromhex(text[at : at + 2]), at + 2
    if at < len(text) and text[at] in _MAY_BE_ESCAPED:
        return text[at].encode(), at + 1
    raise ValueError("not a distinguished name: a backslash escapes nothing")


def _from_hex(text: str) -> str:
    """`#04024869`: the BER encoding of the value. Texts become plain; the rest stays hexadecimal."""
    found = _HEX.fullmatch(text)
    if not found:
        raise ValueError("not a distinguished name: # begins a value in hexadecimal")
    octets = bytes.fromhex(found[1])
    if len(octets) >= 2 and octets[0] in _STRING_TAGS and octets[1] == len(octets) - 2 < 128:
        return octets[2:].decode()
    return text.lower()


def _written(part: Part) -> str:
    folded = ((name, " ".join(fold(value).split())) for name, value in part)
    return "+".join(f"{name}={_escape(value)}" for name, value in sorted(folded))


def _escape(value: str) -> str:
    return "".join(f"\\{ord(each):02x}" if each in _SPECIAL else each for each in value)
