"""A real `radius-push serve` under load, with gateways that insist and phones that approve.

What a gateway has received is held against what the store says, and against nothing that the server says.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import resource
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from radius_push import enrollment
from radius_push.directory.local import hash_password
from radius_push.model import Person, PersonKey, Secret
from radius_push.radius.asking import read_reply, write_request
from radius_push.radius.dedup import Key, Slot
from radius_push.radius.packet import load_dictionary
from radius_push.radius.wire import MalformedPacket, NotAuthentic
from radius_push.server import LoopClock
from radius_push.store.keys import keys_folder, load_keys
from radius_push.store.sqlite import SqliteStore
from radius_push.test_phone import PhoneRefused, SoftwarePhone, Unreachable
from tests.interop.lab import free_port

ROOT = Path(__file__).parents[2]
SECRET = Secret("a-secret-of-22-octets!")
PASSWORD = "correct horse"
ACCEPT = 2
USERS = tuple(f"user{number}" for number in range(6))
AGAIN = 0.3
"""Seconds between two sendings of the same packet."""
PATIENCE = 25.0

SETTINGS = """\
server:
  store: sqlite://state/state.db
  listen:
    authentication: ["127.0.0.1:{radius}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  fw: {{addresses: [127.0.0.1], secret: "{secret}", profiles: [staff-push], patience: 30s}}
authentication_profiles:
  staff:
    type: local
    users:
{users}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 25s}}
policies:
  - {{name: all, profile: staff-push, authentication_profile: staff, reply: {{Session-Timeout: 3600}}}}
"""


@dataclass
class Login:
    """One packet of a gateway, sent until it was answered, and whatever came back."""

    packet: bytes
    """As the store knows it."""
    codes: list[int] = field(default_factory=list)
    replies: set[bytes] = field(default_factory=set)

    @property
    def accepted(self) -> bool:
        return ACCEPT in self.codes


class Gateway(asyncio.DatagramProtocol):
    """One source port of a gateway: hears replies to any of its packets."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.heard.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens at the moment."""


