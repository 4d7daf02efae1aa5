"""A real server for the load: its settings, its people with their phones, and the process itself."""

from __future__ import annotations

import asyncio
import os
import resource
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.load import Target
from radius_push import enrollment
from radius_push.directory.local import hash_password
from radius_push.model import Person, PersonKey, Secret
from radius_push.server import LoopClock
from radius_push.store.keys import keys_folder, load_keys
from radius_push.store.sqlite import SqliteStore
from radius_push.test_phone import Enrolled, SoftwarePhone

SECRET = Secret("the-secret-of-the-benchmark-32-oct")
PASSWORD = "correct horse"
OPEN_FILES = 16384
"""As in systemd/radius-push.service."""
SETTINGS = """\
server:
  store: sqlite://state/state.db
  listen:
    authentication: ["127.0.0.1:{radius}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{{push}}}}}
clients:
  gateways: {{addresses: [127.10.0.0/15], secret: {secret}, profiles: [push], otherwise: push, patience: 10m}}
  password-alone: {{addresses: [127.20.0.0/16], secret: {secret}, profiles: [alone], otherwise: alone}}
authentication_profiles:
  people:
    type: local
    users:
{users}
profiles:
  push: {{methods: [push], fallback_auth_profiles: [people], timeout: 9m}}
  alone: {{methods: [none], fallback_auth_profiles: [people]}}
"""


PLAIN_SETTINGS = """\
server:
  store: sqlite://state/state.db
  listen: {{authentication: ["127.0.0.1:{radius}"]}}
methods: {{}}
clients:
  one: {{addresses: [127.20.0.0/16], secret: {secret}, profiles: [alone], otherwise: alone}}
  another: {{addresses: [127.21.0.0/16], secret: {secret}, profiles: [alone], otherwise: alone}}
authentication_profiles:
  people: {{type: local, users: {{{users}}}}}
profiles:
  alone: {{methods: [none], fallback_auth_profiles: [people]}}
"""
"""Two gateways and no phones; nobody knows 127.22/16."""


@dataclass(frozen=True)
class PlainSite:
    pid: int
    target: Target


@dataclass(frozen=True)
class Site:
    process: asyncio.subprocess.Process
    config: Path
    radius: tuple[str, int]
    origin: str
    phones: Sequence[SoftwarePhone]
    """One for each person, in order."""

    @property
    def pid(self) -> int:
        return self.process.pid


def name(number: int) -> str:
    return f"person{number}"


@asynccontextmanager
async def site(folder: Path, *, people: int, push_service: str | None = None) -> AsyncIterator[Site]:
    """`radius-push serve` on uvloop in a process of its own, ready, with a phone for everybody.
    `push_service`: the origin that phones may name besides those that are known."""
    radius, phone = _free_port(socket.SOCK_DGRAM), _free_port(socket.SOCK_STREAM)
    # The cheapest argon2: how long a password takes is the administrator's choice, not ours to measure.
    hashed = hash_password(PASSWORD.encode(), cheap=True)
    config = folder / "radius-push.yaml"
    config.write_text(
        SETTINGS.format(
            radius=radius,
            phone=phone,
            push=f'allow_endpoints: ["{push_service}"]' if push_service else "",
            secret=SECRET.reveal().decode(),
            users="\n".join(f'      {name(n)}: {{password_hash: "{hashed}"}}' for n in range(people)),
        )
    )
    origin = f"http://localhost:{phone}"
    phones = await _enrol(folder / "state" / "state.db", people=people, origin=origin)
    process = await _serve(config, folder)
    try:
        yield Site(process, config, ("127.0.0.1", radius), origin, phones)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def plain_site(folder: Path, *, users: Sequence[str]) -> AsyncIterator[PlainSite]:
    """`radius-push serve` for people whose password is enough; the first one is the target's."""
    radius, secret = free_udp_port(), SECRET.reveal().decode()
    people = ", ".join(f"{user}: {{{_proof()}}}" for user in users)
    config = folder / "radius-push.yaml"
    config.write_text(PLAIN_SETTINGS.format(radius=radius, secret=secret, users=people))
    process = await _serve(config, folder)
    try:
        yield PlainSite(process.pid, Target(radius, secret, users[0], PASSWORD))
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _proof() -> str:
    """What a plain user's password is checked against."""
    return f'clear_password: "{PASSWORD}"'


async def _serve(config: Path, folder: Path) -> asyncio.subprocess.Process:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready,
        (folder / "log").open("wb") as log,
    ):
        ready.setblocking(False)
        # Without a path, as that may be longer than a socket's name may be.
        name = f"radius-push-{secrets.token_hex(8)}"
        ready.bind(f"\0{name}")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from radius_push.cli import main; main()"),
            *("serve", "--config", str(config)),
            stderr=log,
            env={**os.environ, "NOTIFY_SOCKET": f"@{name}"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES)),
        )
        loop = asyncio.get_running_loop()
        told: asyncio.Future[object] = asyncio.ensure_future(loop.run_in_executor(None, _wait, ready))
        ended: asyncio.Future[object] = asyncio.ensure_future(process.wait())
        both: set[asyncio.Future[object]] = {told, ended}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            raise RuntimeError(f"the server did not start: {(folder / 'log').read_text()}")
        ended.cancel()
        return process


def _wait(ready: socket.socket) -> None:
    ready.settimeout(60)
    ready.recv(4096)


async def _enrol(store_file: Path, *, people: int, origin: str) -> list[SoftwarePhone]:
    """Each step of an enrolment but its HTTP requests, for all people at once."""
    clock = LoopClock()
    keys = load_keys(keys_folder(store_file), create=True)
    store = SqliteStore.open(store_file, clock=clock, on_event=lambda _at, _event: None)

    async def one(number: int) -> SoftwarePhone:
        person = Person(PersonKey("people", name(number)), name(number), name(number), {})
        shown = await enrollment.invite(
            store,
            person=person,
            lifetime=600,
            pepper=keys.pepper,
            by="benchmark",
            now=clock.now(),
            token=secrets.token_bytes(16),
            code_octets=secrets.token_bytes(5),
        )
        key = ec.generate_private_key(ec.SECP256R1())
        redeemed = await enrollment.redeem(
            store,
            token_or_code=shown.token,
            public_key=key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
            name="phone",
            device_id=secrets.token_urlsafe(16),
            pepper=keys.pepper,
            devices_per_user=1,
            origin=origin,
            now=clock.now(),
        )
        if not isinstance(redeemed, enrollment.Redeemed):
            raise RuntimeError(f"no phone: {redeemed}")
        await enrollment.confirm_unseen(store, shown.invitation, by="benchmark", now=clock.now())
        device = redeemed.device
        enrolled = Enrolled(
            origin, device.id, str(device.person), device.username, device.name, redeemed.invitation
        )
        return SoftwarePhone(key, enrolled)

    try:
        return await asyncio.gather(*(one(number) for number in range(people)))
    finally:
        await store.close()


def free_udp_port() -> int:
    return _free_port(socket.SOCK_DGRAM)


def _free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
