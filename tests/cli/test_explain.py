"""`radius-push explain`: what is printed, and the exit codes."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from radius_push.cli.explain import explain
from radius_push.cli.options import load_settings
from radius_push.directory.local import hash_password
from radius_push.model import Credential, PersonKey
from tests.cli.enrolling import open_again
from tests.store.making import add_phone

SETTINGS = f"""\
server:
  store: sqlite://state/state.db
  listen:
    authentication: ["127.0.0.1:0"]
    phone: {{address: "127.0.0.1:8443", url: "http://localhost:8443"}}
methods: {{push: {{}}}}
clients:
  fw: {{addresses: [10.0.0.0/24], secret: "a secret of 22 octets!", profiles: [staff-push], patience: 60s}}
  lab: {{addresses: [10.0.1.1], secret: "a secret of 22 octets!", profiles: [alone]}}
authentication_profiles:
  staff:
    type: local
    users:
      alice: {{password_hash: "{hash_password(b"right", cheap=True)}", department: IT, badge: [a, b]}}
      bob: {{password_hash: "{hash_password(b"right", cheap=True)}"}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 20s}}
  alone: {{methods: [none], fallback_auth_profiles: [staff]}}
policies:
  - {{name: summer, profile: refuse, authentication_profile: staff, attribute: badge, values: [x], until: 2027-06-30}}
  - name: IT
    profile: staff-push
    authentication_profile: staff
    attribute: department
    values: [IT]
    reply: {{Session-Timeout: 36000, Filter-Id: "{{matched}}"}}
  - {{name: from home, profile: alone, authentication_profile: staff, request: {{NAS-Identifier: "home-*"}}}}
  - {{name: bob, profile: refuse, authentication_profile: staff, attribute: username, values: [bob]}}
"""  # noqa: E501  # settings have long lines
ALICE = """\
alice at fw, from 203.0.113.7, 2027-07-01 00:00 UTC

Directories
  staff: knows alice, the password is taken as right

Person staff:alice
  entry: alice
  badge: a; b
  department: IT
  username: alice

Policies
  summer: ended with 2027-06-30: miss
  IT: department is 'IT', fits IT: hit, staff-push
  from home: not looked at
  bob: not looked at

Profile
  staff-push, by policy IT
  methods: push

Reply
  Session-Timeout = 36000 (integer)
  Filter-Id = IT (string)

Phones
  none yet: there is no store at {store}, `serve` makes it

Verdict: alice would be asked on phones once one is enrolled
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "radius-push.yaml"
    file.write_text(SETTINGS)
    return file


def run(config: Path, *words: str, typed: str | None = None) -> tuple[int, str]:
    ended = CliRunner().invoke(explain, ["--config", str(config), *words], input=typed)
    return ended.exit_code, ended.output


def values(config: Path, *words: str, typed: str | None = None) -> tuple[int, dict[str, Any]]:
    exit_code, said = run(config, *words, "--json", typed=typed)
    (line,) = said.splitlines()
    return exit_code, json.loads(line)


def test_the_whole_path_is_printed(config: Path) -> None:
    words = ("alice", "--client", "fw", "--address", "203.0.113.7", "--at", "2027-07-01")
    assert run(config, *words) == (0, ALICE.format(store=config.parent / "state" / "state.db"))
    assert not (config.parent / "state").exists()


@pytest.mark.parametrize(("required", "bears"), [("no", "without"), ("auto", "with a"), ("yes", "")])
def test_what_is_taken_for_granted_of_the_seal_is_said(config: Path, required: str, bears: str) -> None:
    config.write_text(
        SETTINGS.replace("patience: 60s", f"patience: 60s, require_message_authenticator: {required}")
    )
    _, said = run(config, "alice", "--client", "fw")
    line = f"as a packet {bears} Message-Authenticator: without one, what it says lets nobody in"
    assert (line in said) is bool(bears)


def test_json_says_the_same(config: Path) -> None:
    exit_code, said = values(config, "alice", "--client", "fw", "--at", "2027-06-30T23:59")
    assert exit_code == 0
    assert said == {
        "user": "alice",
        "client": "fw",
        "address": None,
        "at": "2027-06-30T23:59:00+00:00",
        "request": [],
        "directories": ["staff: knows alice, the password is taken as right"],
        "person": "staff:alice",
        "username": "alice",
        "entry": "alice",
        "attributes": {"badge": ["a", "b"], "department": ["IT"], "username": ["alice"]},
        "unread": [],
        "groups": {},
        "trace": [
            "summer: badge is 'a', 'b', none of x: miss",
            "IT: department is 'IT', fits IT: hit, staff-push",
        ],
        "not_looked_at": ["from home", "bob"],
        "policy": "IT",
        "profile": "staff-push",
        "methods": ["push"],
        "reply": [
            {"name": "Session-Timeout", "value": "36000", "type": "integer"},
            {"name": "Filter-Id", "value": "IT", "type": "string"},
        ],
        "phones": None,
        "biometrics": "optional",
        "phones_with_biometrics": None,
        "phones_to_confirm": None,
        "seconds": 20.0,
        "verdict": "asked",
        "reason": None,
        "detail": "",
        "says": "would be asked on phones once one is enrolled",
    }


