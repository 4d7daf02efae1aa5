"""The trace code behind what people read of a reply (RFC 2865 5.18, RFC 2759 6)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.model import Accepted, Reason, Rejected
from radius_push.radius import mschap
from radius_push.radius.packet import AccessRequest, ReplyNotComputed, check_reply, write_reply
from radius_push.radius.wire import open_packet
from tests.radius.packets import dictionary, read, signed
from tests.radius.test_mschap import request as by_mschapv2
from tests.radius.test_mschap import told

CODE = "K7F2QX"


def words(verdict: Accepted | Rejected, to: AccessRequest | None = None, code: str = CODE) -> list[str]:
    """Each Reply-Message."""
    request = to or read(signed((1, b"alice")))
    octets = write_reply(request, verdict, dictionary=dictionary(), trace_code=code)
    assert len(octets) <= 4096
    return [value.decode("utf-8") for value in open_packet(octets).all(18)]


def no(text: str) -> Rejected:
    return Rejected(Reason.DENIED, text)


def test_a_reject_ends_with_the_code() -> None:
    assert words(no("You said no.")) == ["You said no. (K7F2QX)"]
    assert words(no("")) == ["(K7F2QX)"]
    assert words(no("You said no."), code="") == ["You said no."]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("x" * 244, "x" * 244 + " (K7F2QX)"),  # 253 octets
        ("x" * 245, "(K7F2QX)"),
        ("x" * 253, "(K7F2QX)"),
        ("x" * 254, "x (K7F2QX)"),
        ("ж" * 122, "ж" * 122 + " (K7F2QX)"),
        ("ж" * 123, "(K7F2QX)"),
    ],
)
def test_the_code_is_never_cut_apart(text: str, last: str) -> None:
    said = words(no(text))
    assert said[-1] == last
    assert all(len(each.encode()) <= 253 for each in said)
    assert "".join(said).replace(" (K7F2QX)", "").replace("(K7F2QX)", "") == text


@given(text=st.text(max_size=2000), states=st.lists(st.binary(max_size=253), max_size=15))
def test_a_reject_is_written_whatever_its_text_and_with_its_code_where_there_is_room(
    text: str, states: list[bytes]
) -> None:
    said = words(no(text), read(signed((1, b"alice"), *((33, state) for state in states))))
    room = 4096 - 38 - sum(2 + len(state) for state in states)
    needed = len(text.encode("utf-8", "replace")) + 2 * 9 + 40
    assert (said[-1:] or [""])[0].endswith("(K7F2QX)") or needed > room


def test_the_code_gives_way_before_the_text_and_the_text_before_the_proxy_states() -> None:
    def full(octets: int) -> AccessRequest:
        return read(signed((1, b"alice"), *[(33, b"x" * 253)] * 15, (33, b"x" * octets)))

    assert words(no("You said no."), full(208)) == ["You said no. (K7F2QX)"]
    assert words(no("You said no."), full(209)) == ["You said no."]
    assert words(no("You said no."), full(218)) == []


def test_an_accept_says_it_behind_its_own_words_and_brings_none_of_ours() -> None:
    assert words(Accepted((("Filter-Id", "staff"),))) == []
    assert words(Accepted((("Reply-Message", "Hello."), ("Filter-Id", "staff")))) == ["Hello. (K7F2QX)"]
    two = Accepted((("Reply-Message", "Hello."), ("Reply-Message", "Be good.")))
    assert words(two) == ["Hello.", "Be good. (K7F2QX)"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["Filter-Id", "Reply-Message"]), st.text("aж", min_size=1, max_size=99))
    )
)
def test_an_accept_that_fits_without_the_code_is_written(reply: list[tuple[str, str]]) -> None:
    for request in (read(signed((1, b"alice"))), by_mschapv2()):
        try:
            check_reply(tuple(reply), dictionary=dictionary(), request=request)
        except ReplyNotComputed:
            continue
        verdict = Accepted(tuple(reply), mschap.PLACEHOLDER)
        said = "".join(words(verdict, request))
        assert said.removesuffix("(K7F2QX)").removesuffix(" ") == "".join(words(verdict, request, code=""))


def test_a_full_accept_does_without_the_code() -> None:
    most = (*[("Filter-Id", "x" * 253)] * 15, ("Reply-Message", "y" * 230))
    request = read(signed((1, b"alice")))
    check_reply(most, dictionary=dictionary(), request=request)
    assert words(Accepted(most)) == ["y" * 230]
    assert words(Accepted((*most[:15], ("Reply-Message", "y" * 222)))) == ["y" * 222 + " (K7F2QX)"]


def test_an_ms_chap_error_ends_with_the_code_too() -> None:
    def error(text: str) -> str | None:
        octets = write_reply(by_mschapv2(), no(text), dictionary=dictionary(), trace_code=CODE)
        return told(octets).error

    assert error("You said no.") == "You said no. (K7F2QX)"
    assert error("") == "(K7F2QX)"
    assert re.fullmatch(r"ж{90,} \(K7F2QX\)", error("ж" * 400) or "")
