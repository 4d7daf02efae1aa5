"""What may prove a local user, as the settings say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from radius_push.model import Secret
from radius_push.settings import SettingsError, load
from radius_push.shapes import LocalProfile, LocalUser
from tests.settings.files import ENVIRON, GOOD, HASH, written

NT = "8846f7eaee8fb117ad06bdd830b7586c"  # of `password`


def users(folder: Path, says: str, *, mode: int = 0o600) -> tuple[LocalUser, tuple[str, ...]]:
    """Zoe, and the warnings."""
    file = written(folder, GOOD.replace(f'password_hash: "{HASH}", group_name: [admins]', says))
    file.chmod(mode)
    settings = load(file, environ={**ENVIRON, "ZOE": "password"})
    local = settings.authentication_profiles["local"]
    assert isinstance(local, LocalProfile)
    return local.users["zoe"], settings.warnings


def test_an_nt_hash_is_sixteen_octets(tmp_path: Path) -> None:
    zoe, warned = users(tmp_path, f"nt_hash: {NT.upper()}")
    assert zoe == LocalUser("zoe", None, {}, nt_hash=Secret(bytes.fromhex(NT)))
    assert NT not in repr(zoe)
    assert not warned


def test_a_clear_password_comes_from_a_file_the_environment_or_the_settings(tmp_path: Path) -> None:
    (tmp_path / "zoe").write_text("password\n")
    (tmp_path / "zoe").chmod(0o600)
    for says in ("{file: zoe}", "{env: ZOE}", "password"):
        zoe, warned = users(tmp_path, f"clear_password: {says}, nt_hash: {NT}")
        assert zoe == LocalUser("zoe", None, {}, Secret(bytes.fromhex(NT)), Secret("password"))
        assert not warned


@pytest.mark.parametrize("says", ["clear_password: canary", f"nt_hash: {NT}"])
def test_what_lies_open_to_everybody_is_said_once(tmp_path: Path, says: str) -> None:
    two = says + "}\n      bob: {" + says
    (warning,) = users(tmp_path, two, mode=0o644)[1]
    assert "everybody on this machine can log in with the" in warning
    assert "canary" not in warning
    assert not users(tmp_path, two, mode=0o640)[1]


def test_a_file_of_users_is_looked_at_for_itself(tmp_path: Path) -> None:
    of_users = written(tmp_path, f"zoe: {{nt_hash: {NT}}}\n", "users.yaml")
    of_users.chmod(0o644)
    text = GOOD[: GOOD.index("    users:\n")] + "    users_file: users.yaml\n"
    (warning,) = load(
        written(tmp_path, text + GOOD[GOOD.index("profiles:\n  st") :]), environ=ENVIRON
    ).warnings
    assert warning.startswith(f"{of_users}:1:16: zoe.nt_hash: ")


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        ("email: a@b", "zoe.password_hash: is missing; or write nt_hash or clear_password"),
        ("nt_hash: canary", "zoe.nt_hash: not an NT hash of 32 hex digits; `radius-push hash-password --nt`"),
        ("nt_hash: 31d6cfe0d16ae931b73c59d7e0c089c0", "zoe.nt_hash: is of an empty password"),
        (f"nt_hash: {NT}, clear_password: canary", "zoe.nt_hash: is of another password than clear_password"),
        ('clear_password: "can\\0ary"', "zoe.clear_password: must be UTF-8 text of at most 256 characters"),
        ("clear_password: " + "canary" * 50, "zoe.clear_password: must be UTF-8 text of at most 256"),
        ('clear_password: ""', "zoe.clear_password: is empty"),
        ("clear_password: {env: NOBODY}", "zoe.clear_password: the environment has no NOBODY"),
        (f"NT_hash: {NT}", "zoe.NT_hash: no attribute: write password_hash"),
        ("clear_pasword: canary", "zoe.clear_pasword: no attribute: write password_hash"),
    ],
)
def test_what_proves_nobody_is_a_mistake(tmp_path: Path, says: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        users(tmp_path, says)
    assert sentence in str(caught.value)
    assert "canary" not in str(caught.value)
