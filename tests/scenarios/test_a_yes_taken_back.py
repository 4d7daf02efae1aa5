"""*This wasn't me* after a yes: what is told to whom, and that nobody else is let in by that yes."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from radius_push import events
from radius_push.cli.logins import logins
from radius_push.cli.trace import trace
from radius_push.observe.log import log_event
from radius_push.test_phone import SoftwarePhone
from tests.cli.lived import ask
from tests.scenarios.house import ACCEPT, REJECT, SETTINGS, House, house
from tests.scenarios.test_one_push import GROUPED, Gateway
from tests.scenarios.test_one_push import let_in as let_in_by
from tests.scenarios.turned import run

TWICE = SETTINGS.replace("patience: 60s}}", "patience: 60s, follow_on: 30s}}")


async def contest(phone: SoftwarePhone) -> dict[str, Any]:
    """The newest yes."""
    row: dict[str, Any] = (await phone.says("/api/questions", "questions"))["recent"][0]
    about = {name: row[name] for name in ("person", "client", "address")}
    await phone.says("/api/contest", "contest", question=row["id"], **about)
    return row


async def let_in(h: House, phone: SoftwarePhone) -> None:
    asking = asyncio.ensure_future(h.ask())
    await phone.answer_next(approve=True, seconds=30)
    reply = await asking
    assert reply is not None
    assert reply.code == ACCEPT


def test_the_verbs_tell_it_and_the_verdict_stays(tmp_path: Path) -> None:
    async def story() -> str:
        async with house(tmp_path) as h:
            phone = await h.phone()
            await let_in(h, phone)
            await asyncio.sleep(200)
            await contest(phone)
            return h.of(events.Asked)[0].login

    code = run(story())
    _, said = ask(tmp_path, trace, code)
    assert "accepted, after" in said
    assert "and contested" in said
    assert "this wasn't me" in said
    assert "Call the person." in said
    _, listed = ask(tmp_path, logins)
    assert "accepted contested" in listed
    _, values = ask(tmp_path, logins, "--json")
    assert json.loads(values)["contested"] is True


def test_it_is_said_aloud_in_the_log_without_what_was_signed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = events.Contested("K7F2QX", "q", "staff:a", "d2", "d1", "fw1", "203.0.113.7", "signed text", "sig")
    monkeypatch.setattr(logging.getLogger("radius_push"), "propagate", True)
    with caplog.at_level(logging.INFO, logger="radius_push"):
        log_event(0.0, told)
    (record,) = caplog.records
    assert record.levelno == logging.CRITICAL
    assert record.getMessage().startswith("contested login=K7F2QX")
    assert "signed text" not in record.getMessage()


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_second_login_of_the_attempt_is_let_in_unless_the_yes_was_taken_back(
    tmp_path: Path, taken_back: bool
) -> None:
    """`follow_on`: without the contest it is let in without a ring; after it, the phone is asked."""

    async def story() -> None:
        async with house(tmp_path, settings=TWICE) as h:
            phone = await h.phone()
            await let_in(h, phone)
            if taken_back:
                await contest(phone)
            asking = asyncio.ensure_future(h.ask())
            if taken_back:
                await phone.answer_next(approve=False, seconds=30)
            reply = await asking
            assert reply is not None
            assert (reply.code == ACCEPT) is not taken_back
            assert len(h.of(events.Asked)) == (2 if taken_back else 1)

    run(story())


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_ticket_lets_the_next_try_in_unless_the_yes_was_taken_back(
    tmp_path: Path, taken_back: bool
) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            await h.ask()
            assert await phone.answer_next(approve=True, seconds=10) == "approved_late"
            if taken_back:
                await contest(phone)
            reply = await h.ask()
            assert reply is not None
            assert (reply.code == ACCEPT) is not taken_back

    run(story())


def test_whom_a_yes_that_was_taken_back_let_in_may_nothing_more(tmp_path: Path) -> None:
    """Authorize-Only within the minute: also with another login of theirs beside it, because nobody can tell
    for which of the two it is asked."""

    async def story() -> None:
        async with house(tmp_path, settings=GROUPED) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await let_in_by(h, phone, gateway)
            assert await gateway.authorizes("carol") == ACCEPT
            await contest(phone)
            assert await gateway.authorizes("carol") == REJECT
            await let_in_by(h, phone, gateway)
            assert await gateway.authorizes("carol") == REJECT
            assert h.of(events.Rejected)[-1].reason == "nothing_to_authorize"

    run(story())


def test_a_phone_at_the_sign_ins_own_address_says_no_yes_where_the_profile_forbids_it(tmp_path: Path) -> None:
    """Through the whole server: the rule comes from the profile to the answer."""
    forbids = SETTINGS.replace(
        "    timeout: 45s\n", "    timeout: 45s\n    device_on_login_address: forbid\n"
    )

    async def story() -> None:
        async with house(tmp_path, settings=forbids) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask())
            await phone.answer_next(approve=True, seconds=30)
            reply = await asking
            assert reply is not None
            assert reply.code == ACCEPT
            assert [each.device_on_login_address for each in h.of(events.Answered)] == [False]
            row = await h.server.store.question(h.of(events.Asked)[0].question or "")
            assert row is not None
            assert row.not_from_login_address

    run(story())
