"""`radius-push users`: who has or had a phone, and how their last login ended."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from radius_push import events
from radius_push.cli.devices import devices
from radius_push.cli.users import users
from tests.cli.enrolling import open_again, write_settings
from tests.cli.lived import ask, live
from tests.store.making import ALICE, BOB, NOW, add_phone, invite, redeem


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lived")
    live(folder)
    return folder


def test_a_person_is_listed_with_their_last_login(folder: Path) -> None:
    exit_code, said = ask(folder, users, "--json")
    (alice,) = (json.loads(line) for line in said.splitlines())
    assert exit_code == 0
    assert alice["user"] == "alice"
    assert alice["person"] == "staff:alice"
    assert alice["devices"] == {"pending": 0, "restored": 0, "active": 1, "removed": 0}
    assert (alice["verdict"], alice["reason"]) == ("rejected", "timed_out")
    assert alice["last_login"].startswith("2026-09-21T14:30:")


def test_people_read_it_as_a_table(folder: Path) -> None:
    _, said = ask(folder, users)
    headings, line = said.splitlines()
    assert headings.split()[:5] == ["USER", "PERSON", "PENDING", "RESTORED", "ACTIVE"]
    assert line.split()[:5] == ["alice", "staff:alice", "0", "0", "1"]
    assert line.endswith("rejected timed_out")


def test_devices_say_when_they_answered_last(folder: Path) -> None:
    _, said = ask(folder, devices, "--json")
    assert json.loads(said)["answered"] == "2026-09-21T14:30:00Z"


def test_whoever_lost_every_phone_is_still_listed(tmp_path: Path) -> None:
    config = write_settings(tmp_path)

    async def fill() -> None:
        store = open_again(config)
        await add_phone(store, "d1", BOB)
        await add_phone(store, "d2", ALICE)
        await invite(store)
        await redeem(store, "d3")
        await store.remove_device("d1", at=NOW, event=events.DeviceRemoved(str(BOB), "d1", "test"))
        await store.close()

    asyncio.run(fill())
    _, said = ask(tmp_path, users, "--json")
    found = [json.loads(line) for line in said.splitlines()]
    assert [(each["person"], each["devices"], each["verdict"]) for each in found] == [
        ("corp-ldap:uuid-of-alice", {"pending": 1, "restored": 0, "active": 1, "removed": 0}, None),
        ("corp-ldap:uuid-of-bob", {"pending": 0, "restored": 0, "active": 0, "removed": 1}, None),
    ]


def test_nobody_is_said_so(tmp_path: Path) -> None:
    config = write_settings(tmp_path)
    asyncio.run(open_again_and_close(config))
    assert ask(tmp_path, users) == (0, "Nobody has a phone yet: `radius-push enroll USER`.\n")
    assert ask(tmp_path, users, "--json") == (0, "")


async def open_again_and_close(config: Path) -> None:
    await open_again(config).close()


def test_without_a_store_nothing_is_made(tmp_path: Path) -> None:
    write_settings(tmp_path)
    exit_code, said = ask(tmp_path, users)
    assert exit_code == 2
    assert "there is no store" in said
    assert not (tmp_path / "state").exists()
