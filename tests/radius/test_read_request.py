"""An Access-Request at the door: what is let in, what is dropped, and with which words."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from radius_push.model import Secret
from radius_push.radius.packet import AccessRequest, MalformedPacket, NotAuthentic
from tests.radius.packets import AUTHENTICATOR, HIDDEN, LENIENT, SECRET, STRICT, packet, read, signed
from tests.vectors import rfc2865_7_1 as rfc

VENDOR_9 = (9).to_bytes(4, "big")
MICROSOFT = (311).to_bytes(4, "big")
CANARY = b"CANARY-CANARY-16"


def test_the_rfcs_request_is_read() -> None:
    request = read(rfc.REQUEST, replace(LENIENT, secrets=(rfc.SECRET,)))
    assert request.username == "nemo"
    assert request.hidden_password == rfc.HIDDEN
    assert request.authenticator == rfc.AUTHENTICATOR
    assert not request.authentic
    assert request.proof == "pap"
    assert request.attributes == {
        "User-Name": ("nemo",),
        "NAS-IP-Address": ("192.168.1.16",),
        "NAS-Port": ("3",),
    }


# --- the frame -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("datagram", "why"),
    [
        (b"", "0 octets"),
        (packet()[:19], "19 octets"),
        (b"\1\7\0\x13" + bytes(16), "Length 19"),
        (b"\1\7\x10\x01" + bytes(5000), "Length 4097"),
        (packet((1, b"alice"))[:-1], "Length says"),
        (packet(more=b"\1"), "length does not fit"),
        (packet(more=b"\1\0"), "length does not fit"),
        (packet(more=b"\1\1"), "length does not fit"),
        (packet(more=b"\1\7alice"[:-1]), "length does not fit"),
        (packet(*[(250, b"")] * 257), "257 attributes"),
        (packet(code=2), "Access-Accept is not answered here"),
        (packet(code=4), "Accounting-Request is not"),
        (packet(code=12), "Status-Server is not"),
        (packet(code=77), "code 77 is not"),
    ],
)
def test_a_malformed_packet_is_refused_with_its_reason(datagram: bytes, why: str) -> None:
    with pytest.raises(MalformedPacket, match=why):
        read(datagram, LENIENT)


def test_octets_after_length_are_padding_and_not_hashed() -> None:
    datagram = signed((1, b"alice"))
    padded = read(datagram + b"anything at all")
    assert padded.digest == read(datagram).digest == hashlib.sha256(datagram).digest()
    assert padded.authentic


@pytest.mark.parametrize("type", [1, 24])
def test_what_may_be_there_once_is_not_there_twice(type: int) -> None:
    with pytest.raises(MalformedPacket, match=f"attribute {type} is there 2 times"):
        read(signed((type, HIDDEN[:16]), (type, HIDDEN[:16])))


@pytest.mark.parametrize("length", [0, 1, 15, 17, 144])
def test_a_user_password_of_an_impossible_length_is_malformed(length: int) -> None:
    with pytest.raises(MalformedPacket, match="User-Password"):
        read(signed((2, bytes(length))))


# --- authenticity --------------------------------------------------------------------------------


def test_a_right_message_authenticator_is_believed_wherever_it_stands() -> None:
    assert read(signed((1, b"alice"))).authentic


def test_the_secret_that_verifies_is_the_one_used() -> None:
    older, oldest = Secret("the secret before that one"), Secret("one that nobody uses any more")
    client = replace(STRICT, secrets=(SECRET, older, oldest))
    assert read(signed((1, b"alice"), secret=older), client).secret is older
    assert read(signed((1, b"alice"), secret=SECRET), client).secret is SECRET


def test_without_a_message_authenticator_the_newest_secret_is_used() -> None:
    client = replace(LENIENT, secrets=(SECRET, Secret("the secret before that one")))
    assert read(packet((1, b"alice")), client).secret is SECRET


@pytest.mark.parametrize("client", [STRICT, LENIENT])
def test_a_wrong_message_authenticator_is_never_let_through(client: object) -> None:
    assert client in (STRICT, LENIENT)
    forged = bytearray(signed((1, b"alice")))
    forged[-1] ^= 1
    with pytest.raises(NotAuthentic, match="another shared secret"):
        read(bytes(forged), STRICT if client is STRICT else LENIENT)


def test_a_message_authenticator_by_another_secret_is_wrong() -> None:
    with pytest.raises(NotAuthentic, match="another shared secret"):
        read(signed((1, b"alice"), secret=Secret("somebody else's secret")))


def test_two_message_authenticators_are_none() -> None:
    with pytest.raises(NotAuthentic, match="more than one"):
        read(signed((1, b"alice"), (80, bytes(16))), LENIENT)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_a_message_authenticator_of_the_wrong_length_is_none(length: int) -> None:
    with pytest.raises(NotAuthentic, match="wrong length"):
        read(packet((80, bytes(length))), LENIENT)


def test_a_client_that_must_send_one_is_told_the_mend() -> None:
    with pytest.raises(NotAuthentic, match="require_message_authenticator: auto"):
        read(packet((1, b"alice"), (2, HIDDEN)))


def test_blastradius_proxy_state_without_message_authenticator_is_dropped() -> None:
    with pytest.raises(NotAuthentic, match="Proxy-State without Message-Authenticator"):
        read(packet((1, b"alice"), (33, b"the collision goes here")), LENIENT)


def test_an_eap_message_without_message_authenticator_is_dropped() -> None:
    with pytest.raises(NotAuthentic, match="EAP-Message without"):
        read(packet((1, b"alice"), (79, b"\2\1\0\5\1")), LENIENT)


# --- what is inside ------------------------------------------------------------------------------


def test_a_user_name_is_utf_8_or_the_clients_encoding() -> None:
    assert read(signed((1, "zoë".encode()))).username == "zoë"
    latin = read(signed((1, "zoë".encode("latin-1"))))
    assert latin.username == "zoë"
    assert latin.attributes["User-Name"] == ("zoë",)


@pytest.mark.parametrize("raw", [b"ali\0ce", b"alice\n", b"\x1b[2J", "\x85".encode(), b"z\x85"])
def test_a_user_name_with_control_characters_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedPacket, match="control characters"):
        read(signed((1, raw)))


@pytest.mark.parametrize("encoding", ["ascii", "no-such-encoding", "hex"])
def test_a_user_name_in_no_known_encoding_is_malformed(encoding: str) -> None:
    with pytest.raises(MalformedPacket, match="neither UTF-8"):
        read(signed((1, b"zo\xeb")), replace(STRICT, password_encoding=encoding))


@pytest.mark.parametrize("attributes", [(), ((1, b""),)])
def test_a_user_name_that_is_empty_or_absent_is_none(attributes: tuple[tuple[int, bytes], ...]) -> None:
    assert read(signed(*attributes)).username is None


@pytest.mark.parametrize(
    ("attributes", "proof"),
    [
        ([(2, HIDDEN)], "pap"),
        ([(3, bytes(17))], "chap"),
        ([(79, b"\2\1\0\5\1")], "eap"),
        ([(26, MICROSOFT + b"\x0b\x12" + bytes(16)), (26, MICROSOFT + b"\x19\x34" + bytes(50))], "ms-chapv2"),
        ([(26, MICROSOFT + b"\x01\x04ab")], "ms-chap"),
        ([], "none"),
    ],
)
def test_the_proof_is_told(attributes: list[tuple[int, bytes]], proof: str) -> None:
    assert read(signed((1, b"alice"), *attributes)).proof == proof


@pytest.mark.parametrize(
    ("type", "value", "name", "text"),
    [
        (6, b"\0\0\0\x11", "Service-Type", "Authorize-Only"),
        (5, b"\0\0\1\0", "NAS-Port", "256"),
        (5, b"\0\1", "Attr-5", "0x0001"),
        (4, b"\x0a\0\0\1", "NAS-IP-Address", "10.0.0.1"),
        (4, b"\x0a\0\0", "Attr-4", "0x0a0000"),
        (95, bytes(15) + b"\1", "NAS-IPv6-Address", "::1"),
        (31, b"203.0.113.5", "Calling-Station-Id", "203.0.113.5"),
        (31, b"\xff\xfe", "Calling-Station-Id", "0xfffe"),
        (31, b"line\nbreak", "Calling-Station-Id", "0x6c696e650a627265616b"),
        (25, b"OU=x;", "Class", "0x4f553d783b"),
        (250, b"\1\2", "Attr-250", "0x0102"),
        (241, b"", "Attr-241", "0x"),
        (66, b"\x01203.0.113.5", "Tunnel-Client-Endpoint", "203.0.113.5"),
        (66, b"203.0.113.5", "Tunnel-Client-Endpoint", "203.0.113.5"),
        (64, b"\x01\0\0\x0d", "Tunnel-Type", "VLAN"),
        (26, VENDOR_9 + b"\x01\x05abc", "Cisco-AVPair", "abc"),
        (26, VENDOR_9 + b"\xc8\x04ab", "Attr-26.9.200", "0x6162"),
        (26, VENDOR_9 + b"\x01\x09abc", "Vendor-Specific", "0x000000090109616263"),
        (26, VENDOR_9, "Vendor-Specific", "0x00000009"),
        (26, b"\1", "Vendor-Specific", "0x01"),
    ],
)
def test_an_attribute_is_told_as_text(type: int, value: bytes, name: str, text: str) -> None:
    assert read(signed((type, value))).attributes == {name: (text,)}


def test_several_values_keep_their_order() -> None:
    pair = VENDOR_9 + b"\x01\x03a\x01\x03b"
    request = read(signed((26, pair), (26, VENDOR_9 + b"\x01\x03c")))
    assert request.attributes["Cisco-AVPair"] == ("a", "b", "c")


def test_proxy_states_and_state_are_kept_as_octets() -> None:
    request = read(signed((33, b"one"), (1, b"alice"), (33, b""), (24, b"row")))
    assert request.proxy_states == (b"one", b"")
    assert request.state == b"row"


def test_proxy_states_that_leave_no_room_for_a_reply_are_refused() -> None:
    proxy = replace(LENIENT, proxy=True)
    states = [(33, bytes(252))] * 15
    assert len(read(packet((1, b"alice"), *states), proxy).proxy_states) == 15
    with pytest.raises(MalformedPacket, match="no room for a reply"):
        read(packet(*states, (33, bytes(250))), proxy)


def test_octets_that_an_encoding_makes_nothing_of_are_no_username() -> None:
    assert read(signed((1, b"\xff\xfe")), replace(STRICT, password_encoding="utf-16")).username is None


@pytest.mark.parametrize(
    "proof",
    [
        [(2, CANARY)],
        [(3, b"\7" + CANARY)],
        [(26, MICROSOFT + b"\1\x12" + CANARY)],
        [(26, MICROSOFT + b"\x19\x34\7\0" + CANARY + bytes(8) + CANARY + CANARY[:8])],
        [(79, CANARY)],
    ],
)
def test_nothing_secret_is_shown(proof: list[tuple[int, bytes]]) -> None:
    request = read(
        signed(
            (1, b"alice"),
            *proof,
            (24, CANARY),
            (33, CANARY),
            (60, CANARY),
            (69, b"\1" + CANARY),
            (70, CANARY),
            (84, CANARY),
            *((26, MICROSOFT + bytes((type, 18)) + CANARY) for type in (3, 11, 12, 16, 17, 26, 27)),
            (26, MICROSOFT + bytes((25, 99)) + CANARY),  # a length that does not add up
        )
    )
    assert list(request.attributes) == ["User-Name"]
    shown = f"{request!r} {request} {request.attributes}"
    assert "CANARY" not in shown
    assert CANARY.hex() not in shown
    assert SECRET.reveal().decode() not in shown


def test_a_request_is_frozen_with_all_it_holds() -> None:
    request = read(signed((1, b"alice")))
    assert isinstance(request, AccessRequest)
    assert request.authenticator == AUTHENTICATOR
    with pytest.raises(TypeError):
        request.attributes["User-Name"] = ("mallory",)  # type: ignore[index]
