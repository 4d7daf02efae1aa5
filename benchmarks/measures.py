"""What is measured: each function plays one load against a site and returns rows of the table."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network

from benchmarks.gateway import Gateways, Told
from benchmarks.machine import memory, processor_seconds
from benchmarks.phones import Phones
from benchmarks.site import PASSWORD, SECRET, Site, name
from radius_push.model import Accepted, Client, Secret
from radius_push.radius.asking import write_request
from radius_push.radius.dictionary import Dictionary
from radius_push.radius.packet import read_request, write_reply
from radius_push.test_phone import Card

ACCEPT, REJECT = 2, 3
RAMP = 48
"""Logins that begin at the same moment while many are to be held."""


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    figure: str
    how: str = ""


class NotAsItMustBe(Exception):
    """A login ended otherwise than it must: then no figure counts."""


@dataclass(frozen=True, slots=True)
class Busy:
    """How much of one core the server and the load used."""

    server: float
    load: float
    seconds: float

    def __str__(self) -> str:
        return f"server {self.server:.0%} of a core, load {self.load:.0%}"

    def each(self, count: int) -> str:
        """What one login costs, which depends less than its speed on what else the machine does."""
        return f"{self.server * self.seconds / count * 1000:.2f} ms of the server's CPU each; {self}"


@asynccontextmanager
async def watched(site: Site) -> AsyncIterator[Callable[[], Busy]]:
    began, server, load = time.perf_counter(), processor_seconds(site.pid), time.process_time()

    def busy() -> Busy:
        seconds = time.perf_counter() - began
        return Busy(
            (processor_seconds(site.pid) - server) / seconds,
            (time.process_time() - load) / seconds,
            seconds,
        )

    yield busy


# --- many held at once -------------------------------------------------------------------------------


async def held(
    site: Site, dictionary: Dictionary, *, count: int, streams: bool, approvals: float
) -> AsyncIterator[Row]:
    """Hold `count` logins, then approve all, `approvals` a second. `streams`: every phone listens meanwhile,
    which the phone side allows to 1,500; without, each looks once and comes back to answer."""
    gateways = await Gateways.open(site.radius, dictionary, subnet="127.10", at_once=count + 200)
    phones = Phones(site.origin, lines=RAMP)
    try:
        alone = await wrong_passwords(gateways, "alone")
        async with AsyncExitStack() as open_apps, watched(site) as busy:
            before, began = memory(site.pid), time.perf_counter()
            cards, answers = await _hold(site, gateways, phones, open_apps, count=count, streams=streams)
            took, per_login = time.perf_counter() - began, (memory(site.pid) - before) / count
            how = "every phone with an open stream" if streams else "phones looked once, no open stream"
            yield Row(f"{count:,} held: memory per held login", f"{per_login / 1024:.1f} KiB", how)
            yield Row(
                f"{count:,} held: all are held after",
                f"{took:.1f} s",
                f"{count / took:.0f} a second; {busy()}",
            )
            crowd = await wrong_passwords(gateways, "in the crowd")
            yield _ratio(count, alone, crowd)
            async with watched(site) as busy_approving:
                waits = await _approve(site, phones, cards, answers, rate=approvals)
            yield Row(
                f"{count:,} held: accepted",
                f"{len(waits):,} of {count:,}",
                f"{approvals:g} approvals a second",
            )
            yield Row(
                f"{count:,} held: approval to accept",
                f"p50 {_ms(waits, 0.5)}, p99 {_ms(waits, 0.99)}, most {_ms(waits, 1)}",
                f"from the phone's request to the gateway's datagram; {busy_approving()}",
            )
    finally:
        phones.close()
        gateways.close()


async def _hold(
    site: Site,
    gateways: Gateways,
    phones: Phones,
    open_apps: AsyncExitStack,
    *,
    count: int,
    streams: bool,
) -> tuple[list[Card], list[asyncio.Task[Told]]]:
    """Begin `count` logins; each is held when its phone has seen the question."""
    room = asyncio.Semaphore(RAMP)

    async def one(number: int) -> tuple[Card, asyncio.Task[Told]]:
        async with room:
            asking = asyncio.create_task(gateways.ask(name(number)))
            if streams:
                cards = await open_apps.enter_async_context(phones.listening(site.phones[number]))
                return await anext(cards), asking
            return await phones.look(site.phones[number]), asking

    both = await asyncio.gather(*(one(number) for number in range(count)))
    early = [asking for _, asking in both if asking.done()]
    if early:
        raise NotAsItMustBe(f"{len(early)} logins did not wait for their phone")
    return [card for card, _ in both], [asking for _, asking in both]


async def _approve(
    site: Site, phones: Phones, cards: Sequence[Card], answers: Sequence[asyncio.Task[Told]], *, rate: float
) -> list[float]:
    """Approve all at an even rate; the seconds from each approval to its accept."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one(number: int) -> float:
        await asyncio.sleep(began + number / rate - loop.time())
        tapped = time.perf_counter()
        await phones.answer(site.phones[number], cards[number])
        told = await answers[number]
        if told.code != ACCEPT:
            raise NotAsItMustBe(f"{name(number)} was approved and got code {told.code}")
        return told.at - tapped

    return await asyncio.gather(*(one(number) for number in range(len(cards))))


