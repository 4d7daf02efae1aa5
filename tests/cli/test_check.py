"""`radius-push check`, and what every verb says of a file that is not there."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from radius_push.cli import main
from radius_push.cli.options import DEFAULT
from tests.cli.enrolling import SETTINGS, write_settings
from tests.notify.peer import mail_peer


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.skipif(Path(DEFAULT).exists(), reason="this machine has settings there")
def test_the_default_file_that_is_not_there_has_its_mend() -> None:
    ended = run("check")
    assert ended.exit_code == 2
    assert "`radius-push check FILE`" in ended.stderr
    assert "copy config/radius-push.yaml there" in ended.stderr


def test_a_file_that_cannot_be_read_could_not_be_checked(tmp_path: Path) -> None:
    gone = tmp_path / "gone.yaml"
    for words in (("check", gone), ("check", "--config", gone), ("devices", "--config", gone)):
        ended = run(*words)
        assert (ended.exit_code, ended.stderr) == (2, f"{gone}: there is no such file\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_could_not_be_checked(tmp_path: Path) -> None:
    config = write_settings(tmp_path)
    config.chmod(0)
    assert run("check", config).exit_code == 2


def test_mistakes_are_a_no_and_json_has_all_of_them(tmp_path: Path) -> None:
    keys = "".join(f"Key{number} of mine: x\n" for number in range(30))
    config = write_settings(tmp_path, SETTINGS + keys)
    ended = run("check", config)
    assert ended.exit_code == 1
    assert ended.stdout.splitlines()[-1] == "and 10 more of a kind that is named 20 times already"
    assert len(json.loads(run("check", config, "--json").stdout)["mistakes"]) == 30


async def test_what_the_mail_server_says_is_said_as_its_word(tmp_path: Path) -> None:
    mail = "  mail: {{host: 127.0.0.1, port: {port}, security: none, from: vpn@example.test}}\n"
    async with mail_peer() as peer:
        text = SETTINGS.replace("server:\n", "server:\n" + mail.format(port=peer.port))
        config = write_settings(tmp_path, text)
        ended = await asyncio.to_thread(run, "check", "--online", config)
    assert f"\n\nThe mail server says:\n  mail: 127.0.0.1:{peer.port} answers in clear text\n" in ended.stdout
    assert "mail: " not in ended.stdout.split("The mail server says")[0].split("The directories say")[1]
    gone = await asyncio.to_thread(run, "check", "--online", config)
    assert "\n\nWhat the mail server says is wrong:\n" in gone.stdout
    assert "What the directories say is wrong" not in gone.stdout
