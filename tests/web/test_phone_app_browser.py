"""The phone app in a real browser, dressed as a Pixel 7: what a person sees and taps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from radius_push.attempts import Lateness
from radius_push.enrollment import confirm, confirmation_code
from radius_push.model import Device, DeviceState, QuestionState
from radius_push.test_phone import SoftwarePhone
from tests.web.house import ALICE, House, until

pytestmark = pytest.mark.slow

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT = 20.0


class Hand:
    """A person's phone: one browser context, and what its console complained about."""

    def __init__(self, house: House, context: BrowserContext, page: Page) -> None:
        self.house = house
        self.context = context
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        # That a request failed is what some of these tests are about; what the page may not do is not.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    async def sees(self, heading: str) -> None:
        await expect(self.page.get_by_role("heading", name=heading, exact=True)).to_be_visible()

    async def taps(self, button: str) -> None:
        await self.page.get_by_role("button", name=button, exact=True).click()

    async def enrol(self, link: str | None = None) -> Device:
        """By a link, to the end: the issuer has typed the code that the page shows."""
        await self.page.goto(link or await self.house.link())
        await self.taps("Add this phone")
        return await self.confirmed()

    async def confirmed(self) -> Device:
        await self.sees("One more step")
        device = (await self.house.store.devices())[-1]
        await expect(self.page.locator(".big-code")).not_to_be_empty()
        shown = await self.page.locator(".big-code").inner_text()
        digits = "".join(shown.split())
        assert digits == confirmation_code(device.invitation, device.public_key)
        word = await confirm(
            self.house.store, device.invitation, digits, by="test", now=self.house.clock.now()
        )
        assert word == "confirmed"
        await self.sees("No request")
        return device

    async def overflows(self) -> bool:
        wider: bool = await self.page.evaluate(
            "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wider


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def a_hand(
    house: House, browser: Browser, *, width: int = 412, dark: bool = False
) -> AsyncIterator[Hand]:
    async with async_playwright() as playwright:
        pixel = dict(playwright.devices["Pixel 7"])
    pixel["viewport"] = {"width": width, "height": 839 if width == 412 else 568}
    context = await browser.new_context(**pixel, color_scheme="dark" if dark else "light")
    context.set_default_timeout(WAIT * 1000)
    hand = Hand(house, context, await context.new_page())
    yield hand
    await context.close()
    assert hand.complaints == []


@pytest.fixture
async def hand(house: House, browser: Browser) -> AsyncIterator[Hand]:
    async with a_hand(house, browser) as hand:
        yield hand


# --- adding --------------------------------------------------------------------------------------------


async def test_a_link_adds_the_phone_after_a_tap_and_leaves_the_address_bar(house: House, hand: Hand) -> None:
    link = await house.link()
    await hand.page.goto(link)
    await hand.sees("Add this phone")
    assert hand.page.url == f"{house.origin}/"
    assert await house.store.devices() == []
    await hand.taps("Add this phone")
    device = await hand.confirmed()
    assert device.name == "Pixel 7"
    assert device.person == ALICE.key


async def test_a_typed_code_adds_the_phone(house: House, hand: Hand) -> None:
    shown = await house.invite()
    await hand.page.goto(house.origin)
    await hand.page.get_by_label("Code").fill("ZZZZ-ZZZZ")
    await hand.taps("Add this phone")
    await expect(hand.page.get_by_role("alert")).to_contain_text("not valid")
    await hand.page.get_by_label("Code").fill(shown.code.lower())
    await hand.page.get_by_label("Name of this phone").fill("Alice’s phone")
    await hand.taps("Add this phone")
    assert (await hand.confirmed()).name == "Alice’s phone"


async def test_a_browser_that_keeps_no_key_uses_nothing_up(house: House, hand: Hand) -> None:
    link = await house.link()
    await hand.page.add_init_script(
        "IDBObjectStore.prototype.put = () => { throw new DOMException('', 'DataCloneError') }"
    )
    await hand.page.goto(link)
    await hand.taps("Add this phone")
    await hand.sees("This browser can’t keep a key")
    async with await SoftwarePhone.enrol(link) as phone:
        assert phone.enrolled.account == "alice"


async def test_an_iphones_browser_makes_no_key_before_the_home_screen(house: House, hand: Hand) -> None:
    await hand.page.add_init_script("Object.defineProperty(navigator, 'standalone', {value: false})")
    await hand.page.goto(await house.link())
    await hand.sees("First, put this on your Home Screen")
    await expect(hand.page.get_by_role("button")).to_have_count(0)


async def test_the_key_cannot_be_taken_out(house: House, hand: Hand) -> None:
    await hand.enrol()
    said = await hand.page.evaluate(
        """() => new Promise((resolve) => {
            const open = indexedDB.open("radius-push");
            open.onsuccess = () => {
                const get = open.result.transaction("phone").objectStore("phone").get("device");
                get.onsuccess = () => crypto.subtle.exportKey("pkcs8", get.result.key)
                    .then(() => resolve("taken"), (error) => resolve(error.name));
            };
        })"""
    )
    assert said == "InvalidAccessError"


# --- requests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_a_request_appears_with_all_its_facts_and_is_approved(
    house: House, browser: Browser, dark: bool
) -> None:
    async with a_hand(house, browser, dark=dark) as hand:
        device = await hand.enrol()
        question = await house.ask(client="vpn-berlin")
        await hand.sees("Are you signing in?")
        card = hand.page.get_by_role("article")
        for fact in (
            "vpn-berlin",
            "alice",
            "198.51.100.7",
            "reported by the gateway",
            question.login,
            "s left",
        ):
            await expect(card).to_contain_text(fact)
        await hand.taps("Yes, it’s me")
        await hand.sees("Approved")
        row = await house.store.question(question.id)
        assert row is not None
        assert (row.state, row.device) == (QuestionState.APPROVED, device.id)
        await hand.taps("Done")
        await hand.sees("No request")


