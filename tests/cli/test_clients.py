"""`radius-push clients`: which gateway was heard, how, and with which of its secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radius_push.cli.clients import clients
from tests.cli.lived import ask
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
