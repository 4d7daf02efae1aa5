"""Whatever arrives: reading raises MalformedPacket or NotAuthentic, or gives what can be answered."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from pyrad.dictionary import Dictionary as PyradDictionary
from pyrad.packet import AuthPacket

from radius_push.model import Accepted, Reason, Rejected
from radius_push.radius.asking import read_reply
from radius_push.radius.mschap import PLACEHOLDER
from radius_push.radius.packet import (
    MalformedPacket,
    NotAuthentic,
    ReplyNotComputed,
    check_reply,
    write_reply,
)
from radius_push.radius.user_address import user_address
from tests.radius.packets import AUTHENTICATOR, LENIENT, SECRET, STRICT, dictionary, packet, read, signed
from tests.radius.test_dictionary import FOLDER

PYRAD = PyradDictionary(str(FOLDER / "dictionary"))
KNOWN = sorted({attribute.key for attribute in dictionary() if isinstance(attribute.key, int)} - {80})
VENDORS = [9, 311, 3076, 12356, 25461, 4242]
ENCODINGS = ["latin-1", "ascii", "cp1251", "utf-8", "utf-16", "utf-7", "idna", "hex", "nonsense"]

values = st.binary(max_size=253)
vendor_values = st.builds(
    lambda vendor, inside: vendor.to_bytes(4, "big") + inside,
    st.sampled_from(VENDORS),
    st.binary(max_size=40),
)
attributes = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(KNOWN), values),
        st.tuples(st.integers(0, 255), values),
        st.tuples(st.just(26), vendor_values),
        st.tuples(st.sampled_from([1, 11, 31, 32]), st.text(max_size=40).map(str.encode)),
    ),
    max_size=12,
)


def _read_and_answer(datagram: bytes, encoding: str = "latin-1") -> None:
    for client in (STRICT, LENIENT):
        with contextlib.suppress(MalformedPacket, NotAuthentic):
            request = read(datagram, replace(client, password_encoding=encoding))
            assert all(isinstance(text, str) for texts in request.attributes.values() for text in texts)
            assert "Message-Authenticator" not in request.attributes
            user_address(request.attributes, client=client, gateway=next(iter(client.networks))[0])
            write_reply(request, Rejected(Reason.DENIED, "no"), dictionary=dictionary())
            with contextlib.suppress(ReplyNotComputed):
                write_reply(request, Accepted((("Filter-Id", "x"),), PLACEHOLDER), dictionary=dictionary())


@given(st.binary(max_size=5000))
def test_arbitrary_octets(datagram: bytes) -> None:
    _read_and_answer(datagram)


@given(code=st.sampled_from([1, 1, 1, 2, 11, 12]), more=st.binary(max_size=300))
def test_arbitrary_octets_in_a_right_header(code: int, more: bytes) -> None:
    _read_and_answer(packet(code=code, more=more))


@given(more=st.binary(max_size=300))
def test_arbitrary_octets_with_a_right_message_authenticator(more: bytes) -> None:
    _read_and_answer(signed(more=more))


@settings(max_examples=200)
@given(attributes=attributes, encoding=st.sampled_from(ENCODINGS))
def test_arbitrary_attributes_with_a_right_message_authenticator(
    attributes: list[tuple[int, bytes]], encoding: str
) -> None:
    _read_and_answer(signed(*attributes), encoding)


@given(attributes=attributes, at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_flipped_bit_is_never_authentic(attributes: list[tuple[int, bytes]], at: int, bit: int) -> None:
    datagram = bytearray(signed(*attributes))
    datagram[at % len(datagram)] ^= 1 << bit
    with contextlib.suppress(MalformedPacket, NotAuthentic):
        assert not read(bytes(datagram), LENIENT).authentic


@settings(max_examples=200)
@given(attributes=attributes)
def test_pyrad_reads_the_same_octets(attributes: list[tuple[int, bytes]]) -> None:
    """The oracle: what both can read has the same Proxy-States, State and authenticity."""
    datagram = signed(*attributes)
    oracle = AuthPacket(packet=datagram, secret=SECRET.reveal(), dict=PYRAD)
    with contextlib.suppress(MalformedPacket, NotAuthentic):
        request = read(datagram)
        assert oracle.verify_message_authenticator()
        assert list(request.proxy_states) == oracle.get(33, [])
        assert ([request.state] if request.state is not None else []) == oracle.get(24, [])
        for name in ("Service-Type", "NAS-IP-Address", "NAS-IPv6-Address", "Framed-IPv6-Prefix", "NAS-Port"):
            # pyrad reads lazily, and one value that does not fit spoils all of that name.
            with contextlib.suppress(ValueError, KeyError):
                read_by_pyrad = [str(value) for value in oracle[name]]
                assert list(request.attributes[name]) == read_by_pyrad


@given(datagram=st.binary(max_size=200))
def test_an_arbitrary_reply_is_not_believed(datagram: bytes) -> None:
    with contextlib.suppress(MalformedPacket, NotAuthentic):
        read_reply(
            datagram, identifier=7, authenticator=AUTHENTICATOR, secret=SECRET, dictionary=dictionary()
        )
        raise AssertionError("believed")


@settings(max_examples=200)
@given(
    name=st.one_of(
        st.sampled_from(sorted(attribute.name for attribute in dictionary())), st.text(max_size=20)
    ),
    tag=st.one_of(st.just(""), st.just(":1"), st.text(max_size=3).map(":".__add__)),
    text=st.one_of(st.text(max_size=300), st.integers().map(str), st.ip_addresses().map(str)),
)
def test_an_arbitrary_reply_attribute_is_written_as_checked(name: str, tag: str, text: str) -> None:
    """`check` and the wire agree, and pyrad understands what was written."""
    reply = ((name + tag, text),)
    request = read(signed((1, b"alice")))
    try:
        check_reply(reply, dictionary=dictionary())
    except ReplyNotComputed:
        with contextlib.suppress(ReplyNotComputed):
            write_reply(request, Accepted(reply), dictionary=dictionary())
            raise AssertionError("written after all") from None
        return
    octets = write_reply(request, Accepted(reply), dictionary=dictionary())
    asked = AuthPacket(packet=signed((1, b"alice")), secret=SECRET.reveal(), dict=PYRAD)
    answer = asked.CreateReply(packet=octets)
    assert asked.VerifyReply(answer, enforce_ma=True)
    assert name in answer.keys()  # noqa: SIM118 - its keys are names, its iteration gives numbers
    assert len(answer[name]) >= 1
