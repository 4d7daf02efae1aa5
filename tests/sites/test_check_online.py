# ruff: noqa: E501 - a mistake is one line here, as it is on the screen
"""`check --online`: what the directories say of the settings, at its place in the file and with its mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from radius_push.cli import main
from tests.directory.slapd import BASE, GROUPS, PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd

SETTINGS = """\
server:
  store: sqlite://state.db
  listen: {{authentication: ["127.0.0.1:1812"], phone: {{address: "127.0.0.1:8443", url: "http://localhost:8443"}}}}
methods: {{push: {{}}}}
clients: {{fw: {{addresses: [10.0.0.1], secret: {{file: fw.secret}}, profiles: [staff-push], patience: 60s}}}}
authentication_profiles:
  corp:
    type: ldap
    urls: [{url}]
    base_dn: {people}
    bind_dn: {service}
    bind_password: {{file: ldap.secret}}
    group_base_dn: {groups}
    ca_file: {ca}
  local: {{type: local, users: {{}}}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [corp, local]}}
policies:
  - name: VPN
    profile: staff-push
    authentication_profile: corp
    attribute: memberOf
    values: [vpn]
    when: [{{attribute: departmentNumber, values: [IT]}}]
"""


@pytest.fixture
def text(tmp_path: Path, slapd: Slapd) -> str:
    for name, secret in (("fw.secret", "a secret of more than 16"), ("ldap.secret", SERVICE_PASSWORD)):
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    return SETTINGS.format(
        url=slapd.tls_url, people=PEOPLE, service=SERVICE_DN, groups=GROUPS, ca=slapd.ca_file
    )


def check(folder: Path, text: str) -> tuple[int, dict[str, list[str]]]:
    """The exit code, and what was said by what it was: good, look, bad; places without the file."""
    file = folder / "radius-push.yaml"
    file.write_text(text)
    ended = CliRunner().invoke(main, ["check", "--online", "--json", str(file)])
    said: dict[str, Any] = json.loads(ended.output)
    assert said["good"] == (ended.exit_code == 0)
    found: dict[str, list[str]] = {"good": [], "look": [], "bad": []}
    for each in said["online"]:
        found[each["what"]].append(each["says"].removeprefix(f"{file}:"))
    return ended.exit_code, found


def test_a_directory_that_is_as_the_settings_say(tmp_path: Path, text: str, slapd: Slapd) -> None:
    exit_code, said = check(tmp_path, text)
    assert exit_code == 0
    assert said == {
        "good": [
            f"corp: {slapd.tls_url} answers over TLS, and {SERVICE_DN} may in",
            f"corp: {PEOPLE} is there",
            f"corp: {GROUPS} is there",
            f"corp: group vpn is cn=vpn,{GROUPS}",
            "corp: (uid={username}) finds people",
            "corp: entryUUID is readable",
            "local: 0 users in the settings",
        ],
        "look": [],
        "bad": [],
    }


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (f"base_dn: {PEOPLE}", f"base_dn: ou=nowhere,{BASE}",
         f"10:14: authentication_profiles.corp.base_dn: is not there for {SERVICE_DN}; mend it, or let bind_dn read it"),
        (f"group_base_dn: {GROUPS}", f"group_base_dn: ou=nowhere,{BASE}",
         f"13:20: authentication_profiles.corp.group_base_dn: is not there for {SERVICE_DN}; mend it, or let bind_dn read it"),
        ("[vpn]", "[vpn, nix]",
         "23:19: policies[0].values[1]: no group under group_base_dn is called nix; mend the name, or let bind_dn see it"),
        ("[vpn]", "[twin]",
         f"23:14: policies[0].values[0]: two groups are called twin: cn=twin,ou=east,{GROUPS} and cn=twin,ou=west,{GROUPS}; write the whole name of one"),
        ("    base_dn:", "    id_attribute: employeeNumber\n    base_dn:",
         "10:19: authentication_profiles.corp.id_attribute: employeeNumber is not readable (exactly one value is needed): let bind_dn read it, or name another id_attribute"),
        ("    base_dn:", '    user_filter: "(userPrincipalName={username})"\n    base_dn:',
         "10:18: authentication_profiles.corp.user_filter: finds nobody under base_dn, whatever the name; mend one of them"),
        ("    base_dn:", '    user_filter: "(&(uid={username})(nonsense))"\n    base_dn:', None),
        (f"bind_dn: {SERVICE_DN}", f"bind_dn: cn=nobody,{BASE}", None),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_place_and_its_mend(
    tmp_path: Path, text: str, slapd: Slapd, old: str, new: str, sentence: str | None
) -> None:
    assert old in text
    exit_code, said = check(tmp_path, text.replace(old, new, 1))
    assert exit_code == 1
    (found,) = said["bad"]
    if sentence is not None:
        assert found == sentence
    elif "nonsense" in new:
        assert found.startswith("10:18: authentication_profiles.corp.user_filter: ")
        assert found.endswith("; mend the filter")
    else:
        assert found == (
            f"11:14: authentication_profiles.corp.bind_dn: {slapd.tls_url} refuses cn=nobody,{BASE}: "
            "invalidCredentials (result 49); mend bind_dn or bind_password"
        )


def test_every_server_is_asked_and_one_is_enough_for_the_rest(
    tmp_path: Path, text: str, slapd: Slapd
) -> None:
    exit_code, said = check(
        tmp_path, text.replace(f"[{slapd.tls_url}]", f'["ldaps://127.0.0.1:9", {slapd.tls_url}]')
    )
    assert exit_code == 1
    (found,) = said["bad"]
    assert found.startswith("9:12: authentication_profiles.corp.urls[0]: ldaps://127.0.0.1:9: connecting: ")
    assert found.endswith("; is it running, and is that its host and port?")
    assert f"corp: group vpn is cn=vpn,{GROUPS}" in said["good"]


def test_a_certificate_of_nobody_known_is_wrong(tmp_path: Path, text: str, slapd: Slapd) -> None:
    exit_code, said = check(tmp_path, text.replace(f"    ca_file: {slapd.ca_file}\n", ""))
    assert exit_code == 1
    (found,) = said["bad"]
    assert "CERTIFICATE_VERIFY_FAILED" in found
    assert found.endswith("; name its authority in ca_file, and the server in urls as its certificate does")


def test_a_port_without_tls_is_wrong(tmp_path: Path, text: str, slapd: Slapd) -> None:
    exit_code, said = check(tmp_path, text.replace(slapd.tls_url, slapd.url.replace("ldap:", "ldaps:")))
    assert exit_code == 1
    (found,) = said["bad"]
    assert "does it speak TLS there?" in found or "is it running" in found


def test_an_attribute_that_nobody_has_is_worth_a_look(tmp_path: Path, text: str) -> None:
    exit_code, said = check(tmp_path, text.replace("departmentNumber", "departmentNumer"))
    assert exit_code == 0
    assert said["look"] == [
        "10:14: authentication_profiles.corp.base_dn: no entry has departmentnumer for bind_dn; policies and replies ask for it"
    ]


def test_no_word_of_a_password_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "ldap.secret").write_text("wrong-canary-3f")
    file = tmp_path / "radius-push.yaml"
    file.write_text(text)
    ended = CliRunner().invoke(main, ["check", "--online", str(file)])
    assert ended.exit_code == 1
    assert "What the directories say is wrong:" in ended.output
    assert "wrong-canary-3f" not in ended.output


def test_without_online_no_directory_is_asked(tmp_path: Path, text: str, slapd: Slapd) -> None:
    file = tmp_path / "radius-push.yaml"
    file.write_text(text)
    before = slapd.binds(SERVICE_DN)
    assert CliRunner().invoke(main, ["check", str(file)]).exit_code == 0
    assert slapd.binds(SERVICE_DN) == before