@dataclass
class Site:
    folder: Path
    radius: int
    phone: int
    random: random.Random
    logins: list[Login] = field(default_factory=list)
    phones: list[SoftwarePhone] = field(default_factory=list)
    cards: Counter[str] = field(default_factory=Counter)
    """Question id -> how many phones' streams showed it as new."""
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """A reply was heard."""

    @property
    def store(self) -> Path:
        return self.folder / "state" / "state.db"

    @property
    def log(self) -> Path:
        return self.folder / "serve.log"

    # --- the server ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Returns when it is ready; a start that fails says why."""
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-c", "from radius_push.cli import main; main()"),
                *("serve", "--config", str(self.folder / "radius-push.yaml")),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )
        async with asyncio.timeout(20):
            while self.log.read_bytes().count(b"ready:") < self.starts:
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.02)

    async def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(sign)
            await self.process.wait()

    def limit_files(self, octets: int) -> None:
        """No file of the server's may grow beyond this, as on a disk that is full."""
        assert self.process is not None
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (octets, resource.RLIM_INFINITY))

    # --- phones and gateways -----------------------------------------------------------------------------

    async def enrol(self, session: aiohttp.ClientSession) -> None:
        clock = LoopClock()
        keys = load_keys(keys_folder(self.store), create=False)
        store = SqliteStore.open(self.store, clock=clock, on_event=lambda _at, _event: None)
        for user in USERS:
            shown = await enrollment.invite(
                store,
                person=Person(PersonKey("staff", user), user, user, {}),
                lifetime=600,
                pepper=keys.pepper,
                by="test",
                now=clock.now(),
                token=secrets.token_bytes(16),
                code_octets=secrets.token_bytes(5),
            )
            link = enrollment.link(f"http://localhost:{self.phone}", shown)
            phone = await SoftwarePhone.enrol(link, session=session)
            self.phones.append(phone)
            typed = phone.confirmation_code
            await enrollment.confirm(store, shown.invitation, typed, by="test", now=clock.now())
        await store.close()

    def load(self) -> None:
        for phone in self.phones:
            self.tasks.append(asyncio.create_task(self._approve(phone)))
        for user in USERS:
            self.tasks.append(asyncio.create_task(self._log_in(user)))

    async def quiet(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()

    async def _approve(self, phone: SoftwarePhone) -> None:
        seen: set[str] = set()
        while True:
            try:
                async with contextlib.aclosing(phone.questions()) as states:
                    async for state in states:
                        for card in state.questions:
                            self.cards[card["id"]] += card["id"] not in seen
                            seen.add(card["id"])
                            await asyncio.sleep(self.random.uniform(0.0, 0.2))
                            with contextlib.suppress(PhoneRefused):
                                await phone.answer(card, approve=True)
            except (Unreachable, PhoneRefused):
                await asyncio.sleep(0.05)

    async def _log_in(self, user: str) -> None:
        loop = asyncio.get_running_loop()
        transport, gateway = await loop.create_datagram_endpoint(
            Gateway, local_addr=("127.0.0.1", 0), remote_addr=("127.0.0.1", self.radius)
        )
        place = transport.get_extra_info("sockname")[:2]
        try:
            identifier = 0
            while True:
                identifier = (identifier + 1) % 256
                await self._insist(user, identifier, transport, gateway, place)
        finally:
            transport.close()

    async def _insist(
        self,
        user: str,
        identifier: int,
        transport: asyncio.DatagramTransport,
        gateway: Gateway,
        place: tuple[str, int],
    ) -> None:
        """The same octets again and again, and once more after the answer."""
        authenticator = secrets.token_bytes(16)
        octets = write_request(
            identifier=identifier,
            authenticator=authenticator,
            secret=SECRET,
            username=user,
            password=Secret(PASSWORD),
            dictionary=load_dictionary(),
        )
        slot = Slot(place, ("127.0.0.1", self.radius), identifier)
        login = Login(Key(slot, authenticator, hashlib.sha256(octets).digest()).packet())
        self.logins.append(login)
        end = asyncio.get_running_loop().time() + PATIENCE
        while not login.codes and asyncio.get_running_loop().time() < end:
            transport.sendto(octets)
            await self._hear(login, gateway, identifier, authenticator)
        transport.sendto(octets)
        await self._hear(login, gateway, identifier, authenticator)

    async def _hear(self, login: Login, gateway: Gateway, identifier: int, authenticator: bytes) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AGAIN):
                while True:
                    reply = await gateway.heard.get()
                    try:
                        code, _ = read_reply(
                            reply,
                            identifier=identifier,
                            authenticator=authenticator,
                            secret=SECRET,
                            dictionary=load_dictionary(),
                        )
                    except (MalformedPacket, NotAuthentic):
                        continue
                    login.codes.append(code)
                    login.replies.add(reply)
                    self.news.set()
                    return

    async def accepts(self, count: int) -> None:
        """Wait for so many more logins that were let in."""
        want = sum(login.accepted for login in self.logins) + count
        async with asyncio.timeout(30):
            while sum(login.accepted for login in self.logins) < want:
                self.news.clear()
                await self.news.wait()

    # --- what must be true -------------------------------------------------------------------------------

    async def check(self) -> list[str]:
        """What the store must say of all that gateways and phones have seen. The kinds of its evidence."""
        store = SqliteStore.open(self.store, clock=LoopClock(), on_event=lambda _at, _event: None)
        await store.verify_evidence()
        await store.close()
        with closing(sqlite3.connect(self.store)) as rows:
            assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            evidence = [
                (kind, json.loads(body))
                for kind, body in rows.execute("SELECT kind, body FROM evidence ORDER BY number")
            ]
            questions = {
                packet: (id, state, accepted)
                for packet, id, state, accepted in rows.execute(
                    "SELECT packet, id, state, accepted FROM riders JOIN questions ON id = question"
                )
            }
            numbers = dict(rows.execute("SELECT number, body FROM evidence WHERE kind = 'accepted'"))
        for login in self.logins:
            # The same packet is never told two things.
            assert len(login.replies) <= 1
            if login.accepted:
                id, state, accepted = questions[login.packet]
                assert state == "spent"
                assert json.loads(numbers[accepted])["question"] == id
        counted = {
            kind: Counter(body["question"] for each, body in evidence if each == kind)
            for kind in ("asked", "answered", "accepted")
        }
        # No packet is asked about twice, no approval is used twice, nothing is accepted without one.
        assert counted["asked"] == Counter(id for id, _, _ in questions.values())
        for kind in counted:
            assert set(counted[kind].values()) <= {1}, kind
        assert counted["accepted"].keys() <= counted["answered"].keys() <= counted["asked"].keys()
        assert set(self.cards.values()) <= {1}
        return [kind for kind, _ in evidence]


@asynccontextmanager
async def site(folder: Path, *, seed: int) -> AsyncIterator[Site]:
    """A running server with a phone for each user, and no load yet."""
    hashed = hash_password(PASSWORD.encode(), cheap=True)
    users = "\n".join(f"      {user}: {{password_hash: {hashed!r}}}" for user in USERS)
    made = Site(folder, free_port(socket.SOCK_DGRAM), free_port(), random.Random(seed))
    (folder / "radius-push.yaml").write_text(
        SETTINGS.format(radius=made.radius, phone=made.phone, secret=SECRET.reveal().decode(), users=users)
    )
    async with aiohttp.ClientSession() as session:
        try:
            await made.start()
            await made.enrol(session)
            yield made
        finally:
            await made.quiet()
            await made.kill()
