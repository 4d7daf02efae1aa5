"""The sample settings: what stands there as a comment is good, too, once it is none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from radius_push.directory.local import hash_password
from radius_push.settings import load
from radius_push.setup.texts import first_settings
from radius_push.shapes import Settings

SAMPLE = Path(__file__).parents[2] / "config" / "radius-push.yaml"
BLOCKS = (
    "include: ", "portal:", "self_service: ", "portal_networks: ", "mail:", "places: ", "reject_delay: ",
    "client_defaults: ", "fw:", "ocserv:", "corp-ldap:", "biometrics: ", "texts: ", "- name: contractors",
)  # fmt: skip
"""How each block of settings that is a comment begins."""
LEAD_ON = {"- name: contractors": ("fw:", "corp-ldap:")}
"""What else must be there, as it names it."""


def uncommented(text: str, start: str) -> str:
    """The text with that block: its first line, and those further in that follow as comments."""
    lines = text.splitlines(keepends=True)
    (at,) = [n for n, line in enumerate(lines) if re.match(rf" *# {re.escape(start)}", line)]
    before, _, rest = lines[at].partition("# ")
    while True:
        lines[at] = before + rest
        at += 1
        rest = lines[at].removeprefix(f"{before}# ") if at < len(lines) else ""
        if not rest.startswith("  ") or rest == lines[at]:
            return "".join(lines)


def loaded(folder: Path, text: str) -> Settings:
    for name in ("fw.secret", "ldap.secret", "mail.secret", "corp-ca.pem"):
        (folder / name).write_text("a secret of more than 16 octets")
        (folder / name).chmod(0o600)
    file = folder / "radius-push.yaml"
    file.write_text(text.replace("/etc/radius-push/", f"{folder}/").replace("/var/lib/GeoIP", str(folder)))
    return load(file, environ={"OCSERV_SECRET": "a secret of more than 16 octets"})


@pytest.fixture(params=["the sample", "what setup writes"])
def text(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The password of the sample is for this machine alone."""
    hashed = hash_password(b"mine", cheap=True)
    if request.param == "the sample":
        return re.sub(r'password_hash: "[^"]+"', f'password_hash: "{hashed}"', SAMPLE.read_text())
    (tmp_path / "this-machine.secret").write_text("a secret of more than 16 octets")
    (tmp_path / "this-machine.secret").chmod(0o600)
    return first_settings(
        config=tmp_path / "radius-push.yaml", store=tmp_path / "state.db", secret="this-machine.secret",
        password_hash=hashed, preset="fortigate",
    )  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_is_good_without_its_comment_sign(tmp_path: Path, text: str, block: str) -> None:
    (tmp_path / "clients.d").mkdir()
    (tmp_path / "clients.d" / "more.yaml").write_text(
        "clients: {more: {addresses: [10.9.9.9], profiles: [staff-push], otherwise: refuse,"
        " secret: a-secret-of-32-octets-0123456789}}\n"
    )
    for each in (*LEAD_ON.get(block, ()), block):
        text = uncommented(text, each)
    if block == "- name: contractors":
        text = text.replace(
            "fallback_auth_profiles: [local-users]", "fallback_auth_profiles: [local-users, corp-ldap]"
        )
    loaded(tmp_path, text)


def test_portal_mail_places_and_fingers_are_what_they_are_called(tmp_path: Path, text: str) -> None:
    for each in ("portal:", "self_service: ", "portal_networks: ", "mail:", "places: ", "biometrics: "):
        text = uncommented(text, each)
    settings = loaded(tmp_path, text)
    assert settings.portal is not None
    assert settings.mail is not None
    assert settings.places is not None
    assert settings.enrollment.self_service == ("local-users",)
    assert settings.profiles["staff-push"].biometrics == "required"


def test_no_block_is_forgotten() -> None:
    """Every comment line that looks like a setting at the outermost of its block."""
    begins = re.findall(r"^ *# ((?:- name: )?[a-z_-]+:)(?: |$)", SAMPLE.read_text(), re.MULTILINE)
    known = [block.partition(":")[0] for block in BLOCKS]
    others = {"url", "tls", "- {name"}  # they stand beside one of their kind
    assert {each.partition(":")[0] for each in begins} - {*known, *others} == set()
