"""A stream gives the same packets however it is cut, keeps less than one, and ends at a wrong Length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.radius.framing import Framing
from radius_push.radius.packet import MalformedPacket
from tests.fuzz.guided.streams import play
from tests.fuzz.steps import counted

packets = st.lists(
    st.binary(min_size=16, max_size=200).map(
        lambda rest: bytes((1, 7)) + (4 + len(rest)).to_bytes(2, "big") + rest
    ),
    max_size=8,
)


@given(octets=st.binary(max_size=5000))
def test_arbitrary_octets(octets: bytes) -> None:
    play(octets)


@given(packets=packets, size=st.integers(1, 255), more=st.binary(max_size=3))
def test_packets_come_out_as_they_went_in(packets: list[bytes], size: int, more: bytes) -> None:
    stream, framing = b"".join(packets) + more, Framing()
    out = [packet for at in range(0, len(stream), size) for packet in framing.feed(stream[at : at + size])]
    assert out == packets
    assert framing.waiting == len(more)


@given(length=st.one_of(st.integers(0, 19), st.integers(4097, 65535)), packets=packets)
def test_a_wrong_length_ends_the_stream_after_what_came_before(length: int, packets: list[bytes]) -> None:
    framing, out = Framing(), list[bytes]()
    with pytest.raises(MalformedPacket):
        out.extend(framing.feed(b"".join(packets) + b"\1\7" + length.to_bytes(2, "big")))
    assert out == packets
    assert framing.waiting == 0


def test_a_stream_octet_by_octet_is_work_by_its_length() -> None:
    def work(count: int) -> int:
        stream, framing = (b"\1\7\0\x14" + bytes(16)) * count, Framing()
        with counted() as done:
            for at in range(len(stream)):
                list(framing.feed(stream[at : at + 1]))
        return done.calls + done.lines

    assert work(40) <= 2.2 * work(20)
