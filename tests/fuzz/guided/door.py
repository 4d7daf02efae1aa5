"""The whole door for packets without a socket: octets in, what it would have sent out."""

from __future__ import annotations

import asyncio
from collections import Counter

from radius_push.client_table import ClientTable
from radius_push.gateways import Gateways
from radius_push.listen.reception import Reception
from radius_push.model import Client, PeerCertificate, Secret
from radius_push.radius.dedup import Dedup
from radius_push.radius.packet import HangUp
from radius_push.radius.rate import Rate
from radius_push.shapes import Limits
from tests.listen.desks import FakeDesk, HandClock
from tests.radius.packets import dictionary


class Door:
    """A reception on a loop of its own until `close`. Its desk lets everybody in."""

    def __init__(self, client: Client) -> None:
        self._loop = asyncio.new_event_loop()
        self._counters: Counter[str] = Counter()
        self._client = client
        clock = HandClock()
        self._reception = Reception(
            clients=lambda: ClientTable([client]),
            dictionary=dictionary,
            desk=FakeDesk(),
            clock=clock,
            counters=self._counters,
            gateways=Gateways(clock, key=Secret(bytes(32)), limits=Limits()),
        )

    def knock(self, *packets: bytes) -> list[bytes]:
        """All that is sent for these, one after another, at a door that has never seen any. A crash behind
        it is a failure."""
        self._reception._dedup = Dedup()
        self._reception._signs_of_life._rate = Rate()
        line = _Line()
        self._loop.run_until_complete(self._receive(packets, line))
        assert not self._counters["crashed"]
        return line.sent

    def close(self) -> None:
        self._loop.close()

    async def _receive(self, packets: tuple[bytes, ...], line: _Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._reception.begin(tasks)
            for packet in packets:
                client = self._reception.client_of(line.source[0])
                assert client is self._client
                self._reception.receive(packet, client, line)
                while line.at_work:
                    await asyncio.wait(line.at_work)
        self._reception.end()


class _Line:
    """What it takes is kept."""

    source = ("127.0.0.1", 40_000)
    server = ("127.0.0.1", 1812)
    identity = "127.0.0.1"
    certificate: PeerCertificate | None = None
    hang_up: HangUp | None = None

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.at_work: set[asyncio.Task[None]] = set()

    def send(self, reply: bytes) -> bool:
        self.sent.append(reply)
        return True

    def congested(self) -> bool:
        return False

    def works(self, task: asyncio.Task[None]) -> None:
        self.at_work.add(task)
        task.add_done_callback(self.at_work.discard)
