# ruff: noqa: E501 - a row of a table is a line
"""The example sites in config/examples/: each is good, and decides as its comments say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from radius_push.cli import main
from radius_push.settings import load
from tests.directory.slapd import BASE, SERVICE_PASSWORD, Slapd

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"
FILES = sorted(EXAMPLES.glob("*.yaml"))
SECRETS = ("fw.secret", "ocserv.secret", "ocserv-robots.secret", "mfa.pem", "mfa.key")
LDAP_SECRETS = ("ldap.secret", "hq-ldap.secret", "daughter-ldap.secret")
NO_PHONE = "not_enrolled"


def site(folder: Path, name: str, slapd: Slapd) -> Path:
    """An example whose directories are this slapd, and whose files are there."""
    for file in SECRETS:
        (folder / file).write_text("a secret of more than 16 octets")
    for file in LDAP_SECRETS:
        (folder / file).write_text(SERVICE_PASSWORD)
    for file in (*SECRETS, *LDAP_SECRETS):
        (folder / file).chmod(0o600)
    text = (EXAMPLES / name).read_text()
    text = text.replace("/etc/radius-push/corp-ca.pem", slapd.ca_file)
    text = text.replace("/etc/radius-push/", f"{folder}/").replace("/var/lib/radius-push/", f"{folder}/")
    text = re.sub(r"ldaps://[a-z0-9.]+", slapd.tls_url, text).replace("dc=example,dc=com", BASE)
    settings = folder / name
    settings.write_text(text)
    return settings


def explained(settings: Path, *words: str) -> dict[str, Any]:
    ended = CliRunner().invoke(main, ["explain", "--config", str(settings), "--json", *words])
    assert ended.exit_code in (0, 1, 2), ended.output
    said: dict[str, Any] = json.loads(ended.output)
    return said


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_example_is_good(file: Path, tmp_path: Path, slapd: Slapd) -> None:
    settings = load(site(tmp_path, file.name, slapd), environ={})
    assert all("NO SECOND FACTOR" in warning or "plain HTTP" in warning for warning in settings.warnings)


def test_there_are_six_sites() -> None:
    assert [file.name for file in FILES] == [
        "fortigate-pair.yaml",
        "globalprotect.yaml",
        "local-only.yaml",
        "ocserv-and-slapd.yaml",
        "opnsense.yaml",
        "two-directories.yaml",
    ]


@pytest.mark.parametrize(
    ("words", "verdict", "policy", "reason"),
    [
        ("sam --client ocserv", "asked", "staff", None),
        ("sam --client ocserv-robots", "rejected", None, "no_policy"),
        ("carol --client ocserv --at 2027-06-30", "asked", "contractors", None),
        ("carol --client ocserv --at 2027-07-01", "rejected", "contractors whose contract has ended", "refused_by_policy"),
        ("backup --client ocserv-robots --address 192.0.2.7", "accepted", "robots", None),
        ("backup --client ocserv-robots --address 10.9.9.9", "rejected", "robots elsewhere", "refused_by_policy"),
        ("backup --client ocserv-robots", "rejected", "robots elsewhere", "refused_by_policy"),
        ("backup --client ocserv --address 192.0.2.7", "rejected", "robots elsewhere", "refused_by_policy"),
        ("vera --client ocserv", "rejected", None, "no_policy"),
        ("nobody --client ocserv", "rejected", None, "unknown_user"),
    ],
)  # fmt: skip
def test_ocserv_with_groups_contractors_and_robots(
    tmp_path: Path, slapd: Slapd, words: str, verdict: str, policy: str | None, reason: str | None
) -> None:
    said = explained(site(tmp_path, "ocserv-and-slapd.yaml", slapd), *words.split())
    assert (said["verdict"], said["policy"], said["reason"]) == (verdict, policy, reason)


def test_what_its_people_get(tmp_path: Path, slapd: Slapd) -> None:
    settings = site(tmp_path, "ocserv-and-slapd.yaml", slapd)
    sam = explained(settings, "sam", "--client", "ocserv")
    assert (sam["profile"], sam["seconds"]) == ("staff-push", 45.0)
    assert [(each["name"], each["value"]) for each in sam["reply"]] == [
        ("Session-Timeout", "36000"),
        ("Filter-Id", "IT"),
    ]
    carol = explained(settings, "carol", "--client", "ocserv", "--at", "2027-01-01")
    assert [each["value"] for each in carol["reply"]] == [
        "14400",
        f"OU=cn=vpn-contractors,ou=groups,{BASE};",
    ]


@pytest.mark.parametrize(
    ("user", "verdict", "profile", "reason"),
    [
        ("ann", "asked", "admin-push", None),
        ("ben", "asked", "office-push", None),
        ("BEN", "asked", "office-push", None),
        ("guest", "rejected", None, "no_policy"),
        ("nobody", "rejected", None, "unknown_user"),
    ],
)
def test_local_users_only(
    tmp_path: Path, slapd: Slapd, user: str, verdict: str, profile: str | None, reason: str | None
) -> None:
    said = explained(site(tmp_path, "local-only.yaml", slapd), user, "--client", "fw")
    assert (said["verdict"], said["profile"], said["reason"]) == (verdict, profile, reason)


@pytest.mark.parametrize(
    ("user", "verdict", "person", "reason"),
    [
        ("alice", "asked", "hq-ldap", None),
        ("sam@example.com", "asked", "daughter-ldap", None),
        ("em-zoe", "asked", "emergency-accounts", None),
        ("vera", "rejected", "hq-ldap", "no_policy"),
        ("nobody", "rejected", None, "unknown_user"),
    ],
)
def test_two_directories_and_emergency_accounts(
    tmp_path: Path, slapd: Slapd, user: str, verdict: str, person: str | None, reason: str | None
) -> None:
    settings = site(tmp_path, "two-directories.yaml", slapd)
    settings.write_text(settings.read_text().replace(f"ou=staff,{BASE}", f"ou=people,{BASE}"))
    said = explained(settings, user, "--client", "fw")
    assert (said["verdict"], said["reason"]) == (verdict, reason)
    assert (said["person"] or "").partition(":")[0] == (person or "")


@pytest.mark.parametrize(
    ("user", "verdict", "reason"), [("alice", "unanswered", "directory_down"), ("em-zoe", "asked", None)]
)
def test_while_both_are_down_the_emergency_accounts_get_in(
    tmp_path: Path, slapd: Slapd, user: str, verdict: str, reason: str | None
) -> None:
    settings = site(tmp_path, "two-directories.yaml", slapd)
    settings.write_text(settings.read_text().replace(slapd.tls_url, "ldaps://127.0.0.1:9"))
    said = explained(settings, user, "--client", "fw")
    assert (said["verdict"], said["reason"]) == (verdict, reason)
    assert "down" in said["directories"][0]
    assert said["directories"][1].endswith("not asked: only an emergency directory counts now")


# --- sites of one preset ---------------------------------------------------------------------------


GROUPS = {
    "fortigate-pair.yaml": "Fortinet-Group-Name",
    "globalprotect.yaml": "PaloAlto-User-Group",
    "opnsense.yaml": "Class",
}


@pytest.mark.parametrize(
    ("file", "words", "verdict", "policy", "groups", "seconds"),
    [
        ("fortigate-pair.yaml", "sam --address 203.0.113.7", "asked", "staff", ("vpn-staff", "dept-IT"), 45),
        ("fortigate-pair.yaml", "sam", "asked", "staff", ("vpn-staff", "dept-IT"), 45),
        ("fortigate-pair.yaml", "carol --address 198.51.100.9", "asked", "contractors from their own network", ("vpn-contractors",), 45),
        ("fortigate-pair.yaml", "carol --address 203.0.113.7", "rejected", "contractors from anywhere else", (), 0),
        ("fortigate-pair.yaml", "carol --request Fortinet-Client-IP-Address=198.51.100.9 --request Calling-Station-Id=10.1.1.1", "asked", "contractors from their own network", ("vpn-contractors",), 45),
        ("fortigate-pair.yaml", "carol --request Tunnel-Client-Endpoint=198.51.100.9", "rejected", "contractors from anywhere else", (), 0),
        ("fortigate-pair.yaml", "vera", "rejected", None, (), 0),
        ("globalprotect.yaml", "sam --address 203.0.113.7", "asked", "staff", ("staff",), 20),
        ("globalprotect.yaml", "carol --address 198.51.100.9", "asked", "contractors from their own network", ("contractors",), 20),
        ("globalprotect.yaml", "carol --request Calling-Station-Id=198.51.100.9", "rejected", "contractors from anywhere else", (), 0),
        ("globalprotect.yaml", "carol", "rejected", "contractors from anywhere else", (), 0),
        ("opnsense.yaml", "ann", "asked", "admins", ("staff;admins",), 15),
        ("opnsense.yaml", "ben", "asked", "staff", ("staff",), 15),
        ("opnsense.yaml", "nobody", "rejected", None, (), 0),
    ],
)  # fmt: skip
def test_sites_of_a_preset(
    tmp_path: Path,
    slapd: Slapd,
    file: str,
    words: str,
    verdict: str,
    policy: str | None,
    groups: tuple[str, ...],
    seconds: float,
) -> None:
    said = explained(site(tmp_path, file, slapd), *words.split())
    assert (said["verdict"], said["policy"], said["seconds"]) == (verdict, policy, seconds)
    assert [each["value"] for each in said["reply"] if each["name"] == GROUPS[file]] == list(groups)


def test_what_an_opnsense_is_not_asked_for(tmp_path: Path, slapd: Slapd) -> None:
    assert explained(site(tmp_path, "opnsense.yaml", slapd), "ann")["address"] is None
