"""`radius-push hash-password`: hashes for the settings file."""

from __future__ import annotations

import argon2
import pytest
from click.testing import CliRunner

from radius_push.cli.hash_password import hash_password


def test_the_hash_is_of_the_line_on_standard_input() -> None:
    ended = CliRunner().invoke(hash_password, input="correct horse\n")
    assert argon2.PasswordHasher().verify(ended.stdout.strip(), "correct horse")


def test_the_nt_hash_is_what_windows_has() -> None:
    ended = CliRunner().invoke(hash_password, ["--nt"], input="password\n")
    assert ended.stdout == "8846f7eaee8fb117ad06bdd830b7586c\n"


@pytest.mark.parametrize("line", ["\n", "a\0b\n", "x" * 129 + "\n", b"\xff\n"])
@pytest.mark.parametrize("options", [[], ["--nt"]])
def test_what_is_no_password_is_not_hashed(line: str | bytes, options: list[str]) -> None:
    ended = CliRunner().invoke(hash_password, options, input=line)
    assert ended.exit_code == 2
    assert not ended.stdout
