"""The phone side as phones meet it: enrolment, stream, answer. Each refusal is an attack that was tried."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import aiohttp
import pytest

from radius_push import events
from radius_push.model import DeviceState, Person, PersonKey, QuestionState
from radius_push.test_phone import PhoneRefused, SoftwarePhone, State, Unreachable, _text
from radius_push.web.octets import octets_of
from tests.factors.signing import ORDER, Pen
from tests.web.house import ALICE, BOB, House, open_house, until

WAIT = 10.0
"""Longer than any of this takes: a test that waits so long has failed."""


async def first_state(phone: SoftwarePhone) -> State:
    async with asyncio.timeout(WAIT), aclosing(phone.questions()) as states:
        return await anext(states)


async def post(house: House, path: str, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(house.origin + path, json=body, headers=headers) as response,
    ):
        return response.status, await response.json()


async def nonce(house: House) -> str:
    _, told = await post(house, "/api/nonce", {})
    made: str = told["nonce"]
    return made


def answer_fields(house: House, phone: SoftwarePhone, card: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": 1,
        "purpose": "approve",
        "origin": house.origin,
        "question": card["id"],
        "person": card["person"],
        "device": phone.enrolled.device,
        "client": card["client"],
        "address": card["address"],
        "number_mode": "off",
        "nonce": card["nonce"],
        "late": card["late"],
        "expires_at": card["expires_at"],
    }


# --- the whole way -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("approve", "state"), [(True, QuestionState.APPROVED), (False, QuestionState.DENIED)], ids=["yes", "no"]
)
async def test_a_phone_is_added_asked_and_answers(house: House, approve: bool, state: QuestionState) -> None:
    async with await house.phone() as phone:
        question = await house.ask()
        word = await phone.answer_next(approve=approve, seconds=WAIT)
        assert word == ("approved" if approve else "denied")
        assert await house.state(question) is state
        answered = [event for event in house.events if isinstance(event, events.Answered)]
        assert [event.device for event in answered] == [phone.enrolled.device]
        assert json.loads(answered[0].payload)["purpose"] == ("approve" if approve else "deny")


async def test_a_typed_code_adds_a_phone_however_it_is_typed(house: House) -> None:
    code = (await house.invite()).code.lower().replace("-", " ")
    async with await SoftwarePhone.enrol((house.origin, code), name="Pixel\u202e 7") as phone:
        assert phone.enrolled.account == "alice"
        assert phone.enrolled.name == "Pixel 7"
        assert (await first_state(phone)).device == "pending"


async def test_opening_a_link_spends_nothing(house: House) -> None:
    link = await house.link()
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.get(link) as response:
                assert response.status == 200
    async with await SoftwarePhone.enrol(link) as phone:
        assert (await house.device(phone)).state is DeviceState.PENDING


async def test_a_saved_phone_is_the_same_phone(house: House, tmp_path: Any) -> None:
    file = tmp_path / "folder" / "phone.json"
    async with await house.phone() as phone:
        phone.save(file)
    assert file.stat().st_mode & 0o777 == 0o600
    async with SoftwarePhone.load(file) as again:
        assert again.confirmation_code == phone.confirmation_code
        assert (await first_state(again)).device == "active"


# --- enrolment refused -------------------------------------------------------------------------------


async def test_a_link_is_good_once(house: House) -> None:
    link = await house.link()
    await (await SoftwarePhone.enrol(link)).close()
    with pytest.raises(PhoneRefused) as refused:
        await SoftwarePhone.enrol(link)
    assert refused.value.word == "invitation"


async def test_wrong_spent_and_expired_invitations_are_told_alike(house: House) -> None:
    told = []
    spent = await house.link()
    await (await SoftwarePhone.enrol(spent)).close()
    old = await house.link(BOB)
    house.clock.turned += 601
    for by in (
        spent,
        old,
        f"{house.origin}/#enrol={'A' * 22}",
        (house.origin, "0000-0000"),
        (house.origin, "x"),
    ):
        with pytest.raises(PhoneRefused) as refused:
            await SoftwarePhone.enrol(by)
        told.append((refused.value.word, str(refused.value)))
    assert len(set(told)) == 1


async def test_the_eleventh_guess_is_not_looked_at_until_ten_minutes_later(house: House) -> None:
    link = await house.link()
    words = []
    for _ in range(11):
        with pytest.raises(PhoneRefused) as refused:
            await SoftwarePhone.enrol((house.origin, "0000-0000"))
        words.append(refused.value.word)
    assert words == ["invitation"] * 10 + ["too_many_tries"]
    with pytest.raises(PhoneRefused, match="Too many"):
        await SoftwarePhone.enrol(link)
    house.clock.turned += 600
    await (await SoftwarePhone.enrol(await house.link())).close()


async def test_many_guesses_at_once_are_still_ten(house: House) -> None:
    guesses = [SoftwarePhone.enrol((house.origin, "0000-0000")) for _ in range(40)]
    refused = await asyncio.gather(*guesses, return_exceptions=True)
    words = [no.word for no in refused if isinstance(no, PhoneRefused)]
    assert sorted(words) == ["invitation"] * 10 + ["too_many_tries"] * 30


async def test_who_hangs_up_in_the_middle_of_a_guess_has_guessed(house: House) -> None:
    pen = Pen()
    for number in range(10):
        said = {"version": 1, "purpose": "enrol", "origin": house.origin, "nonce": await nonce(house)}
        payload = json.dumps({**said, "public_key": _text(pen.public), "name": "x"})
        body = json.dumps({"code": "00000000", "payload": payload, "signature": _text(pen.sign(payload))})
        _, writer = await asyncio.open_connection("127.0.0.1", house.side.port)
        writer.write(
            f"POST /api/enrol HTTP/1.1\r\nHost: {house.origin.removeprefix('http://')}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        await writer.drain()
        # As soon as the guess is at the store, and before its answer is out.
        async with asyncio.timeout(WAIT):
            await until(lambda: bool(house.store.busy()))
        writer.transport.abort()
        async with asyncio.timeout(WAIT):
            await until(lambda n=number: house.counters["phone_enrol_refused"] == n + 1)  # type: ignore[misc]
    with pytest.raises(PhoneRefused, match="Too many"):
        await SoftwarePhone.enrol((house.origin, "0000-0000"))


async def test_many_right_phones_at_once_are_no_guesses(house: House) -> None:
    people = [Person(PersonKey("staff", f"id-{n}"), f"user{n}", "", {}) for n in range(70)]
    phones = await asyncio.gather(*[SoftwarePhone.enrol(await house.link(one)) for one in people])
    assert {phone.enrolled.account for phone in phones} == {one.username for one in people}
    for phone in phones:
        await phone.close()


async def test_more_phones_than_allowed_are_refused_in_words_of_their_own(house: House) -> None:
    for _ in range(2):
        await (await house.phone()).close()
    with pytest.raises(PhoneRefused) as refused:
        await SoftwarePhone.enrol(await house.link())
    assert refused.value.word == "too_many_devices"


async def test_somebody_elses_key_cannot_be_enrolled_and_spends_nothing(house: House) -> None:
    async with await house.phone() as phone:
        shown = await house.invite()
        said = {"version": 1, "purpose": "enrol", "origin": house.origin, "nonce": await nonce(house)}
        claimed = {**said, "public_key": _text(Pen().public), "name": "thief"}
        status, told = await post(house, "/api/enrol", {"token": shown.token, **phone.sign(claimed)})
        assert (status, told["error"]) == (400, "signature")
    await (await SoftwarePhone.enrol(f"{house.origin}/#enrol={shown.token}")).close()


# --- signed requests ---------------------------------------------------------------------------------


async def test_a_nonce_opens_one_stream(house: House) -> None:
    async with await house.phone() as phone:
        said = {"version": 1, "purpose": "stream", "origin": house.origin, "device": phone.enrolled.device}
        body = phone.sign({**said, "nonce": await nonce(house)})
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{house.origin}/api/stream", json=body) as stream,
        ):
            assert stream.status == 200
            status, told = await post(house, "/api/stream", body)
            assert (status, told["error"]) == (401, "nonce")


async def test_an_old_or_foreign_nonce_opens_nothing(house: House) -> None:
    async with await house.phone() as phone:
        said = {"version": 1, "purpose": "stream", "origin": house.origin, "device": phone.enrolled.device}
        old = await nonce(house)
        house.clock.turned += 60
        for made in (old, "A" * 64, ""):
            status, told = await post(house, "/api/stream", phone.sign({**said, "nonce": made}))
            assert (status, told["error"]) == (401, "nonce")


async def test_a_phone_that_nobody_knows_is_told_so_and_nothing_else(house: House) -> None:
    async with await house.phone() as phone:
        said = {"version": 1, "purpose": "stream", "origin": house.origin, "device": "somebody"}
        status, told = await post(house, "/api/stream", phone.sign({**said, "nonce": await nonce(house)}))
        assert (status, told["error"]) == (401, "unknown_device")


async def test_another_phones_signature_opens_nothing(house: House) -> None:
    async with await house.phone() as phone, await house.phone(BOB) as other:
        said = {"version": 1, "purpose": "stream", "origin": house.origin, "device": phone.enrolled.device}
        status, told = await post(house, "/api/stream", other.sign({**said, "nonce": await nonce(house)}))
        assert (status, told["error"]) == (401, "unknown_device")


async def test_a_signed_answer_is_not_a_signed_stream(house: House) -> None:
    async with await house.phone() as phone:
        await house.ask()
        card = await phone.next_question(seconds=WAIT)
        body = phone.sign(answer_fields(house, phone, card))
        status, told = await post(house, "/api/stream", body)
        assert (status, told["error"]) == (400, "refused")


# --- answers refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 2),
        ("purpose", "maybe"),
        ("origin", "https://mfa.example.org"),
        ("person", "staff:bob-id"),
        ("client", "fw2"),
        ("address", None),
        ("number_mode", "match"),
        ("nonce", "x"),
        ("expires_at", 0),
        ("extra", "x"),
    ],
)
async def test_an_answer_that_is_not_what_was_asked_changes_nothing(
    house: House, field: str, value: object
) -> None:
    async with await house.phone() as phone:
        question = await house.ask()
        card = await phone.next_question(seconds=WAIT)
        body = phone.sign({**answer_fields(house, phone, card), field: value})
        status, told = await post(house, "/api/answer", body)
        assert (status, told["error"]) == (400, "refused")
        assert await house.state(question) is QuestionState.PENDING


async def test_an_answer_with_a_text_changed_after_signing_changes_nothing(house: House) -> None:
    async with await house.phone() as phone:
        question = await house.ask()
        card = await phone.next_question(seconds=WAIT)
        body = phone.sign({**answer_fields(house, phone, card), "purpose": "deny"})
        body["payload"] = body["payload"].replace('"deny"', '"approve"')
        status, told = await post(house, "/api/answer", body)
        assert (status, told["error"]) == (401, "unknown_device")
        assert await house.state(question) is QuestionState.PENDING


async def test_somebody_elses_phone_answers_nothing(house: House) -> None:
    async with await house.phone() as phone, await house.phone(BOB) as other:
        question = await house.ask()
        card = await phone.next_question(seconds=WAIT)
        with pytest.raises(PhoneRefused) as refused:
            await other.answer(card)
        assert refused.value.word == "unknown_question"
        fields = {**answer_fields(house, phone, card), "device": phone.enrolled.device}
        status, told = await post(house, "/api/answer", other.sign(fields))
        assert (status, told["error"]) == (401, "unknown_device")
        assert await house.state(question) is QuestionState.PENDING


async def test_a_phone_that_is_not_confirmed_answers_nothing(house: House) -> None:
    async with await house.phone() as phone, await SoftwarePhone.enrol(await house.link()) as pending:
        question = await house.ask()
        card = await phone.next_question(seconds=WAIT)
        with pytest.raises(PhoneRefused) as refused:
            await pending.answer(card)
        assert refused.value.word == "pending"
        assert (await first_state(pending)).questions == ()
        assert await house.state(question) is QuestionState.PENDING


async def test_a_removed_phone_answers_nothing_and_is_told_so(house: House) -> None:
    async with await house.phone() as phone:
        question = await house.ask()
        card = await phone.next_question(seconds=WAIT)
        await house.remove(phone)
        with pytest.raises(PhoneRefused) as refused:
            await phone.answer(card)
        assert refused.value.word == "removed"
        assert await house.state(question) is QuestionState.PENDING


async def test_the_first_of_two_phones_wins_and_the_other_is_told_who_did(house: House) -> None:
    async with await house.phone() as one, await house.phone() as other:
        question = await house.ask()
        card = await one.next_question(seconds=WAIT)
        outcomes = await asyncio.gather(
            one.answer(card, approve=True), other.answer(card, approve=False), return_exceptions=True
        )
        state = await house.state(question)
        said = [word for word in outcomes if isinstance(word, str)]
        refused = [word for word in outcomes if isinstance(word, PhoneRefused)]
        assert said == [{QuestionState.APPROVED: "approved", QuestionState.DENIED: "denied"}[state]]
        assert [no.word for no in refused] == [f"{said[0]}_elsewhere"]


async def test_an_answer_that_comes_again_is_told_what_it_did(house: House) -> None:
    async with await house.phone() as phone:
        await house.ask()
        card = await phone.next_question(seconds=WAIT)
        assert [await phone.answer(card), await phone.answer(card)] == ["approved", "approved"]
        with pytest.raises(PhoneRefused) as refused:
            await phone.answer(card, approve=False)
        assert refused.value.word == "approved_before"
        assert len([event for event in house.events if isinstance(event, events.Answered)]) == 1


async def test_a_signatures_twin_answers_nothing_a_second_time(house: House) -> None:
    async with await house.phone() as phone, await house.phone() as other:
        await house.ask()
        card = await phone.next_question(seconds=WAIT)
        assert await other.answer(card, approve=False) == "denied"
        status, told = await post(house, "/api/answer", twin(phone.sign(answer_fields(house, phone, card))))
        assert (status, told["error"]) == (409, "denied_elsewhere")


def twin(body: dict[str, str]) -> dict[str, str]:
    octets = octets_of(body["signature"], 64)
    s = ORDER - int.from_bytes(octets[32:], "big")
    return {**body, "signature": _text(octets[:32] + s.to_bytes(32, "big"))}


async def test_an_answer_after_the_bar_is_too_late(house: House) -> None:
    async with await house.phone() as phone:
        question = await house.ask()
        card = await phone.next_question(seconds=WAIT)
        house.clock.turned += 60
        with pytest.raises(PhoneRefused) as refused:
            await phone.answer(card)
        assert refused.value.word == "too_late"
        await house.time_out(question)
        with pytest.raises(PhoneRefused) as refused:
            await phone.answer(card)
        assert refused.value.word == "too_late"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"payload": "{}"},
        {"payload": "{}", "signature": 1},
        {"payload": "{}", "signature": "x", "extra": "y"},
        {"payload": '{"device": "d", "question": "q"}', "signature": "not base64!"},
        {"payload": '{"device": "d", "question": "q"}', "signature": "A" * 85},
        {"payload": '{"device": 1}', "signature": "A" * 86},
        ["payload"],
        "payload",
    ],
)
async def test_what_is_no_answer_is_refused_before_anything_is_read(house: House, body: object) -> None:
    status, told = await post(house, "/api/answer", body)
    assert status in {400, 401}
    assert set(told) <= {"error", "message", "field"}


# --- the stream ----------------------------------------------------------------------------------------


async def test_the_stream_shows_the_whole_state_at_once_and_after_each_change(house: House) -> None:
    async with (
        asyncio.timeout(WAIT),
        await SoftwarePhone.enrol(await house.link()) as phone,
        aclosing(phone.questions()) as states,
    ):
        assert (await anext(states)).device == "pending"
        await house.confirm(phone)
        assert (await anext(states)).device == "active"
        one = await house.ask(client="fw1")
        assert [card["client"] for card in (await anext(states)).questions] == ["fw1"]
        two = await house.ask(client="fw2", address=None)
        both = (await anext(states)).questions
        assert [(card["client"], card["address"]) for card in both] == [
            ("fw1", "198.51.100.7"),
            ("fw2", None),
        ]
        await phone.answer(both[0], approve=False)
        state = await anext(states)
        assert [card["id"] for card in state.questions] == [two.id]
        assert state.closed == ({"id": one.id, "outcome": "denied", "by_this_device": True},)
        await house.remove(phone)
        assert (await anext(states)).device == "removed"
        with pytest.raises(StopAsyncIteration):
            await anext(states)


async def test_the_end_of_a_bar_shows_without_anybody_writing_it(house: House) -> None:
    async with asyncio.timeout(WAIT), await house.phone() as phone, aclosing(phone.questions()) as states:
        assert (await anext(states)).questions == ()
        question = await house.ask(seconds=0.2)
        assert len((await anext(states)).questions) == 1
        state = await anext(states)
        assert state.questions == ()
        assert state.closed == ({"id": question.id, "outcome": "timed_out", "by_this_device": False},)
        assert await house.state(question) is QuestionState.PENDING


async def test_nobody_else_hears_of_a_question(house: House) -> None:
    async with asyncio.timeout(WAIT), await house.phone(BOB) as phone, aclosing(phone.questions()) as states:
        assert (await anext(states)).questions == ()
        await house.ask(ALICE)
        await house.ask(BOB, client="for-bob")
        assert [card["client"] for card in (await anext(states)).questions] == ["for-bob"]


async def test_a_fourth_stream_of_one_phone_ends_the_first(house: House) -> None:
    async with await house.phone() as phone, asyncio.timeout(WAIT):
        streams = [phone.questions() for _ in range(4)]
        for stream in streams:
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(streams[0])
        await house.ask()
        for stream in streams[1:]:
            assert len((await anext(stream)).questions) == 1
            await stream.aclose()


async def test_a_phone_that_leaves_frees_its_stream(house: House) -> None:
    async with await house.phone() as phone, asyncio.timeout(WAIT):
        await first_state(phone)
        await until(lambda: not len(house.side._streams))


async def test_the_side_closes_with_streams_open(tmp_path: Any) -> None:
    async with open_house(tmp_path) as house:
        phone = await house.phone()
        states = phone.questions()
        await anext(states)
    with pytest.raises((Unreachable, StopAsyncIteration)):
        await anext(states)
    await phone.close()
