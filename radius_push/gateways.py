"""What is known of each gateway: when it was heard, whether it seals, with which secret, how long it waits.

Listeners tell it in passing; it stays in memory and is written to the store every few seconds, where
`radius-push clients` reads it. No login waits for it.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections import Counter, OrderedDict
from dataclasses import replace

from radius_push.hush import place_of
from radius_push.meter import PatienceMeter
from radius_push.model import Client, Secret, Sighting, Stranger
from radius_push.ports import Clock, Store, StoreDown
from radius_push.radius.dedup import Ticket
from radius_push.radius.packet import AccessRequest
from radius_push.radius.seals import Seals
from radius_push.shapes import FIRST, OUR_OWN_CLIENT, Limits

logger = logging.getLogger("radius_push")

EVERY = 5.0
"""Seconds between two writings."""
MOST_WAITING = 2_000
"""Sightings between two writings; of more, those heard longest ago are dropped."""
MOST_STRANGERS = 100
"""Addresses of no client between two writings."""


class Gateways:
    """Told of every packet, so nothing here waits."""

    def __init__(self, clock: Clock, *, key: Secret, limits: Limits, server: str = FIRST) -> None:
        """`key`: under which shared secrets are told apart without being kept. `server`: whose tallies these
        are."""
        self._server = server
        self._clock = clock
        self._key = key
        self._limits = limits
        self.meter = PatienceMeter(key=key)
        self._seals = Seals()
        self._seen: OrderedDict[tuple[str, str], Sighting] = OrderedDict()
        self._new_latches: list[tuple[str, str]] = []
        self._strangers: dict[str, Stranger] = {}
        self._second, self._noted = 0, 0
        self._tallies: Counter[tuple[str, str]] = Counter()
        self._tallies_kept = 0

    def use(self, limits: Limits) -> None:
        self._limits = limits

    def must_seal(self, client: Client, source: str) -> bool:
        """Is a packet without Message-Authenticator from there to be dropped?"""
        return self._seals.required(client, source)

    def heard(self, client: Client, source: str, request: AccessRequest) -> None:
        """A packet that was taken. One that bears a seal latches its source under `auto`; EAP always bears
        one, and says nothing about the gateway's other requests."""
        now = self._clock.now()
        key = (client.name, source)
        seen = self._seen.pop(key, None) or Sighting(client.name, source, first_at=now, last_at=now)
        if client.over_tls:
            seen = replace(seen, last_at=now)  # TLS is around it: a seal is neither needed nor missed
        elif request.authentic:
            tag = secret_tag(request.secret, self._key)
            seen = replace(seen, last_at=now, sealed_at=now, secret=tag)
            if request.proof != "eap":
                self._latch(client, source)
        else:
            seen = replace(seen, last_at=now, unsealed_at=now)
        self._seen[key] = seen
        if len(self._seen) > MOST_WAITING:
            self._seen.popitem(last=False)

    def _latch(self, client: Client, source: str) -> None:
        latched = self._seals.sealed(client, source)
        if latched is not None:
            self._new_latches.append((client.name, latched))

    def patient(self, client: Client, source: str, request: AccessRequest) -> Client:
        """The client, with the patience that this gateway of it truly has."""
        return self.meter.patient(client, source, request.username, self._clock.now())

    def over(self, ticket: Ticket, client: Client, source: str, request: AccessRequest) -> None:
        """A request whose password was right, and that was no replay, was answered or let go."""
        if client.name != OUR_OWN_CLIENT:
            now, ended = self._clock.now(), ticket.ended
            self.meter.over(ticket.repeats, client, source, request.username, ended=ended, now=now)

    def stranger(self, source: str) -> bool:
        """A packet of no client. False: too many of them this second, it was only counted."""
        second = int(self._clock.monotonic())
        if second != self._second:
            self._second, self._noted = second, 0
        self._noted += 1
        if self._noted > self._limits.unknown_per_second:
            return False
        now = self._clock.now()
        seen = self._strangers.get(source)
        if seen is not None:
            self._strangers[source] = replace(seen, packets=seen.packets + 1, last_at=now)
        elif len(self._strangers) < MOST_STRANGERS:
            self._strangers[source] = Stranger(source, 1, first_at=now, last_at=now)
        return True

    def count(self, client: str, counter: str, times: int = 1) -> None:
        """`client`: its name, or "" for packets of nobody."""
        self._tallies[client, counter] += times

    async def load(self, store: Store) -> None:
        """Who must seal, and how long each waits, from an earlier run. Before the first packet is heard."""
        self.meter.load(await store.sightings())
        self._seals.use(await store.latches())

    async def keep(self, store: Store) -> None:
        """Write what is new, and learn what `clients unlatch` has taken away. Raises StoreDown, and then
        what is new waits for the next time."""
        await self._keep_latches(store)
        if total := self._tallies.total() - self._tallies_kept:
            await store.keep_tallies(dict(self._tallies), server=self._server)
            self._tallies_kept += total
        series = self.meter.news()
        if self._seen or self._strangers or series:
            seen, strangers = list(self._seen.values()), list(self._strangers.values())
            self._seen.clear()
            self._strangers.clear()
            await store.keep_sightings(seen, strangers, series)
            self.meter.kept(series)

    async def _keep_latches(self, store: Store) -> None:
        while self._new_latches:
            client, source = self._new_latches[0]
            if await store.latch(client, source, at=self._clock.now()):
                logger.warning(
                    "%s (%s) has sent a valid Message-Authenticator: from now on it must, always. "
                    "`radius-push clients unlatch %s` takes that back",
                    client,
                    "all of its addresses" if source == "*" else source,
                    client,
                )
            self._new_latches.pop(0)
        # Another server may have latched more. What was latched while this was read is not in it yet.
        latches = await store.latches()
        self._seals.use([*latches, *self._new_latches])

    async def run(self, store: Store) -> None:
        """Keep for ever. A store that is down is for the next time, and the janitor says so."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.keep(store)
            except StoreDown:
                continue
            except Exception as fault:  # noqa: BLE001 - it goes on with the next round
                logger.error(
                    "what was seen could not be kept: %s at %s", type(fault).__name__, place_of(fault)
                )


def secret_tag(secret: Secret, key: Secret) -> bytes:
    """8 octets by which one shared secret is told from another, by whoever holds the key."""
    return hmac.digest(key.reveal(), b"shared secret\0" + secret.reveal(), "sha256")[:8]
