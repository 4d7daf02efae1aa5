"""Fingerprint or face in a real browser, with the authenticator that its developers' protocol lends it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Request, expect

from radius_push import enrollment, events
from radius_push.factors import question
from radius_push.model import Device, QuestionState
from tests.web.fingers import a_finger
from tests.web.house import House
from tests.web.test_phone_app_browser import Hand, a_hand
from tests.web.test_phone_app_browser import browser as browser
from tests.web.walk import Authenticator, part

pytestmark = pytest.mark.slow


@pytest.fixture
async def hand(house: House, browser: Browser) -> AsyncIterator[Hand]:
    async with a_hand(house, browser) as hand:
        yield hand


async def digits_of(hand: Hand) -> str:
    shown = await hand.page.locator(".big-code:visible").inner_text()
    return "".join(shown.split())


async def added(house: House, hand: Hand, *, set_up: bool) -> Device:
    """To the end; the six digits are those that the page shows."""
    await hand.page.goto(await house.link())
    await hand.taps("Add this phone")
    await hand.sees("Fingerprint or face")
    await hand.taps("Set it up" if set_up else "Not now")
    await hand.sees("One more step")
    await expect(hand.page.locator(".big-code")).not_to_be_empty()
    if set_up:
        (device,) = await house.store.devices()
        waiting = (await house.store.biometrics_of(device.id)).waiting
        assert waiting is not None
        code = enrollment.confirmation_code(device.invitation, device.public_key, waiting.mark)
        await expect(hand.page.locator(".big-code")).to_have_attribute("aria-label", " ".join(code))
    (device,) = await house.store.devices()
    now = house.clock.now()
    word = await enrollment.confirm(house.store, device.invitation, await digits_of(hand), by="test", now=now)
    assert word == "confirmed"
    await hand.sees("No request")
    return device


async def test_one_code_adds_phone_and_finger_and_a_required_login_is_approved(
    house: House, hand: Hand
) -> None:
    await Authenticator.lend(hand.page)
    device = await added(house, hand, set_up=True)
    assert (await house.store.biometrics_of(device.id)).active is not None
    for _ in range(2):  # the counter goes on
        asked = await house.ask(biometrics="required")
        await hand.taps("Yes, it’s me")
        await hand.sees("Approved")
        assert await house.state(asked) is QuestionState.APPROVED
        await hand.taps("Done")
    answered = [event for event in house.events if isinstance(event, events.Answered)]
    assert all(event.biometrics and event.assertion for event in answered)


async def test_on_an_active_phone_it_waits_for_its_own_six_digits_and_can_be_removed(
    house: House, hand: Hand
) -> None:
    await Authenticator.lend(hand.page)
    device = await added(house, hand, set_up=False)
    asked = await house.ask(biometrics="required")
    await expect(part(hand.page, "biometrics")).to_contain_text("none is confirmed on this phone")
    await expect(part(hand.page, "no")).to_be_enabled()
    await expect(part(hand.page, "yes")).to_be_disabled()
    await part(hand.page, "no").click()
    await hand.sees("Denied")
    assert await house.state(asked) is QuestionState.DENIED
    await hand.taps("Done")
    await hand.taps("Set up fingerprint or face")
    await expect(part(hand.page, "finger-code")).to_be_visible()
    word = await enrollment.confirm_credential(
        house.store, device.id, await digits_of(hand), by="test", now=house.clock.now()
    )
    assert word == "confirmed"
    await expect(part(hand.page, "finger-text")).to_contain_text("on.")
    await house.ask(biometrics="required")
    await hand.taps("Yes, it’s me")
    await hand.sees("Approved")
    await hand.taps("Done")
    await hand.taps("Remove fingerprint or face")
    assert await house.store.biometrics()
    await hand.taps("Tap again to remove it")
    await expect(part(hand.page, "finger-text")).to_contain_text("not set up")
    assert await house.store.biometrics() == {}


async def test_another_persons_finger_sends_nothing_and_the_card_stays(house: House, hand: Hand) -> None:
    authenticator = await Authenticator.lend(hand.page)
    await added(house, hand, set_up=True)
    await authenticator.recognises(False)
    asked = await house.ask(biometrics="required")
    await hand.taps("Yes, it’s me")
    await expect(part(hand.page, "wrong")).to_contain_text("not recognised")
    await expect(part(hand.page, "without")).to_be_hidden()
    assert await house.state(asked) is QuestionState.PENDING
    await authenticator.recognises(True)
    await hand.taps("Yes, it’s me")
    await hand.sees("Approved")


async def test_where_it_is_optional_the_person_may_go_on_without(house: House, hand: Hand) -> None:
    authenticator = await Authenticator.lend(hand.page)
    await added(house, hand, set_up=True)
    await authenticator.recognises(False)
    await house.ask()
    await hand.taps("Yes, it’s me")
    await hand.taps("Yes, without fingerprint or face")
    await hand.sees("Approved")
    answered = next(event for event in house.events if isinstance(event, events.Answered))
    assert answered.biometrics is None


async def test_one_that_was_deleted_from_the_phone_is_set_up_again(house: House, hand: Hand) -> None:
    authenticator = await Authenticator.lend(hand.page)
    device = await added(house, hand, set_up=True)
    await authenticator.forgets()
    await house.ask(biometrics="required", seconds=8)
    await hand.taps("Yes, it’s me")
    await expect(part(hand.page, "wrong")).to_contain_text("deleted from this phone")
    await part(hand.page, "no").click()
    await hand.sees("Denied")
    await hand.taps("Done")
    await hand.taps("Remove fingerprint or face")
    await hand.taps("Tap again to remove it")
    await hand.taps("Set up fingerprint or face")
    await expect(part(hand.page, "finger-code")).to_be_visible()
    now, typed = house.clock.now(), await digits_of(hand)
    assert await enrollment.confirm_credential(house.store, device.id, typed, by="t", now=now) == "confirmed"


async def test_what_the_browser_made_is_no_answer_to_another_login_or_from_another_phone(
    house: House, hand: Hand
) -> None:
    """Real octets of a browser, in the wrong place."""
    await Authenticator.lend(hand.page)
    await added(house, hand, set_up=True)
    bodies: list[dict[str, str]] = []

    def hear(sent: Request) -> None:
        if sent.url.endswith("/api/answer"):
            bodies.append(sent.post_data_json or {})

    hand.page.on("request", hear)
    await house.ask(biometrics="required")
    await hand.taps("Yes, it’s me")
    await hand.sees("Approved")
    assert {"credential", "client_data", "authenticator_data", "assertion"} <= bodies[0].keys()
    async with await house.phone() as other:
        await a_finger(house, other)
        asked = await house.ask(biometrics="required")
        body = other.signed_answer(question.card(asked), approve=True)
        told = await hand.page.request.post(f"{house.origin}/api/answer", data=bodies[0] | body)
        assert (told.status, (await told.json())["error"]) == (403, "biometrics_failed")
        told = await hand.page.request.post(f"{house.origin}/api/answer", data=bodies[0])
        assert await told.json() == {"outcome": "approved"}  # what that login came to, and nothing new
        assert await house.state(asked) is QuestionState.PENDING


async def test_a_browser_without_an_authenticator_is_offered_nothing(house: House, hand: Hand) -> None:
    await hand.enrol()
    await expect(part(hand.page, "finger")).to_be_hidden()
