"""The composition root: which class stands behind which door. Starts, serves, drains."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from radius_push import __version__, accounting, events, login
from radius_push.accounting import AccountingArrival
from radius_push.allowance import Allowance
from radius_push.directories import Directories
from radius_push.doors import Doors
from radius_push.factors.limits import Remembered, WrongPasswords
from radius_push.gateways import Gateways
from radius_push.heard import not_heard
from radius_push.hush import Hush
from radius_push.janitor import Janitor
from radius_push.listen.books import Books
from radius_push.listen.reception import Reception
from radius_push.listen.signs_of_life import SignsOfLife
from radius_push.listen.tally import Tally
from radius_push.listeners import Listeners
from radius_push.metrics_door import MetricsDoor
from radius_push.model import Reason, Secret, Silent, Verdict
from radius_push.observe.log import log_event
from radius_push.opening import keys_of, rules_of, where_else
from radius_push.own_clients import client_table
from radius_push.phone_doors import PhoneDoors
from radius_push.portal_doors import PortalDoors
from radius_push.ports import Clock, Directory, DoorClosed, StoreDown
from radius_push.pressure import Pressure
from radius_push.proving import InvitedPasswords, PasswordTurns
from radius_push.radius.dedup import Dedup
from radius_push.radius.packet import Arrival, load_dictionary
from radius_push.radius.wire import Code
from radius_push.settings.changes import differences, needs_restart
from radius_push.shapes import FIRST, Limits, Settings
from radius_push.store.sqlite import SqliteStore
from radius_push.story import End, Quiet, unanswered

logger = logging.getLogger("radius_push")


class PhoneOriginChanged(DoorClosed):
    """The phones know the server by another address than the settings say."""

    def __init__(self, *, kept: str, now: str) -> None:
        super().__init__(
            f"phones were enrolled at {kept}, and `server.listen.phone.url` now says {now}: their keys stay "
            "with the old address. Put it back, or start once with --forget-phones and enrol everybody again"
        )


class NeedsRestart(Exception):
    """A reload can't change these settings."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"changed, and only a restart can change it: {', '.join(names)}")


