"""A stream listener on a free loopback port with a fake desk behind it, and certificates for one test."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

from radius_push.client_table import RADSEC_SECRET, ClientTable
from radius_push.gateways import Gateways
from radius_push.listen.certificate import Trust, trust_of
from radius_push.listen.reception import Reception
from radius_push.listen.stream import StreamListener
from radius_push.model import Client, ClientCertificate, Secret
from radius_push.radius.dedup import Dedup
from radius_push.shapes import Endpoint, Limits, RadsecListener
from tests.directory.certificates import Authority, Certificate
from tests.listen.desks import FakeDesk, HandClock
from tests.radius.packets import HIDDEN, STRICT, dictionary, packet, signed

GATEWAY = "fw1.example.com"
BY_NAME = replace(
    STRICT, networks=(), secrets=(RADSEC_SECRET,), certificate=ClientCertificate(names=(GATEWAY,))
)
HERE = Endpoint(ip_address("127.0.0.1"), 0)


def request(identifier: int = 7, name: bytes = b"alice") -> bytes:
    """Sealed with the secret of RadSec."""
    return signed((1, name), (2, HIDDEN), secret=RADSEC_SECRET, identifier=identifier)


def bare(identifier: int = 7) -> bytes:
    """Without a Message-Authenticator."""
    return packet((1, b"alice"), (2, HIDDEN), identifier=identifier)


class Papers:
    """Who vouches for whom."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder)
        self.server = self.authority.issue("radius.example.com")

    @cached_property
    def gateway(self) -> Certificate:
        return self.authority.issue(GATEWAY)

    def listener(self, *, ca: bool = True, crl: Path | None = None) -> RadsecListener:
        return RadsecListener(
            (HERE,),
            str(self.server.certificate),
            str(self.server.key),
            client_ca=str(self.authority.file) if ca else None,
            crl=str(crl) if crl else None,
        )

    def trust(self, *clients: Client, ca: bool = True, crl: Path | None = None) -> Trust:
        return trust_of(self.listener(ca=ca, crl=crl), clients)


class StreamHouse:
    """With `trust` it speaks TLS."""

    def __init__(self, *clients: Client, trust: Trust | None = None, limits: Limits | None = None) -> None:
        self.clients = clients
        self.desk = FakeDesk()
        self.clock = HandClock()
        self.counters: Counter[str] = Counter()
        self.limits = limits or Limits()
        self.pressing: set[str] = set()
        self.gateways = Gateways(self.clock, key=Secret(bytes(32)), limits=self.limits)
        self.listener = StreamListener(
            endpoint=HERE,
            reception=Reception(
                clients=lambda: ClientTable(self.clients),
                dictionary=dictionary,
                desk=self.desk,
                clock=self.clock,
                counters=self.counters,
                gateways=self.gateways,
                limits=lambda: self.limits,
                pressure=self.pressing.__contains__,
                dedup=Dedup(),
            ),
            clock=self.clock,
            limits=lambda: self.limits,
            trust=trust,
        )


@contextlib.asynccontextmanager
async def serving(house: StreamHouse) -> AsyncIterator[StreamHouse]:
    await house.listener.open()
    task = asyncio.create_task(house.listener.serve())
    try:
        yield house
    finally:
        await house.listener.drain()
        await task
