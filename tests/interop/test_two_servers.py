"""Two `radius-push serve` over one SQLite file, as an admin runs them: processes, sockets, real time."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver

from radius_push.client import Reply, ask
from radius_push.directory.local import hash_password
from radius_push.model import Secret
from radius_push.radius.packet import load_dictionary
from radius_push.server import LoopClock
from radius_push.store.sqlite import SqliteStore
from radius_push.test_phone import SoftwarePhone
from tests.interop.lab import RADIUS_PUSH, SECRET, Lab, Program, free_port, wait_until
from tests.interop.served import Served, enrol

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"
ACCEPT = 2
SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["127.0.0.1:{first}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
  more_servers:
    b: {{authentication: ["127.0.0.1:{second}"], phone: "127.0.0.1:{phone_of_b}"}}
methods: {{push: {{}}}}
clients:
  fw: {{addresses: [127.0.0.1], secret: "{secret}", profiles: [staff-push], patience: 30s}}
  lab: {{addresses: [127.0.0.2], secret: "{secret}", profiles: [alone], otherwise: alone}}
authentication_profiles:
  staff: {{type: local, users: {{alice: {{password_hash: "{hash}"}}}}}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 20s}}
  alone: {{methods: [none], fallback_auth_profiles: [staff]}}
"""


@dataclass
class Way(AbstractResolver):
    """The proxy in front of both phone sides: to whom it leads at this moment."""

    port: int

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[Any]:
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": self.port,
                "family": socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
        ]

    async def close(self) -> None:
        pass


@dataclass
class Site:
    lab: Lab
    config: Path
    ports: dict[str, int]
    phones: dict[str, int]
    servers: dict[str, Program] = field(default_factory=dict)

    def start(self, name: str) -> Program:
        words = () if name == "first" else ("--name", name)
        server = self.lab.start(name, RADIUS_PUSH, "serve", "--config", str(self.config), *words)
        server.wait_until_it_says("ready:")
        self.servers[name] = server
        return server

    def verb(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [RADIUS_PUSH, *words, "--config", str(self.config)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def count(self, kind: str) -> int:
        """How often the logs of all of them tell of this event."""
        return sum(
            len(re.findall(rf" {kind} login=", program.said()))
            for program in self.lab.programs
            if program.log.name.startswith(("first-", "b-"))
        )

    async def ask(
        self,
        server: str,
        *,
        source: str = "127.0.0.1",
        address: str = "203.0.113.7",
        port: int = 0,
        timeout: float = 30,
    ) -> Reply | None:
        return await ask(
            server=("127.0.0.1", self.ports[server]),
            secret=Secret(SECRET),
            username="alice",
            password=PASSWORD,
            attributes=[("Calling-Station-Id", address)],
            timeout=timeout,
            source=(source, port),
            dictionary=load_dictionary(),
        )

    @asynccontextmanager
    async def phone(self, *, at: str) -> AsyncIterator[SoftwarePhone]:
        """Alice's phone; the proxy leads it to this server."""
        way = Way(self.phones[at])
        connector = aiohttp.TCPConnector(resolver=way, use_dns_cache=False, family=socket.AF_INET)
        async with aiohttp.ClientSession(connector=connector) as session:
            yield SoftwarePhone.load(self.config.with_name("phone.json"), session=session)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[SqliteStore]:
        file = self.config.parent / "state" / "radius-push.db"
        store = SqliteStore.open(file, clock=LoopClock(), on_event=lambda _at, _event: None)
        try:
            yield store
        finally:
            await store.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    lab = Lab(tmp_path_factory.mktemp("two-servers"))
    ports = {name: free_port(socket.SOCK_DGRAM) for name in ("first", "b")}
    phones = {name: free_port() for name in ("first", "b")}
    config = lab.folder / "radius-push.yaml"
    config.write_text(
        SETTINGS.format(
            first=ports["first"], second=ports["b"], phone=phones["first"], phone_of_b=phones["b"],
            secret=SECRET, hash=hash_password(PASSWORD.encode(), cheap=True),
        )
    )  # fmt: skip
    try:
        made = Site(lab, config, ports, phones)
        made.start("first")
        made.start("b")
        enrol(Served(lab, made.servers["first"], config, lab.folder / "phone.json"), "alice")
        yield made
    finally:
        lab.stop()


@pytest.mark.parametrize(("asked", "answered"), [("first", "b"), ("b", "first")])
async def test_asked_at_one_and_approved_at_the_other_is_accepted_by_the_first_of_them(
    site: Site, asked: str, answered: str
) -> None:
    async with site.phone(at=answered) as phone:
        login = asyncio.create_task(site.ask(asked, address=f"203.0.113.{len(asked)}"))
        await phone.answer_next(approve=True, seconds=10)
        reply = await login
    assert reply is not None
    assert reply.code == ACCEPT
    assert " accepted login=" in site.servers[asked].said()


async def test_a_restart_of_one_touches_no_login_of_the_other(site: Site) -> None:
    async with site.phone(at="b") as phone:
        login = asyncio.create_task(site.ask("b", address="203.0.113.20"))
        card = await phone.next_question(seconds=10)
        assert await asyncio.to_thread(site.servers["first"].stop) == 0
        await asyncio.to_thread(site.start, "first")
        await phone.answer(card, approve=True)
        reply = await login
    assert reply is not None
    assert reply.code == ACCEPT
    assert site.count("abandoned") == 0


async def test_two_hundred_logins_through_both_at_once_are_one_whole_chain(site: Site) -> None:
    async with site.store() as store:
        before = [kind async for _, _, kind, _ in store.evidence()].count("accepted")
        logins = [site.ask(("first", "b")[n % 2], source="127.0.0.2") for n in range(200)]
        replies = await asyncio.gather(*logins)
        assert [reply.code for reply in replies if reply is not None] == [ACCEPT] * 200
        kinds = [kind async for _, _, kind, _ in store.evidence()]
        assert kinds.count("accepted") == before + 200
        # Both may still write that their accepts have left.
        assert await store.verify_evidence() >= len(kinds)
    for server in site.servers.values():
        assert "store is down" not in server.said()


async def test_what_both_counted_is_shown_together(site: Site) -> None:
    def dropped() -> int:
        shown = site.verb("clients", "--json")
        assert shown.returncode == 0, shown.stderr
        values = [json.loads(line) for line in shown.stdout.splitlines()]
        return int(
            next(each["counted"] for each in values if each.get("client") == "fw").get("malformed_packet", 0)
        )

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rogue:
        for port in site.ports.values():
            rogue.sendto(b"\x01\x01\x00\x14" + bytes(10), ("127.0.0.1", port))
    await asyncio.to_thread(wait_until, lambda: dropped() == 2, 15, what="both tallies")


def test_reload_reaches_both_and_says_who_did_not_like_it(site: Site) -> None:
    text = site.config.read_text()
    try:
        site.config.write_text(text.replace("timeout: 20s", "timeout: 21s"))
        done = site.verb("reload")
        assert (done.returncode, done.stdout) == (
            0,
            "The server serves by these settings now.\nprofiles.staff-push: changed (timeout)\n",
        )
        assert all(" settings_loaded " in server.said() for server in site.servers.values())
        elsewhere = free_port(socket.SOCK_DGRAM)
        site.config.write_text(site.config.read_text().replace(f":{site.ports['b']}", f":{elsewhere}"))
        done = site.verb("reload")
        assert done.returncode == 1
        assert "b: changed, and only a restart can change it: server.more_servers.b" in done.stdout
        assert "first: serves by the new settings" in done.stdout
    finally:
        site.config.write_text(text)
        site.verb("reload")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), r"a radius-push serves from \S+ already \(process \d+\): stop it first"),
        (("--name", "b"), r"the radius-push b serves from \S+ already \(process \d+\): stop it first"),
        (("--name", "c"), r"no server is called 'c'; there are: first, b"),
    ],
)
def test_one_that_runs_already_or_is_not_named_does_not_start(
    site: Site, words: tuple[str, ...], sentence: str
) -> None:
    done = site.verb("serve", *words)
    assert done.returncode == 2
    assert re.search(sentence, done.stderr), done.stderr