class LoopClock:
    """Real time: the system's clock for people, the event loop's for waiting."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class Server:
    """One running radius-push, and the desk where its listeners bring what arrived."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        on_event: Callable[[float, events.Event], None] = log_event,
    ) -> None:
        self.settings = settings
        self.counters: Counter[str] = Counter()
        self.clock = clock or LoopClock()
        self._dedup = Dedup()
        self.metrics = MetricsDoor(
            settings, clock=self.clock, counters=self.counters, held=lambda: self._dedup.in_flight
        )
        self._on_event = self.metrics.hearing(on_event)
        self._hush = Hush()
        self._allowance = Allowance()
        self._listeners: Listeners | None = None
        self._serving: list[asyncio.Task[None]] = []
        self._janitor: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._directories: Directories | None = None
        self._phones: PhoneDoors | None = None
        self._portal: PortalDoors | None = None
        self._started = self._stopped = False

    async def start(self, *, forget_phones: bool = False, trust_clock: bool = False) -> None:
        """Open every door; on return the server answers. Raises DoorClosed or OSError, with all let go."""
        self.keys = keys_of(self.settings, create=True)
        self.store = SqliteStore.open(
            Path(self.settings.store), clock=self.clock, on_event=self._on_event, serves=self.settings.name
        )
        try:
            await self._mind_the_phone_origin(forget_phones=forget_phones)
            if trust_clock:
                await self.store.trust_clock(by="serve --trust-clock")
            self._directories = Directories(self.settings, clock=self.clock)
            self._wrong_passwords = WrongPasswords(Secret(secrets.token_bytes(32)))
            self._replayed = Remembered(seconds=24 * 3600.0, most=50_000)
            turns = PasswordTurns()
            self._phones = PhoneDoors(
                self.settings,
                store=self.store,
                clock=self.clock,
                keys=self.keys,
                counters=self.counters,
                prove=InvitedPasswords(lambda: self._doors, turns).prove,
            )
            self._portal = self._portal_doors(self._phones, turns)
            self._pressure = Pressure(self.store.owed)
            self._doors = self._open_doors()
            name, limits = self.settings.name, self.settings.limits
            self._gateways = Gateways(self.clock, key=self.keys.tag, limits=limits, server=name)
            self._tally = Tally(self.counters, self.clock, self._gateways)
            self._books = Books(desk=self, clock=self.clock, tally=self._tally)
            self._signs_of_life = SignsOfLife(
                answers=self.answers, clock=self.clock, tally=self._tally, limits=self._limits
            )
            self._use_limits()
            await self._gateways.load(self.store)
            await self._listen()
            self._keeping = asyncio.create_task(self._gateways.run(self.store), name="gateways")
            janitor = Janitor(self.store, self.clock, keep_evidence=lambda: self.settings.retention.evidence)
            self._janitor = asyncio.create_task(janitor.run(), name="janitor")
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> int:
        """Stop hearing, give every held login silence, write what is to be written; a second time, nothing.
        How many were held."""
        if self._stopped:
            return 0
        self._stopped = True
        for task in (self._janitor, self._keeping):
            if task is not None:
                task.cancel()
        held = await self._listeners.drain() if self._listeners is not None else 0
        await asyncio.gather(*self._serving, return_exceptions=True)
        self._serving.clear()
        if self._portal is not None:
            await self._portal.close()
        await self.metrics.close()
        if self._phones is not None:
            await self._phones.close()
        if self._directories is not None:
            await self._directories.close()
        try:
            # Open questions stay open: the same packets meet them again after a restart.
            if self._started:
                await self._gateways.keep(self.store)
                await self.store.server_stopped(events.ServerStopped(held, self.settings.name))
        except StoreDown as problem:
            logger.error("stopped, but that could not be noted: %s", problem)
        finally:
            await self.store.close()
        return held

    async def reload(self, settings: Settings) -> tuple[str, ...]:
        """Serve by other settings from now on; what changed, in words. Held logins stay held, and are
        decided again at their approval. Raises NeedsRestart, and then nothing has changed."""
        if fixed := needs_restart(self.settings, settings):
            raise NeedsRestart(fixed)
        assert self._phones is not None  # noqa: S101  # it serves
        places, news = await self._phones.prepare(settings)
        changes = (*differences(self.settings, settings), *news)
        prepared = self._listeners.prepare(settings) if self._listeners is not None else None
        assert self._directories is not None  # noqa: S101  # it serves
        opened = self._directories.prepare(settings)
        try:
            await self.store.record(events.SettingsLoaded(changes, settings.name))
        except StoreDown:
            await self._directories.drop(opened)
            raise
        # From here on nothing waits: either all of it is in force, or nothing.
        self.settings = settings
        if self._directories.use(settings, opened):  # what was wrong may be right in another directory
            self._wrong_passwords = WrongPasswords(Secret(secrets.token_bytes(32)))
        self._doors = self._open_doors()
        if self._listeners is not None and prepared is not None:
            self._listeners.use(prepared, self._doors.clients)
        self._phones.use(settings, places)
        if self._portal is not None:
            self._portal.use(settings)
        self._use_limits()
        return changes

    @property
    def directories(self) -> dict[str, Directory]:
        """The open ones, by authentication profile."""
        return {} if self._directories is None else self._directories.open

    async def broken(self) -> None:
        """Return only if a listener ended by itself, with its exception."""
        done, _ = await asyncio.wait(self._serving, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def answers(self) -> None:
        """Return if the event loop runs and the store's thread reads its file. Raises StoreDown."""
        await self.store.phone_origin()

    @property
    def authentication(self) -> list[tuple[str, int]]:
        """Address and port of each RADIUS listener, as bound."""
        return self._listeners.authentication if self._listeners else []

    @property
    def accounting(self) -> list[tuple[str, int]]:
        """The same for accounting."""
        return self._listeners.accounting if self._listeners else []

    @property
    def tcp(self) -> list[tuple[str, int]]:
        """Address and port of each listener for RADIUS over TCP, as bound."""
        return self._listeners.tcp if self._listeners else []

    @property
    def radsec(self) -> list[tuple[str, int]]:
        """The same for RADIUS over TLS."""
        return self._listeners.radsec if self._listeners else []

    @property
    def phone_port(self) -> int | None:
        return None if self._phones is None else self._phones.port

    @property
    def portal_port(self) -> int | None:
        return None if self._portal is None else self._portal.port

    # the desk

    async def log_in(self, arrival: Arrival) -> Verdict:
        try:
            verdict = await login.log_in(arrival, self._doors)
        except StoreDown as problem:
            logger.error("login=%s no answer: the store is down: %s", arrival.login, problem)
            verdict = Silent(Reason.STORE_DOWN)
        except Exception as fault:  # raised again: the listener keeps silent for it
            await self._note_crash(arrival, fault)
            raise
        self.counters[f"verdict_{type(verdict).__name__.lower()}"] += 1
        return verdict

    async def _note_crash(self, arrival: Arrival, fault: Exception) -> None:
        """For its trace: the listener logs where it was, and keeps silent."""
        crashed = Quiet(Reason.CRASHED, type(fault).__name__)
        with contextlib.suppress(StoreDown):
            await self.store.record(unanswered(login.begin(arrival), crashed))

    def _count(self, arrival: Arrival, end: End) -> None:
        self._tally.note(end.reason, arrival.client.name)
        if end.reason is Reason.PROBE_USER:  # as it should be, every few seconds
            return
        more = self._hush.due((arrival.client.name, end.reason), self.clock.monotonic())
        if more is not None:
            since = f" ({more} more since the last line)" if more else ""
            who = f"login={arrival.login} client={arrival.client.name}"
            logger.warning("%s reason=%s: %s%s", who, end.reason, end.detail, since)

    async def account(self, arrival: AccountingArrival) -> None:
        client, limits, tally = arrival.client.name, self._limits(), self._tally
        left = self._allowance.is_left(client, self.clock.monotonic(), most=limits.sessions_per_day)
        if await accounting.account(
            arrival, store=self.store, note=tally.note, tell=tally.tell, limits=limits, may_open=left
        ):
            self._allowance.spend(client)

    async def sent(self, arrival: Arrival) -> None:
        try:
            await self.store.sent(arrival.packet, login=arrival.login, at=self.clock.now())
        except StoreDown as problem:
            logger.error(
                "login=%s was accepted and sent, but that could not be noted: %s", arrival.login, problem
            )

    async def not_heard(self, login: str, packet: bytes, client: str, seconds: float) -> None:
        with contextlib.suppress(StoreDown):
            earlier = await self.store.earlier(packet, client=client)
            code = login if earlier is None else earlier.question.login
            await not_heard(self.store, login=code, client=client, what="repeated", seconds=seconds)

    async def repeated(self, arrival: Arrival, verdict: Verdict, *, times: int, last_at: float) -> None:
        event = events.Repeated(verdict.login or arrival.login, times, last_at)
        try:
            await self.store.add((self.clock.now(), event))
        except StoreDown as problem:
            logger.error("login=%s was repeated, and that could not be noted: %s", arrival.login, problem)

    # opening

    async def _mind_the_phone_origin(self, *, forget_phones: bool) -> None:
        kept = await self.store.phone_origin()
        url = self.settings.phone.url if self.settings.phone else None
        if kept is None or url is None or kept == url:
            if forget_phones:
                logger.warning("nothing forgotten: the phones' address has not changed")
            return
        if not forget_phones:
            raise PhoneOriginChanged(kept=kept, now=url)
        await self.store.forget_phones(by="serve --forget-phones", at=self.clock.now())

    def _portal_doors(self, phones: PhoneDoors, turns: PasswordTurns) -> PortalDoors:
        return PortalDoors(
            self.settings,
            store=self.store,
            clock=self.clock,
            keys=self.keys,
            counters=self.counters,
            phones=phones,
            turns=turns,
            directories=lambda: self.directories,
            wrong_passwords=lambda: self._wrong_passwords,
        )

    def _open_doors(self) -> Doors:
        assert self._phones is not None  # noqa: S101  # opened before
        return Doors(
            settings=self.settings,
            clients=client_table(self.settings, self.keys),
            rules=rules_of(self.settings),
            directories=self.directories,
            store=self.store,
            clock=self.clock,
            dictionary=load_dictionary(self.settings.dictionaries),
            wrong_passwords=self._wrong_passwords,
            replayed=self._replayed,
            tag_key=self.keys.tag,
            new_id=lambda: secrets.token_urlsafe(16),
            count=self._count,
            ring=self._phones.ring,
            asking=self._pressure.asking,
            current=lambda: self._doors,
        )

    def _reception(self, serves: frozenset[Code]) -> Reception:
        return Reception(
            serves=serves,
            elsewhere=where_else(self.settings),
            books=self._books,
            signs_of_life=self._signs_of_life,
            clients=lambda: self._doors.clients,
            dictionary=lambda: self._doors.dictionary,
            desk=self,
            pressure=self._pressure.too_much,
            clock=self.clock,
            counters=self.counters,
            gateways=self._gateways,
            limits=self._limits,
            dedup=self._dedup,
        )

    def _limits(self) -> Limits:
        return self.settings.limits

    def _use_limits(self) -> None:
        limits = self._limits()
        self._books.use(limits)
        self._dedup.bound(most_in_flight=limits.in_flight, most_of_owner=limits.in_flight_per_client)
        self._gateways.use(limits)

    async def _listen(self) -> None:
        self._listeners = Listeners(self.settings, reception=self._reception, clock=self.clock)
        await self._listeners.open()
        assert self._phones is not None  # noqa: S101  # opened before
        assert self._portal is not None  # noqa: S101  # opened before
        await self._phones.open(connections=self._listeners.connections + self._portal.connections)
        await self._portal.open()
        await self.metrics.open()
        started = events.ServerStarted(__version__, os.getpid(), self.settings.name)
        await self.store.server_started(started, names=(FIRST, *self.settings.more_servers))
        self._started = True
        # Last, when every door is open: what arrived meanwhile waits in the sockets.
        self._phones.welcome()
        self._portal.welcome()
        self.metrics.welcome()
        self._serving = self._listeners.serve()
