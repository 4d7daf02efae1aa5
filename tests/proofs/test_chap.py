"""CHAP by the numbers of RFC 2865 7.2, and what must not be taken for right."""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import replace

import pytest

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


def compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    """One step of MD5 (RFC 1321 3.4): hashlib can't begin in the middle, an attacker can."""
    words = struct.unpack("<16I", block)
    turns = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
    a, b, c, d = state
    for step in range(64):
        mixed, at = (
            ((b & c) | (~b & d), step),
            ((d & b) | (~d & c), (5 * step + 1) % 16),
            (b ^ c ^ d, (3 * step + 5) % 16),
            (c ^ (b | ~d), (7 * step) % 16),
        )[step // 16]
        total = (a + mixed + int(abs(math.sin(step + 1)) * 2**32) + words[at]) & 0xFFFFFFFF
        turn = turns[step // 16][step % 4]
        turned = (total << turn | total >> (32 - turn)) & 0xFFFFFFFF
        a, b, c, d = d, (b + turned) & 0xFFFFFFFF, b, c
    return tuple((x + y) & 0xFFFFFFFF for x, y in zip(state, (a, b, c, d), strict=True))


def padding(octets: int) -> bytes:
    """What MD5 puts behind a text of so many octets."""
    return b"\x80" + bytes((55 - octets) % 64) + (8 * octets).to_bytes(8, "little")


def longer(heard: Chap, *, password_octets: int, more: bytes) -> Chap:
    """A response to another challenge, made of one that was overheard, and without the password."""
    octets = 1 + password_octets + len(heard.challenge)
    challenge = heard.challenge + padding(octets) + more
    rest = more + padding(1 + password_octets + len(challenge))
    state = struct.unpack("<4I", heard.response)
    for at in range(0, len(rest), 64):
        state = compress(state, rest[at : at + 64])
    return Chap(heard.identifier, challenge, struct.pack("<4I", *state))


@pytest.mark.parametrize("more", [b"", b"x", b"y" * 100])
@pytest.mark.parametrize(
    "password", ["arctangent", "p", "a password of fifty-one octets, which is rather long", "q" * 70]
)
def test_a_response_that_goes_on_from_an_overheard_one_is_wrong(password: str, more: bytes) -> None:
    heard = chap.answer(Secret(password), identifier=22, challenge=rfc.CHALLENGE)
    made = longer(heard, password_octets=len(password), more=more)
    # The attack works: it is what the password gives.
    clear = bytes((22,)) + password.encode() + made.challenge
    assert made.response == hashlib.md5(clear, usedforsecurity=False).digest()
    assert not chap.is_right(made, Secret(password))
    again = longer(made, password_octets=len(password), more=b"z")
    assert again.response == chap.response(22, Secret(password), again.challenge)
    assert not chap.is_right(again, Secret(password))


def test_a_long_challenge_is_as_good_as_a_short_one() -> None:
    for octets in (1, 16, 47, 48, 64, 128, 253):
        proof = chap.answer(Secret("arctangent"), identifier=1, challenge=bytes(octets))
        assert chap.is_right(proof, Secret("arctangent"))
