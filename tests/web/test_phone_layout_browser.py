"""What a person sees does not move under their finger, and nothing that counts is covered, on the smallest
screen too."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from radius_push.model import Place
from tests.web.house import LATE, House, open_house
from tests.web.test_phone_app_browser import a_hand, browser
from tests.web.walk import part

__all__ = ["browser"]
pytestmark = pytest.mark.slow

WATCH = """() => {
    window.moved = [];
    new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries()) {
            window.moved.push([value, ...sources.map(({ node }) => node?.outerHTML?.slice(0, 80))]);
        }
    }).observe({ type: "layout-shift" });
}"""
"""Also of moves just after a tap, which browsers forgive: a request that arrives then moves as well."""

COVERED = """() => {
    window.scrollTo(0, 0);
    const buttons = document.querySelector(".card .actions.two");
    const read = [...document.querySelectorAll(".card h2, .card .note, .card dt, .card dd, .card .time")];
    const box = buttons.getBoundingClientRect();
    const over = (element) => {
        const { top, bottom, height } = element.getBoundingClientRect();
        return height > 0 && bottom > box.top + 1 && top < box.bottom - 1;
    };
    return read.filter((element) => !element.hidden && over(element)).map((element) => element.textContent);
}"""
"""What lies under the buttons of the first card."""


class Somewhere:
    def find(self, _address: object) -> Place:
        return Place({"en": "Vienna"}, {"en": "Austria"}, "AT")


async def moved(page: Page) -> list[list[object]]:
    # What was drawn last is measured when the next frame is.
    await page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    found: list[list[object]] = await page.evaluate("() => window.moved")
    return found


@pytest.mark.parametrize("width", [412, 320])
async def test_nothing_that_is_seen_moves_when_a_request_arrives_or_ends(
    house: House, browser: Browser, width: int
) -> None:
    async with a_hand(house, browser, width=width) as hand:
        await hand.enrol()
        await hand.page.evaluate(WATCH)
        await house.ask()
        await expect(part(hand.page, "yes")).to_be_enabled()
        assert await moved(hand.page) == [], "a request arrives"
        second = await house.ask(client="fw2")
        await expect(hand.page.get_by_role("article")).to_have_count(2)
        assert await moved(hand.page) == [], "another one"
        await house.time_out(second)
        await expect(hand.page.locator('[data-result="too_late"]')).to_have_count(1)
        assert await moved(hand.page) == [], "that one ends"


@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
@pytest.mark.parametrize("address", ["198.51.100.7", None])
async def test_on_the_smallest_screen_the_buttons_cover_nothing_that_is_read(
    tmp_path: Path, browser: Browser, address: str | None, late: bool
) -> None:
    async with (
        open_house(tmp_path, places=Somewhere()) as house,
        a_hand(house, browser, width=320) as hand,
    ):
        await hand.enrol()
        question = await house.ask(address=address)
        await expect(part(hand.page, "yes")).to_be_enabled()
        if late:
            await house.give_up(question, late=LATE)
            await expect(part(hand.page, "late")).to_be_visible()
        assert await hand.page.evaluate(COVERED) == []
