"""Every preset against every kind of person: how often their phone rings, and whether they get in.

`python -m tests.scenarios.test_gateways_patience` plays all of it and records it anew; tools/reference.py
makes docs/reference/one-push.md of the record.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from radius_push.radius.presets import PRESETS
from tests.scenarios.plays import NAMES, SETUPS, Setup, play_all, record, recorded
from tests.scenarios.turned import run

ONE, TWO, *SHIPPED = SETUPS
# What is played each time; the others belong to the slow suite.
PARTS = [ONE, *(pytest.param(each, marks=pytest.mark.slow) for each in (TWO, *SHIPPED))]


@pytest.mark.parametrize("setup", PARTS, ids=str)
def test_every_preset_comes_to_what_the_page_says(setup: Setup, tmp_path: Path) -> None:
    page = recorded()[str(setup)]
    (tmp_path / "first").mkdir()
    if run(play_all(tmp_path / "first", setup)) != page:
        # A machine that is busy with much else can let a packet pass the turned clock: then once more.
        (tmp_path / "second").mkdir()
        assert run(play_all(tmp_path / "second", setup)) == page


def test_set_up_as_its_page_says_every_gateway_rings_once_and_lets_in_who_approves_in_time() -> None:
    for preset, rows in recorded()[str(ONE)].items():
        for behaviour in ("approves after 3 s", "in the last second"):
            assert rows[behaviour][:2] == (1, "let in"), (preset, behaviour)
        for behaviour in ("denies", "ignores", "5 s too late"):
            assert rows[behaviour][:2] == (1, "refused"), (preset, behaviour)


@pytest.mark.parametrize("setup", [ONE, TWO], ids=str)
def test_set_up_so_a_try_again_or_a_second_server_rings_nobody_twice(setup: Setup) -> None:
    """Who sends the user's address joins; who seals, too, comes in by a late yes."""
    for preset, rows in recorded()[str(setup)].items():
        row = PRESETS[preset]
        again = rows["5 s too late, signs in again"]
        assert again[1] == "let in"
        if row.user_address and row.require_message_authenticator == "yes":
            assert {each[0] for each in rows.values()} == {1}, preset
        elif row.user_address:
            assert {each[0] for each in rows.values() if each != again} == {1}, preset


def test_whoever_says_no_or_nothing_is_never_let_in() -> None:
    for plays in recorded().values():
        for rows in plays.values():
            assert tuple(rows) == NAMES
            assert "let in" not in {rows["denies"][1], rows["ignores"][1]}


if __name__ == "__main__":
    made = {}
    for setup in SETUPS:
        with tempfile.TemporaryDirectory() as folder:
            made[str(setup)] = run(play_all(Path(folder), setup))
    record(made)
