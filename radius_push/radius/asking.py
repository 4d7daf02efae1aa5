"""The gateway's side of the wire: write an Access-Request, believe only the right reply."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from radius_push.model import Secret
from radius_push.proofs import pap
from radius_push.radius import attributes as names
from radius_push.radius.attributes import Attributes
from radius_push.radius.dictionary import Dictionary
from radius_push.radius.wire import (
    Code,
    MalformedPacket,
    NotAuthentic,
    attribute,
    is_signed,
    open_packet,
    response_authenticator,
    seal_request,
    signature_is_right,
)


def write_request(
    *,
    identifier: int,
    authenticator: bytes,
    secret: Secret,
    username: str,
    password: Secret | None,
    attributes: Iterable[tuple[str, str]] = (),
    message_authenticator: bool = True,
    dictionary: Dictionary,
) -> bytes:
    """A PAP Access-Request. `authenticator` is 16 fresh random octets. ValueError says what can't be
    written: an unknown attribute, a password over 128 octets, a packet over 4096."""
    body = attribute(names.USER_NAME, username.encode("utf-8"))
    if password is not None:
        body += attribute(names.USER_PASSWORD, pap.hide(password.reveal(), secret, authenticator))
    for name, text in attributes:
        try:
            body += names.encode(name, text, dictionary)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return seal_request(
        identifier=identifier,
        authenticator=authenticator,
        secret=secret,
        attributes=body,
        sign=message_authenticator,
    )


def read_reply(
    datagram: bytes, *, identifier: int, authenticator: bytes, secret: Secret, dictionary: Dictionary
) -> tuple[int, Attributes]:
    """The code and the attributes of the reply to the request with this Identifier and Request
    Authenticator. MalformedPacket, or NotAuthentic where either seal is wrong or missing."""
    packet = open_packet(datagram)
    if packet.identifier != identifier:
        raise NotAuthentic("a reply to another request")
    expected = response_authenticator(packet.octets, authenticator, secret)
    if not hmac.compare_digest(expected, packet.authenticator):
        raise NotAuthentic("the Response Authenticator is wrong")
    if not (is_signed(packet) and signature_is_right(packet, secret, request_authenticator=authenticator)):
        raise NotAuthentic("the Message-Authenticator is wrong or missing")
    if packet.code == Code.ACCESS_REQUEST:
        raise MalformedPacket("a request is no reply")
    return packet.code, names.named_texts(packet.attributes, dictionary)
