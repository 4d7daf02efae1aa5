"""The portal in Chromium: on a desk and in a hand, from the first visit to a VPN login."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from radius_push import events
from tests.web.portal_house import PASSWORD, PortalHouse, portal_house
from tests.web.test_phone_accessibility_browser import complaints
from tests.web.test_phone_app_browser import browser as browser
from tests.web.test_phone_screens_browser import Scheme, emptied

pytestmark = pytest.mark.slow

WAIT = 20_000
PICTURES = Path(__file__).parents[2] / "build" / "screens"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PortalHouse]:
    async with portal_house(tmp_path) as house:
        yield house


@asynccontextmanager
async def a_screen(
    browser: Browser, *, phone: bool = False, width: int = 1280, height: int = 800, **more: object
) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        device = dict(playwright.devices["Pixel 7"]) if phone else {}
    if not phone:
        device["viewport"] = {"width": width, "height": height}
    context = await browser.new_context(**device, **more)  # type: ignore[arg-type]
    context.set_default_timeout(WAIT)
    page, heard = await context.new_page(), list[str]()

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            heard.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: heard.append(str(error)))
    yield page
    await context.close()
    assert heard == []


async def sees(page: Page, heading: str) -> None:
    await expect(page.get_by_role("heading", name=heading, exact=True).first).to_be_visible(timeout=WAIT)


async def signs_in(page: Page, house: PortalHouse, username: str = "alice") -> None:
    await page.goto(house.url)
    await page.get_by_label("User name").fill(username)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def scanned(page: Page, file: Path) -> str:
    """What a camera reads off the screen."""
    await page.screenshot(path=file)
    read = await asyncio.to_thread(
        subprocess.run, ["zbarimg", "-q", "--raw", str(file)], capture_output=True, text=True, check=True
    )
    return read.stdout.strip()


async def pairs(desk: Page, hand: Page, tmp_path: Path) -> None:
    """From the list of phones to the new one in it."""
    await desk.get_by_role("link", name="Add a phone").click()
    await sees(desk, "Add a phone")
    assert await desk.locator("img").count() == 0
    await desk.get_by_role("button", name="Show the QR code").click()
    await sees(desk, "Scan this with the phone")
    await hand.goto(await scanned(desk, tmp_path / "qr.png"))
    await hand.get_by_role("button", name="Add this phone").click()
    code = hand.locator('.big-code[data-name="code"]')
    await expect(code).to_have_text(re.compile("[0-9]"), timeout=WAIT)
    digits = "".join((await code.inner_text()).split())
    await sees(desk, "Type what the phone shows")  # by itself
    await desk.get_by_label("Six digits").fill(digits)
    await desk.get_by_role("button", name="Confirm").click()
    await expect(desk.get_by_role("status")).to_have_text("Added. It is asked from now on.")
    await sees(hand, "No request")


async def test_a_person_adds_their_first_phone_on_two_screens_and_signs_in_to_the_vpn(
    house: PortalHouse, browser: Browser, tmp_path: Path
) -> None:
    async with a_screen(browser) as desk, a_screen(browser, phone=True) as hand:
        await signs_in(desk, house)
        await expect(desk.get_by_text("You have no phone yet.")).to_be_visible()
        await pairs(desk, hand, tmp_path)
        login = asyncio.create_task(house.vpn())
        await sees(hand, "Are you signing in?")
        await hand.get_by_role("button", name="Yes, it’s me").click()
        reply = await login
        assert reply is not None
        assert reply.code == 2


async def test_a_second_phone_is_added_after_a_yes_on_the_first_and_both_are_looked_after(
    house: PortalHouse, browser: Browser, tmp_path: Path
) -> None:
    async with (
        a_screen(browser) as desk,
        a_screen(browser, phone=True) as first,
        a_screen(browser, phone=True) as second,
    ):
        await signs_in(desk, house)
        await pairs(desk, first, tmp_path)
        await desk.get_by_role("button", name="Sign out").click()
        await expect(desk.get_by_role("status")).to_have_text("You are signed out.")
        await signs_in(desk, house)
        await sees(desk, "Answer on your phone")
        await sees(first, "Are you opening your phones’ page?")
        await expect(first.get_by_text("127.0.0.1", exact=True)).to_be_visible()
        await first.get_by_role("button", name="Yes, it’s me").click()
        await sees(first, "Approved")
        await sees(desk, "Your phones")  # by itself
        await pairs(desk, second, tmp_path)
        await expect(desk.get_by_text("as many phones as you may (2)")).to_be_visible()
        names = desk.get_by_label("Name", exact=True)
        await names.nth(1).fill("Kitchen phone")
        await desk.get_by_role("button", name=re.compile("^Rename")).nth(1).click()
        await sees(desk, "Kitchen phone")
        await desk.get_by_role("button", name="Send a test to Kitchen phone").click()
        await sees(second, "This is a test")
        await second.get_by_role("button", name="OK").click()
        await sees(second, "It works")
        await desk.get_by_role("link", name="Remove Kitchen phone").click()
        await sees(desk, "Remove Kitchen phone?")
        await desk.get_by_role("button", name="Remove it").click()
        await expect(desk.get_by_role("status")).to_have_text("Removed: it can answer no more.")
        await sees(second, "This phone must be added again")
        await expect(desk.get_by_role("heading", level=2)).to_have_count(1)
    assert len(house.of(events.DeviceRemoved)) == 1


async def test_a_no_on_the_phone_is_said_on_the_page(house: PortalHouse, browser: Browser) -> None:
    phone = await house.phone()
    async with a_screen(browser) as desk:
        await signs_in(desk, house)
        await sees(desk, "Answer on your phone")
        await house.answer(phone, approve=False)
        await sees(desk, "Denied")


async def test_without_script_every_step_has_a_button(
    house: PortalHouse, browser: Browser, tmp_path: Path
) -> None:
    phone = await house.phone()
    async with a_screen(browser, java_script_enabled=False) as desk:
        await signs_in(desk, house)
        await house.answer(phone)
        await desk.get_by_role("link", name="I have answered").click()
        await sees(desk, "Your phones")
        await desk.get_by_role("link", name="Add a phone").click()
        await desk.get_by_role("button", name="Show the QR code").click()
        second = await house.added(await scanned(desk, tmp_path / "qr.png"))
        await desk.get_by_role("link", name="The phone shows a code").click()
        await desk.get_by_label("Six digits").fill(second.confirmation_code)
        await desk.get_by_role("button", name="Confirm").click()
        await expect(desk.get_by_role("status")).to_have_text("Added. It is asked from now on.")


async def pages(house: PortalHouse, page: Page) -> AsyncIterator[str]:
    """Every page of the portal, in whatever language it speaks."""
    phone = await house.phone()
    await page.goto(house.url)
    yield "sign in"
    for heading in ("wrong password", "denied", "waiting"):
        await page.goto(house.url)
        await page.locator('[name="username"]').fill("alice")
        await page.locator('[name="password"]').fill("x" if heading == "wrong password" else PASSWORD)
        await page.locator("main button").click()
        await page.wait_for_load_state()
        if heading == "denied":
            await house.answer(phone, approve=False)
            await page.goto(house.url + "/wait")
        yield heading
    await house.answer(phone)
    await page.goto(house.url + "/wait")
    yield "phones"
    await page.goto(f"{house.url}/remove?phone={phone.enrolled.device}")
    yield "remove"
    await page.goto(house.url + "/pair")
    yield "pair"
    await page.locator("main button").click()
    await expect(page.locator(".qr")).to_be_visible()
    yield "the code"
    link = await page.locator("#link").input_value()
    await page.goto(house.url + "/pair/code")
    yield "no phone yet"
    second = await house.added(link, name="A phone with a rather long name, as some people like them")
    await page.goto(house.url + "/pair/code")
    yield "type the code"
    await page.locator('[name="code"]').fill("x")
    await page.locator("main button").click()
    await expect(page.locator(".wrong")).to_be_visible()
    yield "wrong code"
    await page.locator('[name="code"]').fill(second.confirmation_code)
    await page.locator("main button").click()
    await expect(page.locator(".phones li")).to_have_count(2)
    yield "two phones"
    await page.goto(house.url + "/nowhere")
    yield "nowhere"


async def test_axe_finds_nothing_on_any_page_in_both_schemes(house: PortalHouse, browser: Browser) -> None:
    # axe is put in as script text, which the page's own policy forbids.
    async with a_screen(browser, bypass_csp=True) as page:
        async for name in pages(house, page):
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
                assert await complaints(page) == [], f"{name}, {scheme}"


@pytest.mark.parametrize("locale", ["en", "tr", "de", "es"])
async def test_nothing_is_wider_than_a_small_screen_with_large_text(
    house: PortalHouse, browser: Browser, locale: str
) -> None:
    async with a_screen(browser, width=320, height=568, locale=locale, bypass_csp=True) as page:
        async for name in pages(house, page):
            for text in ("100%", "200%"):
                await page.add_style_tag(content=f"html {{ font-size: {text} !important }}")
                wide = await page.evaluate(
                    "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
                )
                assert not wide, f"{name}, {locale}, {text}"


@pytest.mark.parametrize(
    ("locale", "size", "schemes"),
    [
        ("en", (320, 568), ("light", "dark")),
        ("en", (390, 844), ("light", "dark")),
        ("en", (1280, 800), ("light", "dark")),
        *((other, (390, 844), ("light",)) for other in ("tr", "de", "es")),
    ],
)
async def test_every_page_is_kept_as_a_picture(
    house: PortalHouse, browser: Browser, locale: str, size: tuple[int, int], schemes: tuple[Scheme, ...]
) -> None:
    width, height = size
    folder = emptied(PICTURES / f"portal-{locale}-{width}x{height}")
    number = 0
    async with a_screen(browser, width=width, height=height, locale=locale) as page:
        async for name in pages(house, page):
            number += 1
            for scheme in schemes:
                await page.emulate_media(color_scheme=scheme)
                file = folder / f"{number:02}-{name.replace(' ', '-')}-{scheme}.png"
                await page.screenshot(path=file, full_page=True, animations="disabled")
    assert len(list(folder.iterdir())) == number * len(schemes)
