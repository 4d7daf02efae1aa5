"""How much more one connection to Apple takes: streams and octets, counted by hand."""

from __future__ import annotations

import asyncio
from collections import deque

from aioapns.connection import ChannelPool
from h2.connection import H2Connection

LONGEST_PAYLOAD = 1024
"""Octets of our messages at most; Apple takes 4096."""
MOST_STREAMS = 1000


class Streams(ChannelPool):
    """Room for one more push: a stream, and octets. The library's own loses room when Apple, which begins
    with one stream, allows more under a push."""

    def __init__(self, conn: H2Connection) -> None:
        super().__init__(MOST_STREAMS)
        self._conn = conn
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.open: set[int] = set()

    def room(self) -> int:
        theirs = self._conn.remote_settings
        streams = min(theirs.max_concurrent_streams, MOST_STREAMS) - len(self.open)
        if theirs.initial_window_size < LONGEST_PAYLOAD:
            return 0
        return int(min(streams, self._conn.outbound_flow_control_window // LONGEST_PAYLOAD))

    @property
    def load(self) -> int:
        return len(self.open) + len(self._waiting)

    async def acquire(self) -> int:  # type: ignore[override]  # as the library's does
        while self.room() <= 0:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self.wake()  # it may have been this one's turn
                raise
            finally:
                if turn in self._waiting:
                    self._waiting.remove(turn)
        stream_id = self._conn.get_next_available_stream_id()
        self.open.add(stream_id)
        return stream_id

    def ended(self, stream_id: int) -> None:
        self.open.discard(stream_id)
        self.wake()

    def wake(self) -> None:
        for _ in range(min(len(self._waiting), max(0, self.room()))):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)

    def refuse(self, why: Exception) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(why)
