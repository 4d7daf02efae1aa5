"""RADIUS packets as our own test clients write and believe them, with no line of the server's code."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, STATUS_SERVER = 1, 2, 3, 12
USER_NAME, USER_PASSWORD, REPLY_MESSAGE, VENDOR_SPECIFIC = 1, 2, 18, 26
CALLING_STATION_ID, MESSAGE_AUTHENTICATOR = 31, 80


class NotBelieved(AssertionError):
    """The server's reply does not prove what it must."""


@dataclass(frozen=True)
class Request:
    octets: bytes

    @property
    def identifier(self) -> int:
        return self.octets[1]

    @property
    def authenticator(self) -> bytes:
        return self.octets[4:20]


def must(true: bool, otherwise: str) -> None:
    if not true:
        raise NotBelieved(otherwise)


def attribute(type: int, value: bytes) -> bytes:
    return bytes([type, 2 + len(value)]) + value


def attributes_of(octets: bytes) -> Iterator[tuple[int, bytes]]:
    while octets:
        must(len(octets) >= 2 and 2 <= octets[1] <= len(octets), "the reply's attributes do not add up")
        yield octets[0], octets[2 : octets[1]]
        octets = octets[octets[1] :]


def sealed(
    code: int, attributes: bytes, secret: bytes, *, identifier: int | None = None, authenticator: bytes = b""
) -> Request:
    """A request with its Message-Authenticator first (RFC 3579 3.2)."""
    identifier = secrets.randbelow(256) if identifier is None else identifier
    head = struct.pack("!BBH", code, identifier, 38 + len(attributes))
    head += authenticator or secrets.token_bytes(16)
    seal = hmac.digest(secret, head + attribute(MESSAGE_AUTHENTICATOR, bytes(16)) + attributes, "md5")
    return Request(head + attribute(MESSAGE_AUTHENTICATOR, seal) + attributes)


def hidden(password: str, authenticator: bytes, secret: bytes) -> bytes:
    """User-Password (RFC 2865 5.2)."""
    octets = password.encode()
    octets += bytes(-len(octets) % 16)
    out, before = b"", authenticator
    for at in range(0, len(octets), 16):
        mask = hashlib.md5(secret + before).digest()
        before = bytes(a ^ b for a, b in zip(octets[at : at + 16], mask, strict=True))
        out += before
    return out


def believed(reply: bytes, request: Request, secret: bytes) -> int:
    """The code of a reply that answers this request and that only who has the secret can have made."""
    code, identifier, length = struct.unpack("!BBH", reply[:4])
    must(identifier == request.identifier and length == len(reply), "it answers another packet")
    signed = hashlib.md5(reply[:4] + request.authenticator + reply[20:] + secret).digest()
    must(hmac.compare_digest(signed, reply[4:20]), "the Response Authenticator is wrong")
    at = 20
    for type, value in attributes_of(reply[20:]):
        if type == MESSAGE_AUTHENTICATOR:
            blank = reply[:4] + request.authenticator + reply[20 : at + 2] + bytes(16) + reply[at + 18 :]
            right = hmac.digest(secret, blank, "md5")
            must(hmac.compare_digest(right, value), "the Message-Authenticator is wrong")
            return int(code)
        at += 2 + len(value)
    raise NotBelieved("no Message-Authenticator")
