"""Whatever is reported: reading raises MalformedPacket or NotAuthentic, or gives what can be kept."""

from __future__ import annotations

import contextlib
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from radius_push.accounting import AccountingArrival, NothingToKeep, read
from radius_push.radius.accounting import read_accounting, write_accounting_response
from radius_push.radius.status import read_status, write_status_reply
from radius_push.radius.wire import (
    Code,
    MalformedPacket,
    NotAuthentic,
    attribute,
    seal_accounting,
    seal_request,
)
from radius_push.sessions import Reset, meet
from tests.radius.packets import AUTHENTICATOR, SECRET, STRICT, dictionary

bodies = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 255), st.binary(max_size=253)),
        st.tuples(st.sampled_from([40, 41, 42, 43, 46, 52, 55]), st.binary(min_size=4, max_size=4)),
        st.tuples(st.just(40), st.sampled_from([1, 2, 3, 7, 8]).map(lambda n: n.to_bytes(4, "big"))),
        st.tuples(st.sampled_from([1, 8, 31, 32, 44]), st.binary(max_size=30)),
    ),
    max_size=12,
).map(lambda each: b"".join(attribute(type, value) for type, value in each))


@given(bodies, st.booleans())
def test_an_authentic_report_is_read_and_answered(body: bytes, sign: bool) -> None:
    datagram = seal_accounting(identifier=1, secret=SECRET, attributes=body, sign=sign)
    with contextlib.suppress(MalformedPacket, NotAuthentic):
        request = read_accounting(datagram, client=STRICT, dictionary=dictionary())
        found = read(AccountingArrival(request, STRICT, ip_address("127.0.0.1"), 1_790_000_000.0))
        if not isinstance(found, Reset | NothingToKeep):
            first = meet(None, found)
            assert first is not None
            meet(first.session, found)
        assert write_accounting_response(request)[0] == Code.ACCOUNTING_RESPONSE


@given(bodies)
def test_an_authentic_probe_is_read_and_answered(body: bytes) -> None:
    datagram = seal_request(
        identifier=1,
        authenticator=AUTHENTICATOR,
        secret=SECRET,
        attributes=body,
        sign=True,
        code=Code.STATUS_SERVER,
    )
    with contextlib.suppress(MalformedPacket, NotAuthentic):
        write_status_reply(read_status(datagram, client=STRICT), accounting=True)


@given(st.binary(max_size=300), st.sampled_from([4, 12]))
def test_octets_that_nobody_sealed_are_never_read(octets: bytes, code: int) -> None:
    length = (20 + len(octets)).to_bytes(2, "big")
    datagram = bytes((code, 1)) + length + AUTHENTICATOR + octets
    with contextlib.suppress(MalformedPacket, NotAuthentic):
        if code == Code.STATUS_SERVER:
            read_status(datagram, client=STRICT)
        else:
            read_accounting(datagram, client=STRICT, dictionary=dictionary())
        raise AssertionError("read")
