"""Octets become a text or ValueError, and back: one after the other gives the same."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from radius_push.radius.dictionary import Attribute, has_control_character
from tests.fuzz.guided.values import KNOWN, play_value
from tests.fuzz.oracle import is_hidden
from tests.radius.packets import dictionary

by_type = {attribute.type: attribute for attribute in KNOWN if not is_hidden(attribute)}
attributes = st.one_of(st.sampled_from(list(by_type.values())), st.sampled_from(KNOWN))
octets = st.one_of(st.binary(max_size=20), st.binary(max_size=253), st.text(max_size=40).map(str.encode))
texts = st.one_of(
    st.text(max_size=300),
    st.integers().map(str),
    st.ip_addresses().map(str),
    st.builds("{}/{}".format, st.ip_addresses(v=6), st.integers(-1, 200)),
    st.text(alphabet="0123456789abcdefx:", max_size=40),
)


@settings(max_examples=300)
@given(attribute=attributes, octets=octets)
def test_what_was_read_is_written_as_the_same_value(attribute: Attribute, octets: bytes) -> None:
    with contextlib.suppress(ValueError):
        text = attribute.decode(octets)
        assert not has_control_character(text)
        assert attribute.decode(attribute.encode(text)) == text


@settings(max_examples=300)
@given(attribute=attributes, text=texts)
def test_what_was_written_is_read_as_the_same_value(attribute: Attribute, text: str) -> None:
    with contextlib.suppress(ValueError):
        octets = attribute.encode(text)
        assert octets
        assert attribute.encode(attribute.decode(octets)) == octets


@given(octets=st.binary(min_size=2, max_size=300))
def test_arbitrary_octets_of_any_attribute(octets: bytes) -> None:
    play_value(octets)


@given(name=st.text(max_size=60))
def test_an_arbitrary_name_is_known_or_has_a_neighbour_or_none(name: str) -> None:
    known = dictionary().named(name)
    assert known is None or known.name.casefold() == name.casefold()
    near = dictionary().nearest(name)
    assert near is None or dictionary().named(near) is not None
