"""How much more one connection to Apple takes: streams and octets, counted by hand."""

from __future__ import annotations

from collections.abc import Callable

from aioapns.connection import ChannelPool
from h2.connection import H2Connection

LONGEST_PAYLOAD = 1024
"""Octets of our messages at most; Apple takes 4096."""
MOST_STREAMS = 1000


class NotTaken(Exception):
    """Apple did not look at this push: another connection may take it, and nobody is rung twice."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        """Apple's word for why it ended the connection, if it said one."""


class Streams(ChannelPool):
    """Room for one more push: a stream, and octets. The library's own loses room when Apple, which begins
    with one stream, allows more under a push. Nobody waits here: `apns_lines` knows other connections."""

    def __init__(self, conn: H2Connection, on_room: Callable[[], None]) -> None:
        super().__init__(MOST_STREAMS)
        self._conn = conn
        self.made_room = on_room
        self.open: set[int] = set()

    @property
    def room(self) -> int:
        """Pushes."""
        theirs = self._conn.remote_settings
        if theirs.initial_window_size < LONGEST_PAYLOAD:
            return 0
        streams = min(theirs.max_concurrent_streams, MOST_STREAMS) - len(self.open)
        return max(0, min(streams, self._conn.outbound_flow_control_window // LONGEST_PAYLOAD))

    async def acquire(self) -> int:  # type: ignore[override]  # as the library's does
        if not self.room:
            raise NotTaken
        stream_id = self._conn.get_next_available_stream_id()
        self.open.add(stream_id)
        return stream_id

    def ended(self, stream_id: int) -> None:
        self.open.discard(stream_id)
        self.made_room()
