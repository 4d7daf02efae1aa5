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

from radius_push.cli.serve import root_for_another
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


@pytest.fixture
def with_a_free_port(config: Path) -> Path:
    config.write_text(config.read_text().replace('address: "127.0.0.1:8443"', 'address: "127.0.0.1:0"'))
    return config


async def test_a_server_of_root_on_anothers_store_says_so_and_how_it_should_be_run(
    with_a_free_port: Path,
) -> None:
    config = with_a_free_port
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from radius_push.cli import main; main()"),
        *("serve", "--config", str(config)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    said = []
    async for line in process.stderr:
        said.append(line.decode())
        if "ready:" in said[-1]:
            break
    process.terminate()
    await process.communicate()
    (warning,) = [line for line in said if "AS ROOT" in line]
    assert f"its store {config.parent}/state/state.db belongs to user id {SERVER}" in warning
    assert "`radius-push reload` will not signal it; run it as that user" in warning


def test_the_mend_is_a_command_that_runs_here_or_what_stands_in_the_way(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, config = place / "state", place / "radius-push.yaml"
    state.mkdir(mode=0o700)
    assert root_for_another(state / "state.db", config) is None
    shutil.chown(state, "nobody")
    monkeypatch.setattr("radius_push.setup.reach.PACKAGE", Path("/bin/sh"))  # wherever this checkout lies
    monkeypatch.setattr(sys, "executable", "/bin/sh")
    monkeypatch.setattr(sys, "argv", ["/bin/true"])
    said = root_for_another(state / "state.db", config)
    assert said is not None
    assert "-u nobody " in said
    assert f" serve --config {config}`" in said
    monkeypatch.setattr(sys, "argv", [str(state / "radius-push")])
    said = root_for_another(state / "state.db", config)
    assert said is not None
    assert f"(docs/how-to/install.md): there is no {state}/radius-push" in said
