"""A stream of octets cut into whole packets (RFC 6613 2.1: Length says where the next one begins)."""

from __future__ import annotations

from collections.abc import Iterator

from radius_push.radius.wire import HEADER, MOST_OCTETS, MalformedPacket

_LENGTH_KNOWN = 4
"""Octets of a packet that hold its Length."""


class Framing:
    """One connection's octets, in the pieces that the network made of them.

    Between two calls less than one packet is kept. After MalformedPacket nothing that follows can be cut:
    the connection is over.
    """

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept = bytearray()

    @property
    def waiting(self) -> int:
        """Octets of a packet that is not whole yet."""
        return len(self._kept)

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Each packet that is whole now, in order. MalformedPacket: a Length that no packet has."""
        self._kept += octets
        while len(self._kept) >= _LENGTH_KNOWN:
            length = int.from_bytes(self._kept[2:_LENGTH_KNOWN], "big")
            if not HEADER <= length <= MOST_OCTETS:
                self._kept.clear()
                raise MalformedPacket(f"Length {length} is not {HEADER} to {MOST_OCTETS}")
            if len(self._kept) < length:
                return
            packet = bytes(self._kept[:length])
            del self._kept[:length]
            yield packet
