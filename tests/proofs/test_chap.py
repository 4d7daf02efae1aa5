"""CHAP by the numbers of RFC 2865 7.2, and what must not be taken for right."""

from __future__ import annotations

from dataclasses import replace

from radius_push.model import Chap, Secret
from radius_push.proofs import chap
from tests.vectors import rfc2865_7_2 as rfc

PROOF = Chap(identifier=rfc.IDENTIFIER, challenge=rfc.CHALLENGE, response=rfc.RESPONSE)


def test_the_response_is_what_the_rfc_prints() -> None:
    assert chap.response(rfc.IDENTIFIER, Secret(rfc.PASSWORD), rfc.CHALLENGE) == rfc.RESPONSE


def test_the_right_password_is_right_and_no_other() -> None:
    assert chap.is_right(PROOF, Secret("arctangent"))
    assert not chap.is_right(PROOF, Secret("Arctangent"))
    assert not chap.is_right(PROOF, Secret(""))


def test_whatever_else_was_hashed_is_wrong() -> None:
    for other in (
        replace(PROOF, identifier=23),
        replace(PROOF, challenge=rfc.CHALLENGE[:-1]),
        replace(PROOF, response=PROOF.response[:-1]),
        replace(PROOF, response=bytes(16)),
    ):
        assert not chap.is_right(other, Secret("arctangent"))