def test_nothing_is_restored_while_one_of_them_serves(site: Site) -> None:
    done = site.verb("backup", str(site.config.with_name("backup.tar")))
    assert done.returncode == 0, done.stderr
    done = site.verb("restore", str(site.config.with_name("backup.tar")), "--force")
    assert done.returncode == 2
    pids = {server.process.pid for server in site.servers.values()}
    named = re.search(r"already \(processes (\d+), (\d+)\)", done.stderr)
    assert named, done.stderr
    assert {int(pid) for pid in named.groups()} == pids


async def test_a_failover_from_one_that_was_killed_rings_once(site: Site) -> None:
    """From here on in this file the first is dead."""
    port, asked = free_port(socket.SOCK_DGRAM), site.count("asked")
    async with site.phone(at="b") as phone:
        dead = asyncio.create_task(site.ask("first", address="203.0.113.40", port=port, timeout=2))
        card = await phone.next_question(seconds=10)
        site.servers["first"].process.send_signal(signal.SIGKILL)
        assert await dead is None
        login = asyncio.create_task(site.ask("b", address="203.0.113.40", port=port))
        await asyncio.to_thread(wait_until, lambda: site.count("joined") == 1, 10, what="joined")
        await phone.answer(card, approve=True)
        reply = await login
    assert reply is not None
    assert reply.code == ACCEPT
    assert site.count("asked") == asked + 1


def test_reload_asks_who_is_left_when_one_was_killed(site: Site) -> None:
    site.servers["first"].process.wait()
    done = site.verb("reload", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"reloaded": True, "changes": []})


async def test_phones_and_logins_go_on_at_the_one_that_is_left(site: Site) -> None:
    async with site.phone(at="b") as phone:
        login = asyncio.create_task(site.ask("b", address="203.0.113.30"))
        await phone.answer_next(approve=True, seconds=10)
        reply = await login
    assert reply is not None
    assert reply.code == ACCEPT