async def test_a_request_is_denied_and_an_unknown_address_says_why(house: House, hand: Hand) -> None:
    await hand.enrol()
    question = await house.ask(address=None)
    await expect(hand.page.get_by_role("article")).to_contain_text("the gateway did not report one")
    await hand.taps("No")
    await hand.sees("Denied")
    assert await house.state(question) is QuestionState.DENIED


async def test_all_waiting_requests_are_listed_and_answered_each(house: House, hand: Hand) -> None:
    await hand.enrol()
    one, two = await house.ask(client="fw1"), await house.ask(client="fw2")
    await expect(hand.page.get_by_role("article")).to_have_count(2)
    second = hand.page.get_by_role("article").filter(has_text="fw2")
    await second.get_by_role("button", name="No").click()
    await hand.sees("Denied")
    assert await house.state(two) is QuestionState.DENIED
    assert await house.state(one) is QuestionState.PENDING


async def test_the_next_request_takes_the_place_of_what_is_over(house: House, hand: Hand) -> None:
    await hand.enrol()
    await house.ask(client="fw1")
    await hand.taps("Yes, it’s me")
    await hand.sees("Approved")  # and nobody taps Done
    question = await house.ask(client="fw2")
    await hand.sees("Are you signing in?")
    await expect(hand.page.get_by_role("article")).to_have_count(1)
    await expect(hand.page.get_by_role("button", name="Yes")).to_be_in_viewport()
    await expect(hand.page).to_have_title("(1) Are you signing in?")
    await hand.taps("No")
    await hand.sees("Denied")
    assert await house.state(question) is QuestionState.DENIED
    await expect(hand.page).to_have_title("radius-push")


async def test_an_ended_request_says_too_late(house: House, hand: Hand) -> None:
    await hand.enrol()
    await house.ask(seconds=2)
    await hand.sees("Are you signing in?")
    await hand.sees("Too late")


