"""Every screen of the app as a picture, in three sizes, in the light and in the dark, to be looked at in
build/screens. build/screens/docs has what docs/images shows of it.

In English all of them; in the other languages the size of a usual phone, in the light. Nothing may be wider
than its screen on any of them.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, expect

from tests.web.house import House
from tests.web.test_phone_app_browser import WAIT, Hand
from tests.web.test_phone_app_browser import browser as browser
from tests.web.walk import part, screens

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "build" / "screens"
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WALKS = [
    ("en-GB", (320, 568), SCHEMES),
    ("en-GB", (390, 844), SCHEMES),
    ("en-GB", (1280, 800), SCHEMES),
    *((other, (390, 844), SCHEMES[:1]) for other in ("tr-TR", "de-DE", "es-ES")),
]
OVERFLOWS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


@asynccontextmanager
async def a_page(browser: Browser, *, locale: str, size: tuple[int, int]) -> AsyncIterator[Page]:
    width, height = size
    context = await browser.new_context(viewport={"width": width, "height": height}, locale=locale)
    context.set_default_timeout(WAIT * 1000)
    yield await context.new_page()
    await context.close()


def emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


async def picture(page: Page, file: Path) -> None:
    await page.screenshot(path=file, animations="disabled", caret="hide")


@pytest.mark.parametrize(("locale", "size", "schemes"), WALKS)
async def test_every_screen_is_kept_as_a_picture(
    house: House, browser: Browser, locale: str, size: tuple[int, int], schemes: tuple[Scheme, ...]
) -> None:
    folder = emptied(FOLDER / f"{locale[:2]}-{size[0]}x{size[1]}")
    number = 0
    async with a_page(browser, locale=locale, size=size) as page:
        async for screen in screens(house, page):
            number += 1
            assert not await page.evaluate(OVERFLOWS), screen
            for scheme in schemes:
                await page.emulate_media(color_scheme=scheme)
                name = screen.replace(",", "").replace(" ", "-")
                await picture(page, folder / f"{number:02}-{name}-{scheme}.png")
    assert len(list(folder.iterdir())) == number * len(schemes)


async def test_what_the_docs_show(house: House, browser: Browser) -> None:
    folder = emptied(FOLDER / "docs")
    async with a_page(browser, locale="en-GB", size=(390, 720)) as page:
        hand = Hand(house, page.context, page)
        await hand.enrol()
        await house.let_in(address="203.0.113.7", at=house.clock.now() - 3600)
        await house.ask(client="head-office", address="203.0.113.7")
        await expect(part(page, "yes")).to_be_enabled()
        await picture(page, folder / "request.png")
        await page.emulate_media(color_scheme="dark")
        await picture(page, folder / "request-dark.png")
        await page.emulate_media(color_scheme="light")
        await hand.taps("Yes, it’s me")
        await hand.sees("Approved")
        await picture(page, folder / "approved.png")
    assert all(file.stat().st_size < 100_000 for file in folder.iterdir())
