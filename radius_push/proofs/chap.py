"""CHAP: a response to a challenge, made of the clear password, which the server must therefore know."""

from __future__ import annotations

import hashlib
import hmac

from radius_push.model import Chap, Secret

RESPONSE = 16
_BLOCK, _COUNT = 64, 8
"""Octets of MD5's blocks, and of the number of bits that its padding ends with."""


def response(identifier: int, password: Secret, challenge: bytes) -> bytes:
    """MD5 of the identifier's octet, the password and the challenge (RFC 1994 4.1): 16 octets."""
    clear = bytes((identifier,)) + password.reveal() + challenge
    return hashlib.md5(clear, usedforsecurity=False).digest()


def answer(password: Secret, *, identifier: int, challenge: bytes) -> Chap:
    """What who logs in makes of a challenge of 1 to 253 octets."""
    return Chap(identifier, challenge, response(identifier, password, challenge))


def is_right(proof: Chap, password: Secret) -> bool:
    """Was this response made with this password? Takes the same time wherever they differ.

    Not if it can be made without: MD5 of a longer text goes on from that of a shorter one, so whoever has
    overheard one response makes as many as they like to longer challenges.
    """
    right = hmac.compare_digest(response(proof.identifier, password, proof.challenge), proof.response)
    return right and not _goes_on(1 + len(password), proof)


def _goes_on(before: int, proof: Chap) -> bool:
    """Does the challenge, behind `before` octets, hold what MD5 ends a shorter text with (RFC 1321 3.1, 3.2)?
    One that chance made does not: nine octets at least, all of them given."""
    text = bytes(before) + proof.challenge
    for end in range(_BLOCK, len(text) + 1, _BLOCK):
        bits = int.from_bytes(text[end - _COUNT : end], "little")
        octets = bits // 8
        if before <= octets < end - _COUNT:
            padding = text[octets : end - _COUNT]
            if bits % 8 == 0 and padding == b"\x80".ljust(len(padding), b"\0"):
                return True
    return False
