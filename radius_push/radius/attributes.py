"""Attributes between the wire and the words that policies, replies and logs use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from radius_push.radius.dictionary import Attribute, Dictionary, Key, has_control_character
from radius_push.radius.wire import MOST_VALUE, attribute, split_attributes

USER_NAME, USER_PASSWORD, CHAP_PASSWORD = 1, 2, 3
REPLY_MESSAGE, STATE, VENDOR_SPECIFIC, PROXY_STATE = 18, 24, 26, 33
CHAP_CHALLENGE, EAP_MESSAGE = 60, 79
NAS_FILTER_RULE = 92
MICROSOFT = 311
MS_CHAP_RESPONSE, MS_CHAP_ERROR, MS_CHAP_CHALLENGE = (MICROSOFT, 1), (MICROSOFT, 2), (MICROSOFT, 11)
MS_CHAP2_RESPONSE, MS_CHAP2_SUCCESS = (MICROSOFT, 25), (MICROSOFT, 26)
MS_MPPE_ENCRYPTION_POLICY, MS_MPPE_ENCRYPTION_TYPES = (MICROSOFT, 7), (MICROSOFT, 8)
MS_MPPE_SEND_KEY, MS_MPPE_RECV_KEY = (MICROSOFT, 16), (MICROSOFT, 17)
MOST_OF_A_VENDOR = MOST_VALUE - 6
"""Octets of a value inside Vendor-Specific."""
MOST_TAG = 0x1F

HIDDEN: frozenset[Key] = frozenset(
    {
        *(USER_PASSWORD, CHAP_PASSWORD, STATE, PROXY_STATE),
        *(
            60,
            69,
            70,
            74,
            EAP_MESSAGE,
            80,
            84,
        ),  # CHAP-Challenge, Tunnel-Password, ARAP, Message-Authenticator
        *((MICROSOFT, type) for type in (1, 2, 3, 4, 5, 6, 11, 12, 16, 17, 19, 20, 25, 26, 27)),
        (9, 249),  # Cisco-Subscriber-Password
    }
)
"""Proofs, keys and seals: no log, policy or reply ever holds one as text, whatever a dictionary says."""


def named_texts(
    attributes: Iterable[tuple[int, bytes]], dictionary: Dictionary
) -> dict[str, tuple[str, ...]]:
    """Name -> values as text, in order. Never fails: what is unknown, or does not fit its type, goes
    by its number (`Attr-250`, `Attr-26.9.7`) with its octets as `0x...` (RFC 6929 2.8)."""
    found: dict[str, list[str]] = {}
    for key, value in _with_vendors(attributes):
        known = dictionary.keyed(key)
        if key in HIDDEN or (known is not None and known.hidden) or _may_hold_a_proof(key, value):
            continue
        name, text = _name_and_text(key, value, known)
        found.setdefault(name, []).append(text)
    return {name: tuple(texts) for name, texts in found.items()}


def values_of(attributes: Iterable[tuple[int, bytes]], keys: Collection[Key]) -> dict[Key, list[bytes]]:
    """Those of these attributes that are there, vendors' own among them, in order."""
    found: dict[Key, list[bytes]] = {}
    for key, value in _with_vendors(attributes):
        if key in keys:
            found.setdefault(key, []).append(value)
    return found


def encode(name: str, text: str, dictionary: Dictionary, *, after: bytes = b"") -> bytes:
    """One value as it goes on the wire; `Tunnel-Type:1` gives a tag. ValueError says why not.

    A value too long for one attribute becomes several where its RFC allows that, cut between characters.
    `after` stands before the value, to part it from the one above.
    """
    bare, colon, tag = name.partition(":")
    known = dictionary.named(bare)
    if known is None:
        near = dictionary.nearest(bare)
        raise ValueError("no such attribute" + (f"; did you mean {near}?" if near else ""))
    if known.hidden:
        raise ValueError("it is secret, or hidden with the shared secret, and can't be given as text")
    value = after + _with_tag(known, known.encode(text), tag if colon else None)
    return b"".join(_on_the_wire(known.key, part) for part in _parts(known, value))


def reply_message(text: str, trace_code: str = "") -> bytes:
    """Reply-Message attributes for any text at all; control characters become spaces. The code ends them."""
    return b"".join(attribute(REPLY_MESSAGE, part) for part in _with_code(plain(text), trace_code))


