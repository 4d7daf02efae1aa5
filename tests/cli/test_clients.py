"""`radius-push clients`: which gateway was heard, how, and with which of its secrets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from radius_push import server
from radius_push.cli.clients import clients
from tests.cli.lived import AT, At, ask
from tests.scenarios.house import SETTINGS, house
from tests.scenarios.turned import run

AUTO = SETTINGS.replace("lab:\n", "lab:\n    require_message_authenticator: auto\n").replace(
    'addresses: [127.0.0.3]\n    secret: "a-secret-of-22-octets!"',
    'addresses: [127.0.0.3]\n    secret: ["a-newer-secret-of-24-oct", "a-secret-of-22-octets!"]',
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    async def story() -> None:
        async with house(tmp_path, settings=AUTO) as h:
            await h.ask("nobody")
            await h.ask(source="127.0.0.3")
            await h.ask(source="127.0.0.3", message_authenticator=False, timeout=10)
            await h.ask(source="127.0.0.3", message_authenticator=False, timeout=10)
            h.server._gateways.stranger("192.0.2.77")

    run(story())
    return tmp_path


def test_each_gateway_is_listed_as_it_was_heard(folder: Path) -> None:
    exit_code, said = ask(folder, clients)
    assert exit_code == 0
    lines = said.splitlines()
    assert lines[0].split()[:2] == ["CLIENT", "SOURCE"]
    fw1 = next(line for line in lines if line.startswith("fw1"))
    assert "sends it (yes)" in fw1
    assert "1 of 1 (newest)" in fw1
    lab = next(line for line in lines if line.startswith("lab  "))
    assert "sends it (auto, latched)" in lab
    assert "2 of 2 (old)" in lab
    assert "lab since the start: not_authentic 2" in lines
    assert any(line.startswith("192.0.2.77 is no client: 1 packets") for line in lines)


def test_programs_get_the_same(folder: Path) -> None:
    _, said = ask(folder, clients, "--json")
    fw1, lab, stranger = (json.loads(line) for line in said.splitlines())
    assert (fw1["client"], fw1["patience"], fw1["counted"]) == ("fw1", 60.0, {})
    assert lab["sources"][0]["latched"] is True
    assert lab["sources"][0]["secret"] == "2 of 2 (old)"
    assert stranger["stranger"] == "192.0.2.77"
    assert "octets!" not in said


def test_unlatch_is_said_and_done_once(folder: Path) -> None:
    exit_code, said = ask(folder, clients, "unlatch", "lab")
    assert (exit_code, said) == (
        0,
        "Unlatched 1 source of lab: requests without Message-Authenticator are taken.\n",
    )
    assert ask(folder, clients, "unlatch", "lab") == (1, "Nothing of lab was latched.\n")
    assert ask(folder, clients, "unlatch", "nowhere")[0] == 2
    assert ask(folder, clients, "latch", "lab")[0] == 2


def impatient(folder: Path, settings: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three logins of two people, through a gateway that asks three times, every 5 s."""

    async def story() -> None:
        async with house(folder, settings=settings, people=("alice", "carol")) as h:
            for name in ("alice", "carol"):
                await h.phone(name)
            for name in ("alice", "carol", "alice"):
                await h.ask(name, timeout=5, tries=3)
                await asyncio.sleep(300)

    run(story())
    monkeypatch.setattr(server, "LoopClock", At)
    monkeypatch.setattr(At, "time", AT + 2000)


def test_how_long_a_gateway_was_seen_to_wait_is_told_with_what_to_set_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(tmp_path, SETTINGS.replace("patience: 60s}}", "preset: fortigate}}"), monkeypatch)
    _, said = ask(tmp_path, clients)
    lines = said.splitlines()
    assert next(line for line in lines if line.startswith("fw1  ")).endswith("15 s (learned)")
    assert next(line for line in lines if line.startswith("lab  ")).endswith("30 s (preset)")
    learned = next(line for line in lines if line.startswith("fw1 (127.0.0.1)"))
    assert learned == (
        "fw1 (127.0.0.1) gives up after about 15 s: it asks 3 times, every 5 s (seen 3 times), too short for "
        "a person. So phones have less time. FortiGate (SSL VPN, IPsec with XAuth, administrators): "
        "`config system global`: `set remoteauthtimeout 60`. `config user radius`: `set timeout 60`, "
        "`set auth-type pap`. Once that is set, write `patience: 60s` here."
    )
    fw1 = json.loads(ask(tmp_path, clients, "--json")[1].splitlines()[0])
    assert (fw1["patience"], fw1["patience_from"]) == (60.0, "preset")
    assert fw1["sources"][0]["patience"] == 15.0
    assert fw1["sources"][0]["learned"] == {
        "waits": 15.0,
        "tries": 3,
        "interval": 5.0,
        "grows": False,
        "seen": 3,
        "counts": True,
        "of_many_people": True,
    }


def test_where_the_settings_know_better_both_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(tmp_path, SETTINGS, monkeypatch)
    _, said = ask(tmp_path, clients)
    assert "60 s (settings)" in said
    assert "Phones ring for too long: the settings say 60 s; or write `patience: 15s`" in said


def test_a_budget_that_is_too_short_for_a_person_is_told_of(folder: Path) -> None:
    file = folder / "radius-push.yaml"
    file.write_text(file.read_text().replace("patience: 60s", "preset: softether"))
    _, said = ask(folder, clients)
    assert "fw1 waits 15 s, its preset says: too short for a person. SoftEther VPN Server: " in said
