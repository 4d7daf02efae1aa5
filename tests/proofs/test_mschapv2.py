"""MS-CHAPv2 by the numbers of RFC 2759 9.2, and what must not be taken for right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radius_push.model import MsChapV2, Secret
from radius_push.proofs import mschapv2
from tests.vectors import rfc2759_9_2 as rfc

PROOF = MsChapV2(
    identifier=7,
    authenticator_challenge=rfc.AUTHENTICATOR_CHALLENGE,
    peer_challenge=rfc.PEER_CHALLENGE,
    nt_response=rfc.NT_RESPONSE,
    username=rfc.USERNAME,
)


def test_each_function_gives_what_the_rfc_prints() -> None:
    assert mschapv2.nt_password_hash(rfc.PASSWORD) == rfc.PASSWORD_HASH
    assert mschapv2.hash_nt_password_hash(rfc.PASSWORD_HASH) == rfc.PASSWORD_HASH_HASH
    challenge = mschapv2.challenge_hash(rfc.PEER_CHALLENGE, rfc.AUTHENTICATOR_CHALLENGE, rfc.USERNAME)
    assert challenge == rfc.CHALLENGE
    assert mschapv2.challenge_response(challenge, rfc.PASSWORD_HASH) == rfc.NT_RESPONSE
    made = mschapv2.generate_nt_response(
        rfc.AUTHENTICATOR_CHALLENGE, rfc.PEER_CHALLENGE, rfc.USERNAME, rfc.PASSWORD_HASH
    )
    assert made == rfc.NT_RESPONSE
    assert mschapv2.authenticator_response(PROOF, Secret(rfc.PASSWORD_HASH)) == rfc.AUTHENTICATOR_RESPONSE


def test_the_right_hash_is_right_and_no_other() -> None:
    assert mschapv2.is_right(PROOF, Secret(rfc.PASSWORD_HASH))
    assert not mschapv2.is_right(PROOF, Secret(rfc.PASSWORD_HASH_HASH))


@pytest.mark.parametrize(
    "other",
    [
        replace(PROOF, username=b"user"),
        replace(PROOF, peer_challenge=rfc.AUTHENTICATOR_CHALLENGE),
        replace(PROOF, authenticator_challenge=rfc.PEER_CHALLENGE),
        replace(PROOF, nt_response=rfc.NT_RESPONSE[:-1] + b"\0"),
        replace(PROOF, nt_response=b""),
    ],
)
def test_whatever_else_was_hashed_is_wrong(other: MsChapV2) -> None:
    assert not mschapv2.is_right(other, Secret(rfc.PASSWORD_HASH))


def test_who_logs_in_believes_only_a_server_that_knows_the_password() -> None:
    right = Secret(rfc.PASSWORD_HASH)
    assert mschapv2.check_authenticator_response(PROOF, right, rfc.AUTHENTICATOR_RESPONSE)
    assert not mschapv2.check_authenticator_response(PROOF, right, rfc.AUTHENTICATOR_RESPONSE.lower())
    assert not mschapv2.check_authenticator_response(PROOF, right, b"S=" + b"0" * 40)


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("clientPass", "44ebba8d5312b8d611474411f56989ae"),
        ("password", "8846f7eaee8fb117ad06bdd830b7586c"),
        ("", "31d6cfe0d16ae931b73c59d7e0c089c0"),
    ],
)
def test_the_nt_hash_of_a_password_is_what_windows_has(password: str, expected: str) -> None:
    found = mschapv2.nt_hash(Secret(password))
    assert found is not None
    assert found.reveal().hex() == expected


def test_letters_beyond_the_basic_plane_are_two_units_and_nothing_is_normalised() -> None:
    assert mschapv2.nt_hash(Secret("🔑")) == Secret(mschapv2.nt_password_hash(b"\x3d\xd8\x11\xdd"))
    assert mschapv2.nt_hash(Secret("é")) != mschapv2.nt_hash(Secret("e\N{COMBINING ACUTE ACCENT}"))


@pytest.mark.parametrize("password", [b"\xff", b"a" * 257, "🔑".encode() * 129])
def test_what_windows_could_not_hash_has_no_nt_hash(password: bytes) -> None:
    assert mschapv2.nt_hash(Secret(password)) is None


@pytest.mark.parametrize(
    ("typed", "hashed"),
    [(b"alice", b"alice"), (b"CORP\\alice", b"alice"), (b"\xe9", b"\xe9"), (b"CORP\\", b"CORP\\")],
)
def test_a_domain_is_not_hashed(typed: bytes, hashed: bytes) -> None:
    assert mschapv2.without_domain(typed) == hashed


def test_octets_of_another_length_are_not_hashed() -> None:
    with pytest.raises(ValueError, match="16 octets"):
        mschapv2.challenge_hash(bytes(15), bytes(16), b"User")
    with pytest.raises(ValueError, match="16 octets"):
        mschapv2.challenge_response(bytes(8), bytes(15))
