"""What a person sees does not move under their finger, and nothing that counts is covered, on the smallest
screen too."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from radius_push.model import Place
from tests.web.house import LATE, House, open_house
from tests.web.test_phone_app_browser import Hand, a_hand, browser, hand
from tests.web.walk import part

__all__ = ["browser", "hand"]
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


BROKEN = """() => {
    const address = document.querySelector('[data-name="address"]');
    const letters = [];
    const walker = document.createTreeWalker(address, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        for (let at = 0; at < walker.currentNode.length; at += 1) {
            const range = document.createRange();
            range.setStart(walker.currentNode, at);
            range.setEnd(walker.currentNode, at + 1);
            letters.push([range.toString(), range.getBoundingClientRect().top]);
        }
    }
    const last = letters.filter(([, top], at) => letters[at + 1] && letters[at + 1][1] > top + 5);
    return last.map(([letter]) => letter);
}"""
"""The last letters of the lines of an address, but for the last line."""


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


@pytest.mark.parametrize("kind", ["needs a finger", "a sign-in to the page"])
async def test_a_card_that_says_more_is_not_covered_either(house: House, browser: Browser, kind: str) -> None:
    async with a_hand(house, browser, width=320) as hand:
        await hand.enrol()
        if kind == "needs a finger":
            await house.ask(biometrics="required")
        else:
            await house.portal_sign_in()
        await expect(part(hand.page, "no")).to_be_enabled()
        assert await hand.page.evaluate(COVERED) == []


async def test_what_is_answered_makes_room_for_the_next_request(house: House, hand: Hand) -> None:
    await hand.enrol()
    await house.ask(client="fw1")
    await house.ask(client="fw2")
    await part(hand.page, "yes").first.click()
    await hand.sees("Approved")
    for name in ("left", "no", "yes"):
        await expect(part(hand.page, name)).to_be_in_viewport(ratio=1)
    await part(hand.page, "yes").click()
    await expect(hand.page.locator('[data-result="approved"]')).to_have_count(2)


async def test_what_ended_by_itself_keeps_its_place_for_a_moment_and_then_makes_room(
    house: House, hand: Hand
) -> None:
    await hand.enrol()
    first = await house.ask(client="fw1")
    await house.ask(client="fw2")
    await expect(part(hand.page, "no").nth(1)).to_be_enabled()
    before = await part(hand.page, "no").nth(1).bounding_box()
    await house.time_out(first)
    await hand.sees("Too late")
    assert await part(hand.page, "no").bounding_box() == before
    await expect(hand.page.locator(".result.small")).to_be_visible()
    await expect(part(hand.page, "yes")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [412, 390, 320])
async def test_a_long_address_is_broken_between_its_groups(
    house: House, browser: Browser, width: int
) -> None:
    async with a_hand(house, browser, width=width) as hand:
        await hand.enrol()
        await house.ask(address="2001:db8:85a3:1234:5678:8a2e:1370:7334")
        await expect(part(hand.page, "yes")).to_be_enabled()
        await expect(part(hand.page, "address")).to_have_text("2001:db8:85a3:1234:5678:8a2e:1370:7334")
        assert set(await hand.page.evaluate(BROKEN)) == {":"}


async def test_on_the_smallest_screen_the_test_is_offered_above_the_fold(
    house: House, browser: Browser
) -> None:
    async with a_hand(house, browser, width=320) as hand:
        await hand.enrol()
        await expect(part(hand.page, "test")).to_be_in_viewport(ratio=1)


async def test_what_is_told_of_another_phone_comes_first(house: House, browser: Browser) -> None:
    async with a_hand(house, browser, width=320) as hand:
        await hand.enrol()
        other = await house.phone(name="Another one")
        await other.close()
        for name in ("remove", "seen"):
            await expect(part(hand.page, name)).to_be_in_viewport(ratio=1)
        await hand.context.set_offline(True)
        await hand.sees("Not connected")
        await hand.sees("A phone was added")
        await hand.context.set_offline(False)
        await hand.sees("No request")
        await hand.sees("A phone was added")


async def test_what_went_wrong_is_not_covered_either(house: House, browser: Browser) -> None:
    async with a_hand(house, browser, width=320) as hand:
        await hand.enrol()
        await house.ask()
        await expect(part(hand.page, "yes")).to_be_enabled()
        await hand.context.set_offline(True)
        await part(hand.page, "yes").click()
        for name in ("wrong", "no", "yes"):
            await expect(part(hand.page, name)).to_be_in_viewport(ratio=1)
        wrong, no = [await part(hand.page, name).bounding_box() for name in ("wrong", "no")]
        assert wrong is not None
        assert no is not None
        assert wrong["y"] + wrong["height"] <= no["y"]
        await hand.context.set_offline(False)
