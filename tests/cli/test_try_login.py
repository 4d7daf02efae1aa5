"""`radius-push try-login`: the admin's own gateway, which may say why."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from radius_push.cli.try_login import try_login
from radius_push.directory.local import hash_password
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
        ended = await run(config, "nobody", "--json")
        told = json.loads(ended.stdout)
        assert (told["verdict"], told["reason"], len(told["login"])) == ("rejected", "unknown_user", 6)


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
