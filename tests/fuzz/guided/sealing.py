"""Random packets that get behind the seal: whatever a mutation broke, Length and seals are made right again.

Written without our own reader, so that a fault in it can't hide here.
"""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Callable

HEADER = 20
MOST = 4096
MESSAGE_AUTHENTICATOR = 80

Mutate = Callable[[bytes, int], bytes]
"""A mutation of octets that gives at most so many: libFuzzer's own."""


def where_sealed(octets: bytes) -> int | None:
    """Where the value of the first Message-Authenticator of 16 octets begins; None: there is none."""
    at = HEADER
    while at + 2 <= len(octets):
        type, length = octets[at], octets[at + 1]
        if length < 2 or at + length > len(octets):
            return None
        if type == MESSAGE_AUTHENTICATOR and length == 18:
            return at + 2
        at += length
    return None


def is_sealed(octets: bytes, *, secret: bytes, request_authenticator: bytes) -> bool:
    """Is its Message-Authenticator the one that who knows the secret would have made (RFC 3579 3.2)?"""
    at = where_sealed(octets)
    return at is not None and octets[at : at + 16] == _signature(octets, at, secret, request_authenticator)


def is_answer(octets: bytes, *, secret: bytes, request_authenticator: bytes) -> bool:
    """Is its Response Authenticator right (RFC 2865 section 3)?"""
    return octets[4:HEADER] == _response_authenticator(octets, secret, request_authenticator)


def reseal_request(datagram: bytes, secret: bytes) -> bytes:
    """The same with a Length and a Message-Authenticator that fit, as far as it has them."""
    if not HEADER <= len(datagram) <= MOST:
        return datagram
    octets = _with_length(datagram)
    at = where_sealed(octets)
    if at is None:
        return octets
    return octets[:at] + _signature(octets, at, secret, octets[4:HEADER]) + octets[at + 16 :]


def reseal_accounting(datagram: bytes, secret: bytes) -> bytes:
    """The same as an Accounting-Request with right seals (RFC 2866 section 3), as far as it has them."""
    if not HEADER <= len(datagram) <= MOST:
        return datagram
    octets = _with_length(datagram)
    at = where_sealed(octets)
    if at is not None:
        octets = octets[:at] + _signature(octets, at, secret, bytes(16)) + octets[at + 16 :]
    return octets[:4] + _response_authenticator(octets, secret, bytes(16)) + octets[HEADER:]


def reseal_reply(datagram: bytes, secret: bytes, request_authenticator: bytes, identifier: int) -> bytes:
    """The same as an answer to this request, as far as that can be."""
    if not HEADER <= len(datagram) <= MOST:
        return datagram
    octets = _with_length(datagram)
    octets = octets[:1] + bytes((identifier,)) + octets[2:]
    at = where_sealed(octets)
    if at is not None:
        octets = octets[:at] + _signature(octets, at, secret, request_authenticator) + octets[at + 16 :]
    answered = _response_authenticator(octets, secret, request_authenticator)
    return octets[:4] + answered + octets[HEADER:]


def shuffled(datagram: bytes, rng: random.Random, mutate: Mutate, most: int) -> bytes:
    """The datagram with one attribute more, less, twice, elsewhere, or with another value."""
    attributes = _split(datagram[HEADER:])
    if attributes is None or len(datagram) < HEADER:
        return mutate(datagram, most)
    at = rng.randrange(len(attributes) + 1)
    match rng.choice(("add", "vendor", "twice", "drop", "move", "change")):
        case "add":
            attributes.insert(at, bytes((rng.choice(WORTH_TRYING), 0)) + _short(rng))
        case "vendor":
            inside = bytes((rng.randrange(256), 0)) + _short(rng)
            vendor = rng.choice(VENDORS).to_bytes(4, "big")
            attributes.insert(at, bytes((26, 0)) + vendor + _with_own_length(inside))
        case "twice" if attributes:
            attributes.insert(at, rng.choice(attributes))
        case "drop" if attributes:
            del attributes[rng.randrange(len(attributes))]
        case "move" if attributes:
            attributes.insert(at, attributes.pop(rng.randrange(len(attributes))))
        case "change" if attributes:
            which = rng.randrange(len(attributes))
            value = mutate(attributes[which][2:] or b"\0", 253)
            attributes[which] = attributes[which][:2] + value
    changed = datagram[:HEADER] + b"".join(_with_own_length(attribute) for attribute in attributes)
    return changed[:most]


WORTH_TRYING = (
    1,
    2,
    3,
    4,
    6,
    8,
    18,
    24,
    25,
    26,
    31,
    32,
    33,
    60,
    64,
    66,
    69,
    77,
    79,
    80,
    81,
    95,
    97,
    241,
    250,
)
VENDORS = (0, 9, 311, 3076, 12356, 14988, 25461, 4242, 0xFFFFFFFF)


def _short(rng: random.Random) -> bytes:
    """A value of one of the lengths that something depends on."""
    return rng.randbytes(rng.choice((0, 1, 2, 4, 6, 8, 15, 16, 17, 18, 32, 50, 128, 144, 253)))


def _with_own_length(attribute: bytes) -> bytes:
    """Its second octet says how long it is."""
    cut = attribute[:255]
    return cut[:1] + bytes((len(cut),)) + cut[2:]


def _with_length(octets: bytes) -> bytes:
    return octets[:2] + len(octets).to_bytes(2, "big") + octets[4:]


def _split(octets: bytes) -> list[bytes] | None:
    """Each attribute with its two octets in front; None if the lengths do not add up."""
    found = []
    while octets:
        if len(octets) < 2 or not 2 <= octets[1] <= len(octets):
            return None
        found.append(octets[: octets[1]])
        octets = octets[octets[1] :]
    return found


def _signature(octets: bytes, at: int, secret: bytes, request_authenticator: bytes) -> bytes:
    unsigned = octets[:4] + request_authenticator + octets[HEADER:at] + bytes(16) + octets[at + 16 :]
    return hmac.new(secret, unsigned, hashlib.md5).digest()


def _response_authenticator(octets: bytes, secret: bytes, request_authenticator: bytes) -> bytes:
    return hashlib.md5(octets[:4] + request_authenticator + octets[HEADER:] + secret).digest()
