"""What a card says of the address, as a person reads it: in a real browser, down to 320 pixels."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from radius_push.model import Address, Place
from tests.web.house import open_house
from tests.web.test_phone_app_browser import Hand, a_hand, browser  # noqa: F401  # the fixture

pytestmark = pytest.mark.slow

VIENNA = Place({"en": "Vienna", "de": "Wien"}, {"en": "Austria", "de": "Österreich"}, "AT")
BARE = Place({}, {}, "TR")


class TwoPlaces:
    def find(self, address: Address) -> Place | None:
        return VIENNA if str(address).startswith("198.51.100.") else BARE


async def shows(hand: Hand, name: str, text: str) -> None:
    element = hand.page.locator(f'.card [data-name="{name}"]')
    if text:
        await expect(element).to_have_text(text)
    else:
        await expect(element).to_be_hidden()


@pytest.mark.parametrize("width", [320, 412])
async def test_a_person_reads_about_where_it_is_and_what_is_known(
    tmp_path: Path,
    browser: Browser,  # noqa: F811
    width: int,
) -> None:
    async with open_house(tmp_path, places=TwoPlaces()) as house, a_hand(house, browser, width=width) as hand:
        await hand.enrol()
        for address, place, by in (
            ("198.51.100.7", "about Vienna, Austria", "reported by the gateway"),
            ("203.0.113.7", "about Türkiye", "reported by the gateway"),
            ("10.1.2.3", "inside a private network", "reported by the gateway"),
            ("100.64.1.1", "inside an internet provider’s network", "reported by the gateway"),
            (None, "", "the gateway did not report one"),
        ):
            await house.ask(address=address)
            await hand.sees("Are you signing in?")
            await shows(hand, "place", place)
            await shows(hand, "by", by)
            await shows(hand, "same", "")
            assert not await hand.overflows()
            await hand.taps("No")
            await hand.sees("Denied")
            await hand.taps("Done")
        await house.let_in(address="198.51.100.7", at=house.clock.now() - 60)
        await house.ask(address="198.51.100.7")
        await shows(hand, "same", "Same address as your last sign-in. Did your laptop reconnect by itself?")
        assert not await hand.overflows()


async def test_the_same_network_as_this_phone_is_said(
    tmp_path: Path,
    browser: Browser,  # noqa: F811
) -> None:
    from ipaddress import ip_network

    proxies = (ip_network("127.0.0.0/8"),)
    async with open_house(tmp_path, trusted_proxies=proxies) as house, a_hand(house, browser) as hand:
        await hand.context.set_extra_http_headers({"X-Forwarded-For": "203.0.113.77"})
        await hand.enrol()
        await house.ask(address="203.0.113.77")
        await shows(hand, "same", "Same network as this phone.")
        await shows(hand, "place", "")
