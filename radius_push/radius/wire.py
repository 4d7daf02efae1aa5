"""A RADIUS packet as octets: its frame, its attributes, and the seals on it (RFC 2865 3, RFC 3579 3.2)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import IntEnum

from radius_push.model import Secret

HEADER = 20
AUTHENTICATOR = 16
MOST_OCTETS = 4096
MOST_VALUE = 253

MESSAGE_AUTHENTICATOR = 80
SIGNATURE = 16
SIGNED = 2 + SIGNATURE
"""Octets of a whole Message-Authenticator attribute."""


class Code(IntEnum):
    """What a packet is (RFC 2865 section 3)."""

    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCOUNTING_REQUEST = 4
    ACCOUNTING_RESPONSE = 5
    STATUS_SERVER = 12


class MalformedPacket(Exception):
    """The octets are not what RADIUS allows: drop them silently, and count."""


NAMES = {
    1: "Access-Request",
    2: "Access-Accept",
    3: "Access-Reject",
    4: "Accounting-Request",
    5: "Accounting-Response",
    11: "Access-Challenge",
    12: "Status-Server",
    13: "Status-Client",
    40: "Disconnect-Request",
    43: "CoA-Request",
}
"""What may arrive, by name (IANA RADIUS packet type codes; RFC 2865 3, RFC 2866 3, RFC 5176 2.3)."""


class NotServed(MalformedPacket):
    """A packet of a kind that is not answered here; whether it is whole was not looked at further."""

    def __init__(self, code: int, mend: str = "") -> None:
        """`mend`: where such packets belong."""
        self.accounting = code == Code.ACCOUNTING_REQUEST
        name = NAMES.get(code, f"code {code}")
        super().__init__(f"{name} is not answered here" + (f": {mend}" if mend else ""))


class NotAuthentic(Exception):
    """Nothing shows that who shares the secret sent this: drop it silently, and count."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet whose frame holds. Nothing in it is believed yet."""

    code: int
    identifier: int
    authenticator: bytes = field(repr=False)
    octets: bytes = field(repr=False)
    """Exactly Length octets: padding behind them is gone."""
    attributes: tuple[tuple[int, bytes], ...] = field(repr=False)
    """Type and value, in order."""

    def all(self, type: int) -> tuple[bytes, ...]:
        """Every value of one attribute, in order."""
        return tuple(value for found, value in self.attributes if found == type)

    def at_most_one(self, type: int) -> bytes | None:
        """The value of an attribute that may be there once (RFC 2865 5.44)."""
        found = self.all(type)
        if len(found) > 1:
            raise MalformedPacket(f"attribute {type} is there {len(found)} times")
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one packet may hold."""

    octets: int = MOST_OCTETS
    attributes: int = 256
    """More than any gateway sends, less than a packet of empty attributes could hold."""


RFC_BOUNDS = Bounds()


def open_packet(datagram: bytes, bounds: Bounds = RFC_BOUNDS) -> Packet:
    """Check the frame: 20 to 4096 octets, all that Length says, every attribute whole."""
    if len(datagram) < HEADER:
        raise MalformedPacket(f"{len(datagram)} octets: a packet has at least {HEADER}")
    length = int.from_bytes(datagram[2:4], "big")
    if not HEADER <= length <= bounds.octets:
        raise MalformedPacket(f"Length {length} is not {HEADER} to {bounds.octets}")
    if len(datagram) < length:
        raise MalformedPacket(f"{len(datagram)} octets arrived, Length says {length}")
    octets = bytes(datagram[:length])
    return Packet(octets[0], octets[1], octets[4:HEADER], octets, _attributes(octets, bounds))


def _attributes(octets: bytes, bounds: Bounds) -> tuple[tuple[int, bytes], ...]:
    found = split_attributes(octets[HEADER:])
    if found is None:
        raise MalformedPacket("an attribute's length does not fit")
    if len(found) > bounds.attributes:
        raise MalformedPacket(f"{len(found)} attributes: at most {bounds.attributes} are read")
    return found


def split_attributes(octets: bytes) -> tuple[tuple[int, bytes], ...] | None:
    """Type and value of each attribute in a row of them; None if the lengths do not add up."""
    found = []
    at = 0
    while at < len(octets):
        if len(octets) - at < 2:
            return None
        length = octets[at + 1]
        if length < 2 or at + length > len(octets):
            return None
        found.append((octets[at], octets[at + 2 : at + length]))
        at += length
    return tuple(found)


def attribute(type: int, value: bytes) -> bytes:
    """One attribute for the wire: ValueError over 253 octets."""
    if len(value) > MOST_VALUE:
        raise ValueError(f"{len(value)} octets: at most {MOST_VALUE} fit")
    return bytes((type, len(value) + 2)) + value


def is_signed(packet: Packet) -> bool:
    """Is there a Message-Authenticator? NotAuthentic if there are two, or it is no 16 octets."""
    signatures = packet.all(MESSAGE_AUTHENTICATOR)
    if len(signatures) > 1:
        raise NotAuthentic("more than one Message-Authenticator")
    if signatures and len(signatures[0]) != SIGNATURE:
        raise NotAuthentic("a Message-Authenticator of the wrong length")
    return bool(signatures)


def signature_is_right(packet: Packet, secret: Secret, *, request_authenticator: bytes) -> bool:
    """Does the one Message-Authenticator of a packet fit (RFC 3579 3.2)? Takes the same time anyhow."""
    unsigned, sent = bytearray(packet.octets[:HEADER]), b""
    for type, value in packet.attributes:
        if type == MESSAGE_AUTHENTICATOR:
            sent, value = value, bytes(SIGNATURE)
        unsigned += attribute(type, value)
    unsigned[4:HEADER] = request_authenticator
    return hmac.compare_digest(sent, _sign(bytes(unsigned), secret))


def seal_request(
    *,
    identifier: int,
    authenticator: bytes,
    secret: Secret,
    attributes: bytes,
    sign: bool,
    code: Code = Code.ACCESS_REQUEST,
) -> bytes:
    """An Access-Request (or a Status-Server), with Message-Authenticator as its first attribute if `sign`."""
    body = _room_for_signature(sign) + attributes
    packet = _header(code, identifier, body) + authenticator + body
    return _signed(packet, secret) if sign else packet


def seal_reply(
    code: Code,
    *,
    identifier: int,
    request_authenticator: bytes,
    secret: Secret,
    attributes: bytes,
    sign: bool = True,
    signed_over: bytes | None = None,
) -> bytes:
    """A reply with its Response Authenticator. Message-Authenticator comes first (BlastRADIUS,
    CVE-2024-3596): a forger can't then choose what stands before it.

    `signed_over`: what the Message-Authenticator is made with in place of the Request Authenticator."""
    body = _room_for_signature(sign) + attributes
    packet = _header(code, identifier, body) + (signed_over or request_authenticator) + body
    packet = _signed(packet, secret) if sign else packet
    return packet[:4] + response_authenticator(packet, request_authenticator, secret) + packet[HEADER:]


def is_sealed_accounting(packet: Packet, secret: Secret) -> bool:
    """Is the Request Authenticator of an Accounting-Request right (RFC 2866 section 3)?"""
    return hmac.compare_digest(
        packet.authenticator, response_authenticator(packet.octets, bytes(AUTHENTICATOR), secret)
    )


def seal_accounting(*, identifier: int, secret: Secret, attributes: bytes, sign: bool = False) -> bytes:
    """An Accounting-Request. With `sign` a Message-Authenticator stands first, made while the Request
    Authenticator is still zeros (RFC 5997 section 3 has it so for other packets of this kind)."""
    body = _room_for_signature(sign) + attributes
    packet = _header(Code.ACCOUNTING_REQUEST, identifier, body) + bytes(AUTHENTICATOR) + body
    packet = _signed(packet, secret) if sign else packet
    return packet[:4] + response_authenticator(packet, bytes(AUTHENTICATOR), secret) + packet[HEADER:]


def response_authenticator(octets: bytes, request_authenticator: bytes, secret: Secret) -> bytes:
    """MD5(Code + ID + Length + Request Authenticator + Attributes + Secret), RFC 2865 section 3."""
    covered = octets[:4] + request_authenticator + octets[HEADER:] + secret.reveal()
    return hashlib.md5(covered, usedforsecurity=False).digest()


def _header(code: Code, identifier: int, body: bytes) -> bytes:
    length = HEADER + len(body)
    if length > MOST_OCTETS:
        raise ValueError(f"{length} octets: a packet has at most {MOST_OCTETS}")
    return bytes((code, identifier)) + length.to_bytes(2, "big")


def _room_for_signature(sign: bool) -> bytes:
    return attribute(MESSAGE_AUTHENTICATOR, bytes(SIGNATURE)) if sign else b""


def _signed(packet: bytes, secret: Secret) -> bytes:
    """Fill in the Message-Authenticator that stands first, still all zeros."""
    return packet[: HEADER + 2] + _sign(packet, secret) + packet[HEADER + SIGNED :]


def _sign(unsigned: bytes, secret: Secret) -> bytes:
    return hmac.digest(secret.reveal(), unsigned, "md5")
