"""A connection's octets, cut into packets."""

from __future__ import annotations

from collections.abc import Iterable

from radius_push.radius.framing import Framing
from radius_push.radius.wire import HEADER, MOST_OCTETS, MalformedPacket
from tests.radius.packets import HIDDEN, packet, signed


def play(octets: bytes) -> None:
    """The first octet says how the rest is cut: the same packets come out, and never more than went in."""
    step, stream = octets[0] + 1 if octets else 1, octets[1:]
    packets, malformed = _packets([stream])
    assert (packets, malformed) == _packets([stream[at : at + step] for at in range(0, len(stream), step)])
    assert stream.startswith(b"".join(packets))
    for each in packets:
        assert HEADER <= len(each) == int.from_bytes(each[2:4], "big") <= MOST_OCTETS


def _packets(pieces: list[bytes]) -> tuple[list[bytes], bool]:
    framing, found = Framing(), []
    try:
        for piece in pieces:
            for each in framing.feed(piece):
                found.append(each)  # noqa: PERF402  # what came before a malformed one counts
            assert framing.waiting < MOST_OCTETS
    except MalformedPacket:
        assert framing.waiting == 0
        return found, True
    return found, False


def seeds() -> Iterable[bytes]:
    whole = signed((1, b"alice"), (2, HIDDEN)) + packet((1, b"bob"), identifier=8)
    for step in (0, 3, 19, 255):
        yield bytes((step,)) + whole
        yield bytes((step,)) + whole[:-1]
    yield b"\0" + whole + bytes((1, 7, 0, 19))
    yield b"\0" + bytes((1, 7, 0x10, 1))
