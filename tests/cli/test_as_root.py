"""Verbs that root runs in the server's folder: whatever they make there is the server's."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.enrolling import Verb, write_settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away"),
]
SERVER = 4242


def owners(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_uid for path in folder.rglob("*")}


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's: root acts as the server's user in it."""
    folder = Path(tempfile.mkdtemp(prefix="radius-push-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def config(place: Path) -> Path:
    """Settings whose state folder is there, empty, and belongs to the server's user."""
    (place / "state").mkdir(mode=0o700)
    os.chown(place / "state", SERVER, SERVER)
    return write_settings(place)


async def test_what_enroll_makes_is_the_servers_while_it_runs_and_after(config: Path) -> None:
    state = config.parent / "state"
    verb = await Verb.start(config, "alice", "--no-confirm")
    await verb.value()
    there = owners(state)
    assert {"state.db", "state.db-wal", "state.db-shm", "keys", "pepper", "try_login_secret"} <= set(there)
    assert set(there.values()) == {SERVER}
    verb.process.terminate()
    await verb.end()
    assert set(owners(state).values()) == {SERVER}


async def test_no_verb_leaves_a_file_of_root(config: Path) -> None:
    verb = await Verb.start(config, "alice", "--no-confirm")  # a store, and a -wal that is still there
    await verb.value()
    verb.process.kill()
    await verb.end()
    for words in ("devices", "devices remove d1", "check", "try-login alice --timeout 0.1"):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from radius_push.cli import main; main()"),
            *(*words.split(), "--config", str(config)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await process.communicate(b"password\n")
        assert set(owners(config.parent / "state").values()) == {SERVER}, words
