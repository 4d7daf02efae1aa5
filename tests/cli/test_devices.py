"""`radius-push devices`: the list, and taking one phone off it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from radius_push.cli.devices import devices
from radius_push.enrollment import confirmation_code
from radius_push.events import Sent
from radius_push.model import Credential, PersonKey, Secret
from radius_push.waking import CHANNELS, AppAddress, Receipt, Ring
from tests.cli.enrolling import open_again, write_settings
from tests.store.making import BOB, NOW, add_phone, invite, kinds, redeem


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    """Alice has a phone and one that waits for its code, Bob has one."""
    config = write_settings(tmp_path)
    store = open_again(config)
    await add_phone(store, "d1")
    await add_phone(store, "d2", BOB)
    await invite(store)
    await redeem(store, "d3")
    await store.close()
    return config


async def run(config: Path, *words: str) -> tuple[int, str]:
    ended = await asyncio.to_thread(CliRunner().invoke, devices, ["--config", str(config), *words])
    return ended.exit_code, ended.output


async def test_the_list_names_every_phone_that_is_not_removed(config: Path) -> None:
    exit_code, said = await run(config)
    assert exit_code == 0
    assert [line.split()[:2] for line in said.splitlines()] == [
        ["ID", "USER"],
        ["d1", "alice"],
        ["d2", "bob"],
        ["d3", "alice"],
    ]
    assert "corp-ldap:uuid-of-bob" in said
    assert "2026-09-21T14:13:20Z" in said


@pytest.mark.parametrize("user", ["bob", "BOB", "corp-ldap:uuid-of-bob"])
async def test_the_list_of_one_person(config: Path, user: str) -> None:
    _, said = await run(config, user, "--json")
    assert [json.loads(line) for line in said.splitlines()] == [
        {
            "id": "d2",
            "user": "bob",
            "person": "corp-ldap:uuid-of-bob",
            "phone": "Pixel 7",
            "state": "active",
            "since": "2026-09-21T14:13:20Z",
            "biometrics": None,
            "answered": None,
            "push": None,
            "seen": None,
            "speed": {},
        }
    ]


async def test_how_fast_the_last_rings_were_is_in_the_list(config: Path) -> None:
    store = open_again(config)
    for number, since_request in enumerate((250, 350, 9000)):
        await store.begin_rings(Ring("d1", "fcm", "request", f"q{number}", None, NOW, since_request))
        said = Receipt("d1", "fcm", "request", f"q{number}", "received")
        assert await store.receive(said, at=NOW + 1.24)
    for channel in CHANNELS[:2]:
        await store.begin_rings(Ring("d2", channel, "test", "t1", None, NOW, 12))
    await store.receive(Receipt("d2", "web_push", "test", "t1", "received"), at=NOW + 2)
    await store.close()
    table = (await run(config))[1].splitlines()
    assert table[0].split()[-2:] == ["RING", "RECEIPT"]
    assert [line.split()[-4:] for line in table[1:3]] == [
        ["0.35", "s", "1.2", "s"], ["s", "web_push", "2.0", "s"],
    ]  # fmt: skip
    alices = json.loads((await run(config, "alice", "--json"))[1].splitlines()[0])
    assert alices["speed"] == {"fcm": {"ring": 350, "rings": 3, "receipt": 1240, "receipts": 3}}
    bobs = json.loads((await run(config, "bob", "--json"))[1])
    assert bobs["speed"] == {
        "web_push": {"ring": 12, "rings": 1, "receipt": 2000, "receipts": 1},
        "apns": {"ring": None, "rings": 0, "receipt": None, "receipts": 0},
    }


async def test_who_has_no_phone_is_said(config: Path) -> None:
    assert await run(config, "zoe") == (0, "No phones of zoe.\n")


async def test_a_removed_phone_is_off_the_list_and_in_the_evidence(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "carol")
    exit_code, said = await run(config, "remove", "d1")
    assert exit_code == 0
    assert said == "Removed 'Pixel 7' of alice: it can answer no more.\n"
    store = open_again(config)
    assert await store.devices_of(PersonKey("corp-ldap", "uuid-of-alice")) == []
    assert (await kinds(store))[-1] == "device_removed"
    issuers = [fields["by"] async for *_, fields in store.evidence() if "by" in fields]
    assert issuers[-1] == "carol"
    await store.close()


async def test_removing_what_is_not_there_is_a_no(config: Path) -> None:
    assert await run(config, "remove", "d9") == (
        1,
        (
            "There is no phone with the id d9: see `radius-push devices`."
            " The beginning of an id takes at least 4 characters.\n"
        ),
    )
    exit_code, said = await run(config, "remove", "d9", "--json")
    assert (exit_code, json.loads(said)) == (1, {"removed": False, "device": "d9"})


async def test_without_a_store_nothing_is_made(tmp_path: Path) -> None:
    config = write_settings(tmp_path)
    exit_code, said = await run(config)
    assert exit_code == 2
    assert "there is no store" in said
    assert not (tmp_path / "state").exists()


async def test_an_id_may_begin_with_a_dash(config: Path) -> None:
    assert await run(config, "remove", "-d9") == (
        1,
        (
            "There is no phone with the id -d9: see `radius-push devices`."
            " The beginning of an id takes at least 4 characters.\n"
        ),
    )


@pytest.mark.parametrize("words", [("remove", "d1", "d2"), ("list", "d1"), ("--jsn",)])
async def test_other_words_are_not_understood(config: Path, words: tuple[str, ...]) -> None:
    exit_code, said = await run(config, *words)
    assert exit_code == 2
    assert "devices remove ID" in said


async def test_the_beginning_of_an_id_is_enough_if_only_one_begins_so(config: Path) -> None:
    store = open_again(config)
    for id in ("abcd1111", "abcd2222", "ef012345"):
        await add_phone(store, id)
    await store.close()
    exit_code, said = await run(config, "remove", "abcd")
    assert (exit_code, "2 phones have an id that begins with abcd" in said) == (2, True)
    exit_code, said = await run(config, "remove", "ef0")
    assert (exit_code, "takes at least 4 characters" in said) == (1, True)
    exit_code, said = await run(config, "remove", "ef01", "--json")
    assert (exit_code, json.loads(said)) == (0, {"removed": True, "device": "ef012345"})
    assert (await run(config, "remove", "abcd2"))[0] == 0
    ids = [line.split()[0] for line in (await run(config))[1].splitlines()[1:]]
    assert "abcd1111" in ids
    assert "abcd2222" not in ids


async def test_remove_alone_asks_which(config: Path) -> None:
    exit_code, said = await run(config, "remove")
    assert exit_code == 2
    assert "which phone?" in said


async def test_a_phone_gets_another_name(config: Path) -> None:
    exit_code, said = await run(config, "rename", "d1", "Nokia", "3310\u202e")
    assert (exit_code, said) == (0, "'Pixel 7' of alice is called 'Nokia 3310' now.\n")
    store = open_again(config)
    device = await store.device("d1")
    assert device is not None
    assert (device.name, (await kinds(store))[-1]) == ("Nokia 3310", "device_renamed")
    await store.close()
    assert (await run(config, "rename", "d9", "x"))[0] == 1
    exit_code, said = await run(config, "rename", "d1", "x", "--json")
    assert json.loads(said) == {"renamed": True, "device": "d1", "name": "x"}
    assert (await run(config, "rename", "d1"))[0] == 2


# --- fingerprint or face ---------------------------------------------------------------------------------


async def a_waiting_credential(config: Path) -> str:
    """On Alice's phone; the six digits that it shows."""
    store = open_again(config)
    credential = Credential("d1", b"id", b"key", 0, bytes(32), synced=True, since=NOW)
    assert await store.keep_credential(credential, at=NOW)
    device = await store.device("d1")
    await store.close()
    assert device is not None
    return confirmation_code(device.invitation, device.public_key, bytes(32))


