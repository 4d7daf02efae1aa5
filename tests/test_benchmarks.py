"""`make bench` on small crowds: it runs, everybody who was approved comes in, and the table has every row."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
ROWS = (
    "the wire alone",
    "PAP, 1 outstanding: radius-push | ",
    "PAP, 64 outstanding: radius-push | ",
    "a flood of right passwords: another gateway's login | ",
    "a flood of wrong passwords: another gateway's login | ",
    "a flood of wrong Message-Authenticators: another gateway's login | ",
    "a flood of garbage from an address of no client: another gateway's login | ",
    "PAP with Message-Authenticator",
    "whole push logins",
    "login to card, app open | p50 ",
    "login to alert, app closed | p50 ",
    "300 held: memory per held login",
    "300 held: a wrong password's reject, to alone",
    "300 held: accepted | 300 of 300 |",
    "600 held: accepted | 600 of 600 |",
    "600 held: approval to accept",
)


def test_the_quick_bench_has_a_figure_for_everything(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--folder", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    machine = told.stdout.splitlines()[0]
    assert "cores" in machine
    assert "fsync" in machine
    for row in ROWS:
        assert f"| {row}" in told.stdout, told.stdout
