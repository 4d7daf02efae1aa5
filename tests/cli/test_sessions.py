"""`radius-push sessions`: who is in, and how the others went out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radius_push.cli.sessions import sessions, size
from radius_push.cli.trace import trace
from radius_push.radius.wire import attribute
from tests.cli.lived import ask
from tests.radius.reports import ON, START, STOP, number
from tests.scenarios.accounting import WITH_ACCOUNTING, report, tell
from tests.scenarios.house import house
from tests.scenarios.turned import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sessions")

    async def story() -> None:
        async with house(folder, settings=WITH_ACCOUNTING) as h:
            await h.ask(source="127.0.0.3")  # alice, by her password alone
            inside = attribute(8, bytes([10, 8, 0, 7])) + number(42, 1_500_000)
            await tell(h, report(START, more=inside), source="127.0.0.3")
            await tell(h, report(START, session="S2", user="Bob"), report(STOP, session="S2", user="Bob"))
            await tell(h, report(START, session="S3", user="\u202eeve"), report(ON, session=None))

    run(story())
    return folder


def test_who_is_in_has_one_line_with_the_login_and_the_person(folder: Path) -> None:
    exit_code, said = ask(folder, sessions)
    headings, line = said.splitlines()
    assert exit_code == 0
    assert headings.split() == [
        "USER", "CLIENT", "NAS", "ADDRESS", "INSIDE", "SINCE", "LAST", "NEWS", "IN", "OUT", "LOGIN", "PERSON",
    ]  # fmt: skip
    words = line.split()
    assert words[:5] == ["alice", "lab", "fw-1", "-", "10.8.0.7"]
    assert words[-1] == "staff:alice"
    assert "1.5 MB" in line
    exit_code, said = ask(folder, trace, words[-2])
    assert exit_code == 0
    assert "session S1 of fw-1: 10.8.0.7" in said
    assert "accepted" in said.splitlines()[0]


def test_all_tells_how_the_others_went_out_and_shows_no_odd_names(folder: Path) -> None:
    exit_code, said = ask(folder, sessions, "--all")
    assert exit_code == 0
    ends = [line.split("  ")[-1].strip() for line in said.splitlines()]
    assert ends == ["BY", "-", "stop", "accounting-on"]
    assert "\u202e" not in said


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--user", "ALICE"], ["S1"]),
        (["--user", "staff:alice"], ["S1"]),
        (["--user", "bob"], []),
        (["--user", "bob", "--all"], ["S2"]),
        (["--client", "fw1", "--all"], ["S2", "S3"]),
        (["--all", "--last", "1"], ["S3"]),
    ],
)
def test_a_program_gets_those_that_are_wanted(folder: Path, words: list[str], found: list[str]) -> None:
    exit_code, said = ask(folder, sessions, "--json", *words)
    assert exit_code == 0
    assert [json.loads(line)["session"] for line in said.splitlines()] == found


def test_nobody_in_is_said(folder: Path) -> None:
    assert ask(folder, sessions, "--user", "nobody") == (0, "No live sessions.\n")
    exit_code, said = ask(folder, sessions, "--client", "fw9")
    assert exit_code == 0
    assert "No client is called fw9 now" in said


@pytest.mark.parametrize(
    ("octets", "text"),
    [(None, None), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1 << 32, "4.3 GB"), (2**63 - 1, "9.2 EB")],
)
def test_sizes_are_short(octets: int | None, text: str | None) -> None:
    assert size(octets) == text
