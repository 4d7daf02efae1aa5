"""A fingerprint or face beside the phone's key: set up, confirmed, used, and taken away again."""

from __future__ import annotations

import base64
import hashlib

import pytest

from radius_push import events
from radius_push.enrollment import TRIES, confirm, confirm_credential, confirm_unseen, confirmation_code
from radius_push.factors import question
from radius_push.model import DeviceState, QuestionState
from radius_push.test_phone import PhoneRefused, SoftwarePhone
from radius_push.web.authenticator import NotVerified, relying_party, verify_used
from tests.web.fingers import BE, BS, KINDS, UP, UV, Finger, a_finger, add, approve, code_of, text
from tests.web.house import BOB, House


async def the_device(phone: SoftwarePhone) -> dict[str, object]:
    told: dict[str, object] = (await phone.says("/api/questions", "questions"))["device"]
    return told


async def type_code(house: House, phone: SoftwarePhone, code: str) -> str:
    return await confirm_credential(
        house.store, phone.enrolled.device, code, by="erin", now=house.clock.now()
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_a_required_yes_is_taken_with_the_confirmed_finger_of_this_phone(
    house: House, kind: str
) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone, kind=kind)
        asked = await house.ask(biometrics="required")
        assert question.card(asked)["biometrics"] == "required"
        assert await approve(phone, question.card(asked), finger) == "approved"
        assert await house.state(asked) is QuestionState.APPROVED


async def test_the_evidence_of_a_yes_can_be_verified_without_the_store(house: House) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        asked = await house.ask(biometrics="required")
        await approve(phone, question.card(asked), finger)
    added = next(event for event in house.events if isinstance(event, events.BiometricsAdded))
    answered = next(event for event in house.events if isinstance(event, events.Answered))
    public_key = base64.urlsafe_b64decode(added.public_key + "==")
    assert answered.biometrics == added.key == hashlib.sha256(public_key).hexdigest()
    assert answered.assertion is not None
    parts = [base64.urlsafe_b64decode(part + "==") for part in answered.assertion.split(".")]
    credential = (await house.store.biometrics_of(answered.device)).active
    assert credential is not None
    challenge = hashlib.sha256(answered.payload.encode()).digest()
    assert verify_used(credential, *parts, challenge=challenge, origin=house.origin) == 1
    with pytest.raises(NotVerified):
        verify_used(credential, *parts, challenge=bytes(32), origin=house.origin)


async def test_nothing_is_asked_of_a_phone_without_one_where_it_is_optional(house: House) -> None:
    async with await house.phone() as phone:
        for mode in ("optional", "off"):
            asked = await house.ask(biometrics=mode)
            assert await approve(phone, question.card(asked)) == "approved"


async def test_a_phone_with_one_may_do_without_where_it_is_optional(house: House) -> None:
    async with await house.phone() as phone:
        await a_finger(house, phone)
        assert await approve(phone, question.card(await house.ask())) == "approved"
    answered = next(event for event in house.events if isinstance(event, events.Answered))
    assert (answered.biometrics, answered.assertion) == (None, None)


async def test_a_deny_never_needs_it(house: House) -> None:
    async with await house.phone() as phone:
        asked = await house.ask(biometrics="required")
        assert await phone.answer(question.card(asked), approve=False) == "denied"


async def test_a_new_one_counts_only_when_the_issuer_has_typed_its_code(house: House) -> None:
    async with await house.phone() as phone:
        finger = Finger(house.origin)
        assert await add(house, phone, finger) == {"outcome": "waiting"}
        told = await the_device(phone)
        assert (told["credential"], told["waiting_credential"]) == (None, text(finger.id))
        asked = await house.ask(biometrics="required")
        with pytest.raises(PhoneRefused) as refused:
            await approve(phone, question.card(asked), finger)
        assert refused.value.word == "biometrics_missing"
        assert await type_code(house, phone, await code_of(house, phone, finger)) == "confirmed"
        told = await the_device(phone)
        assert (told["credential"], told["waiting_credential"]) == (text(finger.id), None)
        assert await approve(phone, question.card(asked), finger) == "approved"
    confirmed = next(event for event in house.events if isinstance(event, events.BiometricsConfirmed))
    assert confirmed.by == "erin"


async def test_the_code_is_of_this_credential_on_this_phone(house: House) -> None:
    async with await house.phone() as phone, await house.phone() as other:
        finger, another = Finger(house.origin), Finger(house.origin)
        await add(house, phone, finger)
        await add(house, other, another)
        codes = {await code_of(house, each, mark) for each in (phone, other) for mark in (finger, another)}
        assert len(codes | {phone.confirmation_code, other.confirmation_code}) == 6
        for wrong in (phone.confirmation_code, await code_of(house, other, another), "", "９９９９９９"):
            assert await type_code(house, phone, wrong) == "wrong"


async def test_the_fifth_wrong_code_gives_it_up_and_the_phone_stays(house: House) -> None:
    async with await house.phone() as phone:
        finger = Finger(house.origin)
        await add(house, phone, finger)
        words = [await type_code(house, phone, "x") for _ in range(TRIES)]
        assert words == ["wrong"] * (TRIES - 1) + ["given_up"]
        assert await type_code(house, phone, await code_of(house, phone, finger)) == "not_pending"
        assert (await house.device(phone)).state is DeviceState.ACTIVE
        assert await house.store.biometrics() == {}


