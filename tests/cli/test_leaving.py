"""Ctrl-C: whichever verb is left, it could not run, and says so in one word."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from radius_push.cli import Verbs


@pytest.mark.parametrize("left_by", [KeyboardInterrupt, click.Abort, EOFError])
def test_leaving_is_neither_yes_nor_no(left_by: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def verb() -> None:
        raise left_by

    monkeypatch.setattr(Verbs, "get_command", lambda *_: verb)
    ended = CliRunner().invoke(Verbs("radius-push"), ["demo"])
    assert (ended.exit_code, ended.stderr) == (2, "\nLeft.\n")
