"""CHAP: a response to a challenge, made of the clear password, which the server must therefore know."""

from __future__ import annotations

import hashlib
import hmac

from radius_push.model import Chap, Secret

RESPONSE = 16


def response(identifier: int, password: Secret, challenge: bytes) -> bytes:
    """MD5 of the identifier's octet, the password and the challenge (RFC 1994 4.1): 16 octets."""
    clear = bytes((identifier,)) + password.reveal() + challenge
    return hashlib.md5(clear, usedforsecurity=False).digest()


def answer(password: Secret, *, identifier: int, challenge: bytes) -> Chap:
    """What who logs in makes of a challenge of 1 to 253 octets."""
    return Chap(identifier, challenge, response(identifier, password, challenge))


def is_right(proof: Chap, password: Secret) -> bool:
    """Was this response made with this password? Takes the same time wherever they differ."""
    return hmac.compare_digest(response(proof.identifier, password, proof.challenge), proof.response)
