"""A reply, as our own gateway side reads it."""

from __future__ import annotations

import random
from collections.abc import Iterable

from radius_push.model import Accepted, Reason, Rejected
from radius_push.radius.asking import read_reply
from radius_push.radius.packet import (
    MalformedPacket,
    NotAuthentic,
    write_reply,
)
from tests.fuzz import oracle
from tests.fuzz.guided import sealing
from tests.radius.packets import AUTHENTICATOR, SECRET, dictionary, read, signed

IDENTIFIER = 7


def play(datagram: bytes) -> None:
    """Believed only with both seals right."""
    try:
        code, texts = read_reply(
            datagram,
            identifier=IDENTIFIER,
            authenticator=AUTHENTICATOR,
            secret=SECRET,
            dictionary=dictionary(),
        )
    except (MalformedPacket, NotAuthentic):
        return
    octets = datagram[: int.from_bytes(datagram[2:4], "big")]
    secret = SECRET.reveal()
    assert sealing.is_sealed(octets, secret=secret, request_authenticator=AUTHENTICATOR)
    assert sealing.is_answer(octets, secret=secret, request_authenticator=AUTHENTICATOR)
    assert code == octets[0]
    assert all(isinstance(text, str) for each in texts.values() for text in each)


def mend(datagram: bytes) -> bytes:
    return sealing.reseal_reply(datagram, SECRET.reveal(), AUTHENTICATOR, IDENTIFIER)


def seeds() -> Iterable[bytes]:
    request = read(signed((1, b"alice"), (33, b"proxy")))
    yield write_reply(request, Rejected(Reason.DENIED, "no " * 100), dictionary=dictionary())
    rng = random.Random(0)
    writable = {attribute.name for attribute in oracle.writable()}
    for _ in range(24):
        reply = tuple(
            (value.name, value.text)
            for value in oracle.some_values(rng, 500)
            if value.name.partition(":")[0] in writable
        )
        yield write_reply(request, Accepted(reply), dictionary=dictionary())
