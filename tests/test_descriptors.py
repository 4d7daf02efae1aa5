"""Phones never use up the open files that RADIUS and the directories need."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from radius_push.descriptors import MOST, RESERVE, TooFewFiles, limits_for_phones, limits_for_streams
from radius_push.shapes import Limits
from radius_push.web.phone import PhoneLimits


def test_with_plenty_phones_have_what_they_usually_have(caplog: pytest.LogCaptureFixture) -> None:
    assert limits_for_phones(MOST) == PhoneLimits()
    assert caplog.records == []


@pytest.mark.parametrize("files", [RESERVE + 1, 1024, 2048])
def test_the_reserve_is_kept_and_streams_leave_room_for_answers(
    files: int, caplog: pytest.LogCaptureFixture
) -> None:
    limits = limits_for_phones(files)
    assert limits.connections + RESERVE == files
    assert limits.streams < limits.connections
    assert f"only {files} files" in caplog.text


def test_nothing_for_phones_is_said_at_the_start() -> None:
    with pytest.raises(TooFewFiles, match="ulimit -n"):
        limits_for_phones(RESERVE)


def test_with_few_files_one_client_still_never_holds_all_connections() -> None:
    few = limits_for_streams(RESERVE + 400, Limits(connections=1000, connections_per_client=250), listeners=1)
    assert (few.connections, few.connections_per_client) == (200, 50)


@pytest.mark.parametrize(("soft", "hard", "left"), [(256, 1024, 1024), (1024, 1024, 1024), (300, 4096, 4096)])
def test_the_soft_limit_is_raised_to_the_hard_one(soft: int, hard: int, left: int) -> None:
    asked = (
        "import resource as r; from radius_push.descriptors import raise_limit; "
        f"r.setrlimit(r.RLIMIT_NOFILE, ({soft}, {hard})); "
        "print(raise_limit(), *r.getrlimit(r.RLIMIT_NOFILE))"
    )
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= hard
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout.split() == [str(left), str(left), str(hard)]
