"""Whatever arrives as accounting or status: read and answered if the shared secret made it, else refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrad.packet import AcctPacket, AuthPacket

from radius_push.radius.accounting import read_accounting, write_accounting_response
from radius_push.radius.packet import MalformedPacket, NotAuthentic
from radius_push.radius.status import read_status, write_status_reply
from tests.fuzz import oracle
from tests.fuzz.guided import reports
from tests.radius.packets import SECRET, STRICT, dictionary

EXCHANGES = 300


@given(octets=st.binary(max_size=600), code=st.sampled_from([4, 12]))
def test_arbitrary_octets(octets: bytes, code: int) -> None:
    reports.play_accounting(bytes((code,)) + octets)
    reports.play_status(bytes((code,)) + octets)


@given(more=st.binary(max_size=600), code=st.sampled_from([4, 4, 4, 12]))
def test_arbitrary_attributes_under_right_seals(more: bytes, code: int) -> None:
    datagram = bytes((code, 9, 0, 0)) + bytes(16) + more
    reports.play_accounting(reports.mend_accounting(datagram))
    reports.play_status(reports.mend_status(datagram + b"\x50\x12" + bytes(16)))


def test_we_and_pyrad_agree_on_accounting() -> None:
    for number in range(EXCHANGES):
        _one_report(random.Random(number), number % 256)


def _one_report(rng: random.Random, identifier: int) -> None:
    asked = AcctPacket(id=identifier, secret=SECRET.reveal(), dict=oracle.PYRAD)
    asked[1] = [rng.choice(("alice", "Jürgen", "鍵")).encode()]
    asked["Acct-Status-Type"] = rng.choice(("Start", "Stop", "Interim-Update", "Accounting-On"))
    if rng.random() < 0.5:
        asked[33] = [rng.randbytes(rng.randint(0, 30)) for _ in range(3)]
    if rng.random() < 0.5:
        asked.message_authenticator = True
    octets = asked.RequestPacket()
    oracled = AcctPacket(packet=octets, secret=SECRET.reveal(), dict=oracle.PYRAD)
    assert oracled.VerifyAcctRequest()
    request = read_accounting(octets, client=STRICT, dictionary=dictionary())
    assert dict(request.attributes) == oracle.texts_by_pyrad(oracled)
    assert request.signed == bool(asked.message_authenticator)
    assert request.proxy_states == tuple(asked.get(33, ()))
    response = write_accounting_response(request)
    assert asked.VerifyReply(asked.CreateReply(packet=response))
    _is_refused_flipped(rng, octets)
    flipped = bytearray(response)
    flipped[rng.randrange(4, len(flipped))] ^= 1 << rng.randrange(8)
    assert not asked.VerifyReply(asked.CreateReply(packet=bytes(response)), rawreply=bytes(flipped))


def _is_refused_flipped(rng: random.Random, octets: bytes) -> None:
    flipped = bytearray(octets)
    flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    with pytest.raises((MalformedPacket, NotAuthentic)):
        read_accounting(bytes(flipped), client=STRICT, dictionary=dictionary())


@pytest.mark.parametrize("accounting", [True, False])
def test_we_and_pyrad_agree_on_status(accounting: bool) -> None:
    kind = AcctPacket if accounting else AuthPacket
    for number in range(EXCHANGES // 3):
        rng = random.Random(number)
        asked = kind(code=12, id=number, secret=SECRET.reveal(), dict=oracle.PYRAD)
        asked.authenticator = rng.randbytes(16)
        asked.message_authenticator = True
        asked[33] = [rng.randbytes(5)]
        request = read_status(asked.RequestPacket(), client=STRICT)
        reply = asked.CreateReply(packet=write_status_reply(request, accounting=accounting))
        assert asked.VerifyReply(reply, enforce_ma=True)
        assert reply.get(33) == asked.get(33)
