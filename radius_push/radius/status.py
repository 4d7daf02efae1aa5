"""Status-Server: a gateway asks whether anybody is there (RFC 5997)."""

from __future__ import annotations

from dataclasses import dataclass, field

from radius_push.model import Client, Secret
from radius_push.radius.attributes import PROXY_STATE
from radius_push.radius.wire import (
    RFC_BOUNDS,
    Bounds,
    Code,
    NotAuthentic,
    NotServed,
    attribute,
    is_signed,
    open_packet,
    seal_reply,
    signature_is_right,
)


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """A question about nobody: it is proof of nothing but the shared secret."""

    identifier: int
    authenticator: bytes = field(repr=False)
    secret: Secret
    """The one of the client's secrets that fits."""
    proxy_states: tuple[bytes, ...] = field(repr=False)


def read_status(datagram: bytes, *, client: Client, bounds: Bounds = RFC_BOUNDS) -> StatusRequest:
    """Raises MalformedPacket or NotAuthentic: without a right Message-Authenticator it is dropped, whatever
    the client's settings say (RFC 5997 section 3)."""
    packet = open_packet(datagram, bounds)
    if packet.code != Code.STATUS_SERVER:
        raise NotServed(packet.code)
    if not is_signed(packet):
        raise NotAuthentic("Status-Server without Message-Authenticator (RFC 5997 3)")
    for secret in client.secrets:
        if signature_is_right(packet, secret, request_authenticator=packet.authenticator):
            return StatusRequest(packet.identifier, packet.authenticator, secret, packet.all(PROXY_STATE))
    raise NotAuthentic(
        "Message-Authenticator of a Status-Server is wrong: the gateway has another shared secret, or "
        "somebody forges"
    )


def write_status_reply(request: StatusRequest, *, accounting: bool) -> bytes:
    """Access-Accept, or Accounting-Response where `accounting` alone is served (RFC 5997 section 4).

    With those attributes that every reply has, and no others: it lets nobody in.
    """
    return seal_reply(
        Code.ACCOUNTING_RESPONSE if accounting else Code.ACCESS_ACCEPT,
        identifier=request.identifier,
        request_authenticator=request.authenticator,
        secret=request.secret,
        attributes=b"".join(attribute(PROXY_STATE, state) for state in request.proxy_states),
    )
