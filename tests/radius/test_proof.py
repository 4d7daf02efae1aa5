"""CHAP and MS-CHAPv2 on the wire: read whole at the door, told apart, and remembered by what proves them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from radius_push.model import Chap, Client, MsChapV2, Secret
from radius_push.proofs import chap
from radius_push.radius import mschap
from radius_push.radius.attributes import of_vendor
from radius_push.radius.packet import MalformedPacket
from tests.radius.packets import AUTHENTICATOR, HIDDEN, LENIENT, packet, read, signed
from tests.vectors import rfc2759_9_2 as mschapv2_rfc
from tests.vectors import rfc2865_7_2 as rfc

CHALLENGE = of_vendor((311, 11), mschapv2_rfc.AUTHENTICATOR_CHALLENGE)
RESPONSE = b"\x07\0" + mschapv2_rfc.PEER_CHALLENGE + bytes(8) + mschapv2_rfc.NT_RESPONSE
PROOF = MsChapV2(
    identifier=7,
    authenticator_challenge=mschapv2_rfc.AUTHENTICATOR_CHALLENGE,
    peer_challenge=mschapv2_rfc.PEER_CHALLENGE,
    nt_response=mschapv2_rfc.NT_RESPONSE,
    username=b"User",
)


def response(octets: bytes = RESPONSE) -> bytes:
    return of_vendor((311, 25), octets)


def test_the_rfcs_chap_login_is_read_and_its_challenge_is_the_authenticator() -> None:
    request = read(rfc.REQUEST, LENIENT)
    assert (request.username, request.proof, request.hidden_password) == ("flopsy", "chap", None)
    assert request.response == Chap(rfc.IDENTIFIER, rfc.CHALLENGE, rfc.RESPONSE)
    assert chap.is_right(request.response, Secret(rfc.PASSWORD))


@pytest.mark.parametrize("length", [1, 5, 16, 253])
def test_a_chap_challenge_goes_before_the_authenticator(length: int) -> None:
    request = read(signed((1, b"flopsy"), (3, b"\x16" + rfc.RESPONSE), (60, b"c" * length)))
    assert request.response == Chap(rfc.IDENTIFIER, b"c" * length, rfc.RESPONSE)


@pytest.mark.parametrize("name", [b"User", b"CORP\\User"])
def test_an_mschapv2_login_is_read_with_the_name_as_it_was_hashed(name: bytes) -> None:
    request = read(signed((1, name), more=CHALLENGE + response()))
    assert (request.username, request.proof) == (name.decode(), "ms-chapv2")
    assert request.response == PROOF


def test_octets_of_a_name_in_another_encoding_are_hashed_as_they_came() -> None:
    request = read(signed((1, b"zo\xeb"), more=CHALLENGE + response()))
    assert request.username == "zoë"
    assert request.response == replace(PROOF, username=b"zo\xeb")


def test_what_the_gateway_writes_is_what_is_read() -> None:
    assert read(signed((1, b"User"), more=mschap.request_attributes(PROOF))).response == PROOF


@pytest.mark.parametrize(
    ("attributes", "more", "why"),
    [
        ([(3, b"")], b"", "CHAP-Password of 0"),
        ([(3, bytes(16))], b"", "CHAP-Password of 16"),
        ([(3, bytes(18))], b"", "CHAP-Password of 18"),
        ([(3, bytes(17)), (3, bytes(17))], b"", "CHAP-Password is there 2"),
        ([(3, bytes(17)), (60, b"")], b"", "CHAP-Challenge of 0"),
        ([(3, bytes(17)), (60, b"a"), (60, b"a")], b"", "CHAP-Challenge is there 2"),
        ([(2, HIDDEN), (2, HIDDEN)], b"", "User-Password is there 2"),
        ([], response(), "MS-CHAP-Challenge is there 0"),
        ([], CHALLENGE * 2 + response(), "MS-CHAP-Challenge is there 2"),
        ([], CHALLENGE + response() * 2, "MS-CHAP2-Response is there 2"),
        ([], CHALLENGE + response(RESPONSE[:-1]), "MS-CHAP2-Response of 49"),
        ([], CHALLENGE + response(RESPONSE + b"\0"), "MS-CHAP2-Response of 51"),
        ([], CHALLENGE + response(b""), "MS-CHAP2-Response of 0"),
        ([], of_vendor((311, 11), bytes(8)) + response(), "MS-CHAP-Challenge of 8"),
        ([], of_vendor((311, 11), bytes(17)) + response(), "MS-CHAP-Challenge of 17"),
    ],
)
def test_a_proof_of_another_shape_is_malformed(
    attributes: list[tuple[int, bytes]], more: bytes, why: str
) -> None:
    with pytest.raises(MalformedPacket, match=why):
        read(signed((1, b"User"), *attributes, more=more))


KINDS = {
    "User-Password": packet((2, HIDDEN))[20:],
    "CHAP-Password": packet((3, bytes(17)))[20:],
    "MS-CHAP-Response": of_vendor((311, 1), bytes(50)),
    "MS-CHAP2-Response": CHALLENGE + response(),
    "EAP-Message": packet((79, b"\2\1\0\5\1"))[20:],
}


@pytest.mark.parametrize(("one", "other"), list(combinations(KINDS, 2)))
def test_two_proofs_at_once_are_malformed(one: str, other: str) -> None:
    with pytest.raises(MalformedPacket, match=f"both {one} and {other}"):
        read(signed((1, b"User"), more=KINDS[other] + KINDS[one]))


# --- what a packet is remembered by ------------------------------------------------------------------

CHAP = packet((3, b"\x16" + rfc.RESPONSE))[20:]
CHAP_AND_CHALLENGE = CHAP + packet((60, AUTHENTICATOR))[20:]
MSCHAPV2 = CHALLENGE + response()


AUTO = replace(LENIENT, require_message_authenticator="auto")


@pytest.mark.parametrize("client", [LENIENT, AUTO], ids=["no", "auto"])
@pytest.mark.parametrize("proof", [CHAP, CHAP_AND_CHALLENGE, MSCHAPV2])
def test_an_unsealed_proof_is_the_same_whatever_is_altered_around_it(proof: bytes, client: Client) -> None:
    memory = read(packet((1, b"User"), more=proof), client).memory
    other_authenticator = bytearray(packet((1, b"User"), more=CHAP_AND_CHALLENGE if proof is CHAP else proof))
    other_authenticator[4:20] = b"another of sixte"
    for again in (
        packet((1, b"USER"), more=proof),
        packet((1, b"CORP\\User"), (31, b"203.0.113.9"), more=proof),
        packet((1, b"User"), identifier=9, more=proof),
        packet(
            (1, b"User"),
            more=proof.replace(
                b"\x07\0" + mschapv2_rfc.PEER_CHALLENGE, b"\x08\1" + mschapv2_rfc.PEER_CHALLENGE
            ),
        ),
        bytes(other_authenticator),
        signed((1, b"User"), more=proof),  # the seal was there, and is taken off
    ):
        assert read(again, client).memory == memory


def test_another_challenge_or_response_is_another_packet() -> None:
    sent = [
        CHAP,
        CHAP + packet((60, b"x"))[20:],
        packet((3, b"\x17" + rfc.RESPONSE))[20:],
        packet((3, b"\x16" + bytes(16)))[20:],
        MSCHAPV2,
        of_vendor((311, 11), bytes(16)) + response(),
        CHALLENGE + response(RESPONSE[:-1] + b"\0"),
        CHALLENGE + response(b"\x07\0" + bytes(16) + RESPONSE[18:]),
    ]
    memories = {read(packet((1, b"User"), more=each), LENIENT).memory for each in sent}
    assert len(memories) == len(sent)


def test_where_only_sealed_packets_are_taken_each_is_one_of_its_own() -> None:
    """So that a gateway which tries again with the same response is heard."""
    one, other = (read(signed((1, b"User"), identifier=at, more=MSCHAPV2)) for at in (1, 2))
    assert one.memory != other.memory
