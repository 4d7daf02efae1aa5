"""`radius-push logins`: who came in, who did not and why, and who still waits."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from radius_push import events, server
from radius_push.cli.logins import identity, logins
from radius_push.cli.options import load_settings
from radius_push.model import Reason
from tests.cli.enrolling import open_again, write_settings
from tests.cli.lived import AT, At, ask, live
from tests.scenarios.house import house
from tests.scenarios.turned import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lived")


@pytest.fixture(scope="module")
def codes(folder: Path) -> dict[str, str]:
    return live(folder)


def asked(folder: Path, *words: str) -> list[dict[str, object]]:
    """The logins as a program gets them."""
    exit_code, said = ask(folder, logins, "--json", *words)
    assert exit_code == 0
    return [json.loads(line) for line in said.splitlines()]


def test_every_login_has_one_line_oldest_first(folder: Path, codes: dict[str, str]) -> None:
    exit_code, said = ask(folder, logins)
    headings, *lines = said.splitlines()
    assert exit_code == 0
    assert headings.split()[:3] == ["TIME", "CODE", "USER"]
    assert [line.split()[1] for line in lines] == list(codes.values())
    line = next(line for line in lines if codes["approved"] in line)
    assert line.split("  ")[0] == "2026-09-21T14:30:00Z"
    words = ("alice", "fw1", "203.0.113.7", "accepted", "staff-push (staff may)", "push", "phone of alice")
    assert [line.find(word) > 0 for word in words] == [True] * 7


def test_a_program_gets_the_same_as_values(folder: Path, codes: dict[str, str]) -> None:
    found = {login["login"]: login for login in asked(folder)}
    assert list(found) == list(codes.values())
    timed_out = found[codes["timed out"]]
    assert (timed_out["verdict"], timed_out["reason"], timed_out["seconds"]) == ("rejected", "timed_out", 45)
    assert (timed_out["profile"], timed_out["policy"], timed_out["method"]) == (
        "staff-push",
        "staff may",
        "push",
    )
    denied = found[codes["denied"]]
    assert (denied["verdict"], denied["reason"], denied["phone"]) == ("rejected", "denied", "phone of alice")
    alone = found[codes["alone"]]
    assert (alone["verdict"], alone["client"], alone["method"], alone["phone"]) == (
        "accepted",
        "lab",
        "none",
        None,
    )
    assert found[codes["bob"]]["detail"] == "no policy admits: fw1 has no otherwise"


def test_a_login_whose_server_ended_has_no_end(folder: Path, codes: dict[str, str]) -> None:
    (last,) = asked(folder, "--last", "1")
    assert (last["login"], last["verdict"], last["seconds"]) == (codes["open"], "unfinished", None)


def test_an_open_login_is_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LoopClock", At)
    monkeypatch.setattr(At, "time", AT + 3)

    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask())
            card = await phone.next_question(seconds=10)
            (waiting,) = await asyncio.to_thread(asked, tmp_path)
            assert (waiting["login"], waiting["verdict"], waiting["seconds"]) == (
                h.of(events.Asked)[0].login,
                "waiting",
                3.0,
            )
            await phone.answer(card, approve=True)
            await asking
            (ended,) = await asyncio.to_thread(asked, tmp_path)
            assert ended["verdict"] == "accepted"

    run(story())


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--user", "nobody"), ["nobody"]),
        (("--user", "Alice", "--last", "4"), ["ALICE", "alone", "timed out", "open"]),
        (("--user", "staff:alice", "--client", "lab"), ["alone"]),
        (("--client", "lab"), ["alone"]),
        (("--last", "2"), ["timed out", "open"]),
        (("--last", "0"), []),
    ],
)
def test_only_what_is_asked_for(
    folder: Path, codes: dict[str, str], words: tuple[str, ...], names: list[str]
) -> None:
    assert [login["login"] for login in asked(folder, *words)] == [codes[name] for name in names]


def test_a_client_that_is_not_in_the_settings_is_said(folder: Path, codes: dict[str, str]) -> None:
    exit_code, said = ask(folder, logins, "--client", "LAB")
    assert exit_code == 0
    assert "No client is called LAB now; there are: " in said
    assert "No logins." in said


def test_since_counts_back_from_now(
    folder: Path, codes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(folder, "--since", "1h") == []
    monkeypatch.setattr(server, "LoopClock", At)
    monkeypatch.setattr(At, "time", AT + 60)
    assert len(asked(folder, "--since", "1h")) == len(codes)
    assert [login["login"] for login in asked(folder, "--since", "30s")] == [
        codes["timed out"],
        codes["open"],
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--since", "1"), "a duration needs a unit: write 1s"), (("--last", "-1"), "range"), (("x",), "x")],
)
def test_what_is_not_understood_is_said(folder: Path, words: tuple[str, ...], said: str) -> None:
    exit_code, output = ask(folder, logins, *words)
    assert exit_code == 2
    assert said in output


def test_a_name_does_not_turn_the_line_around(folder: Path, codes: dict[str, str]) -> None:
    _, said = ask(folder, logins)
    (line,) = (line for line in said.splitlines() if codes["turned"] in line)
    assert "?ecila" in line


def test_a_page_is_read_at_a_time(
    folder: Path, codes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radius_push.observe.logins.PAGE", 2)
    assert [login["login"] for login in asked(folder)] == list(codes.values())


def test_without_a_store_nothing_is_made(tmp_path: Path) -> None:
    write_settings(tmp_path)
    exit_code, said = ask(tmp_path, logins)
    assert exit_code == 2
    assert "there is no store" in said
    assert not (tmp_path / "state").exists()


@pytest.mark.slow
async def test_follow_goes_on_until_it_is_told_to_end(tmp_path: Path) -> None:
    config = write_settings(tmp_path)
    store = open_again(config)

    async def rejected(code: str) -> None:
        await store.record(
            events.Rejected(
                login=code,
                client="fw",
                username="alice",
                person=None,
                reason=Reason.UNKNOWN_USER,
                detail="",
                address=None,
                question=None,
                directories=(),
                trace=(),
                arrived_at=AT,
            )
        )

    await rejected("AAAAA1")
    verb = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from radius_push.cli import main; main()",
        *("logins", "--follow", "--json", "--config", str(config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    assert verb.stdout is not None
    for code in ("AAAAA1", "AAAAA2", "AAAAA3"):
        if code != "AAAAA1":
            await rejected(code)
        assert json.loads(await verb.stdout.readline())["login"] == code
    verb.send_signal(signal.SIGINT)
    said, complained = await verb.communicate()
    assert (verb.returncode, said, complained) == (0, b"", b"")
    await store.close()


def test_follow_ends_when_the_store_was_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def made() -> None:
        await open_again(config).close()

    config = write_settings(tmp_path)
    file = Path(load_settings(config).store)
    asyncio.run(made())
    looked = iter([identity(file), (0, 0)])
    monkeypatch.setattr("radius_push.cli.logins.identity", lambda _file: next(looked))
    exit_code, said = ask(tmp_path, logins, "--follow")
    assert exit_code == 2
    assert said.endswith("the store was replaced: start this again\n")


def test_another_file_under_the_same_name_is_another_one(tmp_path: Path) -> None:
    file, other = tmp_path / "state.db", tmp_path / "other.db"
    file.touch()
    other.touch()
    before = identity(file)
    assert before == identity(file)
    other.replace(file)
    assert identity(file) not in (before, None)
    file.unlink()
    assert identity(file) is None