def test_whoever_is_refused_is_exit_code_1_with_the_reason(config: Path) -> None:
    exit_code, said = values(config, "bob", "--client", "lab")
    assert (exit_code, said["verdict"], said["reason"]) == (1, "rejected", "refused_by_policy")
    assert (said["policy"], said["profile"]) == ("bob", "refuse")
    exit_code, said = values(config, "nobody", "--client", "fw")
    assert (exit_code, said["reason"], said["person"], said["policy"]) == (1, "unknown_user", None, None)
    exit_code, text = run(config, "bob", "--client", "fw")
    assert exit_code == 1
    assert text.endswith("\nVerdict: bob would be refused (refused_by_policy): bob\n")


def test_attributes_of_the_request_are_read_as_a_gateway_would_send_them(config: Path) -> None:
    words = ("bob", "--client", "lab", "--request", "NAS-Identifier=home-1")
    exit_code, said = values(config, *words, "--request", "NAS-Port-Type=Virtual")
    assert (exit_code, said["verdict"], said["policy"]) == (0, "accepted", "from home")
    assert said["request"] == [["NAS-Identifier", "home-1"], ["NAS-Port-Type", "Virtual"]]
    assert run(config, *words)[1].endswith("Verdict: bob would be let in by the password alone\n")


def test_the_password_is_tried_only_when_asked_for(config: Path) -> None:
    words = ("alice", "--client", "fw", "--ask-password")
    assert values(config, *words, typed="right\n")[1]["directories"] == [
        "staff: knows alice, the password is right"
    ]
    exit_code, said = values(config, *words, typed="wrong\n")
    assert (exit_code, said["verdict"], said["reason"], said["trace"]) == (
        1,
        "rejected",
        "wrong_password",
        [],
    )


async def test_phones_are_counted_in_the_store(config: Path) -> None:
    store = open_again(config)
    await store.close()
    exit_code, said = await asyncio.to_thread(values, config, "alice", "--client", "fw")
    assert (exit_code, said["phones"], said["reason"]) == (1, 0, "not_enrolled")
    store = open_again(config)
    await add_phone(store, "d1", PersonKey("staff", "alice"))
    await store.close()
    exit_code, said = await asyncio.to_thread(values, config, "alice", "--client", "fw")
    assert (exit_code, said["phones"]) == (0, 1)
    assert said["says"] == "would be asked on 1 phone for up to 20 s"


async def test_a_person_whose_phones_have_no_fingerprint_is_refused_where_one_is_required(
    config: Path,
) -> None:
    text = SETTINGS.replace("methods: [push],", "methods: [push], biometrics: required,")
    await asyncio.to_thread(config.write_text, text)
    store = open_again(config)
    for id in ("d1", "d2"):
        await add_phone(store, id, PersonKey("staff", "alice"))
    exit_code, said = await asyncio.to_thread(run, config, "alice", "--client", "fw")
    assert exit_code == 1
    assert "  methods: push\n  biometrics: required\n" in said
    assert "Phones\n  2, 0 with a fingerprint or face\n" in said
    verdict = "no phone with a fingerprint or face, which staff-push requires"
    assert said.endswith(f"Verdict: alice would be refused (no_biometrics): {verdict}\n")
    await store.keep_credential(
        Credential("d1", b"id", b"key", 0, bytes(32), synced=False, since=1.0), at=1.0
    )
    await store.confirm_credential("d1", bytes(32), right=True, limit=5, by="test", at=1.0)
    await store.close()
    exit_code, told = await asyncio.to_thread(values, config, "alice", "--client", "fw")
    assert (exit_code, told["phones"], told["phones_with_biometrics"]) == (0, 2, 1)
    assert (
        told["says"]
        == "would be asked on 2 phones (1 with the fingerprint or face that it takes) for up to 20 s"
    )