@pytest.mark.parametrize("width", [412, 320])
async def test_a_card_says_when_the_gateway_has_given_up_and_a_yes_is_for_the_next_try(
    house: House, browser: Browser, width: int
) -> None:
    async with a_hand(house, browser, width=width) as hand:
        await hand.enrol()
        question = await house.ask()
        await hand.sees("Are you signing in?")
        await house.give_up(question)
        await hand.sees("Too late for this try")
        card = hand.page.get_by_role("article")
        await expect(card).to_contain_text("just sign in again")
        await expect(card).to_contain_text("s left")
        assert not await hand.overflows()
        await hand.taps("Yes, next time")
        await hand.sees("Just sign in again")
        assert await house.state(question) is QuestionState.TICKET


async def test_a_late_card_is_an_ordinary_one_again_when_the_gateway_asks_again(
    house: House, hand: Hand
) -> None:
    await hand.enrol()
    question = await house.ask()
    await hand.sees("Are you signing in?")
    await house.give_up(question)
    await hand.sees("Too late for this try")
    await house.ask_again(question)
    await hand.sees("Are you signing in?")
    await expect(hand.page.get_by_role("article")).to_have_count(1)
    await hand.taps("Yes, it’s me")
    await hand.sees("Approved")
    assert await house.state(question) is QuestionState.APPROVED


async def test_where_no_try_can_be_let_in_by_it_a_late_card_takes_no_yes(house: House, hand: Hand) -> None:
    await hand.enrol()
    question = await house.ask()
    await hand.sees("Are you signing in?")
    await house.give_up(question, late=Lateness(30, counts=False))
    await hand.sees("Too late for this try")
    await expect(hand.page.get_by_role("article")).to_contain_text("sign in again.")
    await expect(hand.page.get_by_role("article")).not_to_contain_text("you won’t be asked")
    await expect(hand.page.get_by_role("button", name="Yes")).to_be_disabled()
    await house.ask_again(question)
    await hand.taps("Yes, it’s me")
    await hand.sees("Approved")


async def test_a_late_no_is_a_no(house: House, hand: Hand) -> None:
    await hand.enrol()
    question = await house.ask()
    await hand.sees("Are you signing in?")
    await house.give_up(question)
    await hand.sees("Too late for this try")
    await hand.taps("No")
    await hand.sees("Denied")
    assert await house.state(question) is QuestionState.DENIED


async def test_a_late_card_ends_too(house: House, hand: Hand) -> None:
    await hand.enrol()
    question = await house.ask()
    await hand.sees("Are you signing in?")
    await house.give_up(question, late=Lateness(3, counts=True))
    await hand.sees("Too late for this try")
    await hand.sees("Too late")


async def test_a_late_yes_on_another_phone_is_shown_as_that(house: House, hand: Hand) -> None:
    await hand.enrol()
    async with await house.phone(name="other") as other:
        await house.give_up(await house.ask())
        await hand.sees("Too late for this try")
        await other.answer_next(approve=True, seconds=WAIT)
        await hand.sees("Approved on another phone")


async def test_an_answer_on_another_phone_is_shown_as_that(house: House, hand: Hand) -> None:
    await hand.enrol()
    async with await house.phone(name="other") as other:
        await house.ask()
        await hand.sees("Are you signing in?")
        await other.answer_next(approve=False, seconds=WAIT)
        await hand.sees("Denied on another phone")


async def test_an_answer_that_cannot_be_sent_says_so_and_may_be_sent_again(house: House, hand: Hand) -> None:
    await hand.enrol()
    question = await house.ask()
    await hand.sees("Are you signing in?")
    await hand.context.set_offline(True)
    await hand.taps("Yes, it’s me")
    await expect(hand.page.get_by_role("alert")).to_contain_text("Not sent")
    assert await house.state(question) is QuestionState.PENDING
    await hand.context.set_offline(False)
    await hand.taps("Yes, it’s me")
    await hand.sees("Approved")


# --- connection, and what is lost ------------------------------------------------------------------------


