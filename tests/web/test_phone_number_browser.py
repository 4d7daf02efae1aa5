"""The number of a yes in a matching mode, in a real browser. The server asks for none yet: its cards are
changed on their way to the page, and what the page then signs is read."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, Request, Route, expect

from radius_push.enrollment import confirm, confirmation_code
from radius_push.factors import question
from radius_push.factors.answer import verify_signature
from radius_push.model import QuestionState
from tests.web.app_texts import LANGUAGES
from tests.web.house import House
from tests.web.test_phone_app_browser import Hand, a_hand
from tests.web.test_phone_app_browser import browser as browser
from tests.web.test_phone_biometrics_browser import added
from tests.web.test_phone_languages_browser import a_page, text
from tests.web.walk import NUMBERS, Authenticator, part

pytestmark = pytest.mark.slow

KEYBOARD = 300
"""What the numeric keys of a small phone leave of its 568 pixels."""


async def asks_for_numbers(page: Page) -> None:
    await page.add_init_script(NUMBERS)
    await page.add_init_script("window.numbers = true")


def heard(page: Page) -> list[dict[str, str]]:
    """The bodies of the answers that leave, from now on."""
    bodies: list[dict[str, str]] = []

    def hear(sent: Request) -> None:
        if sent.url.endswith("/api/answer"):
            bodies.append(sent.post_data_json or {})

    page.on("request", hear)
    return bodies


async def server_says(page: Page, status: int, told: dict[str, str]) -> None:
    """To the next answers: what a server that asks for numbers would say."""

    async def fulfil(route: Route) -> None:
        await route.fulfill(status=status, json=told)

    await page.unroute_all()
    await page.route("**/api/answer", fulfil)


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Which number?", exact=True)


@pytest.fixture
async def hand(house: House, browser: Browser) -> AsyncIterator[Hand]:
    async with a_hand(house, browser) as hand:
        await asks_for_numbers(hand.page)
        yield hand


async def test_a_yes_signs_the_number_and_its_mode_beside_all_that_was_shown(
    house: House, hand: Hand
) -> None:
    device = await hand.enrol()
    bodies = heard(hand.page)
    asked = await house.ask()
    await server_says(hand.page, 200, {"outcome": "approved"})
    await hand.taps("Yes, it’s me")
    await hand.sees("Which number?")
    assert bodies == []
    await field(hand.page).fill("07")
    await hand.taps("Approve")
    await hand.sees("Approved")
    await expect(hand.page.locator(".result")).to_be_focused()
    (body,) = bodies
    signature = base64.urlsafe_b64decode(body["signature"] + "==")
    assert verify_signature(device.public_key, body["payload"], signature)
    usual = question.statement(
        asked, device=device.id, origin=house.origin, purpose="approve", late=question.IN_TIME
    )
    assert json.loads(body["payload"]) == usual | {"number_mode": "digits", "number": "07"}


async def test_todays_server_takes_no_yes_with_a_number_and_the_card_says_so(
    house: House, hand: Hand
) -> None:
    await hand.enrol()
    asked = await house.ask()
    await hand.taps("Yes, it’s me")
    await field(hand.page).fill("47")
    await hand.taps("Approve")
    await expect(part(hand.page, "wrong")).to_contain_text("did not take this answer")
    await hand.sees("Are you signing in?")
    assert await house.state(asked) is QuestionState.PENDING


async def test_a_no_and_a_yes_without_matching_hold_no_number(house: House, hand: Hand) -> None:
    await hand.enrol()
    bodies = heard(hand.page)
    await house.ask()
    await part(hand.page, "no").click()
    await expect(part(hand.page, "wrong")).not_to_be_empty()
    assert "number" not in json.loads(bodies[0]["payload"])
    await hand.page.evaluate("() => { window.numbers = false }")
    second = await house.ask(client="fw2")
    await expect(hand.page.get_by_role("article")).to_have_count(2)
    await part(hand.page, "yes").nth(1).click()
    await hand.sees("Approved")
    assert list(json.loads(bodies[1]["payload"])) == [
        *("version", "origin", "purpose", "question", "person", "device", "client", "address"),
        *("number_mode", "nonce", "late", "expires_at"),
    ]
    assert await house.state(second) is QuestionState.APPROVED


async def test_it_is_alone_on_the_screen_and_ready_to_be_typed(house: House, hand: Hand) -> None:
    await hand.enrol()
    await house.ask()
    await house.ask(client="fw2")
    await part(hand.page, "yes").first.click()
    await expect(field(hand.page)).to_be_focused()
    await expect(field(hand.page)).to_have_accessible_description(text("en", "number_lead"))
    await expect(field(hand.page)).to_have_attribute("inputmode", "numeric")
    await expect(field(hand.page)).to_have_attribute("autocomplete", "off")
    await expect(hand.page.get_by_role("article")).to_have_count(0)
    await expect(hand.page.locator("header")).to_be_hidden()
    await expect(part(hand.page, "left")).to_contain_text("left")
    await expect(part(hand.page, "bar")).to_be_visible()


@pytest.mark.parametrize("typed", ["", "4", "4a", "-7", "٤٧"])
async def test_only_two_digits_are_taken(house: House, hand: Hand, typed: str) -> None:
    await hand.enrol()
    bodies = heard(hand.page)
    await house.ask()
    await hand.taps("Yes, it’s me")
    await field(hand.page).fill(typed)
    before = await part(hand.page, "go").bounding_box()
    await hand.taps("Approve")
    await expect(hand.page.get_by_role("alert")).to_have_text(text("en", "number_two"))
    await expect(field(hand.page)).to_have_attribute("aria-invalid", "true")
    await expect(field(hand.page)).to_be_focused()
    assert await part(hand.page, "go").bounding_box() == before
    assert bodies == []


async def test_no_third_digit_can_be_typed_and_enter_approves(house: House, hand: Hand) -> None:
    await hand.enrol()
    await server_says(hand.page, 200, {"outcome": "approved"})
    bodies = heard(hand.page)
    await house.ask()
    await hand.taps("Yes, it’s me")
    await expect(part(hand.page, "go")).to_be_enabled()
    await hand.page.keyboard.type("471")
    await expect(field(hand.page)).to_have_value("47")
    await hand.page.keyboard.press("Enter")
    await hand.sees("Approved")
    assert json.loads(bodies[0]["payload"])["number"] == "47"


async def test_back_leads_to_the_card_and_a_no_can_still_be_said(house: House, hand: Hand) -> None:
    await hand.enrol()
    await server_says(hand.page, 200, {"outcome": "denied"})
    bodies = heard(hand.page)
    await house.ask()
    await hand.taps("Yes, it’s me")
    await hand.taps("Back")
    await hand.sees("Are you signing in?")
    await expect(hand.page.get_by_role("article")).to_be_focused()
    await expect(hand.page.locator("header")).to_be_visible()
    await hand.taps("No")
    await hand.sees("Denied")
    assert [json.loads(body["payload"])["purpose"] for body in bodies] == ["deny"]


async def test_a_finger_that_tapped_yes_twice_does_not_approve(house: House, hand: Hand) -> None:
    """What was typed is still there after Back: the second tap would send it."""
    await hand.enrol()
    bodies = heard(hand.page)
    await house.ask()
    await hand.taps("Yes, it’s me")
    await field(hand.page).fill("47")
    await hand.taps("Back")
    await expect(part(hand.page, "yes")).to_be_enabled()
    twice = """() => {
        document.querySelector("[data-name=yes]").click();
        const go = document.querySelector("[data-name=go]");
        const guarded = go.disabled;
        go.click();
        go.form.requestSubmit();
        return [guarded, document.querySelector("[data-name=number]").value];
    }"""
    assert await hand.page.evaluate(twice) == [True, "47"]
    await expect(part(hand.page, "go")).to_be_enabled()
    assert bodies == []


async def test_at_its_end_it_is_too_late_as_on_the_card(house: House, hand: Hand) -> None:
    await hand.enrol()
    asked = await house.ask()
    await hand.taps("Yes, it’s me")
    await field(hand.page).fill("47")
    await house.time_out(asked)
    await hand.sees("Too late")
    await expect(field(hand.page)).to_have_count(0)
    await expect(hand.page.locator("header")).to_be_visible()


async def test_when_the_bar_has_run_out_nothing_more_is_sent(house: House, hand: Hand) -> None:
    await hand.enrol()
    await house.ask(seconds=3)
    await hand.taps("Yes, it’s me")
    await expect(part(hand.page, "left")).to_have_text(text("en", "card_over"))
    await expect(part(hand.page, "go")).to_be_disabled()
    await hand.sees("Too late")


async def test_a_gateway_that_gives_up_brings_the_card_back_and_the_number_is_typed_anew(
    house: House, hand: Hand
) -> None:
    await hand.enrol()
    asked = await house.ask()
    await hand.taps("Yes, it’s me")
    await field(hand.page).fill("47")
    await house.give_up(asked)
    await hand.sees("Too late for this try")
    await hand.taps("Yes, next time")
    await expect(field(hand.page)).to_have_value("")


async def test_a_wrong_number_ends_the_request_in_kind_words(house: House, hand: Hand) -> None:
    await hand.enrol()
    await server_says(hand.page, 409, {"error": "wrong_number"})
    await house.ask()
    await hand.taps("Yes, it’s me")
    await field(hand.page).fill("48")
    await hand.taps("Approve")
    await hand.sees("That is not the number")
    await expect(hand.page.locator(".result")).to_contain_text("This request is over")


async def test_on_a_bad_network_the_number_stays_typed_and_is_sent_again(house: House, hand: Hand) -> None:
    await hand.enrol()
    bodies = heard(hand.page)
    await house.ask()
    await hand.taps("Yes, it’s me")
    await field(hand.page).fill("47")
    await hand.context.set_offline(True)
    await hand.taps("Approve")
    await expect(hand.page.get_by_role("alert")).to_have_text(text("en", "card_not_sent"))
    await expect(field(hand.page)).to_have_value("47")
    await hand.context.set_offline(False)
    await server_says(hand.page, 200, {"outcome": "approved"})
    await hand.taps("Approve")
    await hand.sees("Approved")
    assert {json.loads(body["payload"])["number"] for body in bodies} == {"47"}


async def test_the_number_comes_before_the_finger_which_is_for_both(house: House, hand: Hand) -> None:
    authenticator = await Authenticator.lend(hand.page)
    await added(house, hand, set_up=True)
    await server_says(hand.page, 200, {"outcome": "approved"})
    await authenticator.recognises(False)
    bodies = heard(hand.page)
    await house.ask(biometrics="required")
    await hand.taps("Yes, it’s me")
    await field(hand.page).fill("47")
    await hand.taps("Approve")
    await expect(part(hand.page, "wrong")).to_contain_text("not recognised")
    assert bodies == []
    await authenticator.recognises(True)
    await hand.taps("Yes, it’s me")
    await expect(field(hand.page)).to_have_value("47")
    await hand.taps("Approve")
    await hand.sees("Approved")
    (body,) = bodies
    client: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body["client_data"] + "=="))
    digest = hashlib.sha256(body["payload"].encode()).digest()
    assert client["challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert json.loads(body["payload"])["number"] == "47"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_keyboard_of_a_small_phone_covers_neither_field_nor_buttons(
    house: House, browser: Browser, language: str
) -> None:
    async with a_page(browser, language) as page:
        await asks_for_numbers(page)
        await page.goto(await house.link())
        await part(page, "go").click()
        await expect(page.locator(".big-code")).not_to_be_empty()
        (device,) = await house.store.devices()
        code = confirmation_code(device.invitation, device.public_key)
        await confirm(house.store, device.invitation, code, by="test", now=house.clock.now())
        await house.ask()
        await part(page, "yes").click()
        await expect(part(page, "go")).to_be_enabled()
        for name in ("number", "back", "go", "left"):
            box = await part(page, name).bounding_box()
            assert box is not None
            assert box["y"] >= 0, name
            assert box["y"] + box["height"] <= KEYBOARD, name
