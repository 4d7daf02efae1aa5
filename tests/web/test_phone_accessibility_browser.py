"""Every screen as axe judges it, in the light and in the dark, and by the keyboard alone."""

from __future__ import annotations

from importlib.resources import files

import pytest
from playwright.async_api import Browser, Page, expect

from tests.web.house import House
from tests.web.test_phone_app_browser import a_hand
from tests.web.test_phone_app_browser import browser as browser
from tests.web.walk import part, screens

pytestmark = pytest.mark.slow

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RUN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`)"""


async def complaints(page: Page) -> list[str]:
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE)
    found: list[str] = await page.evaluate(RUN)
    return found


async def test_axe_finds_nothing_on_any_screen_in_both_schemes(house: House, browser: Browser) -> None:
    async with a_hand(house, browser) as hand:
        async for screen in screens(house, hand.page):
            for scheme in ("light", "dark"):
                await hand.page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
                assert await complaints(hand.page) == [], f"{screen}, {scheme}"


async def test_by_the_keyboard_alone_a_request_is_answered_and_the_result_put_away(
    house: House, browser: Browser
) -> None:
    async with a_hand(house, browser) as hand:
        await hand.enrol()
        await house.ask()
        await expect(part(hand.page, "yes")).to_be_enabled()
        await hand.page.keyboard.press("Tab")
        await expect(part(hand.page, "no")).to_be_focused()
        await hand.page.keyboard.press("Tab")
        await expect(part(hand.page, "yes")).to_be_focused()
        await hand.page.keyboard.press("Enter")
        await hand.sees("Approved")
        await hand.page.keyboard.press("Tab")
        await expect(part(hand.page, "done")).to_be_focused()
        await hand.page.keyboard.press("Enter")
        await hand.sees("No request")


async def test_a_request_is_said_aloud_and_moves_nothing_for_whom_motion_disturbs(
    house: House, browser: Browser
) -> None:
    async with a_hand(house, browser) as hand:
        await hand.page.emulate_media(reduced_motion="reduce")
        await hand.enrol()
        await house.ask()
        await hand.sees("Are you signing in?")
        await expect(hand.page.locator("#spoken")).to_have_text("Sign-in request from fw1 for alice")
        duration = await part(hand.page, "bar").evaluate("(bar) => getComputedStyle(bar).transitionDuration")
        assert duration == "0s"
