"""Attacks on the fingerprint: somebody has the phone, its key at their command, and not the finger."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from radius_push import events
from radius_push.factors import question
from radius_push.model import Assertion, QuestionState
from radius_push.test_phone import PhoneRefused, SoftwarePhone
from tests.web.conftest import house as house
from tests.web.fingers import UP, UV, Finger, a_finger, add, approve, send, text
from tests.web.house import BOB, House
from tests.web.house import open_house as open_house


async def refused_word(work: Any) -> str:
    with pytest.raises(PhoneRefused) as refused:
        await work
    return refused.value.word


async def still_asked(house: House, asked: Any) -> bool:
    return await house.state(asked) is QuestionState.PENDING


async def test_the_phones_key_alone_is_no_yes_where_a_finger_is_required(house: House) -> None:
    async with await house.phone() as phone:
        asked = await house.ask(biometrics="required")
        assert await refused_word(approve(phone, question.card(asked))) == "biometrics_missing"
        await a_finger(house, phone)
        assert await refused_word(approve(phone, question.card(asked))) == "biometrics_needed"
        assert await still_asked(house, asked)


async def test_what_the_card_says_does_not_matter(house: House) -> None:
    async with await house.phone() as phone:
        await a_finger(house, phone)
        asked = await house.ask(biometrics="required")
        card = {**question.card(asked), "biometrics": "off"}
        assert await refused_word(approve(phone, card)) == "biometrics_needed"


@pytest.mark.parametrize("flags", [0, UP, UV], ids=["nobody there", "not verified", "not present"])
async def test_a_person_who_was_not_verified_is_nobody(house: House, flags: int) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        finger.flags = flags
        for mode in ("required", "optional"):
            asked = await house.ask(biometrics=mode)
            assert await refused_word(approve(phone, question.card(asked), finger)) == "biometrics_failed"
            assert await still_asked(house, asked)


async def test_an_assertion_for_another_login_or_another_text_is_refused(house: House) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        one, two = [await house.ask(biometrics="required") for _ in range(2)]
        bodies = [phone.signed_answer(question.card(each), approve=True) for each in (one, two)]
        for_one = finger.used(bodies[0]["payload"])
        assert await refused_word(send(phone, bodies[1] | for_one)) == "biometrics_failed"
        spaced = phone.signed_answer({**question.card(one)}, approve=False)
        for_a_no = finger.used(spaced["payload"])
        assert await refused_word(send(phone, bodies[0] | for_a_no)) == "biometrics_failed"
        assert await still_asked(house, one)
        assert await still_asked(house, two)


async def test_another_phones_finger_is_refused_also_the_same_persons(house: House) -> None:
    async with await house.phone() as phone, await house.phone() as second, await house.phone(BOB) as bobs:
        await a_finger(house, phone)
        theirs = [await a_finger(house, second), await a_finger(house, bobs)]
        asked = await house.ask(biometrics="required")
        for finger in theirs:
            assert await refused_word(approve(phone, question.card(asked), finger)) == "biometrics_failed"
        assert await still_asked(house, asked)


async def test_another_key_under_the_right_id_is_refused(house: House) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        forged = Finger(house.origin, id=finger.id, counter=100)
        asked = await house.ask(biometrics="required")
        assert await refused_word(approve(phone, question.card(asked), forged)) == "biometrics_failed"


@pytest.mark.parametrize(
    "client",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost"},
        {"type": "webauthn.create"},
        {"type": "payment.get"},
        {"crossOrigin": True},
        {"crossOrigin": "false"},
        {"topOrigin": "https://evil.example"},
    ],
    ids=str,
)
async def test_another_origin_type_or_frame_is_refused(house: House, client: dict[str, object]) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        asked = await house.ask(biometrics="required")
        word = await refused_word(approve(phone, question.card(asked), finger, **client))
        assert word == "biometrics_failed"
        swapped = {**client, "type": "webauthn.get"} if "type" in client else client
        assert await refused_word(add(house, phone, Finger(house.origin), **swapped)) == "biometrics_failed"


async def test_another_relying_party_is_refused(house: House) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        asked = await house.ask(biometrics="required")
        other = Finger(house.origin)
        finger.rp_id = other.rp_id = "evil.example"
        assert await refused_word(approve(phone, question.card(asked), finger)) == "biometrics_failed"
        assert await refused_word(add(house, phone, other)) == "biometrics_failed"


async def test_a_counter_that_goes_back_is_refused_and_in_the_evidence(house: House) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        finger.counter = 40
        assert (
            await approve(phone, question.card(await house.ask(biometrics="required")), finger) == "approved"
        )
        asked = await house.ask(biometrics="required")
        for before in (9, 40):
            finger.counter = before
            finger.step = 0
            assert await refused_word(approve(phone, question.card(asked), finger)) == "biometrics_failed"
        finger.counter = 0  # nor does it stop counting
        assert await refused_word(approve(phone, question.card(asked), finger)) == "biometrics_failed"
        assert await still_asked(house, asked)
    back = [event for event in house.events if isinstance(event, events.CounterWentBack)]
    assert [(event.counter, event.before) for event in back] == [(9, 41), (40, 41), (0, 41)]


async def test_of_two_copies_at_the_same_moment_the_row_takes_one(house: House) -> None:
    """Both were judged before either was written."""
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        taken = []
        for asked in [await house.ask(biometrics="required") for _ in range(2)]:
            answered = events.Answered(
                asked.login, asked.id, str(asked.person), phone.enrolled.device, "approve", False, "", ""
            )
            taken.append(
                await house.store.answer(
                    asked.id,
                    device=phone.enrolled.device,
                    approve=True,
                    assertion=Assertion(finger.id, 7),
                    at=house.clock.now(),
                    event=answered,
                )
            )
        assert taken == [QuestionState.APPROVED, None]


async def test_the_row_itself_takes_no_yes_without_what_it_requires(house: House) -> None:
    async with await house.phone() as phone, await house.phone(BOB) as bobs:
        waiting, theirs = Finger(house.origin), await a_finger(house, bobs)
        await add(house, phone, waiting)
        asked = await house.ask(biometrics="required")
        answered = events.Answered(
            asked.login, asked.id, str(asked.person), phone.enrolled.device, "approve", False, "", ""
        )
        for assertion in (None, Assertion(theirs.id, 7), Assertion(waiting.id, 7), Assertion(b"none", 7)):
            written = await house.store.answer(
                asked.id,
                device=phone.enrolled.device,
                approve=True,
                assertion=assertion,
                at=house.clock.now(),
                event=answered,
            )
            assert written is None
        assert await still_asked(house, asked)


async def test_a_credential_is_added_by_its_own_phone_for_its_own_nonce(house: House) -> None:
    async with await house.phone() as phone, await house.phone(BOB) as bobs:
        theirs = Finger(house.origin)
        client_data, attestation = theirs.made(secrets.token_bytes(32))
        said = {"client_data": text(client_data), "attestation": text(attestation)}
        assert await refused_word(phone.says("/api/biometric", "biometric", **said)) == "biometrics_failed"
        await add(house, bobs, theirs)
        assert (
            await refused_word(add(house, phone, Finger(house.origin, id=theirs.id))) == "biometrics_failed"
        )
        assert set(await house.store.biometrics()) == {bobs.enrolled.device}


async def test_a_finger_that_was_not_verified_is_not_added(house: House) -> None:
    async with await house.phone() as phone:
        for flags in (0, UP, UV):
            word = await refused_word(add(house, phone, Finger(house.origin, flags=flags)))
            assert word == "biometrics_failed"
        assert await house.store.biometrics() == {}


async def test_a_makers_attestation_is_not_even_read(house: House) -> None:
    async with await house.phone() as phone:
        for fmt in ("tpm", "apple", "android-key", "android-safetynet", "fido-u2f", "", "packed"):
            word = await refused_word(add(house, phone, Finger(house.origin), fmt=fmt))
            assert word == "biometrics_failed"


async def test_rubbish_in_every_part_is_refused_and_never_a_fault(house: House) -> None:
    rubbish = [
        "",
        "A",
        "AA==",
        "AAAA",
        "A" * 2732,
        "_" * 40,
        text(b"{}"),
        text(b"[" * 900),
        text(b"\xbf" * 900),
    ]
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        asked = await house.ask(biometrics="required")
        body = phone.signed_answer(question.card(asked), approve=True)
        good = finger.used(body["payload"])
        for name in good:
            for octets in rubbish:
                word = await refused_word(send(phone, body | good | {name: octets}))
                assert word in {"biometrics_failed", "malformed"}, (name, octets)
        for name in ("client_data", "attestation"):
            for octets in rubbish:
                said = {"client_data": text(b"{}"), "attestation": "AAAA", name: octets}
                word = await refused_word(phone.says("/api/biometric", "biometric", **said))
                assert word in {"biometrics_failed", "malformed"}, (name, octets)
        assert await still_asked(house, asked)
    assert house.counters["phone_fault"] == 0


async def test_a_removed_phones_finger_opens_nothing(house: House) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        asked = await house.ask(biometrics="required")
        await house.remove(phone)
        assert await refused_word(approve(phone, question.card(asked), finger)) == "removed"


async def test_a_late_yes_needs_the_finger_too(house: House) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        asked = await house.ask(biometrics="required")
        await house.give_up(asked)
        row = await house.store.question(asked.id)
        assert row is not None
        assert await refused_word(approve(phone, question.card(row))) == "biometrics_needed"
        assert await approve(phone, question.card(row), finger) == "approved_late"


async def test_a_phone_that_is_not_confirmed_adds_only_to_itself(house: House) -> None:
    async with await SoftwarePhone.enrol(await house.link()) as pending:
        finger = Finger(house.origin)
        await add(house, pending, finger)
        asked = await house.ask(biometrics="required")
        assert await refused_word(approve(pending, question.card(asked), finger)) == "pending"
