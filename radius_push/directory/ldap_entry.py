"""What an LDAP entry says about a person, read strictly; what cannot be read is never taken for absent."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from radius_push.dn import fold

_MAX_NAME = 256  # characters
_MAX_VALUES = 1000
_MAX_VALUE = 1024  # octets


class NotReadable(Exception):
    """The entry cannot be used as it is; the text says what to mend."""


@dataclass(frozen=True, slots=True)
class Attributes:
    values: Mapping[str, tuple[str, ...]]
    """Casefolded name -> values."""
    unread: frozenset[str]


def plain_name(username: str) -> str | None:
    """The name as the directory is asked for it (NFKC), or None: nobody is called so."""
    name = unicodedata.normalize("NFKC", username)
    if not name.strip() or len(name) > _MAX_NAME or any(unicodedata.category(c) == "Cc" for c in name):
        return None
    try:
        name.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return None
    return name


def escape(value: str) -> str:
    """A value for a search filter (RFC 4515, section 3): every octet but plain letters and digits."""
    return "".join(chr(o) if chr(o).isalnum() and o < 0x80 else f"\\{o:02x}" for o in value.encode())


def read_attributes(raw: Mapping[str, tuple[bytes, ...]], asked: Iterable[str]) -> Attributes:
    """The asked attributes. An attribute with an option (`cn;lang-de`) is a subtype of the plain one
    (RFC 4512, 2.5.2), so its values count; a range (`member;range=0-1499`) is a part, so it is unread."""
    wanted = {name.casefold() for name in asked}
    values: dict[str, list[str]] = {}
    unread = set()
    for description, octets in raw.items():
        name, *options = description.casefold().split(";")
        if name not in wanted:
            continue
        read = values.setdefault(name, [])
        if any(option.startswith("range=") for option in options) or len(read) + len(octets) > _MAX_VALUES:
            unread.add(name)
            continue
        try:
            read += [_text(value) for value in octets]
        except ValueError:
            unread.add(name)
    kept = {name: tuple(read) for name, read in values.items() if read and name not in unread}
    return Attributes(kept, frozenset(unread))


def _text(value: bytes) -> str:
    if len(value) > _MAX_VALUE:
        raise ValueError("too long")
    return value.decode()


def read_dn(dn: bytes) -> str:
    """Raises NotReadable."""
    try:
        text = dn.decode()
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise NotReadable("the entry's name is not UTF-8")
    return text


def read_id(raw: Mapping[str, tuple[bytes, ...]], attribute: str) -> str:
    """The one value of the id attribute, in one spelling. Raises NotReadable."""
    found = [values for name, values in raw.items() if name.casefold() == attribute.casefold()]
    if len(found) != 1 or len(found[0]) != 1:
        raise NotReadable(
            f"id_attribute: {attribute} is not readable (exactly one value is needed):"
            " let bind_dn read it, or name another id_attribute"
        )
    value = found[0][0]
    try:
        # MS-DTYP 2.3.4: the first three fields of an Active Directory GUID are little-endian.
        id = str(uuid.UUID(bytes_le=value)) if attribute.casefold() == "objectguid" else value.decode()
    except ValueError:
        raise NotReadable(f"id_attribute: {attribute} is no text that could name a person") from None
    if not id or len(id) > _MAX_NAME or not id.isprintable():
        raise NotReadable(f"id_attribute: {attribute} is no text that could name a person")
    return id.casefold() if attribute.casefold() == "entryuuid" else id


def own_spelling(raw: Mapping[str, tuple[bytes, ...]], attributes: Iterable[str], typed: str) -> str:
    """The directory's own spelling of the typed name: the value that equals it, else the only value of
    the first of these attributes that has one, else the name as typed."""
    for attribute in attributes:
        read = read_attributes(raw, [attribute]).values.get(attribute.casefold(), ())
        for value in read:
            if fold(value) == fold(typed):
                return value
        if len(read) == 1:
            return read[0]
    return typed