def in_brackets(trace_code: str) -> bytes:
    """As it stands behind a text in whatever language; nothing without a code."""
    return b"(%s)" % trace_code.encode() if trace_code else b""


def _with_code(text: str, trace_code: str) -> list[bytes]:
    """At most 253 octets each (RFC 2865 5.18), and the code whole in the last one."""
    parts, code = list(split_text(text)), in_brackets(trace_code)
    if not code:
        return parts
    last = parts.pop() + b" " if parts else b""
    return [*parts, last + code] if len(last + code) <= MOST_VALUE else [*parts, last[:-1], code]


def plain(text: str) -> str:
    """The text with a space for each control character."""
    return "".join(" " if has_control_character(letter) else letter for letter in text)


def of_vendor(key: tuple[int, int], value: bytes) -> bytes:
    """One attribute of a vendor's own; ValueError over 247 octets."""
    vendor, vendor_type = key
    if len(value) > MOST_OF_A_VENDOR:
        raise ValueError(f"{len(value)} octets: at most {MOST_OF_A_VENDOR} fit")
    return attribute(VENDOR_SPECIFIC, vendor.to_bytes(4, "big") + attribute(vendor_type, value))


def split_text(text: str, most: int = MOST_VALUE) -> Iterator[bytes]:
    """UTF-8 in pieces of at most `most` (>= 4) octets, none of which cuts a character."""
    octets = text.encode("utf-8", "replace")
    while octets:
        end = min(most, len(octets))
        # 10xxxxxx goes on with a character that began earlier (RFC 3629 section 3).
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        yield octets[:end]
        octets = octets[end:]


def _with_vendors(attributes: Iterable[tuple[int, bytes]]) -> Iterator[tuple[Key, bytes]]:
    """Each attribute under its key; a Vendor-Specific one that can be read gives those inside."""
    for type, value in attributes:
        inside = split_attributes(value[4:]) if type == VENDOR_SPECIFIC else None
        if not inside:
            yield type, value
            continue
        vendor = int.from_bytes(value[:4], "big")
        for vendor_type, vendor_value in inside:
            yield (vendor, vendor_type), vendor_value


def _may_hold_a_proof(key: Key, value: bytes) -> bool:
    """A Vendor-Specific attribute whose lengths do not add up is shown whole: not so Microsoft's."""
    return key == VENDOR_SPECIFIC and value[:4] == MICROSOFT.to_bytes(4, "big")


def _name_and_text(key: Key, value: bytes, known: Attribute | None) -> tuple[str, str]:
    if known is not None:
        try:
            return known.name, known.decode(_without_tag(known, value))
        except ValueError:
            if known.type == "string":  # readable in some encoding, perhaps: it keeps its name
                return known.name, "0x" + value.hex()
    number = f"{VENDOR_SPECIFIC}.{key[0]}.{key[1]}" if isinstance(key, tuple) else str(key)
    return f"Attr-{number}", "0x" + value.hex()


def _without_tag(known: Attribute, value: bytes) -> bytes:
    """RFC 2868 section 3: a tag replaces an integer's first octet, and goes before a string."""
    if not (known.tagged and value):
        return value
    if known.type == "integer":
        return b"\0" + value[1:]
    return value[1:] if value[0] <= MOST_TAG else value


def _with_tag(known: Attribute, value: bytes, tag: str | None) -> bytes:
    if known.tagged and known.type == "integer" and value[0]:
        raise ValueError("out of range: a tagged number has 24 bits")
    if tag is None:
        return value
    if not known.tagged:
        raise ValueError("it takes no tag")
    if not (tag.isascii() and tag.isdigit() and len(tag) <= 2 and int(tag) <= MOST_TAG):
        raise ValueError(f"a tag is a number from 0 to {MOST_TAG}")
    number = bytes((int(tag),))
    return number + (value[1:] if known.type == "integer" else value)


def _parts(known: Attribute, value: bytes) -> Iterator[bytes]:
    most = MOST_VALUE - (0 if isinstance(known.key, int) else 6)
    if not known.split or known.tagged:
        return iter((value,))
    if known.type == "string":
        return split_text(value.decode("utf-8"), most)
    return (value[at : at + most] for at in range(0, len(value), most))


def _on_the_wire(key: Key, value: bytes) -> bytes:
    if isinstance(key, int):
        return attribute(key, value)
    return of_vendor(key, value)


Attributes = Mapping[str, tuple[str, ...]]
