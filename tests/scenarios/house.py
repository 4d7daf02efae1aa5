"""A whole radius-push in this process, with gateways that ask it and phones that answer it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import aiohttp

from radius_push import enrollment, events
from radius_push.client import Reply, ask
from radius_push.directory.local import LocalDirectory, hash_password
from radius_push.model import Person, ProofName, Secret
from radius_push.ports import StoreDown
from radius_push.radius.packet import load_dictionary
from radius_push.server import Server
from radius_push.settings import load
from radius_push.settings.more_servers import served_as
from radius_push.shapes import Settings
from radius_push.test_phone import SoftwarePhone
from tests.scenarios.one_socket import OneSocket
from tests.scenarios.turned import TurnedClock, TurnedLoop

SECRET = Secret("a-secret-of-22-octets!")
PASSWORD = "correct horse"
ACCEPT, REJECT = 2, 3
E = TypeVar("E")

SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["127.0.0.1:0"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
  enrollment: {{devices_per_user: 3}}
methods: {{push: {{}}}}
clients:
  fw1: {{addresses: [127.0.0.1], secret: "a-secret-of-22-octets!", profiles: [staff-push], patience: 60s}}
  lab:
    addresses: [127.0.0.3]
    secret: "a-secret-of-22-octets!"
    profiles: [lab-alone]
    otherwise: lab-alone
authentication_profiles:
  staff:
    type: local
    users:
{users}
profiles:
  staff-push:
    methods: [push]
    fallback_auth_profiles: [staff]
    timeout: 45s
    texts: {{timeout: "Nobody tapped in 45 s.", denied: "You said no."}}
  lab-alone: {{methods: [none], fallback_auth_profiles: [staff]}}
policies:
  - name: staff may
    profile: staff-push
    authentication_profile: staff
    attribute: department
    values: [IT]
    reply: {{Filter-Id: "{{department}}", Session-Timeout: 3600}}
"""


TWO = SETTINGS.replace(
    "methods: {{push",
    """\
  more_servers: {{b: {{authentication: ["127.0.0.1:0"]}}}}
methods: {{push""",
)
"""With a second server over the same store."""


@dataclass
class House:
    server: Server = field(init=False)
    second: Server = field(init=False)
    """Another one over the same store, if the settings name one (`TWO`): its phones are the first one's."""
    url: str
    told: list[events.Event] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    phones: list[SoftwarePhone] = field(default_factory=list)
    sessions: list[aiohttp.ClientSession] = field(default_factory=list)
    sockets: list[OneSocket] = field(default_factory=list)

    async def ask(
        self,
        username: str = "alice",
        password: str = PASSWORD,
        *,
        proof: ProofName = "pap",
        source: str = "127.0.0.1",
        secret: Secret = SECRET,
        timeout: float = 100.0,
        tries: int = 1,
        message_authenticator: bool = True,
        attributes: Sequence[tuple[str, str]] = (("Calling-Station-Id", "203.0.113.7"),),
        server: Server | None = None,
        port: int = 0,
    ) -> Reply | None:
        """What a gateway asks (the first server, unless it is said), and what it is told. `port`: its own."""
        return await ask(
            server=(server or self.server).authentication[0],
            secret=secret,
            username=username,
            password=password,
            proof=proof,
            attributes=attributes,
            timeout=timeout,
            tries=tries,
            source=(source, port),
            message_authenticator=message_authenticator,
            dictionary=load_dictionary(),
        )

    async def socket(self, source: str = "127.0.0.1") -> OneSocket:
        """A gateway's, closed with the house."""
        self.sockets.append(await OneSocket.open(self.server.authentication[0], source=source, secret=SECRET))
        return self.sockets[-1]

    async def phone(self, username: str = "alice") -> SoftwarePhone:
        """A new phone, enrolled and confirmed."""
        found = await self.server.directories["staff"].find(username)
        assert isinstance(found, Person)
        store, now = self.server.store, self.server.clock.now()
        shown = await enrollment.invite(
            store,
            person=found,
            lifetime=600,
            pepper=self.server.keys.pepper,
            by="test",
            now=now,
            token=secrets.token_bytes(16),
            code_octets=secrets.token_bytes(5),
        )
        # Phones come from many addresses; the phone side bounds what one address may hold.
        number = len(self.sessions)
        here = f"127.1.{number // 200}.{number % 200 + 1}"
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(local_addr=(here, 0), family=socket.AF_INET)
        )
        self.sessions.append(session)
        phone = await SoftwarePhone.enrol(
            enrollment.link(self.url, shown), name=f"phone of {username}", session=session
        )
        self.phones.append(phone)
        word = await enrollment.confirm(store, shown.invitation, phone.confirmation_code, by="test", now=now)
        assert word == "confirmed"
        return phone

    def of(self, kind: type[E]) -> list[E]:
        """The events of a kind so far, in order."""
        return [event for event in self.told if isinstance(event, kind)]

    async def until(self, kind: type[E], count: int = 1) -> None:
        """Wait until so many events of a kind were written."""
        while len(self.of(kind)) < count:
            self.news.clear()
            await self.news.wait()

    def hear(self, at: float, event: events.Event) -> None:
        self.told.append(event)
        self.news.set()


