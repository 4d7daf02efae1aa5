"""The composition root: which class stands behind which door. Starts, serves, drains."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import time
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

from radius_push import __version__, events, login, policy
from radius_push.directory.ldap import LdapDirectory
from radius_push.directory.local import LocalDirectory
from radius_push.factors.limits import WrongPasswords
from radius_push.listen.udp import UdpListener
from radius_push.model import Address, Client, Reason, Secret, Silent, Verdict
from radius_push.observe.log import log_event
from radius_push.ports import Clock, Directory, DoorClosed, StoreDown
from radius_push.radius.dedup import Dedup
from radius_push.radius.packet import Arrival, load_dictionary
from radius_push.shapes import AuthenticationProfile, ClientTable, LdapProfile, Policy, Settings
from radius_push.store.keys import Keys, load_keys
from radius_push.store.sqlite import SqliteStore
from radius_push.story import Quiet, unanswered
from radius_push.web.phone import PhoneSide

logger = logging.getLogger("radius_push")

OUR_OWN_CLIENT = "try-login"
OUR_OWN_PATIENCE = 65.0
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class PhoneOriginChanged(DoorClosed):
    """The phones know the server by another address than the settings say."""

    def __init__(self, *, kept: str, now: str) -> None:
        super().__init__(
            f"phones were enrolled at {kept}, and `server.listen.phone.url` now says {now}: their keys stay "
            "with the old address. Put it back, or start once with --forget-phones and enrol everybody again"
        )


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
        self._on_event = on_event
        self._dedup = Dedup()
        self._listeners: list[UdpListener] = []
        self._serving: list[asyncio.Task[None]] = []
        self.directories: dict[str, Directory] = {}
        self._phone: PhoneSide | None = None
        self._started = self._stopped = False

    async def start(self, *, forget_phones: bool = False) -> None:
        """Open every door; on return the server answers. Raises DoorClosed or OSError, with all let go."""
        self.keys = keys_of(self.settings, create=True)
        self.store = SqliteStore.open(Path(self.settings.store), clock=self.clock, on_event=self._on_event)
        try:
            await self._mind_the_phone_origin(forget_phones=forget_phones)
            await self.store.close_orphans(self.clock.now())
            await self.store.record(events.ServerStarted(__version__))
            self._started = True
            self.directories = open_directories(self.settings, clock=self.clock)
            self._doors = self._open_doors()
            await self._listen()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> int:
        """Stop hearing, give every held login silence, write what is to be written; a second time, nothing.
        How many were held."""
        if self._stopped:
            return 0
        self._stopped = True
        held = sum([await listener.drain() for listener in self._listeners])
        await asyncio.gather(*self._serving, return_exceptions=True)
        self._listeners.clear()
        self._serving.clear()
        if self._phone is not None:
            await self._phone.close()
        for directory in self.directories.values():
            await directory.close()
        try:
            if self._started:
                await self.store.close_orphans(self.clock.now())
                await self.store.record(events.ServerStopped(held))
        finally:
            await self.store.close()
        return held

    async def broken(self) -> None:
        """Return only if a listener ended by itself, with its exception."""
        done, _ = await asyncio.wait(self._serving, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    @property
    def authentication(self) -> list[tuple[str, int]]:
        """Address and port of each RADIUS listener, as bound."""
        return [listener.address for listener in self._listeners]

    @property
    def phone_port(self) -> int | None:
        return None if self._phone is None else self._phone.port

    # the desk

    async def log_in(self, arrival: Arrival) -> Verdict:
        try:
            verdict = await login.log_in(arrival, self._doors)
        except StoreDown as problem:
            logger.error("login=%s no answer: the store is down: %s", arrival.login, problem)
            verdict = Silent(Reason.STORE_DOWN)
        except Exception as fault:
            await self._note_crash(arrival, fault)
            raise
        self.counters[f"verdict_{type(verdict).__name__.lower()}"] += 1
        return verdict

    async def _note_crash(self, arrival: Arrival, fault: Exception) -> None:
        """For its trace: the listener logs where it was, and keeps silent."""
        crashed = Quiet(Reason.CRASHED, type(fault).__name__)
        with contextlib.suppress(StoreDown):
            await self.store.record(unanswered(login.begin(arrival), crashed))

    async def sent(self, arrival: Arrival) -> None:
        try:
            await self.store.record(events.Sent(arrival.login))
        except StoreDown as problem:
            logger.error(
                "login=%s was accepted and sent, but that could not be noted: %s", arrival.login, problem
            )

    # opening

    async def _mind_the_phone_origin(self, *, forget_phones: bool) -> None:
        kept = await self.store.phone_origin()
        url = self.settings.phone.url if self.settings.phone else None
        if kept is None or url is None or kept == url:
            return
        if not forget_phones:
            raise PhoneOriginChanged(kept=kept, now=url)
        await self.store.forget_phones(by="serve --forget-phones", at=self.clock.now())

    def _open_doors(self) -> login.Doors:
        return login.Doors(
            settings=self.settings,
            rules=rules_of(self.settings),
            directories=self.directories,
            store=self.store,
            clock=self.clock,
            dictionary=load_dictionary(),
            wrong_passwords=WrongPasswords(Secret(secrets.token_bytes(32))),
            new_id=lambda: secrets.token_urlsafe(16),
        )

    async def _listen(self) -> None:
        table = client_table(self.settings, self.keys)
        for endpoint in self.settings.authentication:
            listener = UdpListener(
                endpoint=endpoint,
                clients=lambda: table,
                dictionary=self._doors.dictionary,
                desk=self,
                clock=self.clock,
                counters=self.counters,
                dedup=self._dedup,
            )
            await listener.open()
            self._listeners.append(listener)
        if self.settings.phone is not None:
            self._phone = PhoneSide(
                self.settings.phone,
                store=self.store,
                clock=self.clock,
                pepper=self.keys.pepper,
                enrollment=self.settings.enrollment,
                counters=self.counters,
            )
            await self._phone.start()
        # Last, when every door is open: what arrived meanwhile waits in the sockets.
        for listener in self._listeners:
            self._serving.append(asyncio.create_task(listener.serve(), name=f"listen on {listener.address}"))


async def serve(settings: Settings, *, forget_phones: bool = False) -> None:
    """Run until SIGTERM or SIGINT."""
    server = Server(settings)
    await server.start(forget_phones=forget_phones)
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    radius = ", ".join(f"{host} port {port}" for host, port in server.authentication)
    phone = f"; phones at {settings.phone.url}" if settings.phone else ""
    logger.info("ready: RADIUS authentication on %s%s", radius, phone)
    held = 0
    try:
        watch = asyncio.create_task(server.broken(), name="watch the listeners")
        stopping = asyncio.create_task(stop.wait(), name="wait for a signal")
        await asyncio.wait({watch, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            watch.result()
    finally:
        watch.cancel()
        stopping.cancel()
        held = await server.stop()
    logger.info("stopped; %d held logins got no answer", held)


# --- from settings to the things behind the doors --------------------------------------------------


def keys_of(settings: Settings, *, create: bool) -> Keys:
    """The keys beside the store."""
    return load_keys(Path(settings.store).parent / "keys", create=create)


def rules_of(settings: Settings) -> policy.Rules:
    """The compiled policies; settings were checked, so a mistake here is ours."""
    rules = policy.compile(
        settings.policies,
        profiles=settings.profiles,
        authentication_profiles=settings.authentication_profiles,
    )
    if not isinstance(rules, policy.Rules):
        raise TypeError("settings were checked with other rules than these")
    return rules


def open_directories(settings: Settings, *, clock: Clock) -> dict[str, Directory]:
    return {
        name: open_directory(profile, settings.policies, clock=clock)
        for name, profile in settings.authentication_profiles.items()
    }


def open_directory(
    profile: AuthenticationProfile, policies: tuple[Policy, ...], *, clock: Clock
) -> Directory:
    if isinstance(profile, LdapProfile):
        return LdapDirectory(
            profile,
            attributes=policy.needed_attributes(policies, profile.name),
            group_names=policy.bare_group_names(policies, profile.name),
            clock=clock,
        )
    return LocalDirectory(profile)


def client_table(settings: Settings, keys: Keys) -> ClientTable:
    """The admin's clients, and our own for `try-login` from addresses that none of theirs contains."""
    theirs = ClientTable(settings.clients.values())
    taken = {network for client in settings.clients.values() for network in client.networks}
    networks = {network for network in LOOPBACK if network not in taken}
    for endpoint in settings.authentication:
        if not endpoint.address.is_unspecified and theirs.find(endpoint.address) is None:
            networks.add(ip_network(endpoint.address))
    if not networks:
        return theirs
    ours = Client(
        name=OUR_OWN_CLIENT,
        networks=tuple(networks),
        secrets=(keys.try_login_secret,),
        profiles=tuple(settings.profiles),
        otherwise="refuse",
        patience=OUR_OWN_PATIENCE,
    )
    return ClientTable([*settings.clients.values(), ours])


def speaking_as(settings: Settings) -> tuple[tuple[str, int], Client]:
    """Where `try-login` asks, and as which client: the one that contains its source address."""
    endpoint = settings.authentication[0]
    address: Address = endpoint.address
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == 4 else "::1")
    client = client_table(settings, keys_of(settings, create=False)).find(address)
    if client is None:
        raise DoorClosed(f"no client contains {address}, from where this machine would ask")
    return (str(address), endpoint.port), client
