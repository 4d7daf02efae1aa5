"""What a phone is shown, a clock that is wrong, a text that says two things, and a flood beside RADIUS: in a
real browser, and with real logins.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from playwright.async_api import Browser, Page, expect

from radius_push import enrollment
from radius_push.model import Address, Person, PersonKey, Place, QuestionState
from radius_push.test_phone import SoftwarePhone
from tests.push.site import ACCEPT, Site, open_site
from tests.push.vapid import unpadded
from tests.web.house import open_house
from tests.web.test_phone import answer_fields, post
from tests.web.test_phone_app_browser import WAIT, Hand
from tests.web.test_phone_app_browser import browser as browser

NOWHERE = "http://localhost:9"
"""No push service: these phones are open, or are not rung."""
MARKUP = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>{{7*7}}'

# A phone whose clock is wrong by so many hours; how time passes is right.
WRONG_CLOCK = """(hours) => {
    const Right = Date;
    const off = hours * 3_600_000;
    window.Date = class extends Right {
        constructor(...said) { if (said.length) super(...said); else super(Right.now() + off); }
        static now() { return Right.now() + off; }
    };
}"""


@asynccontextmanager
async def a_page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
    context.set_default_timeout(WAIT * 1000)
    yield await context.new_page()
    await context.close()


@pytest.mark.slow
@pytest.mark.parametrize("hours", [-5, 5, 24 * 365])
async def test_a_phone_whose_clock_is_wrong_is_added_and_lets_in(
    tmp_path: Path, browser: Browser, hours: int
) -> None:
    async with open_site(tmp_path, push_service=NOWHERE) as site, a_page(browser) as page:
        await page.add_init_script(f"({WRONG_CLOCK})({hours})")
        shown = await site.invite()
        await page.goto(enrollment.link(site.url, shown))
        await page.get_by_role("button", name="Add this phone").click()
        await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
        await site.confirm(shown)
        await expect(page.get_by_role("heading", name="No request")).to_be_visible()
        wrong_by = await page.evaluate("() => Date.now() - performance.timeOrigin - performance.now()")
        assert abs(wrong_by - hours * 3_600_000) < 60_000

        asking = asyncio.ensure_future(site.log_in())
        card = page.get_by_role("article")
        # The bar is the server's: a login that just began is just beginning here, too.
        await expect(card.locator('[data-name="when"]')).to_have_text(re.compile("now|[0-9]s ago"))
        left = await card.locator('[data-name="left"]').inner_text()
        assert 30 < int(left.partition("s")[0]) <= 40
        await page.get_by_role("button", name="Yes, it’s me").click()
        async with asyncio.timeout(WAIT):
            reply = await asking
        assert reply is not None
        assert reply.code == ACCEPT


class Markup:
    def find(self, address: Address) -> Place | None:
        return Place({"en": MARKUP}, {"en": MARKUP}, None)


@pytest.mark.slow
async def test_what_a_login_says_of_itself_is_shown_as_text_and_never_becomes_part_of_the_page(
    tmp_path: Path, browser: Browser
) -> None:
    mallory = Person(PersonKey("staff", "alice-id"), MARKUP, "uid=alice", {})
    async with open_house(tmp_path, places=Markup()) as house, a_page(browser) as page:
        hand = Hand(house, page.context, page)
        await page.goto(await house.link(mallory))
        await page.locator('[data-name="phone"]').fill(MARKUP[:40])
        await hand.taps("Add this phone")
        await hand.confirmed()
        await expect(page.locator('[data-name="account"]')).to_have_text(MARKUP)
        await house.ask(mallory, client=MARKUP, address="203.0.113.7")
        card = page.get_by_role("article")
        for name in ("client", "account"):
            await expect(card.locator(f'[data-name="{name}"]')).to_have_text(MARKUP)
        await expect(card.locator('[data-name="place"]')).to_contain_text(MARKUP)
        await house.ask(mallory, client=MARKUP, address=MARKUP)
        await expect(page.get_by_role("article")).to_have_count(2)
        assert await page.locator("article img, article script").count() == 0
        for count in (1, 2):
            await page.get_by_role("button", name="No", exact=True).first.click()
            await expect(page.locator('[data-result="denied"]')).to_have_count(count)
        assert await page.evaluate("() => window.pwned") is None
        assert hand.complaints == []


def signed(phone: SoftwarePhone, text: str) -> dict[str, str]:
    r, s = decode_dss_signature(phone._key.sign(text.encode(), ec.ECDSA(SHA256())))
    return {"payload": text, "signature": unpadded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}


async def test_an_answer_that_says_a_field_twice_changes_nothing_though_it_is_signed(tmp_path: Path) -> None:
    """Readers differ in which of the two they take: what was signed must be what is read."""
    async with open_house(tmp_path) as house, await house.phone() as phone:
        question = await house.ask()
        card = await phone.next_question(seconds=WAIT)
        text = json.dumps(answer_fields(house, phone, card) | {"purpose": "deny"})
        for twice in (
            text.replace('"purpose"', '"purpose": "approve", "purpose"', 1),
            text[:-1] + ', "purpose": "approve"}',
            text.replace('"purpose"', '"purpo\\u0073e": "approve", "purpose"', 1),
        ):
            status, told = await post(house, "/api/answer", signed(phone, twice))
            assert (status, told["error"]) == (400, "refused")
        assert await house.state(question) is QuestionState.PENDING


# --- a flood -----------------------------------------------------------------------------------------------

NEIGHBOURHOODS, CONNECTIONS, LOGINS = 5, 30, 8


async def floods(site: Site, *, source: str, number: int) -> None:
    """One connection after the other, until it is cancelled: asks, guesses, talks nonsense, hangs."""
    host = urlsplit(site.url).netloc
    guess = json.dumps({"payload": "{}", "signature": "A" * 86})
    head = f"Host: {host}\r\nContent-Type: application/json\r\nContent-Length: "
    said = (
        f"POST /api/nonce HTTP/1.1\r\n{head}2\r\n\r\n{{}}",
        f"POST /api/answer HTTP/1.1\r\n{head}{len(guess)}\r\n\r\n{guess}",
        "\x16\x03\x01 this is no HTTP \r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {host}\r\nX-Slow: ",
    )[number % 4].encode()
    port = urlsplit(site.url).port
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
            try:
                for _ in range(50):
                    writer.write(said)
                    await writer.drain()
                    if not await reader.read(4096):
                        break
            finally:
                writer.close()
        await asyncio.sleep(0)


@pytest.mark.slow
async def test_while_the_phone_side_is_flooded_every_login_is_let_in_by_its_phone(tmp_path: Path) -> None:
    async with open_site(tmp_path, push_service=NOWHERE) as site:
        shown = await site.invite()
        async with await SoftwarePhone.enrol(enrollment.link(site.url, shown)) as phone:
            await site.confirm(shown)
            strangers = [
                asyncio.ensure_future(floods(site, source=f"127.5.{where}.1", number=number))
                for where in range(NEIGHBOURHOODS)
                for number in range(CONNECTIONS)
            ]
            try:
                for _ in range(LOGINS):
                    asking = asyncio.ensure_future(site.log_in())
                    async with asyncio.timeout(WAIT):
                        await phone.answer(await phone.next_question(seconds=WAIT), approve=True)
                        reply = await asking
                    assert reply is not None
                    assert reply.code == ACCEPT
            finally:
                for stranger in strangers:
                    stranger.cancel()
                await asyncio.gather(*strangers, return_exceptions=True)
            assert site.server.counters["phone_malformed"] > LOGINS
            assert site.server.counters["phone_signed_text_refused"] > LOGINS
