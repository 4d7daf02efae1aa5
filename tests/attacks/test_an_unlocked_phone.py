"""Attacks by who holds an unlocked phone and knows the password, and lacks the finger that sign-ins require:
they want a phone with a finger of their own."""

from __future__ import annotations

from typing import Any

import pytest

from radius_push import events
from radius_push.model import Assertion, DeviceState, Person
from radius_push.portal_store import PortalSignIn, SignInState
from radius_push.shapes import Enrollment
from radius_push.test_phone import PhoneRefused, SoftwarePhone
from tests.attacks.test_webauthn import refused_word
from tests.web.conftest import house as house
from tests.web.fingers import Finger, a_finger, add, approve
from tests.web.house import ALICE, BOB, House
from tests.web.phone_api_plays import said, sign_in_answer

ALLOWED = Enrollment(devices_per_user=5)


@pytest.fixture
def required(house: House) -> House:
    """Some profile requires a finger."""
    house.side.use(ALLOWED, (), None, "required")
    return house


async def send(phone: SoftwarePhone, path: str, body: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = await phone._wire.post(path, body)
    return told


async def do(
    house: House, phone: SoftwarePhone, path: str, finger: Finger | None = None, **fields: object
) -> dict[str, Any]:
    body = await said(house, phone, path, **fields)
    return await send(phone, path, body | (finger.used(body["payload"]) if finger else {}))


async def to_page(
    phone: SoftwarePhone, sign_in: PortalSignIn, finger: Finger | None = None, purpose: str = "portal_approve"
) -> str:
    body = sign_in_answer(phone, sign_in, purpose=purpose)
    body |= finger.used(body["payload"]) if finger else {}
    return str((await send(phone, "/api/sign-in-answer", body))["outcome"])


async def waits(house: House, sign_in: PortalSignIn) -> bool:
    row = await house.store.sign_in(sign_in.id)
    return row is not None and row.state is SignInState.PENDING


async def notice_of(phone: SoftwarePhone) -> str:
    state = await phone.says("/api/questions", "questions")
    return str([each["id"] for each in state["notices"] if each["kind"] == "device_added"][-1])


async def guarded(phone: SoftwarePhone) -> bool:
    state = await phone.says("/api/questions", "questions")
    return bool(state["device"]["guarded"])


async def test_the_key_alone_opens_no_page_adds_no_phone_and_removes_none(required: House) -> None:
    house = required
    async with await house.phone() as phone, await house.phone() as other:
        finger = await a_finger(house, other)
        await a_finger(house, phone)
        sign_in = await house.portal_sign_in()
        assert await refused_word(to_page(phone, sign_in)) == "biometrics_needed"
        assert await refused_word(to_page(phone, sign_in, finger)) == "biometrics_failed"
        assert await waits(house, sign_in)
        remove: dict[str, Any] = {"notice": await notice_of(phone), "answer": "remove"}
        nothing: dict[str, Any] = {}
        for path, fields in (("/api/invite", nothing), ("/api/notice", remove)):
            assert await refused_word(do(house, phone, path, **fields)) == "biometrics_needed"
            assert await refused_word(do(house, phone, path, finger, **fields)) == "biometrics_failed"
        assert (await house.device(other)).state is DeviceState.ACTIVE
        assert await house.store.invited_by(phone.enrolled.device) is None


async def test_a_second_phone_without_a_finger_is_no_way_round(required: House) -> None:
    house = required
    async with await house.phone() as phone, await house.phone() as without:
        await a_finger(house, phone)
        assert await guarded(without)
        assert await refused_word(to_page(without, await house.portal_sign_in())) == "biometrics_missing"
        assert await refused_word(do(house, without, "/api/invite")) == "biometrics_missing"


async def test_what_was_invited_before_is_not_confirmed_without_the_finger(house: House) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        house.side.use(ALLOWED, (), None, "optional")
        invited = await do(house, phone, "/api/invite")
        house.side.use(ALLOWED, (), None, "required")
        async with await SoftwarePhone.enrol(invited["link"]) as new:
            fields: dict[str, Any] = {"invitation": invited["invitation"], "code": new.confirmation_code}
            assert await refused_word(do(house, phone, "/api/confirm", **fields)) == "biometrics_needed"
            assert (await house.device(new)).state is DeviceState.PENDING
            assert (await do(house, phone, "/api/confirm", finger, **fields))["outcome"] == "confirmed"


async def test_a_no_never_needs_it(required: House) -> None:
    house = required
    async with await house.phone() as phone, await house.phone() as without:
        await a_finger(house, phone)
        for each in (phone, without):
            assert await to_page(each, await house.portal_sign_in(), purpose="portal_deny") == "denied"
        async with await house.phone():
            for each in (phone, without):
                fields: dict[str, Any] = {"notice": await notice_of(each), "answer": "seen"}
                assert (await do(house, each, "/api/notice", **fields))["outcome"] == "seen"


async def test_a_finger_for_one_thing_is_none_for_another(required: House) -> None:
    house = required
    async with await house.phone() as phone, await house.phone():
        finger = await a_finger(house, phone)
        sign_in = await house.portal_sign_in()
        no = sign_in_answer(phone, sign_in, purpose="portal_deny")
        for_a_no = finger.used(no["payload"])
        yes = sign_in_answer(phone, sign_in)
        assert await refused_word(send(phone, "/api/sign-in-answer", yes | for_a_no)) == "biometrics_failed"
        one, two = [await said(house, phone, "/api/invite") for _ in range(2)]
        for_one = finger.used(one["payload"])
        assert await refused_word(send(phone, "/api/invite", two | for_one)) == "biometrics_failed"
        seen = await said(house, phone, "/api/notice", notice=await notice_of(phone), answer="seen")
        gone = await said(house, phone, "/api/notice", notice=await notice_of(phone), answer="remove")
        for_seen = finger.used(seen["payload"])
        assert await refused_word(send(phone, "/api/notice", gone | for_seen)) == "biometrics_failed"
        assert len(await house.store.devices_of(ALICE.key)) == 2
        assert await waits(house, sign_in)


async def test_who_takes_the_finger_away_first_gains_nothing(required: House) -> None:
    """The phone's own key removes its credential, as after a broken sensor. Only its issuer ends the guard,
    by confirming another one, or by letting it go."""
    house = required
    async with await house.phone() as phone:
        await a_finger(house, phone)
        for _ in range(2):
            told = await phone.says("/api/biometric", "biometric", client_data=None, attestation=None)
            assert told["outcome"] == "removed"
        thiefs = Finger(house.origin)
        await add(house, phone, thiefs)
        assert await guarded(phone)
        assert await refused_word(to_page(phone, await house.portal_sign_in())) == "biometrics_missing"
        assert await refused_word(do(house, phone, "/api/invite", thiefs)) == "biometrics_missing"
        await phone.says("/api/biometric", "biometric", client_data=None, attestation=None)
        assert await guarded(phone)
        at = house.clock.now()
        assert await house.store.forget_credentials(phone.enrolled.device, by="root", at=at)
        assert not await guarded(phone)
        assert not await house.store.forget_credentials(phone.enrolled.device, by="root", at=at)
        await a_finger(house, phone)
        assert await guarded(phone)


async def test_a_phone_of_a_backup_guards_its_person_before_it_is_confirmed(required: House) -> None:
    house = required
    async with await house.phone() as phone, await house.phone() as without:
        await a_finger(house, phone)
        await house.store._write(
            lambda rows: rows.execute(
                "UPDATE devices SET state = 'restored' WHERE id = ?", phone.enrolled.device
            )
        )
        assert await refused_word(do(house, without, "/api/invite")) == "biometrics_missing"


@pytest.mark.parametrize("person", [ALICE, BOB])
async def test_who_has_no_finger_is_guarded_by_none(required: House, person: Person) -> None:
    """They are let in nowhere where one is required, and somehow their first one has to come."""
    house = required
    async with await house.phone() as alices, await house.phone(person) as phone:
        if person is BOB:
            await a_finger(house, alices)
        assert not await guarded(phone)
        assert await to_page(phone, await house.portal_sign_in(person)) == "approved"
        assert "link" in await do(house, phone, "/api/invite")


@pytest.mark.parametrize("mode", ["off", "optional"])
async def test_where_no_profile_requires_one_none_is_asked_for(house: House, mode: Any) -> None:
    async with await house.phone() as phone:
        await a_finger(house, phone)
        house.side.use(ALLOWED, (), None, mode)
        assert not await guarded(phone)
        assert await to_page(phone, await house.portal_sign_in()) == "approved"
        assert "link" in await do(house, phone, "/api/invite")


async def test_with_the_finger_all_of_it_goes_and_the_counter_goes_on(required: House) -> None:
    house = required
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        sign_in = await house.portal_sign_in()
        body = sign_in_answer(phone, sign_in)
        body |= finger.used(body["payload"])
        for _ in range(2):  # it had not heard what became of it
            assert (await send(phone, "/api/sign-in-answer", body))["outcome"] == "approved"
        assert "link" in await do(house, phone, "/api/invite", finger)
        async with await house.phone() as other:
            fields: dict[str, Any] = {"notice": await notice_of(phone), "answer": "remove"}
            assert (await do(house, phone, "/api/notice", finger, **fields))["outcome"] == "removed"
            assert (await house.device(other)).state is DeviceState.REMOVED
        known = (await house.store.biometrics_of(phone.enrolled.device)).active
        assert known is not None
        assert known.counter == finger.counter == 3
    (answered,) = [event for event in house.events if isinstance(event, events.PortalAnswered)]
    assert answered.biometrics
    assert answered.assertion == ".".join(
        body[name] for name in ("client_data", "authenticator_data", "assertion")
    )


async def test_a_copy_of_the_authenticator_is_refused_here_too(required: House) -> None:
    house = required
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        finger.counter = 40
        await do(house, phone, "/api/invite", finger)
        finger.counter = 9
        assert await refused_word(do(house, phone, "/api/invite", finger)) == "biometrics_failed"
        body = sign_in_answer(phone, await house.portal_sign_in())
        body |= finger.used(body["payload"])
        for _ in range(10):  # the same octets again and again fill no disk
            assert await refused_word(send(phone, "/api/sign-in-answer", body)) == "biometrics_failed"
        copy = Assertion(finger.id, 41)  # judged beside another, and counted after it
        assert not await house.store.use_credential(phone.enrolled.device, copy)
        assert await house.store.use_credential(phone.enrolled.device, Assertion(finger.id, 42))
    back = [event for event in house.events if isinstance(event, events.CounterWentBack)]
    assert [(each.login, each.counter, each.before) for each in back] == [
        (None, 10, 41),
        *[(None, 11, 41)] * 4,
    ]


async def test_the_finger_still_lets_in_where_it_is_required(required: House) -> None:
    """The guard changes nothing for logins."""
    house = required
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        asked = await house.ask(biometrics="required")
        card = (await phone.says("/api/questions", "questions"))["questions"][0]
        with pytest.raises(PhoneRefused):
            await approve(phone, card)
        assert await approve(phone, card, finger) == "approved"
        assert (await house.store.question(asked.id)) is not None
