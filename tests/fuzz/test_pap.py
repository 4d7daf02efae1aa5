"""Whatever octets arrive: a password with something in it and no NUL, or a refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.model import Secret
from radius_push.proofs import pap
from tests.fuzz.guided.credentials import ENCODINGS, play_password
from tests.fuzz.steps import counted
from tests.radius.packets import AUTHENTICATOR, SECRET

hidden = st.integers(1, 8).flatmap(lambda blocks: st.binary(min_size=16 * blocks, max_size=16 * blocks))


@given(octets=st.binary(max_size=200))
def test_arbitrary_octets(octets: bytes) -> None:
    play_password(octets)


@given(hidden=hidden, secret=st.binary(min_size=1, max_size=64), encoding=st.sampled_from(ENCODINGS))
def test_whatever_is_uncovered_is_a_password_or_refused(hidden: bytes, secret: bytes, encoding: str) -> None:
    read = pap.read(pap.decrypt(hidden, Secret(secret), AUTHENTICATOR), encoding=encoding)
    if isinstance(read, Secret):
        assert read.reveal().decode("utf-8")
        assert b"\0" not in read.reveal()


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_a_typed_password_arrives_as_it_was_typed(text: str) -> None:
    typed = text.encode()
    if len(typed) > 128:
        with pytest.raises(ValueError, match="at most 128"):
            pap.hide(typed, SECRET, AUTHENTICATOR)
        return
    uncovered = pap.decrypt(pap.hide(typed, SECRET, AUTHENTICATOR), SECRET, AUTHENTICATOR)
    assert pap.read(uncovered, encoding="latin-1") == Secret(typed)


@given(hidden=st.binary(max_size=300).filter(lambda octets: len(octets) not in range(16, 129, 16)))
def test_a_length_that_no_password_has_is_refused_before_any_hash(hidden: bytes) -> None:
    with counted() as work, pytest.raises(ValueError, match="16 to 128 octets"):
        pap.decrypt(hidden, SECRET, AUTHENTICATOR)
    assert work.hashed == 0


@given(hidden=hidden)
def test_each_block_is_one_hash(hidden: bytes) -> None:
    with counted() as work:
        pap.decrypt(hidden, SECRET, AUTHENTICATOR)
    assert work.hashed == len(hidden) // 16 * (len(SECRET) + 16)