async def typing(config: Path, typed: str, *words: str) -> tuple[int, str]:
    ended = await asyncio.to_thread(
        CliRunner().invoke, devices, ["--config", str(config), *words], input=typed
    )
    return ended.exit_code, ended.output


async def test_the_six_digits_confirm_a_fingerprint_and_the_list_says_who_has_one(config: Path) -> None:
    code = await a_waiting_credential(config)
    _, said = await run(config, "alice", "--json")
    assert [json.loads(line)["biometrics"] for line in said.splitlines()] == ["waits", None]
    exit_code, said = await typing(config, f"12345\n{code}\n", "confirm", "d1")
    assert (exit_code, said.splitlines()[0]) == (0, "'Pixel 7' of alice has a new fingerprint or face.")
    assert "Those are not six digits." in said
    assert said.endswith("Confirmed the fingerprint or face of 'Pixel 7' of alice.\n")
    _, said = await run(config, "alice", "--json")
    assert json.loads(said.splitlines()[0])["biometrics"] == "on (synced)"


async def test_five_wrong_codes_give_the_fingerprint_up(config: Path) -> None:
    code = await a_waiting_credential(config)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}\n"
    exit_code, said = await typing(config, wrong * 5, "confirm", "d1")
    assert exit_code == 1
    assert said.count("That is not what the phone shows.") == 4
    assert "Too many wrong codes: it was given up." in said
    exit_code, said = await run(config, "confirm", "d1")
    assert (exit_code, "waits since a restore, or with a new fingerprint" in said) == (1, True)


async def test_a_fingerprint_is_forgotten_and_the_phone_stays(config: Path) -> None:
    await a_waiting_credential(config)
    assert await run(config, "forget-biometrics", "d1") == (
        0,
        "'Pixel 7' of alice has no fingerprint or face any more.\n",
    )
    exit_code, said = await run(config, "forget-biometrics", "d1", "--json")
    assert (exit_code, json.loads(said)) == (1, {"forgotten": False, "device": "d1"})
    assert "d1" in (await run(config))[1]


async def test_a_channel_that_is_gone_shows_beside_one_that_is_not(config: Path) -> None:
    store = open_again(config)
    for channel, token in (("apns", b"ab"), ("fcm", b"cd")):
        kept = AppAddress("d1", channel, Secret(token))  # type: ignore[arg-type]
        await store.keep_push_address(kept, at=NOW, event=Sent("kept"))
    await store.forget_push_address("d1", "fcm", only="cd", at=NOW, event=Sent("gone"))
    await store.close()
    _, said = await run(config, "alice", "--json")
    assert json.loads(said.splitlines()[0])["push"] == "apns, fcm gone"
