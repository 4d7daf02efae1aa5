"""Status-Server: the RFC's own packets, and who gets no answer (RFC 5997)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from radius_push.model import Client, Secret
from radius_push.radius.rate import Rate
from radius_push.radius.status import read_status, write_status_reply
from radius_push.radius.wire import (
    Code,
    NotAuthentic,
    attribute,
    open_packet,
    response_authenticator,
    seal_request,
    signature_is_right,
)
from tests.radius.packets import AUTHENTICATOR, LENIENT, SECRET, packet
from tests.vectors import rfc5997_6 as vectors

RFC = Client("rfc", (ip_network("127.0.0.1"),), (Secret(vectors.SECRET),), ("alone",))


def status(attributes: bytes = b"", secret: Secret = SECRET) -> bytes:
    return seal_request(
        identifier=3,
        authenticator=AUTHENTICATOR,
        secret=secret,
        attributes=attributes,
        sign=True,
        code=Code.STATUS_SERVER,
    )


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (vectors.AUTHENTICATION, vectors.ACCESS_ACCEPT),
        (vectors.ACCOUNTING, vectors.ACCOUNTING_RESPONSE),
    ],
)
def test_the_rfcs_packets_are_read_and_answered_as_there_with_a_seal_more(
    asked: bytes, answer: bytes
) -> None:
    request = read_status(asked, client=RFC)
    reply = write_status_reply(request, accounting=answer[0] == 5)
    assert reply[:2] == answer[:2]
    for each in (answer, reply):
        assert response_authenticator(each, asked[4:20], RFC.secrets[0]) == each[4:20]
    assert [type for type, _ in open_packet(reply).attributes] == [80]


@pytest.mark.parametrize("accounting", [False, True])
def test_the_reply_is_sealed_over_the_requests_authenticator_and_copies_proxy_states(
    accounting: bool,
) -> None:
    request = read_status(status(attribute(33, b"a") + attribute(33, b"b")), client=LENIENT)
    reply = open_packet(write_status_reply(request, accounting=accounting))
    assert reply.attributes[0][0] == 80
    assert reply.all(33) == (b"a", b"b")
    assert signature_is_right(reply, SECRET, request_authenticator=AUTHENTICATOR)


def test_without_a_right_message_authenticator_nothing_is_answered_whatever_the_client_says() -> None:
    for datagram in (packet(code=12), status(secret=Secret("another secret of 22 oct"))):
        with pytest.raises(NotAuthentic):
            read_status(datagram, client=LENIENT)


def test_any_of_the_clients_secrets_will_do() -> None:
    changing = replace(LENIENT, secrets=(Secret("the next secret of the gateway"), SECRET))
    assert read_status(status(), client=changing).secret == SECRET


def test_a_rate_lets_a_burst_through_and_then_so_many_a_second() -> None:
    rate = Rate()
    assert [rate.take("fw", 0.0, per_second=2.0, burst=3) for _ in range(4)] == [True, True, True, False]
    assert rate.take("other", 0.0, per_second=2.0, burst=3)
    assert [rate.take("fw", 1.0, per_second=2.0, burst=3) for _ in range(3)] == [True, True, False]
    assert [rate.take("fw", 100.0, per_second=2.0, burst=3) for _ in range(4)] == [True, True, True, False]
