"""`radius-push simulate`: what a person would have seen, and nothing that stays behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from radius_push.cli.simulate import simulate
from radius_push.directory.local import hash_password
from radius_push.lent_phone import lent_phone
from radius_push.model import Person
from radius_push.server import Server
from radius_push.settings import load
from tests.cli.enrolling import HASH, SETTINGS, write_settings
from tests.cli.test_try_login import free_port

PASSWORD = "correct horse"
LEAVES_BY_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever runs the tests may ignore it
from radius_push.cli import main
main()
"""


def free_tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    hashed = hash_password(PASSWORD.encode(), cheap=True)
    two = f'"127.0.0.1:{free_port()}", "127.0.0.1:{free_port()}"'
    text = SETTINGS.replace('"127.0.0.1:0"', two).replace(HASH, hashed)
    text = text.replace("8443", str(free_tcp_port())).replace("  store:", "  reject_delay: 0s\n  store:")
    return write_settings(tmp_path, text)


@asynccontextmanager
async def serving(config: Path) -> AsyncIterator[Server]:
    server = Server(load(config, environ={}), on_event=lambda _at, _event: None)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def change(config: Path, old: str, new: str) -> None:
    config.write_text(config.read_text().replace(old, new))


async def run(config: Path, *words: str, password: str = PASSWORD) -> Result:
    every = (*words, "--config", str(config))
    return await asyncio.to_thread(CliRunner().invoke, simulate, every, input=f"{password}\n")


async def test_it_tells_what_the_person_saw_and_takes_the_phone_back(config: Path) -> None:
    async with serving(config) as server:
        ended = await run(config, "fortigate", "--user", "alice", "--approve-after", "0")
        assert ended.exit_code == 0, ended.output
        first, asking, ring, tap, verdict, counts = ended.stdout.splitlines()
        assert first.endswith(": 60 s, 60 s for the whole sign-in, by pap")
        assert asking.endswith("as client simulate-fortigate ...")
        assert "the phone rings: a sign-in from 203.0.113.9 (login " in ring
        assert tap.endswith("s  alice taps Yes: approved")
        assert verdict.startswith("let in after 0.")
        assert counts == "1 ring, 1 Access-Request, 1 Access-Accept"
        assert not await server.store.devices()
        rows = await server.store.evidence_before(None, kinds=("invited", "device_confirmed"), most=9)
        removed = await server.store.evidence_before(None, kinds=("device_removed",), most=9)
        assert [str(body["by"]).endswith(", simulate") for *_, body in (*rows, *removed)] == [True] * 3


async def test_a_no_is_told_with_its_reason(config: Path) -> None:
    async with serving(config):
        ended = await run(config, "strongswan", "--user", "alice", "--deny-after", "0", "--json")
    assert ended.exit_code == 1, ended.output
    told = json.loads(ended.stdout)
    assert [ring["answer"] for ring in told["rings"]] == ["denied"]
    assert [each["verdict"] for each in told["sign_ins"]] == ["refused"]
    assert [each["reason"] for each in told["reasons"]] == ["denied"]
    assert (told["let_in"], told["access_requests"], told["access_accepts"]) == (False, 1, 0)
    assert told["rings"][0]["login"] == told["reasons"][0]["login"]


async def test_a_wrong_password_rings_nobody(config: Path) -> None:
    async with serving(config):
        ended = await run(config, "generic", "--user", "alice", password="wrong")
    assert ended.exit_code == 1
    assert "refused after 0." in ended.stdout
    assert "reason: wrong_password (login " in ended.stdout
    assert "0 rings, 1 Access-Request, 0 Access-Accepts" in ended.stdout


async def test_the_second_server_is_asked_after_the_first(config: Path) -> None:
    async with serving(config):
        ended = await run(config, "pfsense", "--user", "alice", "--servers", "2", "--json", password="wrong")
        told = json.loads(ended.stdout)
        assert told["access_requests"] == 2
        nobody = f"127.0.0.1:{free_port()}"
        words = ("mikrotik", "--user", "alice", "--factory", "--server", nobody, "--ignore")
        ended = await run(config, *words)
    assert "no answer after 0.9 s" in ended.stdout
    assert f"nothing listens on 127.0.0.1 port {nobody.partition(':')[2]}" in ended.stdout
    assert "assumed: 300 ms, as older releases; 3 tries" in ended.stdout


