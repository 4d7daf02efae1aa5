"""`radius-push reload`: which process it signals."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radius_push.cli import reload


def test_a_server_of_another_user_than_the_stores_is_not_signalled_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Path("/proc/self").stat().st_uid
    monkeypatch.setattr(reload, "serves", lambda _process, *, owner: owner == here)
    with pytest.raises(SystemExit) as ended:
        reload.signalled(os.getpid(), owner=here + 1)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"runs as user id {here}, and its store belongs to user id {here + 1}" in said
    assert f"`kill -HUP {os.getpid()}`" in said


def test_what_is_no_server_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "serves", lambda _process, *, owner: False)
    assert reload.signalled(os.getpid(), owner=os.getuid() + 1) is False
