"""Where we read otherwise than pyrad, on purpose: the table in docs/why/wire.md, a test for each row."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from pyrad.packet import AuthPacket, PacketError

from radius_push.model import Reason, Rejected
from radius_push.proofs import pap
from radius_push.radius.packet import MalformedPacket, NotAuthentic, write_reply
from tests.fuzz import oracle
from tests.fuzz.guided.requests import mend
from tests.radius.packets import AUTHENTICATOR, LENIENT, SECRET, dictionary, packet, read, signed

PAGE = Path(__file__).parents[2] / "docs" / "why" / "wire.md"


def test_a_cut_off_last_attribute_is_refused() -> None:
    cut = mend(signed((1, b"alice")) + b"\x0b\x09abc")
    assert oracle.read_by_pyrad(cut)["Filter-Id"] == ["abc"]
    with pytest.raises(MalformedPacket, match="length does not fit"):
        read(cut)


def test_more_than_4096_octets_are_refused() -> None:
    long = signed((1, b"alice"), *[(11, b"x" * 250)] * 17)
    assert len(long) > 4096
    assert oracle.believed_by_pyrad(long)
    with pytest.raises(MalformedPacket, match="4096"):
        read(long)


def test_more_than_256_attributes_are_refused() -> None:
    crowded = signed(*[(11, b"x")] * 256)
    assert oracle.believed_by_pyrad(crowded)
    with pytest.raises(MalformedPacket, match="at most 256"):
        read(crowded)


@pytest.mark.parametrize("type", [1, 2, 24])
def test_what_may_be_there_once_is_refused_twice(type: int) -> None:
    twice = signed((type, b"0123456789abcdef"), (type, b"0123456789abcdef"))
    assert len(oracle.read_by_pyrad(twice).get(type)) == 2
    with pytest.raises(MalformedPacket, match="2 times"):
        read(twice)


def test_two_message_authenticators_are_refused_whichever_is_right() -> None:
    two = mend(signed((1, b"alice"), (80, bytes(16))))
    assert oracle.believed_by_pyrad(two)
    with pytest.raises(NotAuthentic, match="more than one"):
        read(two)


def test_two_kinds_of_password_are_refused() -> None:
    both = signed((1, b"alice"), (2, bytes(16)), (3, bytes(17)))
    assert oracle.believed_by_pyrad(both)
    with pytest.raises(MalformedPacket, match="both"):
        read(both)


@pytest.mark.parametrize("octets", [b"", b"0123456789abcdef0", bytes(144)])
def test_a_hidden_password_of_a_wrong_length_is_refused_at_the_door(octets: bytes) -> None:
    wrong = signed((1, b"alice"), (2, octets))
    assert oracle.believed_by_pyrad(wrong)
    with pytest.raises(MalformedPacket, match="User-Password of"):
        read(wrong)


def test_a_password_that_is_not_utf_8_is_not_thinned_out() -> None:
    typed = "pässwörd".encode("latin-1")
    request = read(signed((1, b"alice"), (2, pap.hide(typed, SECRET, AUTHENTICATOR))))
    assert request.hidden_password is not None
    assert pap.decrypt(request.hidden_password, SECRET, AUTHENTICATOR) == typed
    assert (
        AuthPacket(authenticator=AUTHENTICATOR, secret=SECRET.reveal()).PwDecrypt(request.hidden_password)
        == "psswrd"
    )


def test_a_username_that_is_not_utf_8_is_read_in_the_clients_encoding() -> None:
    octets = signed((1, "Jürgen".encode("latin-1")))
    assert oracle.read_by_pyrad(octets)["User-Name"] == ["Jürgen".encode("latin-1")]
    assert read(octets).username == "Jürgen"


def test_control_characters_are_no_text() -> None:
    octets = signed((1, b"alice"), (31, b"line\nbreak"))
    assert oracle.read_by_pyrad(octets)["Calling-Station-Id"] == ["line\nbreak"]
    assert read(octets).attributes["Calling-Station-Id"] == ("0x" + b"line\nbreak".hex(),)
    with pytest.raises(MalformedPacket, match="control characters"):
        read(signed((1, b"al\nice")))


def test_a_value_that_does_not_fit_its_type_spoils_nothing_else() -> None:
    octets = signed((1, b"alice"), (4, b"\x0a\0\0"), (4, b"\x0a\0\0\1"))
    with pytest.raises(ValueError, match="expected 4 bytes"):
        oracle.read_by_pyrad(octets)["NAS-IP-Address"]
    request = read(octets)
    assert request.attributes["NAS-IP-Address"] == ("10.0.0.1",)
    assert request.attributes["Attr-4"] == ("0x0a0000",)


def test_what_proves_who_somebody_is_is_not_among_the_texts() -> None:
    octets = signed((1, b"alice"), (3, bytes(17)), (24, b"state"))
    assert oracle.read_by_pyrad(octets)["State"] == [b"state"]
    assert list(read(octets).attributes) == ["User-Name"]


def test_an_unsealed_request_with_a_proxy_state_is_refused() -> None:
    unsealed = packet((1, b"alice"), (33, b"proxy"))
    assert oracle.read_by_pyrad(unsealed)["User-Name"] == ["alice"]
    with pytest.raises(NotAuthentic, match="Proxy-State"):
        read(unsealed, LENIENT)


def test_proxy_states_that_leave_no_room_for_a_reply_are_refused() -> None:
    crowded = packet(*[(33, bytes(252))] * 15, (33, bytes(250)))
    assert len(oracle.read_by_pyrad(crowded).get(33)) == 16
    with pytest.raises(MalformedPacket, match="no room"):
        read(crowded, replace(LENIENT, proxy=True))


def test_a_long_reply_message_goes_out_in_pieces() -> None:
    text = "é" * 200
    with pytest.raises(ValueError, match="253"):
        oracle.read_by_pyrad(signed((1, b"alice"))).CreateReply(Reply_Message=text)
    reply = write_reply(read(signed((1, b"alice"))), Rejected(Reason.DENIED, text), dictionary=dictionary())
    answer = oracle.reply_by_pyrad(signed((1, b"alice")), reply)
    assert answer is not None
    assert "".join(answer["Reply-Message"]) == text


def test_octets_behind_length_are_padding_for_both() -> None:
    padded = signed((1, b"alice")) + b"padding"
    assert oracle.believed_by_pyrad(padded)
    assert read(padded).authentic


def test_what_has_no_header_is_refused_by_both() -> None:
    with pytest.raises(PacketError):
        oracle.read_by_pyrad(bytes(19))
    with pytest.raises(MalformedPacket):
        read(bytes(19))


def test_every_difference_is_in_the_table() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    tests = set(re.findall(r"^def (test_\w+)", here, re.MULTILINE)) - {
        "test_every_difference_is_in_the_table",
        "test_octets_behind_length_are_padding_for_both",
        "test_what_has_no_header_is_refused_by_both",
    }
    assert set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8"))) == tests
