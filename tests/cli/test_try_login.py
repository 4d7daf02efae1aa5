"""`radius-push try-login`: the admin's own gateway, which may say why."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from radius_push.cli.try_login import let_in, try_login
from radius_push.client import Reply
from radius_push.directory.local import hash_password
from radius_push.radius.mschap import Told
from radius_push.server import Server
from radius_push.settings import load
from tests.cli.enrolling import HASH, SETTINGS, write_settings

PASSWORD = "correct horse"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    hashed = hash_password(PASSWORD.encode(), cheap=True)
    text = SETTINGS.replace("127.0.0.1:0", f"127.0.0.1:{free_port()}").replace(HASH, hashed)
    text = text.replace('address: "127.0.0.1:8443"', 'address: "127.0.0.1:0"')
    text = text.replace("  store:", "  reject_delay: 0s\n  store:")
    return write_settings(tmp_path, text)


@asynccontextmanager
async def serving(config: Path) -> AsyncIterator[Server]:
    server = Server(load(config, environ={}), on_event=lambda _at, _event: None)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def run(config: Path, *words: str, password: str = PASSWORD) -> Result:
    words = ("--config", str(config), *words)
    return await asyncio.to_thread(CliRunner().invoke, try_login, words, input=f"{password}\n")


@pytest.fixture
def elsewhere(config: Path) -> Path:
    config.write_text(config.read_text().replace('["127.0.0.1:', '["127.0.0.7:'))
    return config


async def test_a_server_at_another_loopback_address_is_asked_from_that_address(elsewhere: Path) -> None:
    """Linux would speak from 127.0.0.1, which may be another client with another secret."""
    async with serving(elsewhere):
        ended = await run(elsewhere, "alice", "--timeout", "5", password="wrong")
    assert "as client try-login ..." in ended.stdout
    assert "reason: wrong_password" in ended.output
    assert ended.exit_code == 1


async def test_before_serve_there_is_no_store(config: Path) -> None:
    ended = await run(config, "alice")
    assert ended.exit_code == 2
    assert ended.stderr.startswith("there is no store at ")
    assert ended.stderr.endswith(" yet: `radius-push serve` makes it\n")


async def test_where_nothing_listens_nobody_waits(config: Path) -> None:
    async with serving(config):
        pass
    ended = await run(config, "alice", "--timeout", "600")
    assert ended.exit_code == 2
    assert ended.stderr.startswith("nothing listens on 127.0.0.1:")
    assert ended.stderr.endswith(": start `radius-push serve`\n")


async def test_a_reject_says_why_and_its_code(config: Path) -> None:
    async with serving(config):
        ended = await run(config, "alice", password="wrong")
        assert ended.exit_code == 1
        assert "Reply-Message = Sign-in refused." in ended.stdout
        assert "  reason: wrong_password (login " in ended.stdout
        assert "  staff: knows alice, the password is wrong\n" in ended.stdout
        (code,) = re.findall(r"\(login (\w{6})\)", ended.stdout)
        meaning = f"  what it means, and what to do: radius-push trace {code} --config {config}\n"
        assert ended.stdout.endswith(meaning)
        ended = await run(config, "nobody", "--json")
        told = json.loads(ended.stdout)
        assert (told["verdict"], told["reason"], len(told["login"])) == ("rejected", "unknown_user", 6)
        assert not [each for each in told["details"] if "radius-push trace" in each]


async def test_the_address_that_it_asks_from_is_no_users_and_that_is_said(config: Path) -> None:
    async with serving(config):
        ended = await run(config, "alice", "--address", "127.0.0.1", password="wrong")
        assert "127.0.0.1 is where this asks from, and a gateway's own address is never shown" in ended.stdout
        ended = await run(config, "alice", "--address", "127.0.0.8", password="wrong")
        assert "where this asks from" not in ended.stdout
        ended = await run(config, "alice", "--address", "127.0.0.1", "--json", password="wrong")
        assert json.loads(ended.stdout)["verdict"] == "rejected"


async def test_who_may_not_read_the_store_is_told_where_the_reason_is(config: Path) -> None:
    async with serving(config):
        state = config.parent / "state" / "state.db"
        state.chmod(0o644)
        ended = await run(config, "alice", password="wrong")
        state.chmod(0o600)
    assert ended.exit_code == 1
    assert "the reason is in the log of `radius-push serve`" in ended.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--timeout", "0"), "--timeout"),
        (("--timeout", "-1"), "--timeout"),
        (("--address", "home"), "write an address, as 203.0.113.7"),
    ],
)
async def test_words_that_make_no_sense_are_not_understood(
    config: Path, words: tuple[str, ...], why: str
) -> None:
    ended = await run(config, "alice", *words)
    assert ended.exit_code == 2
    assert why in ended.stderr


@pytest.fixture
def by_proof(config: Path) -> Path:
    """alice has a clear password, zoe has a hash, and no phone is asked."""
    text = re.sub(
        r'alice: \{password_hash: "[^"]+"', f"alice: {{clear_password: {PASSWORD}", config.read_text()
    )
    text = text.replace("[push]", "[none]")
    opened = "profiles: [staff-push], otherwise: staff-push, accepts: [pap, chap, ms-chapv2]}"
    config.write_text(text.replace("profiles: [staff-push]}", opened))
    return config


async def test_every_proof_can_be_tried(by_proof: Path) -> None:
    async with serving(by_proof):
        for proof in ("pap", "chap", "ms-chapv2"):
            ended = await run(by_proof, "alice", "--proof", proof)
            assert ended.exit_code == 0, ended.output
            assert ("MS-CHAP2-Success: right" in ended.stdout) == (proof == "ms-chapv2")
            assert ("MPPE keys: both there" in ended.stdout) == (proof == "ms-chapv2")


async def test_a_refused_proof_says_its_error_and_why(by_proof: Path) -> None:
    async with serving(by_proof):
        ended = await run(by_proof, "alice", "--proof", "ms-chapv2", password="wrong")
        assert ended.exit_code == 1
        assert "MS-CHAP-Error: Sign-in refused." in ended.stdout
        assert "reason: wrong_password" in ended.stdout
        ended = await run(by_proof, "zoe", "--proof", "ms-chapv2", "--json")
        told = json.loads(ended.stdout)
        assert told["reason"] == "proof_not_accepted"
        assert told["MS-CHAP-Error"] == f"Sign-in refused. ({told['login']})"
        assert told["details"][0].startswith("zoe has no nt_hash or clear_password")


def test_an_accept_of_who_does_not_know_the_password_lets_nobody_in() -> None:
    told = Told(success=False, keys=True, error=None)
    assert not let_in(Reply(2, {}, b"", 0.0, told))
    assert let_in(Reply(2, {}, b"", 0.0, Told(success=True, keys=False, error=None)))
    assert let_in(Reply(2, {}, b"", 0.0))
    assert not let_in(Reply(3, {}, b"", 0.0))


async def test_under_auto_it_asks_as_the_gateway_does_and_binds_nobody_to_a_seal(config: Path) -> None:
    await asyncio.to_thread(under_auto, config)
    async with serving(config) as server:
        unsealed = await run(config, "alice")
        assert unsealed.exit_code == 1  # alice has no phone: it was heard
        await server._gateways.keep(server.store)
        assert await server.store.latches() == []
        await server.store.latch("fw", "127.0.0.1", at=server.clock.now())
        await server._gateways.load(server.store)
        sealed = await run(config, "alice")
        assert sealed.exit_code == 1


def under_auto(config: Path) -> None:
    auto = "secret: testing123, require_message_authenticator: auto"
    config.write_text(config.read_text().replace("secret: testing123", auto))