async def test_the_old_one_counts_until_the_new_one_is_confirmed(house: House) -> None:
    async with await house.phone() as phone:
        old = await a_finger(house, phone)
        new = Finger(house.origin)
        await add(house, phone, new)
        first, second = [question.card(await house.ask(biometrics="required")) for _ in range(2)]
        assert await approve(phone, first, old) == "approved"
        await type_code(house, phone, await code_of(house, phone, new))
        with pytest.raises(PhoneRefused) as refused:
            await approve(phone, second, old)
        assert refused.value.word == "biometrics_failed"
        assert await approve(phone, second, new) == "approved"


async def test_the_persons_other_phones_are_told_of_a_finger(house: House) -> None:
    async with await house.phone() as other, await house.phone(name="with a finger") as phone:
        await a_finger(house, phone)
        told = await house.store.notices_of(other.enrolled.device)
        assert [(notice.kind, notice.name) for notice in told] == [
            ("device_added", "with a finger"),
            ("credential_added", "with a finger"),
        ]
        assert await house.store.notices_of(phone.enrolled.device) == []


async def test_while_a_phone_is_added_one_code_confirms_both(house: House) -> None:
    async with await SoftwarePhone.enrol(await house.link()) as phone:
        finger = Finger(house.origin)
        await add(house, phone, finger)
        invitation, now = phone.enrolled.invitation, house.clock.now()
        without = await confirm(house.store, invitation, phone.confirmation_code, by="test", now=now)
        assert without == "wrong"
        code = await code_of(house, phone, finger)
        assert await confirm(house.store, invitation, code, by="test", now=now) == "confirmed"
        asked = await house.ask(biometrics="required")
        assert await approve(phone, question.card(asked), finger) == "approved"


async def test_one_that_comes_after_the_code_was_compared_waits_for_a_code_of_its_own(house: House) -> None:
    async with await SoftwarePhone.enrol(await house.link()) as phone:
        finger = Finger(house.origin)
        await add(house, phone, finger)
        # As `confirm` would have written it, had it read before the credential came.
        word = await house.store.confirm(
            phone.enrolled.invitation, right=True, limit=5, by="test", at=house.clock.now(), credential=None
        )
        assert word == "confirmed"
        here = await house.store.biometrics_of(phone.enrolled.device)
        assert (here.active, here.waiting is not None) == (None, True)
        assert await type_code(house, phone, await code_of(house, phone, finger)) == "confirmed"


async def test_a_phone_trusted_without_a_code_has_no_finger_that_nobody_saw(house: House) -> None:
    async with await SoftwarePhone.enrol(await house.link()) as phone:
        await add(house, phone, Finger(house.origin))
        now = house.clock.now()
        await confirm_unseen(house.store, phone.enrolled.invitation, by="test", now=now)
        here = await house.store.biometrics_of(phone.enrolled.device)
        assert (here.active, here.waiting is not None) == (None, True)


async def test_the_phone_takes_it_away_and_a_removed_phone_has_none(house: House) -> None:
    async with await house.phone() as phone, await house.phone(BOB) as other:
        await a_finger(house, phone)
        await a_finger(house, other)
        nothing: dict[str, str | None] = {"client_data": None, "attestation": None}
        for _ in range(2):
            told = await phone.says("/api/biometric", "biometric", **nothing)
            assert told == {"outcome": "removed"}
        assert set(await house.store.biometrics()) == {other.enrolled.device}
        await house.remove(other)
        assert await house.store.biometrics() == {}
        with pytest.raises(PhoneRefused) as refused:
            await add(house, other, Finger(house.origin))
        assert refused.value.word == "removed"
    removed = [event for event in house.events if isinstance(event, events.BiometricsRemoved)]
    assert [(event.device, event.by) for event in removed] == [(phone.enrolled.device, "phone")]


async def test_a_sent_again_yes_is_told_what_it_came_to(house: House) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        asked = await house.ask(biometrics="required")
        body = phone.signed_answer(question.card(asked), approve=True)
        body |= finger.used(body["payload"])
        for _ in range(2):
            assert (await phone._wire.post("/api/answer", body))["outcome"] == "approved"
    assert not [event for event in house.events if isinstance(event, events.CounterWentBack)]


async def test_an_authenticator_that_never_counts_is_taken(house: House) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone, step=0)
        for _ in range(2):
            asked = await house.ask(biometrics="required")
            assert await approve(phone, question.card(asked), finger) == "approved"


async def test_whether_it_may_be_on_other_devices_is_kept(house: House) -> None:
    async with await house.phone() as phone:
        await a_finger(house, phone, flags=UP | UV | BE | BS)
        active = (await house.store.biometrics_of(phone.enrolled.device)).active
        assert active is not None
        assert active.synced


async def test_what_is_sent_half_is_malformed(house: House) -> None:
    async with await house.phone() as phone:
        finger = await a_finger(house, phone)
        card = question.card(await house.ask())
        body = phone.signed_answer(card, approve=True)
        whole = finger.used(body["payload"])
        for name in whole:
            some = {key: value for key, value in whole.items() if key != name}
            with pytest.raises(PhoneRefused) as refused:
                await phone._wire.post("/api/answer", body | some)
            assert refused.value.word == "malformed"
        with pytest.raises(PhoneRefused) as refused:
            await phone.says("/api/biometric", "biometric", client_data="AA", attestation=None)
        assert refused.value.word == "malformed"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://mfa.example.com", "mfa.example.com"),
        ("http://localhost:8443", "localhost"),
        ("https://10.0.0.5:8443", None),
        ("https://[2001:db8::5]", None),
    ],
)
def test_browsers_keep_credentials_for_host_names(origin: str, host: str | None) -> None:
    assert relying_party(origin) == host


async def test_the_code_without_a_finger_is_what_it_was(house: House) -> None:
    assert confirmation_code("0011223344556677", b"\4" + b"k" * 64) == confirmation_code(
        "0011223344556677", b"\4" + b"k" * 64, None
    )
