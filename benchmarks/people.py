"""How long until a person sees it: from the gateway's packet to the card of an open app, and to the alert of
a closed one. Both browsers are real, and so is all between them and the gateway.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright

from benchmarks.gateway import Gateways
from benchmarks.measures import ACCEPT, NotAsItMustBe, Row
from benchmarks.phones import Phones
from benchmarks.site import Site, name, site
from radius_push.radius.dictionary import Dictionary
from tests.push.autopush import autopush
from tests.push.firefox import PROGRAM, Firefox, firefox

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
SECONDS = 30
"""For whatever a browser is waited for."""
MANY = {"dom.push.maxQuotaPerSubscription": 100_000}
"""Firefox takes some dozen pushes whose alerts were closed within 3 s, until the person visits the site."""
WARM_UP = 3
"""Logins of each kind that are not counted: a browser's first ones compile its code."""

# Resolves behind the frame that is the first with a card on it, as the machine's clock says.
_WATCH = """() => {
    window.cardSeen = new Promise((seen) => {
        const found = () => document.querySelector('[data-name="yes"]');
        const watcher = new MutationObserver(() => {
            if (!found()) return;
            watcher.disconnect();
            requestAnimationFrame(() => setTimeout(() => seen(Date.now())));
        });
        watcher.observe(document.body, { childList: true, subtree: true });
    });
}"""
_CARD = "() => window.cardSeen"
_NO_CARD = """() => document.querySelector('[data-name="yes"]') === null"""
# The same for each alert that Firefox opens: the browser's own window keeps the times.
_WATCH_ALERTS = """
    window.alertsSeen = [];
    const seen = (alert) =>
        alert.requestAnimationFrame(() => alert.setTimeout(() => window.alertsSeen.push(Date.now())));
    Services.ww.registerNotification((opened, topic) => {
        if (topic !== "domwindowopened") return;
        opened.addEventListener("load", () => {
            if (opened.location.href.endsWith("/alert.xhtml")) seen(opened);
        }, { once: true });
    });
    arguments[0](true);
"""
_ALERT = """
    const done = arguments[0];
    const look = () => (window.alertsSeen.length ? done(window.alertsSeen.shift()) : setTimeout(look, 5));
    look();
"""
_NO_ALERT = """
    const done = arguments[0];
    for (const alert of Services.wm.getEnumerator("alert:alert")) alert.close();
    const look = () => (Services.wm.getMostRecentWindow("alert:alert") ? setTimeout(look, 5) : done(true));
    look();
"""

Seen = Callable[[], Awaitable[int]]
"""Waits until the login is seen; the milliseconds of the machine's clock then."""
Ready = Callable[[], Awaitable[None]]


async def until_people_see(folder: Path, dictionary: Dictionary, *, logins: int) -> AsyncIterator[Row]:
    """Of so many logins, one after the other; when it was seen, the person's second device approves."""
    missing = [program for program in (CHROMIUM, PROGRAM) if shutil.which(program) is None]
    if missing:
        yield Row("until a person sees it", "not measured", f"{' and '.join(missing)} not installed here")
        return
    async with autopush() as service, site(folder, people=2, push_service=service.origin) as there:
        gateways = await Gateways.open(there.radius, dictionary, subnet="127.11", at_once=1)
        phones = Phones(there.origin, lines=1)
        try:
            async with an_open_app(there) as page:
                yield await _open(there, gateways, phones, page, logins=logins)
            async with firefox(folder, push_service=service.address, preferences=MANY) as closed:
                yield await _closed(there, gateways, phones, closed, logins=logins)
        finally:
            phones.close()
            gateways.close()


@asynccontextmanager
async def an_open_app(there: Site) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        page = await browser.new_page(viewport={"width": 412, "height": 839}, locale="en-US")
        page.set_default_timeout(SECONDS * 1000)

        async def redeem(link: str) -> None:
            await page.goto(link)
            await page.get_by_role("button", name="Add this phone").click()

        await _enrol(there, name(0), redeem)
        await page.get_by_role("heading", name="No request").wait_for()
        yield page
        await browser.close()


async def _open(there: Site, gateways: Gateways, phones: Phones, page: Page, *, logins: int) -> Row:
    async def watch() -> None:
        await page.wait_for_function(_NO_CARD)
        await page.evaluate(_WATCH)

    async def seen() -> int:
        return int(await page.evaluate(_CARD))

    waits = await _series(there, gateways, phones, person=0, logins=logins, ready=watch, seen=seen)
    how = "Chromium, event stream, behind the card's first frame"
    return _row("login to card, app open", waits, how)


async def _closed(there: Site, gateways: Gateways, phones: Phones, phone: Firefox, *, logins: int) -> Row:
    async def redeem(link: str) -> None:
        await phone.goes_to(link)
        await phone.taps("Add this phone")

    async def clear() -> None:
        await phone.within_itself(_NO_ALERT)

    async def seen() -> int:
        return int(await phone.within_itself(_ALERT))

    await phone.allows_notifications(there.origin)
    await _enrol(there, name(1), redeem)
    await phone.sees("Notifications are on")
    await phone.closes_its_page()
    await phone.within_itself(_WATCH_ALERTS)
    waits = await _series(there, gateways, phones, person=1, logins=logins, ready=clear, seen=seen)
    how = "Firefox ESR, a push service on this machine, encryption included, behind the alert's first frame"
    return _row("login to alert, app closed", waits, how)


async def _enrol(there: Site, user: str, redeem: Callable[[str], Awaitable[None]]) -> None:
    """As an admin does it for a person whose phone is at hand."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from radius_push.cli import main; main()"),
        *("enroll", user, "--config", str(there.config), "--no-confirm", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    async with asyncio.timeout(SECONDS):
        await redeem(json.loads(await process.stdout.readline())["link"])
        await process.stdout.read()
        if await process.wait() != 0:
            raise NotAsItMustBe(f"{user}'s browser could not be enrolled")


async def _series(
    there: Site, gateways: Gateways, phones: Phones, *, person: int, logins: int, ready: Ready, seen: Seen
) -> list[float]:
    """Seconds from each login's packet to when it is seen."""
    phone, waits = there.phones[person], list[float]()
    async with phones.listening(phone) as cards:
        for _ in range(WARM_UP + logins):
            await ready()
            began = time.time()
            asking = asyncio.ensure_future(gateways.ask(name(person)))
            async with asyncio.timeout(SECONDS):
                waits.append(await seen() / 1000 - began)
                await phones.answer(phone, await anext(cards))
                if (told := await asking).code != ACCEPT:
                    raise NotAsItMustBe(f"{name(person)} was approved and got code {told.code}")
    return waits[WARM_UP:]


def _row(what: str, waits: list[float], how: str) -> Row:
    half, most = statistics.median(waits) * 1000, max(waits) * 1000
    tenth = statistics.quantiles(waits, n=10)[8] * 1000
    return Row(
        what,
        f"p50 {half:.0f} ms, p90 {tenth:.0f} ms, most {most:.0f} ms",
        f"{how}; {len(waits)} logins, one after the other",
    )
