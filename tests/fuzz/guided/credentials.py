"""What proves who somebody is, once it is taken out of its packet."""

from __future__ import annotations

import random
from collections.abc import Iterable

from radius_push.model import Secret
from radius_push.proofs import pap
from tests.fuzz import oracle
from tests.radius.packets import AUTHENTICATOR, SECRET

ENCODINGS = ("utf-8", "latin-1", "cp1251", "ascii", "utf-16", "utf-7", "idna", "punycode", "hex", "shift_jis")


def play_password(octets: bytes) -> None:
    """An octet for the encoding, an octet for the way in, then a hidden password or a bare one."""
    encoding, bare, rest = (
        ENCODINGS[octets[0] % len(ENCODINGS)] if octets else "utf-8",
        octets[1:2],
        octets[2:],
    )
    if bare == b"\1":
        is_a_password(pap.read(rest[:128], encoding=encoding))
        return
    try:
        uncovered = pap.decrypt(rest, SECRET, AUTHENTICATOR)
    except ValueError:
        assert not (16 <= len(rest) <= 128 and len(rest) % 16 == 0)
        return
    hidden = pap.hide(uncovered, SECRET, AUTHENTICATOR)
    assert rest.startswith(hidden[:16]) or not uncovered[:16].strip(b"\0")
    assert pap.decrypt(hidden, SECRET, AUTHENTICATOR) == uncovered
    is_a_password(pap.read(uncovered, encoding=encoding))


def is_a_password(read: Secret | pap.NotReadable | pap.LooksLikeWrongSecret) -> None:
    """Nothing empty and no NUL gets to a directory (RFC 4513 5.1.2)."""
    if isinstance(read, Secret):
        assert read.reveal().decode("utf-8")
        assert b"\0" not in read.reveal()


def password_seeds() -> Iterable[bytes]:
    for number in range(len(ENCODINGS)):
        typed = oracle.password_octets(random.Random(number))
        yield bytes((number, 1)) + typed
        yield bytes((number, 0)) + pap.hide(typed, SECRET, AUTHENTICATOR)
