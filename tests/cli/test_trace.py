"""`radius-push trace CODE`: what happened, what it means, what to do."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from radius_push import events, server
from radius_push.cli.timeline import timeline
from radius_push.cli.trace import trace
from radius_push.heard import not_heard
from radius_push.model import Reason
from radius_push.observe.timeline import Login, Step
from radius_push.observe.timeline import tell as tell_logins
from radius_push.observe.words import REASONS
from tests.cli.enrolling import open_again, write_settings
from tests.cli.lived import AT, At, ask, live
from tests.radius.reports import START
from tests.scenarios.accounting import WITH_ACCOUNTING, report, tell
from tests.scenarios.house import house
from tests.scenarios.test_one_push import SHORT, Gateway, too_late
from tests.scenarios.turned import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lived")


@pytest.fixture(scope="module")
def codes(folder: Path) -> dict[str, str]:
    return live(folder)


def told(folder: Path, code: str) -> str:
    """The page with its lines joined again: how they are cut is one test's matter."""
    exit_code, said = ask(folder, trace, code)
    assert exit_code == 0
    return re.sub(r"(?<=\S)\n {2,4}(?=\S)|(?<=\S)\n {26}(?=\S)", " ", said)


def test_a_page_fits_80_columns(folder: Path, codes: dict[str, str]) -> None:
    for name in ("approved", "denied", "timed out", "nobody", "bob", "open"):
        _, said = ask(folder, trace, codes[name])
        assert max(map(len, said.splitlines())) <= 80, said


def test_an_approved_login_is_told_from_the_request_to_the_accept(
    folder: Path, codes: dict[str, str]
) -> None:
    said = told(folder, codes["approved"])
    in_order = (
        f"{codes['approved']}: alice through fw1: accepted, after 0.0 s",
        "2026-09-21T14:30:00Z",
        "request     of client fw1 for alice, who is at 203.0.113.7 pap, from 127.0.0.1 port",
        "directory   staff: knows alice, the password is right",
        "policy      staff may: department is 'IT', fits IT: hit, staff-push",
        "asked       1 phone of staff:alice; profile staff-push, by policy 'staff may'",
        "answered    approve, signed by 'phone of alice'",
        "accepted    profile staff-push, by policy 'staff may'; second factor: push",
        "Filter-Id = IT",
        "Session-Timeout = 3600",
        "sent        the Access-Accept went out",
        "It means: The password was right, and the phone said yes.",
        "What to do: Nothing here.",
    )
    places = [said.find(each) for each in in_order]
    assert -1 not in places, in_order[places.index(-1)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("name", "reason", "sentences"),
    [
        ("ALICE", Reason.WRONG_PASSWORD, ("staff: knows alice, the password is wrong",)),
        ("nobody", Reason.UNKNOWN_USER, ("staff: does not know this name",)),
        ("bob", Reason.NO_POLICY, ("department is 'Sales', none of IT: miss", "fw1 has no otherwise")),
        ("denied", Reason.DENIED, ("deny, signed by 'phone of alice'",)),
        (
            "timed out",
            Reason.TIMED_OUT,
            ("+45.000 s  rejected    timed_out", "reply       Access-Reject with `texts.timeout`"),
        ),
    ],
)
def test_a_refusal_says_why_and_what_to_do(
    folder: Path, codes: dict[str, str], name: str, reason: Reason, sentences: tuple[str, ...]
) -> None:
    said = told(folder, codes[name])
    for each in (f"rejected ({reason})", REASONS[reason].means, REASONS[reason].do, *sentences):
        assert each in said


def test_a_password_alone_is_said_to_be_alone(folder: Path, codes: dict[str, str]) -> None:
    said = told(folder, codes["alone"])
    assert "second factor: none" in said
    assert "the profile asks for nothing else" in said


def test_a_login_whose_server_ended_says_so(folder: Path, codes: dict[str, str]) -> None:
    said = told(folder, codes["open"])
    assert "without an end" in said
    assert "The server ended while the phone was asked" in said


