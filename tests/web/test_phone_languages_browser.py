"""The app in each of its languages, on the smallest screen and with the largest text."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from playwright.async_api import Browser, Page, Route, expect

from radius_push.web.phone_files import FOLDER
from tests.web.app_texts import LANGUAGES, texts_of
from tests.web.house import House
from tests.web.test_phone_app_browser import WAIT
from tests.web.test_phone_app_browser import browser as browser
from tests.web.walk import screens

pytestmark = pytest.mark.slow

SPILLS = """() => {
    const width = document.documentElement.clientWidth;
    return [...document.querySelectorAll("body *")].filter((element) => {
        if (!element.checkVisibility() || element.closest(".unseen, .bar, svg")) return false;
        const { left, right } = element.getBoundingClientRect();
        const cut = element.clientWidth && element.scrollWidth > element.clientWidth + 1;
        return left < -0.5 || right > width + 0.5 || (cut && element.localName !== "input");
    }).map((element) => `${element.localName} ${element.dataset.name ?? ""}: ${element.textContent.trim()}`);
}"""
"""Elements that are wider than the screen, or hold more than they are wide."""
BROKEN = r"""() => {
    const found = [];
    const told = "[data-name=client], [data-name=account], [data-name=address], [data-name=which]";
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode()); ) {
        if (!node.parentElement.checkVisibility() || node.parentElement.closest(`.unseen, ${told}`)) continue;
        for (const { 0: word, index } of node.data.matchAll(/[\p{L}’]+/gu)) {
            const range = document.createRange();
            range.setStart(node, index);
            range.setEnd(node, index + word.length);
            const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
            if (lines.size > 1) found.push(word);
        }
    }
    return found;
}"""
"""Words that are torn over two lines."""
READ = """() => {
    const read = [document.title, document.getElementById("spoken").textContent];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode()); ) {
        if (!node.parentElement.checkVisibility()) continue;
        // An address is in pieces, between which it may be broken.
        const address = node.parentElement.closest("[data-name=address]");
        if (!address) read.push(node.data);
        else if (address.firstChild === node) read.push(address.textContent);
    }
    for (const element of document.querySelectorAll("[aria-label], [placeholder], [title], [alt]")) {
        for (const name of ["aria-label", "placeholder", "title", "alt"]) {
            read.push(element.getAttribute(name) ?? "");
        }
    }
    return read.map((text) => text.trim()).filter(Boolean);
}"""
"""All that a person can see or hear."""


@asynccontextmanager
async def a_page(browser: Browser, locale: str, *, width: int = 320) -> AsyncIterator[Page]:
    context = await browser.new_context(
        locale=locale, viewport={"width": width, "height": 568}, is_mobile=True, has_touch=True
    )
    context.set_default_timeout(WAIT * 1000)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    await context.close()
    assert complaints == []


def text(language: str, key: str) -> str:
    return cast("str", texts_of(language)[key])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_in_every_language_nothing_is_wider_than_a_small_screen_and_no_word_is_torn(
    house: House, browser: Browser, language: str
) -> None:
    async with a_page(browser, language) as page:
        async for screen in screens(house, page):
            assert await page.evaluate(SPILLS) == [], screen
            assert await page.evaluate(BROKEN) == [], screen
            await page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
            assert await page.evaluate(SPILLS) == [], f"{screen}, at 200 %"
            await page.evaluate("() => { document.documentElement.style.fontSize = '' }")


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (["de-AT", "en"], "de"),
        (["fr", "es-419", "en"], "es"),
        (["tr"], "tr"),
        (["TR-tr"], "tr"),
        (["fr-FR", "pt"], "en"),
        (["constructor", "_", ""], "en"),
        (["de-@posix"], "de"),
        ([], "en"),
    ],
)
async def test_the_first_language_of_the_browser_that_the_app_speaks_is_taken(
    house: House, browser: Browser, wanted: list[str], language: str
) -> None:
    async with a_page(browser, "en") as page:
        await page.add_init_script(
            f"Object.defineProperty(navigator, 'languages', {{get: () => {wanted!r}}})"
        )
        await page.goto(house.origin)
        await expect(page.get_by_role("heading")).to_have_text(text(language, "add_title"))
        await expect(page.locator("html")).to_have_attribute("lang", language)


@pytest.mark.parametrize(
    ("locale", "times"),
    [
        ("en-US", "now | 12s ago | 59s ago | 1 min. ago | 48s left | 120s left | 3 min left"),
        ("de-DE", "jetzt | vor 12 s | vor 59 s | vor 1 Min. | noch 48 Sek. | noch 120 Sek. | noch 3 Min."),
        ("tr-TR", "şimdi | 12 sn. önce | 59 sn. önce | 1 dk. önce | 48sn kaldı | 120sn kaldı | 3 dk. kaldı"),
        ("es-ES", "ahora | hace 12 s | hace 59 s | hace 1 min | {0} 48s | {0} 120s | {0} 3 min"),
    ],
)  # fmt: skip
async def test_times_are_written_as_the_locale_writes_them(
    house: House, browser: Browser, locale: str, times: str
) -> None:
    async with a_page(browser, locale) as page:
        await page.goto(house.origin)
        said = await page.evaluate(
            """async () => {
                const { said } = await import("/texts.js");
                return [...[0, 12, 59, 61].map(said.ago), ...[48, 120, 121].map(said.left)];
            }"""
        )
        written = " | ".join(said).replace("\u202f", " ").replace("\xa0", " ")
        assert written == times.format("Tiempo restante:")


async def test_on_every_screen_all_that_is_read_comes_from_the_texts(house: House, browser: Browser) -> None:
    """With texts that are only their own names in brackets, nothing else is left to read but facts."""
    written = (FOLDER / "texts" / "en.js").read_text()

    def bracketed(found: re.Match[str]) -> str:
        held = "".join(re.findall(r"\{\w+\}", found[0]))
        return f'"⟦{held}⟧"'

    marked = re.sub(r'"(?:[^"\\]|\\.)*"', bracketed, written)

    async def answer(route: Route) -> None:
        await route.fulfill(body=marked, content_type="text/javascript")

    facts = re.compile(
        r"⟦[^⟧]*⟧|alice|fw1|my-phone\.example|a-gateway-with-a-rather-long-name|2001:[0-9a-f:]+|\b[A-Z2-9]{6}\b"
        r"|\b[0-9A-Z]{4}-[0-9A-Z]{4}\b|\d+(?:\.\d+){3}|now|\d+ ?s ago|[\d\s()]+"
    )
    async with a_page(browser, "en") as page:
        await page.context.route("**/texts/en.js", answer)
        async for screen in screens(house, page):
            rest = [facts.sub("", read) for read in await page.evaluate(READ)]
            assert [each for each in rest if each] == [], screen
