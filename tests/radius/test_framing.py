"""A stream cut into packets: however the network cuts it, the same packets come out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.radius.framing import Framing
from radius_push.radius.wire import MalformedPacket

packets = st.binary(max_size=4076).map(
    lambda body: bytes((1, 7)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
)


def cut(octets: bytes, at: list[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(octets) + 1) for place in at), len(octets)]
    return [octets[start:end] for start, end in pairwise(ends)]


def out_of(pieces: list[bytes]) -> tuple[list[bytes], bool, int]:
    """The packets, whether the stream was malformed, and what is kept at the end."""
    framing, found = Framing(), []
    try:
        for piece in pieces:
            for packet in framing.feed(piece):
                found.append(packet)  # noqa: PERF402  # what came before a malformed one counts
            assert framing.waiting < 4096
    except MalformedPacket:
        return found, True, framing.waiting
    return found, False, framing.waiting


@given(st.lists(packets, max_size=5), st.lists(st.integers(0, 30_000), max_size=12))
def test_any_cutting_gives_the_same_packets(sent: list[bytes], at: list[int]) -> None:
    assert out_of(cut(b"".join(sent), at)) == (sent, False, 0)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=12))
def test_any_octets_end_the_same_way_however_they_are_cut(octets: bytes, at: list[int]) -> None:
    assert out_of(cut(octets, at)) == out_of([octets])


@pytest.mark.parametrize("length", [0, 1, 19, 4097, 65535])
def test_a_length_that_no_packet_has_ends_the_stream_as_soon_as_it_is_known(length: int) -> None:
    whole = bytes((1, 7, 0, 20)) + bytes(16)
    found, malformed, kept = out_of([whole + bytes((1, 8)) + length.to_bytes(2, "big")])
    assert (found, malformed, kept) == ([whole], True, 0)


def test_what_is_not_whole_is_kept_until_it_is() -> None:
    framing = Framing()
    packet = bytes((1, 7, 0x10, 0)) + bytes(4092)
    for at in range(4095):
        assert list(framing.feed(packet[at : at + 1])) == []
    assert framing.waiting == 4095
    assert list(framing.feed(packet[-1:])) == [packet]
    assert framing.waiting == 0
