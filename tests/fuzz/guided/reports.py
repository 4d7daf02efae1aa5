"""What is no login: an Accounting-Request and a Status-Server, read and answered."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace

from radius_push.model import Secret
from radius_push.radius.accounting import read_accounting, write_accounting_response
from radius_push.radius.packet import MalformedPacket, NotAuthentic
from radius_push.radius.status import read_status, write_status_reply
from radius_push.radius.wire import Code, seal_accounting, seal_request
from tests.fuzz.guided import sealing
from tests.radius.packets import AUTHENTICATOR, LENIENT, SECRET, STRICT, dictionary

CLIENTS = (STRICT, replace(LENIENT, secrets=(Secret("a newer secret of the gateway"), SECRET)))


def play_accounting(datagram: bytes) -> None:
    """Read only with a right Request Authenticator, and then it can be answered."""
    for client in CLIENTS:
        with contextlib.suppress(MalformedPacket, NotAuthentic):
            request = read_accounting(datagram, client=client, dictionary=dictionary())
            octets = datagram[: int.from_bytes(datagram[2:4], "big")]
            secret = request.secret.reveal()
            assert sealing.is_answer(octets, secret=secret, request_authenticator=bytes(16))
            assert request.signed == (sealing.where_sealed(octets) is not None)
            assert not request.signed or sealing.is_sealed(
                octets, secret=secret, request_authenticator=bytes(16)
            )
            assert sum(len(each) for each in request.attributes.values()) <= len(octets) // 2
            response = write_accounting_response(request)
            assert response[:2] == bytes((5, octets[1]))
            assert sealing.is_answer(response, secret=secret, request_authenticator=octets[4:20])


def mend_accounting(datagram: bytes) -> bytes:
    return sealing.reseal_accounting(datagram, SECRET.reveal())


def accounting_seeds() -> Iterable[bytes]:
    start = bytes((40, 6, 0, 0, 0, 1)) + b"\x2c\x0a00000001\x01\x07alice\x04\x06\x0a\x00\x00\x01\x21\x07proxy"
    stop = bytes((40, 6, 0, 0, 0, 2)) + b"".join(
        bytes((type, 6, 0, 0, 0, 1)) for type in (41, 42, 43, 46, 47, 48, 49, 52, 53, 55)
    )
    for body in (start, stop, bytes((40, 6, 0, 0, 0, 7)), bytes((40, 6, 0, 0, 0, 8))):
        for sign in (True, False):
            yield seal_accounting(identifier=9, secret=SECRET, attributes=body, sign=sign)


def play_status(datagram: bytes) -> None:
    """Read only with a right Message-Authenticator, whatever the client's settings say."""
    for client in CLIENTS:
        with contextlib.suppress(MalformedPacket, NotAuthentic):
            request = read_status(datagram, client=client)
            octets = datagram[: int.from_bytes(datagram[2:4], "big")]
            secret, authenticator = request.secret.reveal(), octets[4:20]
            assert sealing.is_sealed(octets, secret=secret, request_authenticator=authenticator)
            for accounting in (True, False):
                reply = write_status_reply(request, accounting=accounting)
                assert reply[:2] == bytes((5 if accounting else 2, octets[1]))
                assert sealing.is_answer(reply, secret=secret, request_authenticator=authenticator)
                assert sealing.is_sealed(reply, secret=secret, request_authenticator=authenticator)


def mend_status(datagram: bytes) -> bytes:
    return sealing.reseal_request(datagram, SECRET.reveal())


def status_seeds() -> Iterable[bytes]:
    for body in (b"", b"\x20\x05fw1", b"\x21\x07proxy"):
        yield seal_request(
            identifier=9,
            authenticator=AUTHENTICATOR,
            secret=SECRET,
            attributes=body,
            sign=True,
            code=Code.STATUS_SERVER,
        )
