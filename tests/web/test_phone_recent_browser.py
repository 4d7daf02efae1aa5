"""In a real browser: a yes that is taken back, and a second phone that is added from the first."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from radius_push import events
from radius_push.shapes import Enrollment
from tests.web.house import House
from tests.web.test_phone_app_browser import Hand, a_hand, browser, hand

__all__ = ["browser", "hand"]
pytestmark = pytest.mark.slow


async def approved(house: House, hand: Hand) -> None:
    await house.ask()
    await hand.taps("Yes, it’s me")
    await hand.sees("Approved")
    await hand.taps("Done")


async def test_a_yes_is_taken_back_after_a_second_look(house: House, hand: Hand) -> None:
    await hand.enrol()
    await approved(house, hand)
    await hand.sees("Recent")
    await hand.taps("This wasn’t me")
    await hand.taps("Back")  # a slip
    assert not any(isinstance(event, events.Contested) for event in house.events)
    await hand.taps("This wasn’t me")
    await hand.taps("Tell them")
    await expect(hand.page.locator("#screen").get_by_text("Told to your administrator.")).to_be_visible()
    assert [event.client for event in house.events if isinstance(event, events.Contested)] == ["fw1"]
    await expect(hand.page.get_by_role("button", name="This wasn’t me")).to_be_hidden()


async def test_what_could_not_be_told_is_said_and_tried_again(house: House, hand: Hand) -> None:
    await hand.enrol()
    await approved(house, hand)
    await hand.taps("This wasn’t me")
    await hand.context.set_offline(True)
    await hand.taps("Tell them")
    await expect(hand.page.get_by_text("Not sent: the server can’t be reached.")).to_be_visible()
    await hand.context.set_offline(False)
    await hand.taps("Tell them")
    await expect(hand.page.locator("#screen").get_by_text("Told to your administrator.")).to_be_visible()


async def qr_on(hand: Hand, folder: Path) -> str:
    """What a camera reads from the screen."""
    await expect(hand.page.locator(".qr")).to_be_visible()
    picture = folder / "screen.png"
    await hand.page.screenshot(path=picture)
    read = subprocess.run(  # noqa: ASYNC221
        ["zbarimg", "--quiet", "--raw", str(picture)], capture_output=True, check=True, text=True
    )
    return read.stdout.strip()


async def digits_of(hand: Hand) -> str:
    await hand.sees("One more step")
    await expect(hand.page.locator(".big-code")).not_to_be_empty()
    return "".join((await hand.page.locator(".big-code").inner_text()).split())


async def types(hand: Hand, digits: str) -> None:
    await hand.page.get_by_label("Six digits").fill(digits)
    await hand.taps("Confirm")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_a_second_phone_is_added_from_the_first(
    house: House, browser: Browser, tmp_path: Path, dark: bool
) -> None:
    """The QR code is read from the screen; the digits go from the new phone to the first one."""
    async with a_hand(house, browser, dark=dark) as first, a_hand(house, browser) as second:
        await first.enrol()
        await first.taps("Add another phone")
        await second.page.goto(await qr_on(first, tmp_path))
        await second.page.get_by_label("Name of this phone").fill("My new phone")
        await second.taps("Add this phone")
        digits = await digits_of(second)
        await expect(
            first.page.locator("#screen").get_by_text("My new phone wants to be added.")
        ).to_be_visible()
        await types(first, "12")
        await expect(first.page.get_by_text("Type six digits.")).to_be_visible()
        await types(first, f"{(int(digits) + 1) % 1_000_000:06d}")
        await expect(first.page.get_by_text("These are not its digits.")).to_be_visible()
        await types(first, f"{digits[:3]} {digits[3:]}")
        await expect(first.page.get_by_text("My new phone is added")).to_be_visible()
        await second.sees("No request")
        await first.taps("Done")
        await house.ask()
        await second.taps("Yes, it’s me")
        await second.sees("Approved")
        await first.sees("Approved on another phone")


async def test_the_typed_code_of_the_first_phone_adds_an_iphone(house: House, browser: Browser) -> None:
    """Standalone, as from the Home Screen: no link gets there."""
    async with a_hand(house, browser) as first, a_hand(house, browser) as iphone:
        await first.enrol()
        await first.taps("Add another phone")
        code = await first.page.locator(".small-code").inner_text()
        await iphone.page.add_init_script("Object.defineProperty(navigator, 'standalone', {value: true})")
        await iphone.page.goto(house.origin)
        await iphone.page.get_by_label("Code").fill(code)
        await iphone.taps("Add this phone")
        await types(first, await digits_of(iphone))
        await iphone.sees("No request")


async def test_the_fifth_wrong_code_ends_it_on_both_phones(house: House, browser: Browser) -> None:
    async with a_hand(house, browser) as first, a_hand(house, browser) as second:
        await first.enrol()
        await first.taps("Add another phone")
        code = await first.page.locator(".small-code").inner_text()
        await second.page.goto(house.origin)
        await second.page.get_by_label("Code").fill(code)
        await second.taps("Add this phone")
        digits = await digits_of(second)
        for number in range(1, 6):
            await types(first, f"{(int(digits) + number) % 1_000_000:06d}")
            await expect(first.page.get_by_role("button", name="Confirm", disabled=True)).to_have_count(0)
            await expect(first.page.locator(".wrong")).not_to_be_empty()
        await expect(first.page.get_by_text("the new phone was not added")).to_be_visible()
        await second.sees("This phone must be added again")


async def test_a_request_comes_before_the_code_and_the_code_is_there_again_after_it(
    house: House, hand: Hand
) -> None:
    await hand.enrol()
    await hand.taps("Add another phone")
    await expect(hand.page.locator(".qr")).to_be_visible()
    await house.ask()
    await hand.taps("No")
    await hand.sees("Denied")
    await hand.taps("Done")
    await expect(hand.page.locator(".qr")).to_be_visible()


async def test_an_expired_code_is_said_and_begun_again(house: House, hand: Hand) -> None:
    await hand.enrol()
    house.side.use(Enrollment(shown_code=2.0), (), None)
    await hand.taps("Add another phone")
    await expect(hand.page.get_by_text("The time is up")).to_be_visible()
    house.side.use(Enrollment(), (), None)
    await hand.taps("Begin again")
    await expect(hand.page.locator(".qr")).to_be_visible()


async def test_where_issuers_alone_add_phones_there_is_no_button(house: House, hand: Hand) -> None:
    house.side.use(Enrollment(by_phone=False), (), None)
    await hand.enrol()
    await expect(hand.page.get_by_role("button", name="Send a test request")).to_be_visible()
    await expect(hand.page.get_by_role("button", name="Add another phone")).to_be_hidden()
