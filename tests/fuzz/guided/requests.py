"""An Access-Request, read and answered; and the whole door that it comes in by."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address

from radius_push.model import Accepted, Client, Reason, Rejected, Secret
from radius_push.proofs import pap
from radius_push.radius.asking import read_reply
from radius_push.radius.mschap import PLACEHOLDER
from radius_push.radius.packet import (
    AccessRequest,
    MalformedPacket,
    NotAuthentic,
    ReplyNotComputed,
    write_reply,
)
from radius_push.radius.user_address import user_address
from tests.fuzz import oracle
from tests.fuzz.guided import sealing
from tests.fuzz.guided.credentials import is_a_password
from tests.fuzz.guided.door import Door
from tests.radius.packets import LENIENT, SECRET, STRICT, dictionary, read, signed
from tests.vectors import rfc2865_7_1

OTHER_SECRET = Secret("an older secret of the same gateway")
CLIENTS = (
    STRICT,
    LENIENT,
    replace(STRICT, secrets=(OTHER_SECRET, SECRET), password_encoding="cp1251"),
    replace(LENIENT, password_encoding="utf-16", proxy=True),
)
GATEWAY = ip_address("127.0.0.1")


def play_datagram(datagram: bytes) -> None:
    """What can be read is whole, believed only if sealed, and can be answered."""
    for client in CLIENTS:
        with contextlib.suppress(MalformedPacket, NotAuthentic):
            request = read(datagram, client)
            _is_whole(request, datagram, client)
            _can_be_answered(request)


def _is_whole(request: AccessRequest, datagram: bytes, client: Client) -> None:
    octets = datagram[: int.from_bytes(datagram[2:4], "big")]
    sealed = sealing.is_sealed(
        octets, secret=request.secret.reveal(), request_authenticator=request.authenticator
    )
    assert request.authentic == sealed
    assert sealed or client.require_message_authenticator == "no"
    texts = [text for each in request.attributes.values() for text in each]
    assert len(texts) + len(request.proxy_states) <= len(octets) // 2
    assert sum(map(len, texts)) <= 12 * len(octets)  # a short number may have a long name
    shown = {name for name in request.attributes if (known := dictionary().named(name)) and known.hidden}
    assert not shown
    user_address(request.attributes, client=client, gateway=GATEWAY)
    if request.hidden_password is not None:
        uncovered = pap.decrypt(request.hidden_password, request.secret, request.authenticator)
        is_a_password(pap.read(uncovered, encoding=client.password_encoding))


def _can_be_answered(request: AccessRequest) -> None:
    rejected = write_reply(request, Rejected(Reason.DENIED, "no" * 100), dictionary=dictionary())
    assert _read_by_the_gateway(rejected, request) == 3
    with contextlib.suppress(ReplyNotComputed):
        accept = Accepted((("Filter-Id", "staff"), ("Tunnel-Type:1", "VLAN")), PLACEHOLDER)
        accepted = write_reply(request, accept, dictionary=dictionary())
        assert _read_by_the_gateway(accepted, request) == 2


def _read_by_the_gateway(reply: bytes, request: AccessRequest) -> int:
    code, _ = read_reply(
        reply,
        identifier=request.identifier,
        authenticator=request.authenticator,
        secret=request.secret,
        dictionary=dictionary(),
    )
    return code


def mend(datagram: bytes) -> bytes:
    return sealing.reseal_request(datagram, SECRET.reveal())


def seeds() -> Iterable[bytes]:
    yield rfc2865_7_1.REQUEST
    yield signed((1, b"alice"))
    yield signed((1, b"alice"), (26, bytes(4)), (26, (9).to_bytes(4, "big") + b"\x01\x13ip:source-ip=::1"))
    yield signed((1, b"alice"), (79, b"\x02\x01\x00\x0a\x01alice"))
    for number in range(24):
        asked = oracle.ask(random.Random(number), identifier=number)
        if len(asked.octets) < 700:
            yield asked.octets


_doors: dict[str, Door] = {}
"""Kept open: a loop for every datagram would be slow."""


def _door_of(client: Client) -> Door:
    kind = client.require_message_authenticator
    if kind not in _doors:
        _doors[kind] = Door(client)
    return _doors[kind]


def close_doors() -> None:
    while _doors:
        _doors.popitem()[1].close()


def play_door(datagram: bytes) -> None:
    """At most one answer, to the same octets always the same, and none to the unauthenticated."""
    for client in (STRICT, LENIENT):
        door = _door_of(client)
        replies = door.knock(datagram, datagram)  # a gateway repeats itself
        if not replies:
            continue
        reply, again = replies
        assert again == reply
        octets = datagram[: int.from_bytes(datagram[2:4], "big")]
        secret, authenticator = SECRET.reveal(), octets[4:20]
        sealed = sealing.is_sealed(octets, secret=secret, request_authenticator=authenticator)
        assert sealed or client.require_message_authenticator == "no"
        assert sealing.is_answer(reply, secret=secret, request_authenticator=authenticator)
        assert sealing.is_sealed(reply, secret=secret, request_authenticator=authenticator)
        assert reply[1] == octets[1]
