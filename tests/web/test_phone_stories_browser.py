"""Whole stories in a browser: what goes wrong with a link, a code, a key or a network, and its good end."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from radius_push.model import QuestionState
from radius_push.test_phone import SoftwarePhone
from tests.web.house import House, open_house
from tests.web.test_phone_app_browser import Hand, a_hand, browser, hand

__all__ = ["browser", "hand"]
pytestmark = pytest.mark.slow

NO_LONGER = "This link or code is not valid, or no longer. Ask for a new one."


async def says(hand: Hand, sentence: str) -> None:
    await expect(hand.page.locator("#screen").get_by_text(sentence)).to_be_visible()


async def test_after_its_key_is_gone_a_phone_is_added_again_and_approves(house: House, hand: Hand) -> None:
    before = await hand.enrol()
    await hand.page.evaluate(
        """() => new Promise((done) => { indexedDB.deleteDatabase("radius-push").onsuccess = done })"""
    )
    await hand.page.reload()
    await hand.sees("This phone must be added again")
    await hand.taps("Add it again")
    await house.remove_device(before.id)
    await hand.page.get_by_label("Code").fill((await house.invite()).code)
    await hand.taps("Add this phone")
    await hand.confirmed()
    question = await house.ask()
    await hand.taps("Yes, it’s me")
    await hand.sees("Approved")
    assert await house.state(question) is QuestionState.APPROVED


@pytest.mark.parametrize("how", ["used by another phone", "expired", "replaced by a newer one"])
async def test_a_link_that_is_no_longer_good_says_so_and_a_new_one_is(
    house: House, hand: Hand, how: str
) -> None:
    link = await house.link()
    match how:
        case "used by another phone":
            await (await SoftwarePhone.enrol(link)).close()
        case "expired":
            house.clock.turned += 601
        case _:
            await house.link()
    await hand.page.goto(link)
    await hand.taps("Add this phone")
    await says(hand, NO_LONGER)
    await hand.page.goto("about:blank")
    await hand.enrol()


async def test_after_ten_wrong_codes_the_right_one_has_to_wait(house: House, hand: Hand) -> None:
    right = (await house.invite()).code
    await hand.page.goto(house.origin)
    for number in range(10):
        await hand.page.get_by_label("Code").fill(f"0000-000{number}")
        await hand.taps("Add this phone")
        await expect(hand.page.get_by_role("button", name="Add this phone")).to_be_enabled()
        await says(hand, NO_LONGER)
    await hand.page.get_by_label("Code").fill(right)
    await hand.taps("Add this phone")
    await says(hand, "Too many wrong tries. Wait ten minutes.")
    house.clock.turned += 601
    await hand.page.get_by_label("Code").fill((await house.invite()).code)
    await hand.taps("Add this phone")
    await hand.confirmed()


async def test_a_phone_on_the_laptops_own_network_is_told_what_to_do(
    tmp_path: Path, browser: Browser
) -> None:
    """It is no deny: over another network the same card is approved."""
    async with (
        open_house(tmp_path, trusted_proxies=(ip_network("127.0.0.0/8"),)) as house,
        a_hand(house, browser) as hand,
    ):
        await hand.context.set_extra_http_headers({"X-Forwarded-For": "203.0.113.9"})
        await hand.enrol()
        question = await house.ask(address="203.0.113.9", not_from_login_address=True)
        await says(hand, "can’t approve from there")
        await hand.taps("Yes, it’s me")
        await expect(hand.page.locator('[data-name="wrong"]')).to_contain_text("over mobile data")
        assert await house.state(question) is QuestionState.PENDING
        await hand.context.set_extra_http_headers({"X-Forwarded-For": "198.51.100.77"})
        await hand.taps("Yes, it’s me")
        await hand.sees("Approved")
        assert await house.state(question) is QuestionState.APPROVED
