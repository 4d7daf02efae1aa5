"""A phone adds another one of its person: what it may, and what it may not."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from radius_push import events
from radius_push.model import DeviceState
from radius_push.shapes import Enrollment, MailServer
from radius_push.test_phone import PhoneRefused, SoftwarePhone
from tests.web.house import BOB, House, open_house


async def invite(phone: SoftwarePhone) -> dict[str, Any]:
    return await phone.says("/api/invite", "invite")


async def confirm(phone: SoftwarePhone, invited: dict[str, Any], code: str) -> str:
    told = await phone.says("/api/confirm", "confirm", invitation=invited["invitation"], code=code)
    return str(told["outcome"])


async def adding(phone: SoftwarePhone) -> dict[str, Any] | None:
    told: dict[str, Any] | None = (await phone.says("/api/questions", "questions"))["adding"]
    return told


async def test_a_phone_adds_another_one(house: House) -> None:
    async with await house.phone() as phone:
        invited = await invite(phone)
        assert invited["link"].startswith(f"{house.origin}/#enrol=")
        assert base64.b64decode(invited["qr"].partition(",")[2]).startswith(b"<?xml")
        assert (await adding(phone) or {})["phone"] is None
        async with await SoftwarePhone.enrol(invited["link"], name="Pixel 9") as new:
            assert (await adding(phone) or {})["phone"] == "Pixel 9"
            assert (await house.device(new)).state is DeviceState.PENDING
            assert await confirm(phone, invited, new.confirmation_code) == "confirmed"
            assert (await house.device(new)).state is DeviceState.ACTIVE
            (notice,) = await house.store.notices_of(phone.enrolled.device)  # as nobody else could be told
            assert notice.about == new.enrolled.device
            await house.ask()
            assert await new.answer_next(approve=True, seconds=10) == "approved"
        by = f"phone {phone.enrolled.device}"
        told = [each for each in house.events if isinstance(each, events.Invited | events.DeviceConfirmed)]
        assert [each.by for each in told[-2:]] == [by, by]
        assert (await adding(phone) or {})["invitation"] is None


async def test_where_no_mail_is_sent_the_phone_that_added_one_is_told_though_the_address_is_known(
    house: House,
) -> None:
    """Whoever borrowed an unlocked phone adds none of their own unseen."""
    mail = MailServer("localhost", 25, "none", "radius-push@corp.example")
    for configured, told in ((None, 1), (mail, 0)):
        house.side.use(Enrollment(devices_per_user=9), (), None, mail=configured)
        link = await house.link(mail="alice@corp.example")
        async with await SoftwarePhone.enrol(link) as phone:
            await house.confirm(phone)
            invited = await invite(phone)
            async with await SoftwarePhone.enrol(invited["link"]) as new:
                assert await confirm(phone, invited, new.confirmation_code) == "confirmed"
                assert len(await house.store.notices_of(phone.enrolled.device)) == told
                await house.remove_device(new.enrolled.device)
        await house.remove_device(phone.enrolled.device)


async def test_the_typed_code_does_as_well_as_the_link(house: House) -> None:
    async with await house.phone() as phone:
        invited = await invite(phone)
        async with await SoftwarePhone.enrol((house.origin, invited["code"].lower())) as new:
            assert await confirm(phone, invited, new.confirmation_code) == "confirmed"


async def test_the_fifth_wrong_code_gives_the_new_phone_up(house: House) -> None:
    async with await house.phone() as phone:
        invited = await invite(phone)
        async with await SoftwarePhone.enrol(invited["link"]) as new:
            said = [await confirm(phone, invited, "000000x") for _ in range(5)]
            assert said == ["wrong"] * 4 + ["given_up"]
            assert (await house.device(new)).state is DeviceState.REMOVED
            with pytest.raises(PhoneRefused) as refused:
                await confirm(phone, invited, new.confirmation_code)
            assert refused.value.word == "too_late"


async def test_only_the_phone_that_invited_confirms(house: House) -> None:
    """Nor may a phone confirm what an issuer invited: a thief of one phone would make another."""
    async with await house.phone() as phone, await house.phone(BOB) as bobs:
        invited = await invite(phone)
        issued = await house.invite(BOB)
        async with (
            await SoftwarePhone.enrol(invited["link"]) as new,
            await SoftwarePhone.enrol((house.origin, issued.code)) as bobs_new,
        ):
            for phone_, id, code in (
                (bobs, invited["invitation"], new.confirmation_code),
                (bobs, issued.invitation, bobs_new.confirmation_code),
            ):
                with pytest.raises(PhoneRefused) as refused:
                    await confirm(phone_, {"invitation": id}, code)
                assert refused.value.word == "too_late"
            assert (await house.device(new)).state is DeviceState.PENDING
            assert (await house.device(bobs_new)).state is DeviceState.PENDING


async def test_a_phone_that_is_not_confirmed_invites_nobody(house: House) -> None:
    async with await SoftwarePhone.enrol(await house.link()) as pending:
        with pytest.raises(PhoneRefused) as refused:
            await invite(pending)
        assert refused.value.word == "pending"


async def test_a_person_has_no_more_phones_than_they_may(house: House) -> None:
    async with await house.phone() as one, await house.phone():
        with pytest.raises(PhoneRefused) as refused:
            await invite(one)
        assert refused.value.word == "too_many_devices"


async def test_a_removed_phone_takes_what_it_invited_along(house: House) -> None:
    async with await house.phone() as phone:
        invited = await invite(phone)
        async with await SoftwarePhone.enrol(invited["link"]) as new:
            await house.remove(phone)
            assert (await house.device(new)).state is DeviceState.REMOVED
    async with await house.phone() as phone:
        invited = await invite(phone)
        await house.remove(phone)
        with pytest.raises(PhoneRefused) as refused:
            await SoftwarePhone.enrol(invited["link"])
        assert refused.value.word == "invitation"


async def test_an_invitation_ends_by_the_clock(house: House) -> None:
    async with await house.phone() as phone:
        invited = await invite(phone)
        house.clock.turned += 601
        assert (await adding(phone) or {})["invitation"] is None
        with pytest.raises(PhoneRefused):
            await SoftwarePhone.enrol(invited["link"])


async def test_a_phone_invites_five_times_in_ten_minutes(house: House) -> None:
    async with await house.phone() as phone:
        for _ in range(5):
            await invite(phone)
        with pytest.raises(PhoneRefused) as refused:
            await invite(phone)
        assert refused.value.word == "too_many_tries"
        house.clock.turned += 601
        await invite(phone)


async def test_where_only_issuers_add_phones_a_phone_cannot(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house, await house.phone() as phone:
        invited = await invite(phone)
        async with await SoftwarePhone.enrol(invited["link"]) as new:
            house.side.use(Enrollment(by_phone=False), (), None)
            assert await adding(phone) is None
            with pytest.raises(PhoneRefused) as refused:
                await invite(phone)
            assert refused.value.word == "issuer_only"
            with pytest.raises(PhoneRefused):
                await confirm(phone, invited, new.confirmation_code)
            assert (await house.device(new)).state is DeviceState.PENDING