async def test_a_phone_that_waits_since_a_restore_is_named(config: Path) -> None:
    store = open_again(config)
    await add_phone(store, "d1", PersonKey("staff", "alice"))
    await store.close()
    with closing(sqlite3.connect(load_settings(config).store)) as rows, rows:
        rows.execute("UPDATE devices SET state = 'restored'")
    exit_code, said = await asyncio.to_thread(run, config, "alice", "--client", "fw")
    assert exit_code == 1
    assert "Phones\n  0, and 1 to be confirmed since a restore\n" in said
    assert "(not_enrolled): no device; 1 phone waits for `radius-push devices confirm ID`" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("alice",), "through which gateway? --client NAME; there are: fw, lab"),
        (("alice", "--client", "fx"), "no client is called fx; there are: fw, lab"),
        (("alice", "--client", "fw", "--at", "30.6.2027"), "write 2027-06-30, or"),
        (("alice", "--client", "fw", "--at", "9999-12-31"), "write 2027-06-30, or"),
        (("alice", "--client", "fw", "--address", "home"), "--address takes an address"),
        (("alice", "--client", "fw", "--request", "NAS-Identifier"), "write NAME=VALUE"),
        (
            ("alice", "--client", "fw", "--request", "NAS-Identifer=a"),
            "NAS-Identifer: no such attribute; did you mean NAS-Identifier?",
        ),
        (
            ("alice", "--client", "fw", "--address", "192.0.2.1", "--request", "Calling-Station-Id=x"),
            "--address is sent as Calling-Station-Id, which --request gives already",
        ),
        (("alice", "--client", "fw", "--request", "User-Name=bob"), "no gateway could send this"),
        (("x" * 254, "--client", "fw"), "no gateway could send this"),
        (("a\tb", "--client", "fw"), "no gateway could send this"),
    ],
)
def test_what_could_not_run_is_exit_code_2(config: Path, words: tuple[str, ...], sentence: str) -> None:
    exit_code, said = run(config, *words)
    assert exit_code == 2
    assert sentence in " ".join(said.split())


def test_settings_with_mistakes_explain_nothing(config: Path) -> None:
    config.write_text(SETTINGS.replace("name: IT", "nam: IT"))
    exit_code, said = run(config, "alice", "--client", "fw")
    assert exit_code == 2
    assert "unknown key, did you mean 'name'?" in said


def test_one_gateway_needs_no_naming(config: Path) -> None:
    config.write_text("\n".join(line for line in SETTINGS.splitlines() if "lab:" not in line))
    config.write_text(config.read_text().replace("profile: alone", "profile: staff-push"))
    assert run(config, "alice")[0] == 0


def test_what_comes_from_elsewhere_cannot_steer_the_terminal(config: Path) -> None:
    config.write_text(SETTINGS.replace("department: IT", 'department: IT, note: "a\\e[2Jb"'))
    assert "note: a?[2Jb" in run(config, "alice", "--client", "fw")[1]


# --- how it is proved ------------------------------------------------------------------------------

PROVED = SETTINGS.replace(
    "profiles: [alone]}", "profiles: [alone], otherwise: alone, accepts: [chap, ms-chapv2]}"
).replace(
    "      bob:",
    "      carol: {clear_password: right}\n"
    "      dave: {nt_hash: 00112233445566778899aabbccddeeff}\n"
    "      bob:",
)


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        (["carol", "--client", "lab"], 0, "carol would be let in by the password alone"),
        (["carol", "--client", "lab", "--proof", "ms-chapv2"], 0, "would be let in"),
        (["dave", "--client", "lab", "--proof", "ms-chapv2"], 0, "would be let in"),
        (
            ["dave", "--client", "lab"],
            1,
            "(proof_not_accepted): dave has no clear_password, which",
        ),
        (["alice", "--client", "lab", "--proof", "ms-chapv2"], 1, "alice has no nt_hash or clear_password"),
        (
            ["carol", "--client", "lab", "--proof", "pap"],
            1,
            "PAP is not accepted: let the gateway use CHAP",
        ),
        (
            ["carol", "--client", "fw", "--proof", "chap"],
            1,
            "CHAP is not accepted: let the gateway use PAP",
        ),
    ],
)
def test_a_proof_is_explained_as_it_would_be_decided(
    config: Path, words: list[str], exit_code: int, says: str
) -> None:
    config.write_text(PROVED)
    found, said = run(config, *words)
    assert (found, says in said) == (exit_code, True), said


@pytest.mark.parametrize("proof", ["chap", "ms-chapv2"])
@pytest.mark.parametrize(("typed", "exit_code"), [("right\n", 0), ("wrong\n", 1)])
def test_a_typed_password_is_proved_as_the_gateway_would(
    config: Path, proof: str, typed: str, exit_code: int
) -> None:
    config.write_text(PROVED)
    words = ("carol", "--client", "lab", "--proof", proof, "--ask-password")
    assert run(config, *words, typed=typed)[0] == exit_code