async def test_without_network_the_app_opens_says_so_and_comes_back(house: House, hand: Hand) -> None:
    await hand.enrol()
    await hand.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    await hand.page.reload()
    await hand.sees("No request")
    await hand.context.set_offline(True)
    await hand.sees("Not connected")
    await hand.page.reload()
    await hand.sees("Not connected")
    await house.ask()
    await hand.context.set_offline(False)
    await hand.sees("Are you signing in?")


async def test_a_server_that_is_away_is_told_from_a_missing_network(house: House, hand: Hand) -> None:
    await hand.enrol()
    await house.side.close()
    await expect(hand.page.get_by_role("status")).to_have_text("Server not reached")
    await house.side.start()
    await expect(hand.page.get_by_role("status")).to_have_text("Connected")


async def test_a_phone_whose_key_is_gone_must_be_added_again(house: House, hand: Hand) -> None:
    await hand.enrol()
    await hand.page.evaluate(
        """() => new Promise((resolve) => {
            const gone = indexedDB.deleteDatabase("radius-push");
            gone.onsuccess = gone.onblocked = resolve;
        })"""
    )
    await hand.page.reload()
    await hand.sees("This phone must be added again")
    await hand.taps("Add it again")
    await hand.page.get_by_label("Code").fill((await house.invite()).code)
    await hand.taps("Add this phone")
    await hand.confirmed()


async def test_a_removed_phone_is_told_at_once(house: House, hand: Hand) -> None:
    device = await hand.enrol()
    await hand.page.evaluate("document.getElementById('spoken').textContent = 'a request'")
    await house.remove_device(device.id)
    await hand.sees("This phone must be added again")
    assert await hand.page.locator("#spoken").text_content() == ""
    row = await house.store.device(device.id)
    assert row is not None
    assert row.state is DeviceState.REMOVED


async def test_the_oldest_of_too_many_pages_gives_way_without_a_fight(house: House, hand: Hand) -> None:
    await hand.enrol()
    for _ in range(3):
        page = await hand.context.new_page()
        await page.goto(house.origin)
        await expect(page.get_by_role("status")).to_have_text("Connected")
    await expect(hand.page.get_by_role("status")).to_have_text("Open elsewhere")
    opened = house.counters["phone_streams_opened"]
    async with asyncio.timeout(WAIT):
        await until(lambda: len(house.side._streams) == 3)
    assert house.counters["phone_streams_opened"] == opened


# --- small screens, large texts ----------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["100%", "200%"])
async def test_nothing_is_wider_than_a_small_screen(house: House, browser: Browser, text: str) -> None:
    async with a_hand(house, browser, width=320) as hand:
        await hand.page.add_init_script(
            "addEventListener('DOMContentLoaded',"
            f" () => {{ document.documentElement.style.fontSize = '{text}' }})"
        )
        await hand.page.goto(house.origin)
        await hand.sees("Add this phone")
        assert not await hand.overflows()
        await hand.page.goto(await house.link())
        await hand.taps("Add this phone")
        await hand.sees("One more step")
        assert not await hand.overflows()
        await hand.confirmed()
        assert not await hand.overflows()
        await house.ask(
            client="a-gateway-with-a-rather-long-name", address="2001:db8:85a3:1234:5678:8a2e:370:7334"
        )
        await hand.sees("Are you signing in?")
        assert not await hand.overflows()
        await house.ask()
        await expect(hand.page.get_by_role("article")).to_have_count(2)
        assert not await hand.overflows()
        await hand.page.get_by_role("button", name="No").first.click()
        await hand.sees("Denied")
        assert not await hand.overflows()


async def test_a_second_request_moves_nothing_under_the_finger(house: House, hand: Hand) -> None:
    await hand.enrol()
    await house.ask()
    yes = hand.page.get_by_role("button", name="Yes").first
    await expect(yes).to_be_enabled()
    before = await yes.bounding_box()
    await house.ask()
    await expect(hand.page.get_by_role("article")).to_have_count(2)
    assert await yes.bounding_box() == before
