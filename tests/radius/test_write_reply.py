"""A reply on the wire: sealed, complete, and never other rights than the settings say."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrad.dictionary import Dictionary as PyradDictionary
from pyrad.packet import AuthPacket

from radius_push.model import Accepted, Reason, Rejected
from radius_push.radius.asking import read_reply
from radius_push.radius.attributes import split_text
from radius_push.radius.packet import AccessRequest, ReplyNotComputed, check_reply, write_reply
from radius_push.radius.wire import open_packet, response_authenticator
from tests.radius.packets import AUTHENTICATOR, SECRET, dictionary, read, signed
from tests.radius.test_dictionary import FOLDER
from tests.vectors import rfc2865_7_1 as rfc

PYRAD = PyradDictionary(str(FOLDER / "dictionary"))
ORDINARY = (
    ("Session-Timeout", "36000"),
    ("Service-Type", "Framed-User"),
    ("Framed-IP-Address", "10.9.8.7"),
    ("Filter-Id", "Zoë's"),
    ("Class", "OU=staff;"),
    ("Class", "0x00ff"),
    ("NAS-IPv6-Address", "2001:db8::1"),
    ("Framed-IPv6-Prefix", "2001:db8::/32"),
    ("Fortinet-Group-Name", "vpn-users"),
    ("ASA-Group-Policy", "staff"),
    ("Tunnel-Type:1", "VLAN"),
    ("Tunnel-Private-Group-ID:1", "42"),
)


def request(*attributes: tuple[int, bytes]) -> AccessRequest:
    return read(signed((1, b"alice"), *attributes))


def accept(*reply: tuple[str, str], to: AccessRequest | None = None) -> bytes:
    return write_reply(to or request(), Accepted(reply), dictionary=dictionary())


def test_the_rfcs_response_authenticator() -> None:
    assert response_authenticator(rfc.ACCEPT, rfc.AUTHENTICATOR, rfc.SECRET) == rfc.ACCEPT[4:20]


@pytest.mark.parametrize("verdict", [Accepted(ORDINARY), Rejected(Reason.DENIED, "no"), Accepted()])
def test_message_authenticator_is_the_first_attribute_of_every_reply(verdict: Accepted | Rejected) -> None:
    reply = write_reply(request((33, b"proxy")), verdict, dictionary=dictionary())
    assert reply[20:22] == b"\x50\x12"
    unsigned = reply[:4] + AUTHENTICATOR + reply[20:22] + bytes(16) + reply[38:]
    assert reply[22:38] == hmac.new(SECRET.reveal(), unsigned, hashlib.md5).digest()
    assert reply[4:20] == hashlib.md5(reply[:4] + AUTHENTICATOR + reply[20:] + SECRET.reveal()).digest()


def test_pyrad_believes_and_understands_the_reply() -> None:
    sent = signed((1, b"alice"), (33, b"one"), (33, b"two"))
    asked = AuthPacket(packet=sent, secret=SECRET.reveal(), dict=PYRAD)
    reply = asked.CreateReply(packet=accept(*ORDINARY, to=read(sent)))
    assert asked.VerifyReply(reply, enforce_ma=True)
    assert reply.code == 2
    assert reply["Session-Timeout"] == [36000]
    assert reply["Service-Type"] == ["Framed-User"]
    assert reply["Framed-IP-Address"] == ["10.9.8.7"]
    assert reply["Filter-Id"] == ["Zoë's"]
    assert reply["Class"] == [b"OU=staff;", b"\0\xff"]
    assert reply["NAS-IPv6-Address"] == ["2001:db8::1"]
    assert reply["Framed-IPv6-Prefix"] == ["2001:db8::/32"]
    assert reply["Fortinet-Group-Name"] == ["vpn-users"]
    assert reply["ASA-Group-Policy"] == ["staff"]
    assert reply["Tunnel-Type:1"] == ["VLAN"]
    assert reply["Tunnel-Private-Group-ID:1"] == ["42"]
    assert reply["Proxy-State"] == [b"one", b"two"]


def test_every_proxy_state_comes_back_in_order() -> None:
    states = (b"one", b"", b"\0" * 253, b"one")
    reply = open_packet(accept(to=request(*((33, state) for state in states))))
    assert reply.all(33) == states


def test_a_long_text_is_cut_between_characters() -> None:
    text = "ж" * 400  # two octets each: 253 octets would cut one in half
    reply = write_reply(request(), Rejected(Reason.DENIED, text), dictionary=dictionary())
    parts = open_packet(reply).all(18)
    assert [len(part) for part in parts] == [252, 252, 252, 44]
    assert "".join(part.decode("utf-8") for part in parts) == text


@given(st.text())
def test_any_text_is_split_into_whole_characters(text: str) -> None:
    sendable = text.encode("utf-8", "replace").decode()
    parts = list(split_text(text))
    assert all(0 < len(part) <= 253 for part in parts)
    assert "".join(part.decode("utf-8") for part in parts) == sendable


@given(
    text=st.text(max_size=2000),
    states=st.lists(st.binary(max_size=253).map(lambda octets: (33, octets)), max_size=15),
)
def test_a_reject_is_always_written(text: str, states: list[tuple[int, bytes]]) -> None:
    reply = write_reply(request(*states), Rejected(Reason.DENIED, text), dictionary=dictionary())
    code, _ = read_reply(
        reply, identifier=7, authenticator=AUTHENTICATOR, secret=SECRET, dictionary=dictionary()
    )
    assert code == 3


def test_a_reject_without_a_text_has_no_reply_message() -> None:
    assert (
        open_packet(write_reply(request(), Rejected(Reason.DENIED, ""), dictionary=dictionary())).all(18)
        == ()
    )


def test_a_reject_loses_its_text_rather_than_its_proxy_states() -> None:
    full = request(*[(33, b"x" * 253)] * 15)
    reply = write_reply(full, Rejected(Reason.DENIED, "y" * 500), dictionary=dictionary())
    assert open_packet(reply).all(33) == full.proxy_states
    assert open_packet(reply).all(18) == ()


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("Filter-Idd", "x", "Filter-Idd: no such attribute; did you mean Filter-Id?"),
        ("No-Such-Thing", "x", "No-Such-Thing: no such attribute"),
        ("Filter-Id", "", "Filter-Id: an empty value"),
        ("Filter-Id", "x" * 254, "Filter-Id: 254 octets: at most 253 fit"),
        ("Filter-Id", "a\nb", "Filter-Id: control characters"),
        ("Filter-Id", "\ud800", "Filter-Id: not a text"),
        ("Filter-Id:1", "x", "Filter-Id:1: it takes no tag"),
        ("Fortinet-Group-Name", "x" * 248, "Fortinet-Group-Name: 248 octets: at most 247 fit"),
        ("Session-Timeout", "ten", "Session-Timeout: 'ten' is neither a number nor one of its names"),
        ("Session-Timeout", "1_000", "Session-Timeout: '1_000' is neither"),
        ("Session-Timeout", " 10", "Session-Timeout: ' 10' is neither"),
        ("Session-Timeout", "٣", "Session-Timeout: '٣' is neither"),
        ("Session-Timeout", "-1", "Session-Timeout: -1 is out of range"),
        ("Session-Timeout", "4294967296", "Session-Timeout: 4294967296 is out of range"),
        ("Service-Type", "Framed", "Service-Type: 'Framed' is neither .* did you mean 'Framed-User'"),
        ("Framed-IP-Address", "10.0.0", "Framed-IP-Address: '10.0.0' is not an IPv4 address"),
        ("Framed-IP-Address", "::1", "Framed-IP-Address: '::1' is not an IPv4 address"),
        ("NAS-IPv6-Address", "10.0.0.1", "is not an IPv6 address"),
        ("NAS-IPv6-Address", "fe80::1%eth0", "is not an IPv6 address"),
        ("Framed-IPv6-Prefix", "2001:db8::/129", "is not an IPv6 prefix"),
        ("Framed-IPv6-Prefix", "10.0.0.0/8", "is not an IPv6 prefix"),
        ("Framed-Interface-Id", "1:2:3", "is not an interface id"),
        ("Class", "0xabc", "Class: '0xabc' is not 0x and pairs"),
        ("Class", "0x", "is not 0x and pairs"),
        ("Tunnel-Type:32", "VLAN", "a tag is a number from 0 to 31"),
        ("Tunnel-Type:", "VLAN", "a tag is a number from 0 to 31"),
        ("Tunnel-Type:١", "VLAN", "a tag is a number from 0 to 31"),
        ("Tunnel-Preference:1", "16777216", "24 bits"),
        ("Tunnel-Password:1", "x", "the server alone decides"),
        ("MS-MPPE-Send-Key", "0x00", "the server alone decides"),
        ("User-Password", "x", "the server alone decides"),
        ("Message-Authenticator", "0x00", "the server alone decides"),
        ("Proxy-State", "0x00", "the server alone decides"),
        ("State", "0x00", "the server alone decides"),
        ("Vendor-Specific", "0x00", "the server alone decides"),
    ],
)
def test_a_reply_that_cannot_be_computed_is_no_accept(name: str, text: str, why: str) -> None:
    with pytest.raises(ReplyNotComputed, match=why):
        check_reply(((name, text),), dictionary=dictionary())
    with pytest.raises(ReplyNotComputed, match=why):
        accept((name, text))


def test_a_long_reply_message_is_allowed_in_an_accept() -> None:
    check_reply((("Reply-Message", "é" * 300),), dictionary=dictionary())
    assert len(open_packet(accept(("Reply-Message", "é" * 300))).all(18)) == 3


def test_a_reply_over_4096_octets_is_no_accept() -> None:
    fits = (("Filter-Id", "x" * 253),) * 15
    check_reply(fits, dictionary=dictionary())
    with pytest.raises(ReplyNotComputed, match="4096"):
        check_reply((*fits, ("Filter-Id", "x" * 253)), dictionary=dictionary())
    with pytest.raises(ReplyNotComputed, match="4096"):
        accept(*fits, to=request((33, b"x" * 253)))
    with pytest.raises(ReplyNotComputed, match="4096"):
        check_reply(fits, dictionary=dictionary(), request=request((33, b"x" * 253)))