def test_a_program_gets_the_same_as_values_and_no_signature(folder: Path, codes: dict[str, str]) -> None:
    exit_code, said = ask(folder, trace, codes["approved"], "--json")
    login = json.loads(said)
    assert exit_code == 0
    assert (login["verdict"], login["user"], login["phone"]) == ("accepted", "alice", "phone of alice")
    steps = {step["kind"]: step for step in login["steps"]}
    assert steps.keys() == {"asked", "shown", "answered", "accepted", "sent"}
    assert steps["accepted"]["fields"]["reply"] == [["Filter-Id", "IT"], ["Session-Timeout", "3600"]]
    assert login["steps"][0]["after"] == 0
    assert login["means"].startswith("The password was right")
    assert "signature" not in said
    assert "payload" not in said


def test_a_name_does_not_turn_the_page_around(folder: Path, codes: dict[str, str]) -> None:
    said = told(folder, codes["turned"])
    assert "?ecila through fw1" in said
    assert "\u202e" not in said


def test_a_code_that_nobody_has_is_a_no(folder: Path, codes: dict[str, str]) -> None:
    exit_code, said = ask(folder, trace, "O-IlOO 0")
    assert exit_code == 1
    assert "No login has the code 011000." in said
    assert "radius-push logins" in said


@pytest.mark.parametrize("code", ["K7F2", "K7F2QXX", "K7F2Q%", "é", "", "\x1b[31m"])
def test_what_is_no_code_is_told_how_one_looks(folder: Path, codes: dict[str, str], code: str) -> None:
    exit_code, said = ask(folder, trace, code)
    assert exit_code == 1
    assert "is no trace code: it has six letters and digits" in said
    assert "\x1b" not in said


def test_without_a_store_nothing_is_made(tmp_path: Path) -> None:
    write_settings(tmp_path)
    exit_code, said = ask(tmp_path, trace, "K7F2QX")
    assert exit_code == 2
    assert "there is no store" in said
    assert not (tmp_path / "state").exists()


def rejected(code: str, username: str) -> events.Rejected:
    return events.Rejected(
        login=code,
        client="fw",
        username=username,
        person=None,
        reason=Reason.UNKNOWN_USER,
        detail="",
        address=None,
        question=None,
        directories=("staff: does not know this name",),
        trace=(),
        arrived_at=AT - 0.25,
    )


@pytest.mark.parametrize("typed", ["01A8V0", "01a8v0", "oiabuo", "OlABVO", "(01a-8v0)"])
def test_a_code_is_found_as_people_read_it_and_two_with_it_are_both_told(tmp_path: Path, typed: str) -> None:
    config = write_settings(tmp_path)

    async def fill() -> None:
        store = open_again(config)
        await store.record(rejected("01A8V0", "first"), rejected("WWWWWW", "other"))
        await store.record(rejected("01A8V0", "second"))
        await store.close()

    asyncio.run(fill())
    said = told(tmp_path, typed)
    assert [line for line in said.splitlines() if line.startswith("01A8V0")] == [
        "01A8V0: second through fw: rejected (unknown_user), after 0.0 s",
        "01A8V0: first through fw: rejected (unknown_user), after 0.0 s",
    ]
    assert "other" not in said


def page(*said: tuple[str, dict[str, object]]) -> str:
    """The timeline of these events, a second apart."""
    steps = [
        (n, AT + n, kind, {"login": "K7F2QX", "question": "q1", **fields})
        for n, (kind, fields) in enumerate(said)
    ]
    (login,) = tell_logins(steps)
    return "\n".join(timeline(login, {}))


def test_later_tries_and_what_has_no_words_here_are_lines_of_the_login() -> None:
    joined = {"client": "fw2", "source": "10.0.0.12", "source_port": 5000, "proof": "pap", "was": "late"}
    said = page(
        (
            "asked",
            {"client": "fw1", "devices": 1, "lane": 2, "unanswered": 3, "rings": False, "arrived_at": AT},
        ),
        ("joined", {**joined, "arrived_at": AT + 1}),
        ("beckoned_from_afar", {"client": "fw2", "seconds": 0, "why": "  a\x1b[31m moon "}),
        ("accepted", {"method": "ticket", "reply": []}),
    )
    for each in (
        "of client fw1 for",
        "sign-in 2 of those that wait at once",
        "not answered shortly before: 3",
        "too many rang in vain",
        "+1.000 s  joined      a later try, from client fw2, 10.0.0.12 port 5000, by",
        "+2.000 s  beckoned_from_afar  client fw2, seconds 0, why",
        "second factor:\n" + " " * 26 + "ticket",
    ):
        assert each in said, said
    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) <= 80


