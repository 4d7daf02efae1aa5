"""What a phone may say about being woken, and what nobody may say for it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from radius_push import events
from radius_push.model import Device, QuestionState
from radius_push.test_phone import PhoneRefused, SoftwarePhone, _text
from tests.web.house import ALICE, BOB, House
from tests.web.test_phone import answer_fields, nonce, post

WAIT = 10.0
POINT = _text(
    ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint
    )
)  # fmt: skip
ADDRESS: dict[str, str | None] = {
    "endpoint": "https://push.example/alices-phone",
    "p256dh": POINT,
    "auth": _text(bytes(16)),
}


async def push(phone: SoftwarePhone, **changes: str | None) -> str:
    told = await phone.says("/api/push", "push", **{**ADDRESS, **changes})
    return str(told["outcome"])


async def endpoints(house: House) -> list[str]:
    return [address.where for address in await house.store.push_addresses_of(ALICE.key)]


def kinds(house: House) -> list[str]:
    return [events.kind(event) for event in house.events if isinstance(event, events.PushChanged)]


# --- where it is reached -------------------------------------------------------------------------------


async def test_an_app_is_told_the_key_to_subscribe_with(house: House) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{house.origin}/api/config") as response,
    ):
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.json() == {
            "web_push": {"public_key": house.ringer.public_key},
            "apns": None,
            "fcm": None,
            "biometrics": {"relying_party": "localhost", "asked": "optional"},
        }


async def test_a_phone_says_where_it_is_reached_replaces_and_takes_it_back(house: House) -> None:
    async with await house.phone() as phone:
        assert await push(phone) == "kept"
        assert await push(phone) == "known"
        assert await endpoints(house) == [ADDRESS["endpoint"]]
        assert await push(phone, endpoint="https://push.example/elsewhere") == "kept"
        assert await endpoints(house) == ["https://push.example/elsewhere"]
        assert await push(phone, endpoint=None, p256dh=None, auth=None) == "removed"
        assert await push(phone, endpoint=None, p256dh=None, auth=None) == "removed"
        assert await endpoints(house) == []
        assert [e.service for e in house.events if isinstance(e, events.PushChanged)] == [
            "push.example",
            "push.example",
            None,
        ]


async def test_a_browser_that_was_added_again_is_rung_once(house: House) -> None:
    async with await house.phone() as old, await house.phone() as new:
        await push(old)
        await push(new)
        (address,) = await house.store.push_addresses_of(ALICE.key)
        assert address.device == new.enrolled.device


async def test_a_removed_phones_address_is_forgotten(house: House) -> None:
    async with await house.phone() as phone:
        await push(phone)
        await house.remove(phone)
        assert await endpoints(house) == []
        with pytest.raises(PhoneRefused) as refused:
            await push(phone)
        assert refused.value.word == "removed"
        assert await endpoints(house) == []


async def test_a_phone_that_is_not_confirmed_yet_is_not_rung(house: House) -> None:
    async with await SoftwarePhone.enrol(await house.link()) as phone:
        with pytest.raises(PhoneRefused) as refused:
            await push(phone)
        assert refused.value.word == "pending"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"endpoint": "https://attacker.example/"}, "push_service"),
        ({"endpoint": "http://127.0.0.1:8443/"}, "push_service"),
        ({"endpoint": ""}, "push_service"),
        ({"endpoint": None}, "malformed"),
        ({"p256dh": None}, "malformed"),
        ({"auth": None}, "malformed"),
        ({"p256dh": _text(b"\x04" + bytes(64))}, "malformed"),
        ({"p256dh": _text(bytes(65))}, "malformed"),
        ({"p256dh": POINT + "="}, "malformed"),
        ({"auth": _text(bytes(15))}, "malformed"),
        ({"auth": ""}, "malformed"),
        ({"device": None}, "refused"),
        ({"extra": "x"}, "refused"),
        ({"purpose": "stream"}, "refused"),
        ({"origin": "https://attacker.example"}, "refused"),
    ],
)
async def test_what_is_no_push_address_is_refused(
    house: House, changes: dict[str, str | None], word: str
) -> None:
    async with await house.phone() as phone:
        said: dict[str, Any] = {
            "version": 1,
            "purpose": "push",
            "origin": house.origin,
            "device": phone.enrolled.device,
            "nonce": await nonce(house),
            **ADDRESS,
            **changes,
        }
        status, told = await post(house, "/api/push", phone.sign(said))
        assert status in {400, 401, 403}
        assert told["error"] == word
        assert await endpoints(house) == []
        assert kinds(house) == []


async def test_nobody_speaks_for_another_phone(house: House) -> None:
    async with await house.phone() as mine, await house.phone(BOB) as his:
        said = {
            "version": 1,
            "purpose": "push",
            "origin": house.origin,
            "device": his.enrolled.device,
            "nonce": await nonce(house),
            **ADDRESS,
        }
        status, told = await post(house, "/api/push", mine.sign(said))
        assert (status, told["error"]) == (401, "unknown_device")
        assert await house.store.push_addresses_of(BOB.key) == []


async def test_what_was_signed_once_is_taken_once(house: House) -> None:
    async with await house.phone() as phone:
        for path, purpose, more in (
            ("/api/push", "push", ADDRESS),
            ("/api/test", "test", {}),
            ("/api/questions", "questions", {}),
        ):
            said = {
                "version": 1,
                "purpose": purpose,
                "origin": house.origin,
                "device": phone.enrolled.device,
                "nonce": await nonce(house),
                **more,
            }
            body = phone.sign(said)
            assert (await post(house, path, body))[0] == 200
            assert (await post(house, path, body))[1]["error"] == "nonce"


async def test_a_look_shows_what_the_stream_would(house: House) -> None:
    async with await house.phone() as phone:
        question = await house.ask()
        told = await phone.says("/api/questions", "questions")
        assert [card["id"] for card in told["questions"]] == [question.id]
        assert set(told) == {
            "now", "device", "questions", "closed", "recent", "adding", "push", "tests", "sign_ins",
            "notices",
        }  # fmt: skip
        await house.remove(phone)
        told = await phone.says("/api/questions", "questions")
        assert (told["device"]["state"], told["questions"]) == ("removed", [])


# --- test requests -------------------------------------------------------------------------------------


async def test_a_test_request_reaches_the_phone_that_asked_and_no_other(house: House) -> None:
    async with await house.phone() as mine, await house.phone() as other:
        asked = await mine.says("/api/test", "test")
        ((trial, device),) = house.ringer.tried
        assert (trial.id, device.id) == (asked["test"], mine.enrolled.device)
        seen = await mine.says("/api/questions", "questions")
        assert [test["id"] for test in seen["tests"]] == [trial.id]
        assert seen["questions"] == []
        assert (await other.says("/api/questions", "questions"))["tests"] == []
        with pytest.raises(PhoneRefused) as refused:
            await other.says("/api/test-answer", "test_answer", test=trial.id)
        assert refused.value.word == "too_late"
        await mine.says("/api/test-answer", "test_answer", test=trial.id)
        assert (await mine.says("/api/questions", "questions"))["tests"] == []
        with pytest.raises(PhoneRefused):
            await mine.says("/api/test-answer", "test_answer", test=trial.id)
        assert house.ringer.rung == []


async def test_an_open_app_sees_its_test_at_once_and_for_a_minute(house: House) -> None:
    async with (
        asyncio.timeout(WAIT),
        await house.phone() as phone,
        aclosing(phone.questions()) as states,
    ):
        await anext(states)
        await phone.says("/api/test", "test")
        await anext(states)
        house.clock.turned += 60
        assert (await phone.says("/api/questions", "questions"))["tests"] == []


async def test_a_test_is_no_question_and_a_question_no_test(house: House) -> None:
    async with await house.phone() as phone:
        question = await house.ask()
        test = (await phone.says("/api/test", "test"))["test"]
        card = (await phone.says("/api/questions", "questions"))["questions"][0]
        fields = {**answer_fields(house, phone, card), "question": test}
        assert (await post(house, "/api/answer", phone.sign(fields)))[1]["error"] == "unknown_question"
        with pytest.raises(PhoneRefused):
            await phone.says("/api/test-answer", "test_answer", test=question.id)
        with pytest.raises(PhoneRefused):
            await phone.says("/api/test-answer", "approve", test=test)
        assert await house.state(question) is QuestionState.PENDING
        assert not [event for event in house.events if isinstance(event, events.Answered)]


async def test_three_tests_in_a_minute_are_enough(house: House) -> None:
    async with await house.phone() as phone, await house.phone() as other:
        for _ in range(3):
            await phone.says("/api/test", "test")
        with pytest.raises(PhoneRefused) as refused:
            await phone.says("/api/test", "test")
        assert refused.value.word == "too_many_tests"
        await other.says("/api/test", "test")
        assert len(house.ringer.tried) == 4
        house.clock.turned += 60
        await phone.says("/api/test", "test")


async def test_a_hundred_tests_at_once_are_three(house: House) -> None:
    async with await house.phone() as phone:
        device: Device = await house.device(phone)
        outcomes = await asyncio.gather(
            *(phone.says("/api/test", "test") for _ in range(50)), return_exceptions=True
        )
        assert sum(isinstance(outcome, dict) for outcome in outcomes) == 3
        assert len(await house.store.trials_of(device.id, now=house.clock.now())) == 3