async def test_the_person_may_sign_in_again(config: Path) -> None:
    async with serving(config):
        words = ("fortigate", "--user", "alice", "--deny-after", "0", "--again", "1", "--pause", "0")
        ended = await run(config, *words, "--json")
    assert [each["verdict"] for each in json.loads(ended.stdout)["sign_ins"]] == ["refused", "refused"]


async def test_all_protocols_of_a_fortigate_are_three_requests(config: Path) -> None:
    async with serving(config):
        words = ("fortigate", "--user", "alice", "--auto-protocols", "--deny-after", "0", "--json")
        ended = await run(config, *words)
    told = json.loads(ended.stdout)
    assert (told["access_requests"], len(told["rings"])) == (3, 1)


async def test_who_has_as_many_phones_as_allowed_is_told_so(config: Path) -> None:
    change(config, "devices_per_user: 2", "devices_per_user: 1")
    async with serving(config) as server:
        person = await server.directories["staff"].find("alice")
        assert isinstance(person, Person)
        url, keys = load(config, environ={}).phone, server.keys
        assert url is not None
        lent = lent_phone(
            server.store, person, url=url.url, name="hers", pepper=keys.pepper, clock=server.clock, by="t"
        )
        async with lent:
            ended = await run(config, "fortigate", "--user", "alice")
    assert ended.exit_code == 2
    assert ended.stderr.startswith("alice has 1 phones already (devices_per_user): see ")
    assert ended.stderr.endswith("then `radius-push devices remove ID`\n")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("fortigate", "--deny", "--ignore"), "one of --approve-after, --deny, --deny-after and --ignore"),
        (("checkpoint", "--factory"), "how a checkpoint asks as shipped is not known: leave out --factory"),
        (("ocserv", "--auto-protocols"), "not known to try the next protocol after a reject"),
        (("fortigate", "--server", "[::1]:1812"), "write an IPv4 address and a port, as 127.0.0.1:1812"),
        (("fortinet",), "'fortinet' is not one of"),
    ],
)
async def test_words_that_make_no_sense_are_not_understood(
    config: Path, words: tuple[str, ...], why: str
) -> None:
    ended = await run(config, *words, "--user", "alice")
    assert ended.exit_code == 2
    assert why in " ".join(ended.stderr.split())


async def test_without_a_server_there_is_no_play(config: Path) -> None:
    ended = await run(config, "fortigate", "--user", "alice")
    assert (ended.exit_code, ended.stderr.startswith("there is no store at ")) == (2, True)
    async with serving(config):
        pass
    ended = await run(config, "fortigate", "--user", "alice")
    assert ended.exit_code == 2
    assert ended.stderr.endswith("Does `radius-push serve` run? Is --ca-file wanted?\n")


async def test_nobody_knows_the_user(config: Path) -> None:
    async with serving(config):
        ended = await run(config, "fortigate", "--user", "nobody")
    assert (ended.exit_code, ended.stderr) == (2, "nobody knows 'nobody'; asked: staff, admins\n")


async def test_a_preset_whose_address_is_the_admins_is_not_played(config: Path) -> None:
    change(config, "[127.0.0.1]", "[127.0.0.0/8]")
    async with serving(config):
        ended = await run(config, "fortigate", "--user", "alice")
    assert ended.exit_code == 2
    assert "speaks from 127.82.80.3, and that address belongs to client fw" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("leave", [signal.SIGINT, signal.SIGTERM])
async def test_whoever_leaves_leaves_no_phone_behind(config: Path, leave: signal.Signals) -> None:
    async with serving(config) as server:
        verb = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            LEAVES_BY_CTRL_C,
            *("simulate", "fortigate", "--user", "alice", "--ignore", "--config", str(config)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert verb.stdin is not None
        assert verb.stdout is not None
        verb.stdin.write(f"{PASSWORD}\n".encode())
        while b"the phone rings" not in (line := await verb.stdout.readline()):
            assert line, await verb.communicate()
        assert [device.name for device in await server.store.devices()] == ["simulate"]
        verb.send_signal(leave)
        _, said = await verb.communicate()
        assert (verb.returncode, said.decode().strip()) == (2, "Left.")
        assert not await server.store.devices()
