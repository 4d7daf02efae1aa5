"""The phone side as a phone meets it: enrolment, stream, answer."""

from __future__ import annotations

from radius_push.model import QuestionState
from tests.web.house import House


async def test_a_phone_is_added_asked_and_says_yes(house: House) -> None:
    async with await house.phone() as phone:
        question = await house.ask()
        assert await phone.answer_next(approve=True, seconds=5) == "approved"
        assert await house.state(question) is QuestionState.APPROVED
