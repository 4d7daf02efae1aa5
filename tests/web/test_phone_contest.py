"""A yes that was not its person's: what a phone may say about it afterwards, and what that closes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from radius_push import events
from radius_push.model import QuestionState
from radius_push.test_phone import PhoneRefused, SoftwarePhone
from tests.web.house import BOB, House

WAIT = 10.0


async def recent(phone: SoftwarePhone) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = (await phone.says("/api/questions", "questions"))["recent"]
    return told


def about(row: dict[str, Any], **changes: str | None) -> dict[str, str | None]:
    return {
        "question": row["id"],
        **{name: row[name] for name in ("person", "client", "address")},
        **changes,
    }


async def contest(phone: SoftwarePhone, row: dict[str, Any], **changes: str | None) -> str:
    told = await phone.says("/api/contest", "contest", **about(row, **changes))
    return str(told["outcome"])


def contested(house: House) -> list[events.Contested]:
    return [event for event in house.events if isinstance(event, events.Contested)]


async def test_a_yes_can_be_taken_back_and_the_verdict_stays(house: House) -> None:
    async with await house.phone() as phone:
        question = await house.ask()
        await phone.answer_next(approve=True, seconds=WAIT)
        (row,) = await recent(phone)
        assert row["login"] == question.login
        assert row["by_this_device"]
        assert not row["contested"]
        assert await contest(phone, row) == "contested"
        assert await house.state(question) is QuestionState.APPROVED
        (event,) = contested(house)
        assert (event.login, event.device, event.answered_by) == (
            question.login,
            phone.enrolled.device,
            phone.enrolled.device,
        )
        assert '"purpose": "contest"' in event.payload
        assert (await recent(phone))[0]["contested"]


async def test_said_twice_it_is_one_event(house: House) -> None:
    async with await house.phone() as phone:
        await house.ask()
        await phone.answer_next(approve=True, seconds=WAIT)
        (row,) = await recent(phone)
        for _ in range(2):
            assert await contest(phone, row) == "contested"
        assert len(contested(house)) == 1


async def test_any_other_phone_of_the_person_may_say_so(house: House) -> None:
    async with await house.phone() as one, await house.phone() as two:
        await house.ask()
        await one.answer_next(approve=True, seconds=WAIT)
        (row,) = await recent(two)
        assert not row["by_this_device"]
        assert await contest(two, row) == "contested"
        assert contested(house)[0].answered_by == one.enrolled.device


async def test_a_yes_taken_back_lets_nobody_in(house: House) -> None:
    """Neither the request that waits, nor a later one by follow-on."""
    async with await house.phone() as phone:
        question = await house.ask()
        await phone.answer_next(approve=True, seconds=WAIT)
        (row,) = await recent(phone)
        await contest(phone, row)
        event = events.Sent(question.login)
        for by in ("push", "follow_on"):
            assert not await house.store.accept(
                question.id, packet=house.riders[question.id], by=by, at=house.clock.now(), event=event
            )


async def test_a_ticket_is_void_once_its_yes_is_taken_back(house: House) -> None:
    async with await house.phone() as phone:
        question = await house.ask()
        await house.give_up(question)
        assert await phone.answer_next(approve=True, seconds=WAIT) == "approved_late"
        (row,) = await recent(phone)
        await contest(phone, row)
        assert await house.state(question) is QuestionState.CLOSED


async def test_after_five_minutes_it_is_too_late(house: House) -> None:
    async with await house.phone() as phone:
        await house.ask()
        await phone.answer_next(approve=True, seconds=WAIT)
        (row,) = await recent(phone)
        house.clock.turned += 301
        assert await recent(phone) == []
        with pytest.raises(PhoneRefused) as refused:
            await contest(phone, row)
        assert refused.value.word == "too_late"
        assert contested(house) == []


@pytest.mark.parametrize(
    "changes",
    [{"person": "staff:bob-id"}, {"client": "fw2"}, {"address": None}, {"address": "198.51.100.8"}],
    ids=str,
)
async def test_a_statement_about_another_login_is_none(house: House, changes: dict[str, str | None]) -> None:
    async with await house.phone() as phone:
        await house.ask()
        await phone.answer_next(approve=True, seconds=WAIT)
        (row,) = await recent(phone)
        with pytest.raises(PhoneRefused) as refused:
            await contest(phone, row, **changes)
        assert refused.value.word == "refused"
        assert contested(house) == []


async def test_nobody_else_can_say_so(house: House) -> None:
    async with await house.phone() as alice, await house.phone(BOB) as bob:
        await house.ask()
        await alice.answer_next(approve=True, seconds=WAIT)
        (row,) = await recent(alice)
        with pytest.raises(PhoneRefused) as refused:
            await contest(bob, row)
        assert refused.value.word == "unknown_question"
        await house.remove(alice)
        with pytest.raises(PhoneRefused) as gone:
            await contest(alice, row)
        assert gone.value.word == "removed"


async def test_an_answer_is_no_contest_and_a_contest_no_answer(house: House) -> None:
    async with await house.phone() as phone:
        question = await house.ask()
        await phone.answer_next(approve=True, seconds=WAIT)
        (row,) = await recent(phone)
        for path, purpose in (("/api/contest", "deny"), ("/api/answer", "contest")):
            with pytest.raises(PhoneRefused):
                await phone.says(path, purpose, **about(row))
        assert await house.state(question) is QuestionState.APPROVED


async def test_yeses_of_before_this_release_are_not_shown(house: House, tmp_path: Path) -> None:
    async with await house.phone() as phone:
        await house.ask()
        await phone.answer_next(approve=True, seconds=WAIT)
        with sqlite3.connect(tmp_path / "state.db") as rows:
            rows.execute("UPDATE questions SET answered_at = NULL")
        rows.close()
        assert await recent(phone) == []