def test_a_yes_that_came_too_late_is_told_with_the_try_that_it_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> list[str]:
        pages = []
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await phone.answer(await too_late(h, phone, gateway), approve=True)
            login = h.of(events.Rejected)[-1].login
            for _ in range(2):
                spoken = f"{login[:3].lower()} {login[3:]}".split()
                monkeypatch.setattr(At, "time", h.server.clock.now())
                pages.append((await asyncio.to_thread(ask, tmp_path, trace, *spoken))[1])
                if len(pages) == 1:
                    await (await gateway.begins())
                    await h.until(events.Sent)
        return [" ".join(page.split()) for page in pages]

    monkeypatch.setattr(server, "LoopClock", At)
    late, let_in = run(story())
    assert "It means: The phone said yes, but too late" in late
    assert "What to do: Sign in again: within a minute" in late
    assert "request again: the person, or the gateway, tried once more" in let_in
    assert "second factor: ticket: the yes that came too late for the try before" in let_in
    assert "had said yes to an earlier try" in let_in


def test_repeats_stand_where_the_last_one_came() -> None:
    said = page(
        ("asked", {"arrived_at": AT}),
        ("rejected", {"reason": "denied"}),
        ("repeated", {"times": 1, "last_at": AT + 0.5}),
    )
    assert said.index("+0.500 s  repeated    the gateway sent the same packet once more") < said.index(
        "rejected"
    )


def test_a_waiting_login_says_what_the_person_can_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LoopClock", At)
    monkeypatch.setattr(At, "time", AT + 3)

    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask())
            card = await phone.next_question(seconds=10)
            said = await asyncio.to_thread(told, tmp_path, h.of(events.Asked)[0].login)
            assert "waiting for a phone, for 3.0 s" in said
            assert "Open the app on the phone" in said
            await phone.answer(card, approve=False)
            await asking

    run(story())


def test_an_accept_that_was_not_taken_and_one_that_was_are_told_apart(tmp_path: Path) -> None:
    async def story() -> tuple[str, str]:
        codes: list[str] = []
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h:
            phone = await h.phone()
            for heard in (False, True):
                asking = asyncio.ensure_future(h.ask())
                await phone.answer_next(approve=True, seconds=30)
                await asking
                await h.until(events.Sent, len(codes) + 1)
                codes.append(h.of(events.Accepted)[-1].login)
                await not_heard(h.server.store, login=codes[-1], client="fw1", what="repeated", seconds=4.0)
                if heard:
                    await tell(h, report(START))
        return codes[0], codes[1]

    missed, late = run(story())
    said = told(tmp_path, missed)
    assert "not_heard   the same packet came 4000 ms after the answer: the gateway did not take it" in said
    assert "It means: It was accepted and the Access-Accept went out, but the gateway asked again" in said
    said = told(tmp_path, late)
    assert "the gateway started a session: the answer was heard" in said
    assert "It means: The password was right, and the phone said yes." in said


def test_a_phones_receipts_are_told_with_their_seconds() -> None:
    receipt = {"login": "K7F2QX", "device": "d1", "channel": "fcm", "milliseconds": 1240}
    steps = tuple(
        Step(number, 0.0, "push_received", {**receipt, "what": what})
        for number, what in enumerate(("received", "opened"))
    )
    said = " ".join(" ".join(timeline(Login("K7F2QX", steps), {})).split())
    assert "receipt" in said
    assert "reached by it, 1240 ms after the push (fcm)" in said
    assert "opened by it, 1240 ms after the push (fcm)" in said
