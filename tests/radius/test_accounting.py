"""Accounting-Requests on the wire: pyrad reads and writes what we do (RFC 2866 section 3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyrad.dictionary import Dictionary as PyradDictionary
from pyrad.packet import AcctPacket

from radius_push.model import Secret
from radius_push.radius.accounting import write_accounting_response
from radius_push.radius.wire import (
    MalformedPacket,
    NotAuthentic,
    NotServed,
    attribute,
    open_packet,
    response_authenticator,
    signature_is_right,
)
from tests.radius.packets import SECRET, STRICT, packet
from tests.radius.reports import START, number, read, report
from tests.radius.test_dictionary import FOLDER

PYRAD = PyradDictionary(str(FOLDER / "dictionary"))


def by_pyrad(*, signed: bool) -> bytes:
    made = AcctPacket(id=9, secret=SECRET.reveal(), dict=PYRAD)
    made["User-Name"] = "alice"
    made["Acct-Status-Type"] = "Stop"
    made["Acct-Session-Id"] = "S1"
    made["Acct-Session-Time"] = 77
    made["NAS-IP-Address"] = "10.0.0.11"
    made["Acct-Terminate-Cause"] = "Idle-Timeout"
    if signed:
        made.add_message_authenticator()
    return bytes(made.RequestPacket())


@pytest.mark.parametrize("signed", [False, True])
def test_what_pyrad_wrote_is_read_and_our_response_is_right_for_pyrad(signed: bool) -> None:
    sent = by_pyrad(signed=signed)
    request = read(sent)
    assert (request.username, request.session, request.nas) == ("alice", "S1", "10.0.0.11")
    assert (request.number(40), request.number(46)) == (2, 77)
    assert request.attributes["Acct-Terminate-Cause"] == ("Idle-Timeout",)
    assert request.signed is signed
    asked = AcctPacket(packet=sent, secret=SECRET.reveal(), dict=PYRAD)
    response = write_accounting_response(request)
    assert asked.VerifyReply(asked.CreateReply(packet=response), response)
    assert (response[0], response[1], len(response)) == (5, 9, 38 if signed else 20)


def test_what_we_write_pyrad_verifies() -> None:
    read_there = AcctPacket(packet=report(START), secret=SECRET.reveal(), dict=PYRAD)
    assert read_there.VerifyAcctRequest()
    assert read_there["Acct-Session-Id"] == ["S1"]


def test_a_response_copies_every_proxy_state_in_order_behind_its_message_authenticator() -> None:
    sent = report(START, sign=True, more=attribute(33, b"one") + attribute(33, b"two"))
    response = write_accounting_response(read(sent))
    opened = open_packet(response)
    assert [type for type, _ in opened.attributes] == [80, 33, 33]
    assert opened.all(33) == (b"one", b"two")
    assert response_authenticator(response, sent[4:20], SECRET) == response[4:20]
    # As FreeRADIUS has it: made before the Authenticator is known.
    assert signature_is_right(opened, SECRET, request_authenticator=bytes(16))


def test_each_of_a_clients_secrets_is_tried_and_the_response_is_made_with_the_one_that_fits() -> None:
    changing = replace(STRICT, secrets=(Secret("the next secret of the gateway"), SECRET))
    assert read(report(START), changing).secret == SECRET


@pytest.mark.parametrize("sign", [False, True])
def test_one_altered_octet_anywhere_makes_it_no_packet_of_the_gateway(sign: bool) -> None:
    sent = report(START, sign=sign)
    for place in range(4, len(sent)):
        altered = sent[:place] + bytes([sent[place] ^ 1]) + sent[place + 1 :]
        with pytest.raises((NotAuthentic, MalformedPacket)):
            read(altered)


def test_a_right_authenticator_beside_a_wrong_message_authenticator_is_dropped() -> None:
    with pytest.raises(NotAuthentic, match="Message-Authenticator of an Accounting-Request is wrong"):
        read(report(START, more=attribute(80, bytes(16))))


def test_the_words_name_the_mend() -> None:
    with pytest.raises(NotAuthentic, match="another shared secret for accounting"):
        read(report(START, secret=Secret("another secret of 22 oct")))


@pytest.mark.parametrize(
    ("datagram", "error"),
    [
        (b"\x04", MalformedPacket),
        (packet((1, b"alice")), NotServed),
        (report(START, more=attribute(44, b"S2")), MalformedPacket),  # two Acct-Session-Ids
        (report(START, user="al\nice"), MalformedPacket),
    ],
)
def test_what_is_malformed_is_refused(datagram: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(datagram)


def test_a_session_id_that_is_no_text_is_the_same_text_every_time() -> None:
    for octets, text in ((b"\xff\x00", "0xff00"), (b"a\x01", "0x6101"), ("\u00e9".encode(), "\u00e9")):
        assert read(report(START, session=None, more=attribute(44, octets))).session == text
    assert read(report(START, session=None)).session is None
    assert read(report(START, session=None, more=attribute(44, b""))).session is None


def test_a_number_of_the_wrong_length_is_as_if_it_were_not_there() -> None:
    request = read(report(START, more=attribute(46, b"\1") + number(41, 3)))
    assert request.number(46) is None
    assert request.number(41) == 3


def test_the_machine_is_named_by_its_identifier_then_by_its_addresses() -> None:
    four, six = attribute(4, bytes([10, 0, 0, 11])), attribute(95, bytes(15) + b"\1")
    assert read(report(START, more=four)).nas == "fw-1"
    assert read(report(START, nas=None, more=six + four)).nas == "10.0.0.11"
    assert read(report(START, nas=None, more=six)).nas == "::1"
    assert read(report(START, nas=None)).nas is None
    assert read(report(START, nas="", more=four)).nas == "10.0.0.11"


def test_nothing_of_the_secret_or_the_seals_is_in_its_text() -> None:
    said = repr(read(report(START, sign=True, more=attribute(33, b"proxy state"))))
    assert SECRET.reveal().decode() not in said
    assert "proxy state" not in said
