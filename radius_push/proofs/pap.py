"""PAP: the password itself, hidden on its way by the shared secret."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass

from radius_push.model import Reason, Secret

BLOCK = 16
MOST_OCTETS = 128


@dataclass(frozen=True, slots=True)
class NotReadable:
    """The shared secret looks right, and still this is no password to show a directory: refuse."""

    reason: Reason
    """NO_PASSWORD (empty) or PASSWORD_NOT_READABLE."""


@dataclass(frozen=True, slots=True)
class LooksLikeWrongSecret:
    """Garbage, as a wrong shared secret makes it: say nothing, and bind nothing."""


def decrypt(hidden: bytes, secret: Secret, authenticator: bytes) -> bytes:
    """Uncover a User-Password (RFC 2865 5.2); the padding NULs are taken off its end.

    `hidden` is 16 to 128 octets, a multiple of 16, and `authenticator` the 16 octets of the
    Request Authenticator: ValueError otherwise. With a wrong secret the outcome is garbage.
    """
    if not (BLOCK <= len(hidden) <= MOST_OCTETS and len(hidden) % BLOCK == 0):
        raise ValueError("a hidden User-Password is 16 to 128 octets, a multiple of 16")
    blocks = [hidden[at : at + BLOCK] for at in range(0, len(hidden), BLOCK)]
    # Each block is masked by the hidden block before it, the first by the authenticator.
    masks = [_mask(secret, before) for before in [_checked(authenticator), *blocks[:-1]]]
    return b"".join(map(_xor, blocks, masks)).rstrip(b"\0")


def hide(password: bytes, secret: Secret, authenticator: bytes) -> bytes:
    """Cover a password for User-Password (RFC 2865 5.2): at most 128 octets, else ValueError."""
    if len(password) > MOST_OCTETS:
        raise ValueError("a password has at most 128 octets")
    padded = password.ljust(max(BLOCK, -(-len(password) // BLOCK) * BLOCK), b"\0")
    hidden, before = b"", _checked(authenticator)
    for at in range(0, len(padded), BLOCK):
        before = _xor(padded[at : at + BLOCK], _mask(secret, before))
        hidden += before
    return hidden


def read(raw: bytes, *, encoding: str) -> Secret | NotReadable | LooksLikeWrongSecret:
    """Read what `decrypt` gave: UTF-8, or else `encoding` (the client's), both strictly.

    A Secret holds UTF-8 octets, is not empty and holds no NUL: an LDAP server may take an empty
    password for an anonymous bind and call it a success (RFC 4513 5.1.2).
    """
    if not raw:
        return NotReadable(Reason.NO_PASSWORD)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return _read_legacy(raw, encoding)
    # Whoever typed a NUL, or whichever gateway sent one: it ends a C string and shortens the proof.
    return NotReadable(Reason.PASSWORD_NOT_READABLE) if b"\0" in raw else Secret(raw)


def _read_legacy(raw: bytes, encoding: str) -> Secret | NotReadable | LooksLikeWrongSecret:
    """Nobody types control characters: outside UTF-8 they tell garbage (about 99 % of it)."""
    try:
        if any(unicodedata.category(letter) == "Cc" for letter in raw.decode(encoding, "replace")):
            return LooksLikeWrongSecret()
        typed = Secret(raw.decode(encoding).encode("utf-8"))
    except (UnicodeError, LookupError):
        return NotReadable(Reason.PASSWORD_NOT_READABLE)
    # Some encodings make nothing of something: a byte order mark alone, in UTF-16.
    return typed if len(typed) else NotReadable(Reason.NO_PASSWORD)


def _checked(authenticator: bytes) -> bytes:
    if len(authenticator) != BLOCK:
        raise ValueError("a Request Authenticator is 16 octets")
    return authenticator


def _mask(secret: Secret, before: bytes) -> bytes:
    return hashlib.md5(secret.reveal() + before, usedforsecurity=False).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(BLOCK)
