"""A gateway for the tests: its client, and packets as pyrad (the oracle) or bare hands make them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from functools import cache
from ipaddress import ip_network

from radius_push.model import Client, Secret
from radius_push.radius.packet import AccessRequest, Dictionary, load_dictionary, read_request
from radius_push.radius.wire import attribute

SECRET = Secret("the secret of the first gateway")
AUTHENTICATOR = bytes(range(16))
STRICT = Client("fw1", (ip_network("127.0.0.0/8"), ip_network("::1/128")), (SECRET,), ("staff-push",))
LENIENT = replace(STRICT, require_message_authenticator="no")
HIDDEN = bytes(range(16, 32))


@cache
def dictionary() -> Dictionary:
    return load_dictionary()


def packet(*attributes: tuple[int, bytes], code: int = 1, identifier: int = 7, more: bytes = b"") -> bytes:
    """A packet of these attributes, without a Message-Authenticator."""
    body = b"".join(attribute(type, value) for type, value in attributes) + more
    header = bytes((code, identifier)) + (20 + len(body)).to_bytes(2, "big")
    return header + AUTHENTICATOR + body


def signed(
    *attributes: tuple[int, bytes], secret: Secret = SECRET, identifier: int = 7, more: bytes = b""
) -> bytes:
    """The same with a right Message-Authenticator as its first attribute."""
    bare = packet((80, bytes(16)), *attributes, identifier=identifier, more=more)
    signature = hmac.new(secret.reveal(), bare, hashlib.md5).digest()
    return bare[:22] + signature + bare[38:]


def read(datagram: bytes, client: Client = STRICT) -> AccessRequest:
    """Under `auto` as from an address that has not sealed yet."""
    required = client.require_message_authenticator == "yes"
    return read_request(datagram, client=client, dictionary=dictionary(), seal_required=required)
