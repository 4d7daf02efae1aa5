"""An Accounting-Request decoded whole at the door, and the response to it (RFC 2866)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from radius_push.model import Client, Secret
from radius_push.radius import attributes as names
from radius_push.radius.dictionary import Dictionary, has_control_character
from radius_push.radius.packet import read_username
from radius_push.radius.wire import (
    AUTHENTICATOR,
    RFC_BOUNDS,
    Bounds,
    Code,
    NotAuthentic,
    NotServed,
    Packet,
    attribute,
    is_sealed_accounting,
    is_signed,
    open_packet,
    seal_reply,
    signature_is_right,
)

STATUS_TYPE, DELAY_TIME, INPUT_OCTETS, OUTPUT_OCTETS, SESSION_ID = 40, 41, 42, 43, 44
SESSION_TIME, INPUT_PACKETS, OUTPUT_PACKETS, TERMINATE_CAUSE = 46, 47, 48, 49
INPUT_GIGAWORDS, OUTPUT_GIGAWORDS, EVENT_TIMESTAMP = 52, 53, 55
NAS_IP_ADDRESS, NAS_IDENTIFIER, NAS_IPV6_ADDRESS = 4, 32, 95
NAS_NAMES = (NAS_IDENTIFIER, NAS_IP_ADDRESS, NAS_IPV6_ADDRESS)


@dataclass(frozen=True, slots=True)
class AccountingRequest:
    """What a gateway reports. What does not fit its type is as if it were not there."""

    identifier: int
    authenticator: bytes = field(repr=False)
    secret: Secret
    """The one of the client's secrets that the Request Authenticator fits."""
    signed: bool
    """A right Message-Authenticator was there as well."""
    username: str | None
    session: str | None
    """Acct-Session-Id; one that is no text as `0x...`."""
    nas: str | None
    """NAS-Identifier, else NAS-IP-Address or NAS-IPv6-Address."""
    numbers: Mapping[int, int]
    """Type of each whole number of 32 bits -> its value."""
    attributes: Mapping[str, tuple[str, ...]]
    """Name -> texts."""
    proxy_states: tuple[bytes, ...] = field(repr=False)
    digest: bytes
    """SHA-256 of exactly Length octets."""

    def number(self, type: int) -> int | None:
        return self.numbers.get(type)


_NUMBERS = frozenset(
    {STATUS_TYPE, DELAY_TIME, INPUT_OCTETS, OUTPUT_OCTETS, SESSION_TIME, INPUT_PACKETS, OUTPUT_PACKETS}
    | {INPUT_GIGAWORDS, OUTPUT_GIGAWORDS, EVENT_TIMESTAMP}
)


def read_accounting(
    datagram: bytes, *, client: Client, dictionary: Dictionary, bounds: Bounds = RFC_BOUNDS
) -> AccountingRequest:
    """Decode an Accounting-Request from this client. Raises MalformedPacket or NotAuthentic, whose words
    are for the log and hold nothing secret."""
    packet = open_packet(datagram, bounds)
    if packet.code != Code.ACCOUNTING_REQUEST:
        raise NotServed(packet.code)
    secret = _authenticate(packet, client)
    username = read_username(packet.at_most_one(names.USER_NAME), client.password_encoding)
    texts = names.named_texts(packet.attributes, dictionary)
    if username is not None:
        texts["User-Name"] = (username,)
    return AccountingRequest(
        identifier=packet.identifier,
        authenticator=packet.authenticator,
        secret=secret,
        signed=is_signed(packet),
        username=username,
        session=_text(packet.at_most_one(SESSION_ID)),
        nas=_nas(packet, texts),
        numbers=MappingProxyType(_numbers(packet)),
        attributes=MappingProxyType(texts),
        proxy_states=packet.all(names.PROXY_STATE),
        digest=hashlib.sha256(packet.octets).digest(),
    )


def write_accounting_response(request: AccountingRequest) -> bytes:
    """The octets of the response: every Proxy-State copied, in order.

    With a Message-Authenticator where the request had one: such a gateway can read it. Like the request's it
    is made with zeros for the Request Authenticator, as FreeRADIUS makes and wants it."""
    return seal_reply(
        Code.ACCOUNTING_RESPONSE,
        identifier=request.identifier,
        request_authenticator=request.authenticator,
        secret=request.secret,
        attributes=b"".join(attribute(names.PROXY_STATE, state) for state in request.proxy_states),
        sign=request.signed,
        signed_over=bytes(AUTHENTICATOR),
    )


def _authenticate(packet: Packet, client: Client) -> Secret:
    """Which secret the request was made with."""
    for secret in client.secrets:
        if is_sealed_accounting(packet, secret):
            if is_signed(packet) and not signature_is_right(
                packet, secret, request_authenticator=bytes(AUTHENTICATOR)
            ):
                raise NotAuthentic("Message-Authenticator of an Accounting-Request is wrong")
            return secret
    raise NotAuthentic(
        "Request Authenticator of an Accounting-Request is wrong: the gateway has another shared secret for "
        "accounting, or somebody forges"
    )


def _numbers(packet: Packet) -> dict[int, int]:
    found: dict[int, int] = {}
    for type, value in packet.attributes:
        if type in _NUMBERS and len(value) == 4:
            found.setdefault(type, int.from_bytes(value, "big"))
    return found


def _nas(packet: Packet, texts: Mapping[str, tuple[str, ...]]) -> str | None:
    """By its own name; an address is only shown as one."""
    for type, name in zip(NAS_NAMES, ("", "NAS-IP-Address", "NAS-IPv6-Address"), strict=True):
        if (values := packet.all(type)) and (text := texts.get(name, (_text(values[0]),))[0]):
            return text
    return None


def _text(octets: bytes | None) -> str | None:
    """What identifies a thing must always be the same text for the same octets."""
    if not octets:
        return None
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return "0x" + octets.hex()
    return "0x" + octets.hex() if has_control_character(text) else text
