"""A desk for the tests: it answers as told, and keeps what was brought to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address

from radius_push.accounting import AccountingArrival
from radius_push.client_table import ClientTable
from radius_push.gateways import Gateways
from radius_push.listen.books import Books
from radius_push.listen.reception import AUTHENTICATION, Reception
from radius_push.listen.tally import Tally
from radius_push.listen.udp import UdpListener
from radius_push.model import Accepted, Client, Secret, Verdict
from radius_push.ports import StoreDown
from radius_push.radius.dedup import Dedup
from radius_push.radius.mschap import PLACEHOLDER
from radius_push.radius.packet import Arrival
from radius_push.radius.wire import Code
from radius_push.shapes import Endpoint, Limits
from tests.radius.packets import STRICT, dictionary


class HandClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        return 1_800_000_000.0 + self.seconds

    def monotonic(self) -> float:
        return self.seconds


class FakeDesk:
    """`verdict` answers at once; while it is None, logins are held until `release`."""

    def __init__(self) -> None:
        self.verdict: Verdict | Exception | None = Accepted(mschapv2=PLACEHOLDER)
        self.arrivals: list[Arrival] = []
        self.accepted: list[str] = []
        self.missed: list[str] = []
        self.repeats: list[tuple[str, int, float]] = []
        self.reports: list[AccountingArrival] = []
        self.down = False
        self.asked_for_life = 0
        self._held: dict[str, asyncio.Future[Verdict]] = {}

    async def log_in(self, arrival: Arrival) -> Verdict:
        self.arrivals.append(arrival)
        if isinstance(self.verdict, Exception):
            raise self.verdict
        if self.verdict is not None:
            return self.verdict
        self._held[arrival.login] = asyncio.get_running_loop().create_future()
        return await self._held[arrival.login]

    async def not_heard(self, login: str, packet: bytes, client: str, seconds: float) -> None:
        self.missed.append(login)

    async def account(self, arrival: AccountingArrival) -> None:
        self.reports.append(arrival)
        if self.down:
            raise StoreDown("it is down")

    async def answers(self) -> None:
        self.asked_for_life += 1
        if self.down:
            raise StoreDown("it is down")

    async def sent(self, arrival: Arrival) -> None:
        self.accepted.append(arrival.login)

    async def repeated(self, arrival: Arrival, verdict: Verdict, *, times: int, last_at: float) -> None:
        self.repeats.append((arrival.login, times, last_at))

    def release(self, arrival: Arrival, verdict: Verdict) -> None:
        self._held.pop(arrival.login).set_result(verdict)


class House:
    """A listener on a free loopback port with a fake desk behind it."""

    def __init__(
        self,
        *,
        client: Client = STRICT,
        address: str = "127.0.0.1",
        most: int = 20_000,
        most_reports: int = 5_000,
        serves: frozenset[Code] = AUTHENTICATION,
    ) -> None:
        self.desk = FakeDesk()
        self.clock = HandClock()
        self.counters: Counter[str] = Counter()
        self.gateways = Gateways(self.clock, key=Secret(bytes(32)), limits=Limits())
        self.client = client
        self.table: ClientTable | None = None
        self.limits = Limits()
        self.pressing: set[str] = set()
        self.dedup = Dedup(most_in_flight=most)
        self.reception = Reception(
            clients=lambda: self.table or ClientTable([self.client]),
            dictionary=dictionary,
            desk=self.desk,
            clock=self.clock,
            counters=self.counters,
            gateways=self.gateways,
            limits=lambda: self.limits,
            pressure=self.pressing.__contains__,
            dedup=self.dedup,
            serves=serves,
            elsewhere={Code.ACCOUNTING_REQUEST: "let the gateway send it to 127.0.0.1:1813"},
            books=Books(
                desk=self.desk,
                clock=self.clock,
                tally=Tally(self.counters, self.clock, self.gateways),
                limits=Limits(accounting_in_flight=most_reports),
            ),
        )
        self.listener = UdpListener(endpoint=Endpoint(ip_address(address), 0), reception=self.reception)


@contextlib.asynccontextmanager
async def serving(house: House) -> AsyncIterator[House]:
    await house.listener.open()
    task = asyncio.create_task(house.listener.serve())
    try:
        yield house
    finally:
        await house.listener.drain()
        await task


class Gateway(asyncio.DatagramProtocol):
    """One socket of a gateway, as bare as it can be."""

    transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        self._replies: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._replies.put_nowait(data)

    def send(self, datagram: bytes) -> None:
        self.transport.sendto(datagram)

    async def reply(self) -> bytes:
        async with asyncio.timeout(5):
            return await self._replies.get()

    @property
    def silent(self) -> bool:
        return self._replies.empty()


@contextlib.asynccontextmanager
async def gateway(server: tuple[str, int], source: str | None = None) -> AsyncIterator[Gateway]:
    loop = asyncio.get_running_loop()
    here = None if source is None else (source, 0)
    transport, made = await loop.create_datagram_endpoint(Gateway, remote_addr=server, local_addr=here)
    made.transport = transport
    try:
        yield made
    finally:
        transport.close()


async def until(true: Callable[[], bool]) -> None:
    """Let the loop run until something holds; a test that waits in vain fails after 5 s."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0)  # a datagram's way through the kernel rings no bell here
