"""Every listener for RADIUS packets: opened, served, told of other settings, drained together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from radius_push import descriptors
from radius_push.client_table import ClientTable
from radius_push.listen.certificate import Trust, trust_of
from radius_push.listen.reception import ACCOUNTING, AUTHENTICATION, EVERYTHING, Reception
from radius_push.listen.stream import StreamListener
from radius_push.listen.udp import UdpListener
from radius_push.opening import CannotListen
from radius_push.ports import Clock
from radius_push.radius.wire import Code
from radius_push.settings.more_servers import place as place_of
from radius_push.shapes import Endpoint, Limits, Settings

Addresses = list[tuple[str, int]]
"""Address and port of each, as bound."""
Receptions = Callable[[frozenset[Code]], Reception]
"""Makes the one behind a listener, for the codes that are served there."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What other settings need of the outside: all of it is there, or nothing is changed."""

    limits: Limits
    trust: Trust | None


class Listeners:
    """UDP, TCP and RadSec, as many of each as the settings name."""

    def __init__(self, settings: Settings, *, reception: Receptions, clock: Clock) -> None:
        """Raises NoTls."""
        self._place = partial(place_of, settings)
        prepared = self.prepare(settings)
        self._limits = prepared.limits
        self._authentication = [_udp(each, reception(AUTHENTICATION)) for each in settings.authentication]
        self._accounting = [_udp(each, reception(ACCOUNTING)) for each in settings.accounting]
        self._tcp = [self._stream(each, reception(AUTHENTICATION), clock, None) for each in settings.tcp]
        self._radsec = [
            self._stream(each, reception(EVERYTHING), clock, prepared.trust)
            for each in (settings.radsec.endpoints if settings.radsec else ())
        ]

    @property
    def authentication(self) -> Addresses:
        return [listener.address for listener in self._authentication]

    @property
    def accounting(self) -> Addresses:
        return [listener.address for listener in self._accounting]

    @property
    def tcp(self) -> Addresses:
        return [listener.address for listener in self._tcp]

    @property
    def radsec(self) -> Addresses:
        return [listener.address for listener in self._radsec]

    @property
    def connections(self) -> int:
        """How many there may be in all."""
        return self._limits.connections * (len(self._tcp) + len(self._radsec))

    async def open(self) -> None:
        """Bind all. Raises CannotListen."""
        for place, listeners, udp in (
            ("server.listen.authentication", self._authentication, True),
            ("server.listen.accounting", self._accounting, True),
            ("server.listen.tcp", self._tcp, False),
            ("server.listen.radsec.address", self._radsec, False),
        ):
            for listener in listeners:
                try:
                    await listener.open()
                except OSError as problem:
                    raise CannotListen(self._place(place), listener.endpoint, problem, udp=udp) from problem

    def serve(self) -> list[asyncio.Task[None]]:
        """Begin; each task ends with its listener."""
        return [
            asyncio.create_task(listener.serve(), name=f"listen on {listener.address}")
            for listener in self._all()
        ]

    async def drain(self) -> int:
        """Let nobody in any more, and the held logins go. How many there were."""
        return sum([await listener.drain() for listener in self._all()])

    def prepare(self, settings: Settings) -> Prepared:
        """Read what the settings name now. Raises NoTls, and then nothing has changed."""
        listeners = len(settings.tcp) + (len(settings.radsec.endpoints) if settings.radsec else 0)
        limits = settings.limits
        if listeners:
            files = descriptors.raise_limit()
            limits = descriptors.limits_for_streams(files, limits, listeners=listeners)
        trust = trust_of(settings.radsec, settings.clients.values()) if settings.radsec else None
        return Prepared(limits, trust)

    def use(self, prepared: Prepared, clients: ClientTable) -> None:
        """From now on; who is no client any more is cut off."""
        self._limits = prepared.limits
        for udp in (*self._authentication, *self._accounting):
            udp.steer()
        for listener in self._tcp:
            listener.use(None, clients)
        for listener in self._radsec:
            listener.use(prepared.trust, clients)

    def _all(self) -> list[UdpListener | StreamListener]:
        return [*self._authentication, *self._accounting, *self._tcp, *self._radsec]

    def _stream(
        self, endpoint: Endpoint, reception: Reception, clock: Clock, trust: Trust | None
    ) -> StreamListener:
        return StreamListener(
            endpoint=endpoint, reception=reception, clock=clock, limits=lambda: self._limits, trust=trust
        )


def _udp(endpoint: Endpoint, reception: Reception) -> UdpListener:
    return UdpListener(endpoint=endpoint, reception=reception)
