"""`radius-push backup`, `restore` and `devices confirm`: there and back again by the verbs alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from radius_push.cli.backup import backup, restore
from radius_push.cli.devices import devices
from radius_push.store.keys import keys_folder, load_keys
from radius_push.store.lock import StoreLock
from tests.cli.enrolling import open_again, write_settings
from tests.store.making import BOB, add_phone, kinds


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    """Alice and Bob have a phone each."""
    config = write_settings(tmp_path)
    store = open_again(config)
    load_keys(keys_folder(tmp_path / "state" / "state.db"), create=True)
    await add_phone(store, "d1")
    await add_phone(store, "d2", BOB)
    await store.close()
    return config


async def run(verb: click.Command, config: Path, *words: str) -> tuple[int, str]:
    ended = await asyncio.to_thread(CliRunner().invoke, verb, ["--config", str(config), *words])
    return ended.exit_code, ended.output


async def test_there_and_back_and_every_phone_is_confirmed_by_hand(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "carol")
    file = str(tmp_path / "backup.tar")
    code, said = await run(backup, config, file)
    assert (code, said) == (
        0,
        f"{file}: the store and its keys, 8 rows of evidence, the chain is whole\n",
    )
    code, said = await run(restore, config, file)
    assert code == 2
    assert "add --force" in said
    code, said = await run(restore, config, file, "--force")
    assert code == 0
    assert "2 phones wait to be confirmed" in said
    _, said = await run(devices, config, "--json")
    assert {json.loads(line)["state"] for line in said.splitlines()} == {"restored"}
    code, said = await run(devices, config, "confirm", "d1", "d2")
    assert (code, said) == (0, "Confirmed 'Pixel 7' of alice.\nConfirmed 'Pixel 7' of bob.\n")
    code, said = await run(devices, config, "confirm", "d1")
    assert (code, said) == (
        1,
        "No phone with the id d1 waits since a restore, or with a new fingerprint or face.\n",
    )
    store = open_again(config)
    assert (await kinds(store))[-4:] == ["backed_up", "restored", "device_confirmed", "device_confirmed"]
    assert [fields["by"] async for *_, fields in store.evidence() if "by" in fields][-4:] == [
        "carol",
        "carol",
        "carol, after a restore",
        "carol, after a restore",
    ]
    await store.close()


async def test_a_running_server_is_not_pulled_away_from_under(config: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "backup.tar")
    await run(backup, config, file)
    lock = StoreLock.share(tmp_path / "state" / "state.db", server="first")
    code, said = await run(restore, config, file, "--force")
    lock.release()
    assert code == 2
    assert "stop it first" in said


async def test_what_happened_is_said_in_json(config: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "backup.tar")
    _, said = await run(backup, config, file, "--json")
    made = json.loads(said)
    assert (made["file"], made["rows"], len(made["head"])) == (file, 8, 64)
    _, said = await run(restore, config, file, "--force", "--json")
    back = json.loads(said)
    assert back["devices"] == 2
    assert Path(back["set_aside"]).name.startswith("replaced-")


async def test_one_phone_waits(tmp_path: Path) -> None:
    config = write_settings(tmp_path)
    store = open_again(config)
    load_keys(keys_folder(tmp_path / "state" / "state.db"), create=True)
    await add_phone(store, "d1")
    await store.close()
    await run(backup, config, str(tmp_path / "backup.tar"))
    _, said = await run(restore, config, str(tmp_path / "backup.tar"), "--force")
    assert "\n1 phone waits to be confirmed" in said