# --- a wrong password ----------------------------------------------------------------------------------

WRONG = 40


async def wrong_passwords(gateways: Gateways, what: str) -> list[float]:
    """Seconds to the reject of so many people's wrong passwords, 20 a second."""

    async def one(number: int) -> float:
        await asyncio.sleep(number / 20)
        told = await gateways.ask(name(number), f"wrong, {what}")
        if told.code != REJECT:
            raise NotAsItMustBe(f"a wrong password got code {told.code}")
        return told.seconds

    return await asyncio.gather(*(one(number) for number in range(WRONG)))


def _ratio(count: int, alone: Sequence[float], crowd: Sequence[float]) -> Row:
    middle = statistics.median(crowd) / statistics.median(alone)
    return Row(
        f"{count:,} held: a wrong password's reject, to alone",
        f"{middle:.3f} times (p50), {max(crowd) / max(alone):.3f} times (slowest of {WRONG})",
        f"alone {_ms(alone, 0.5)}, then {_ms(crowd, 0.5)}: both wait for arrival + 1 s",
    )


# --- whole logins, one after the other -----------------------------------------------------------------


async def whole_logins(site: Site, dictionary: Dictionary, *, people: int, seconds: float) -> Row:
    """People who log in, tap at once, and log in again."""
    gateways = await Gateways.open(site.radius, dictionary, subnet="127.11", at_once=people)
    phones = Phones(site.origin, lines=people)
    done = 0

    async def one(number: int, ready: asyncio.Barrier) -> None:
        nonlocal done
        phone = site.phones[number]
        async with phones.listening(phone) as cards:
            await ready.wait()
            while time.perf_counter() < end:
                asking = asyncio.create_task(gateways.ask(name(number)))
                await phones.answer(phone, await anext(cards))
                if (told := await asking).code != ACCEPT:
                    raise NotAsItMustBe(f"{name(number)} approved and got code {told.code}")
                done += 1

    ready, end = asyncio.Barrier(people + 1), float("inf")
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(people):
                group.create_task(one(number, ready))
            await ready.wait()
            began = time.perf_counter()
            end = began + seconds
            async with watched(site) as busy:
                await asyncio.sleep(seconds)
                figure, how = done / (time.perf_counter() - began), busy().each(done)
    finally:
        phones.close()
        gateways.close()
    return Row(
        "whole push logins",
        f"{figure:.0f} a second",
        f"{people} people: request, question on the stream, signed answer, accept; {how}",
    )


# --- the RADIUS core -------------------------------------------------------------------------------------


async def password_alone(site: Site, dictionary: Dictionary, *, people: int, seconds: float) -> Row:
    """PAP and Message-Authenticator, a profile without second factor: the core with its evidence on disk."""
    gateways = await Gateways.open(site.radius, dictionary, subnet="127.20", at_once=people)
    done = 0
    end = time.perf_counter() + seconds

    async def one(number: int) -> None:
        nonlocal done
        while time.perf_counter() < end:
            if (told := await gateways.ask(name(number))).code != ACCEPT:
                raise NotAsItMustBe(f"a right password got code {told.code}")
            done += 1

    try:
        async with watched(site) as busy:
            began = time.perf_counter()
            await asyncio.gather(*(one(number) for number in range(people)))
            figure, how = done / (time.perf_counter() - began), busy().each(done)
    finally:
        gateways.close()
    return Row(
        "PAP with Message-Authenticator, `methods: [none]`",
        f"{figure:.0f} a second",
        f"{people} at once, cheap argon2, each accept on disk before its reply; {how}",
    )


def codec(dictionary: Dictionary, *, seconds: float) -> Row:
    """Read and check a request, write and seal its accept; no socket, in this process."""
    client = Client("fw", (ip_network("127.0.0.0/8"),), (SECRET,), ("push",))
    request = write_request(
        identifier=1,
        authenticator=bytes(16),
        secret=SECRET,
        username="person1",
        password=Secret(PASSWORD),
        attributes=[("NAS-Identifier", "benchmark"), ("Calling-Station-Id", "203.0.113.7")],
        dictionary=dictionary,
    )
    verdict = Accepted((("Filter-Id", "staff"), ("Session-Timeout", "36000")))
    done, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        for _ in range(100):
            read = read_request(request, client=client, dictionary=dictionary)
            write_reply(read, verdict, dictionary=dictionary)
        done += 100
    return Row(
        "the wire alone: read a request, write its accept",
        f"{done / took:,.0f} a second",
        f"{took / done * 1e6:.0f} µs, both seals, one core, no socket",
    )


def _ms(seconds: Sequence[float], share: float) -> str:
    ordered = sorted(seconds)
    return f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000:.1f} ms"
