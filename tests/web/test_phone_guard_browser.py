"""Where sign-ins require a finger, the app asks for it also for what adds and removes phones."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from radius_push import events
from radius_push.model import DeviceState
from radius_push.portal_store import PortalSignIn, SignInState
from radius_push.shapes import Enrollment
from radius_push.test_phone import SoftwarePhone
from tests.web.fingers import a_finger
from tests.web.house import House
from tests.web.test_phone_app_browser import Hand, a_hand
from tests.web.test_phone_app_browser import browser as browser
from tests.web.test_phone_biometrics_browser import added
from tests.web.walk import Authenticator, part

pytestmark = pytest.mark.slow


@pytest.fixture
async def hand(house: House, browser: Browser) -> AsyncIterator[Hand]:
    house.side.use(Enrollment(devices_per_user=3), (), None, "required")
    async with a_hand(house, browser) as hand:
        yield hand


async def state(house: House, sign_in: PortalSignIn) -> SignInState | None:
    row = await house.store.sign_in(sign_in.id)
    return None if row is None else row.state


async def test_the_page_opens_a_phone_is_added_and_one_removed_by_the_finger_alone(
    house: House, hand: Hand
) -> None:
    authenticator = await Authenticator.lend(hand.page)
    await added(house, hand, set_up=True)
    await authenticator.recognises(False)
    sign_in = await house.portal_sign_in()
    await hand.taps("Yes, it’s me")
    await expect(part(hand.page, "wrong")).to_contain_text("not recognised")
    assert await state(house, sign_in) is SignInState.PENDING
    await authenticator.recognises(True)
    await hand.taps("Yes, it’s me")
    await hand.sees("Approved")
    assert await state(house, sign_in) is SignInState.APPROVED
    await hand.taps("Done")

    await authenticator.recognises(False)
    await hand.taps("Add another phone")
    await expect(part(hand.page, "wrong")).to_contain_text("not recognised")
    await authenticator.recognises(True)
    await hand.taps("Begin again")
    await expect(hand.page.locator(".qr")).to_be_visible()
    code = await hand.page.locator(".small-code").inner_text()
    async with await SoftwarePhone.enrol((house.origin, code), name="Pixel 9") as new:
        await part(hand.page, "digits").fill(new.confirmation_code)
        await authenticator.recognises(False)
        await hand.taps("Confirm")
        await expect(part(hand.page, "wrong")).to_contain_text("not recognised")
        assert (await house.device(new)).state is DeviceState.PENDING
        await authenticator.recognises(True)
        await part(hand.page, "digits").fill(new.confirmation_code)
        await hand.taps("Confirm")
        await expect(part(hand.page, "text")).to_contain_text("Pixel 9")
        assert (await house.device(new)).state is DeviceState.ACTIVE
        await part(hand.page, "leave").click()

    async with await house.phone(name="Strange") as strange:
        await authenticator.recognises(False)
        notice = hand.page.locator("[data-notice=device_added]", has_text="Strange")
        await notice.get_by_role("button", name="Not me: remove it").click()
        await notice.get_by_role("button", name="Yes, remove it").click()
        await expect(notice.locator("[data-name=wrong]")).to_contain_text("not recognised")
        await authenticator.recognises(True)
        await notice.get_by_role("button", name="Yes, remove it").click()
        await expect(notice).to_have_count(0)
        assert (await house.device(strange)).state is DeviceState.REMOVED
    answered = [event for event in house.events if isinstance(event, events.PortalAnswered)]
    assert all(event.biometrics and event.assertion for event in answered)


async def test_a_phone_without_one_says_so_before_and_can_say_no(house: House, hand: Hand) -> None:
    async with await house.phone() as other:
        await a_finger(house, other)
        await hand.enrol()
        sign_in = await house.portal_sign_in()
        await expect(part(hand.page, "biometrics")).to_contain_text("none is confirmed on this phone")
        await expect(part(hand.page, "no")).to_be_enabled()
        await expect(part(hand.page, "yes")).to_be_disabled()
        await part(hand.page, "no").click()
        await hand.sees("Denied")
        assert await state(house, sign_in) is SignInState.DENIED
        await hand.taps("Done")
        await hand.taps("Add another phone")
        await expect(part(hand.page, "wrong")).to_contain_text("Use the phone that has one")
        assert await house.store.open_invitations() == []