def free_port() -> int:
    """On 127.0.0.1, of those that the kernel gives to nobody by itself: whoever connects somewhere meanwhile
    does not take it."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.asynccontextmanager
async def house(
    folder: Path,
    *,
    people: Sequence[str] = ("alice", "bob"),
    settings: str = SETTINGS,
    trace_codes: bool = False,
) -> AsyncIterator[House]:
    """A running house on a turned clock; bob is in Sales, everybody else in IT. Unless the story is about
    them, refusals carry no trace code, so that their text is what the settings say."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, TurnedLoop)
    hashed = hash_password(PASSWORD.encode(), cheap=True)
    users = "\n".join(
        f"      {name}: {{password_hash: {hashed!r}, department: {'Sales' if name == 'bob' else 'IT'}}}"
        for name in people
    )
    port = free_port()
    file = folder / "radius-push.yaml"
    text = settings.format(phone=port, users=users, hash=hashed)
    if not trace_codes:
        text += "client_defaults: {trace_code: no}\n"
    file.write_text(text)
    made = House(f"http://localhost:{port}")
    loaded, clock = load(file, environ={}), TurnedClock(loop)
    async with contextlib.AsyncExitStack() as running:
        if loaded.more_servers:
            running.enter_context(Gossip(Path(loaded.store), made))
        made.server = await running.enter_async_context(serving(loaded, clock, made))
        for name in loaded.more_servers:
            made.second = await running.enter_async_context(serving(served_as(loaded, name), clock, made))
        try:
            yield made
        finally:
            for one in made.sockets:
                one.close()
            for phone in made.phones:
                await phone.close()
            for session in made.sessions:
                await session.close()


class Gossip:
    """Servers over one store look every 200 ms of real time what the others wrote; no turned clock waits for
    that. So what one has written, the others hear before time moves on."""

    def __init__(self, store: Path, house: House) -> None:
        self._store = store
        self._house = house
        self._version = 0
        self._rows: sqlite3.Connection | None = None
        self._looking: set[asyncio.Task[None]] = set()

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, TurnedLoop)
        self._loop = loop
        loop.watched.append(self.in_flight)

    def __exit__(self, *_: object) -> None:
        self._loop.watched.remove(self.in_flight)
        if self._rows is not None:
            self._rows.close()

    def in_flight(self) -> int:
        """Asked whenever the loop has nothing to do but to wait."""
        if not hasattr(self._house, "second") or self._looking:
            return len(self._looking)
        if self._rows is None:
            self._rows = sqlite3.connect(self._store)
        version = self._rows.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._loop.call_soon_threadsafe(self._look)
            return 1
        return 0

    def _look(self) -> None:
        for server in (self._house.server, self._house.second):
            task = asyncio.ensure_future(look(server))
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)


async def look(server: Server) -> None:
    with contextlib.suppress(StoreDown):  # it has stopped
        await server.store.look()


@contextlib.asynccontextmanager
async def serving(settings: Settings, clock: TurnedClock, house: House) -> AsyncIterator[Server]:
    """One of its servers: while it has something to do, time stands."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, TurnedLoop)
    server = Server(settings, clock=clock, on_event=house.hear)
    # The store is there before `start` has returned, and time must not turn while it writes.
    in_flight = [
        lambda: server.store.busy() if hasattr(server, "store") else 0,
        lambda: passwords_being_checked(server),
    ]
    loop.watched += in_flight
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        for each in in_flight:
            loop.watched.remove(each)


def passwords_being_checked(server: Server) -> int:
    local = (each for each in server.directories.values() if isinstance(each, LocalDirectory))
    return sum(each.busy() for each in local)
