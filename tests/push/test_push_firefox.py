"""Web Push with nothing stubbed: a login by RADIUS, our push, a push service of Mozilla's protocol, and
Firefox, which subscribes, decrypts and shows it with the app closed. A click on its alert opens the app.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from radius_push import enrollment, events
from radius_push.client import Reply
from radius_push.model import Device
from tests.push.autopush import TAKEN, Autopush, autopush
from tests.push.firefox import Alert, Firefox, firefox
from tests.push.site import ACCEPT, Site, open_site
from tests.push.vapid import expires_within_a_day
from tests.web.house import until

pytestmark = pytest.mark.slow

WAIT = 30.0


@dataclass
class Phone:
    """A person's phone with Firefox: its app is open or closed, Firefox runs."""

    site: Site
    service: Autopush
    firefox: Firefox

    async def enrol(self) -> Device:
        """By a link, to the end. Notifications are allowed, so the app subscribes by itself."""
        shown = await self.site.invite()
        await self.firefox.goes_to(enrollment.link(self.site.url, shown))
        await self.firefox.taps("Add this phone")
        await self.firefox.sees("One more step")
        device = await self.site.confirm(shown)
        await self.firefox.sees("Notifications are on")
        return device

    async def until(self, true: Callable[[Autopush], bool]) -> None:
        async with asyncio.timeout(WAIT):
            await self.service.until(true)

    async def opens_by_the_alert(self) -> None:
        before = await self.firefox.pages()
        await self.firefox.clicks_the_alert()
        await self.firefox.looks_at_the_new_page(before)


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    async with (
        autopush() as service,
        open_site(tmp_path, push_service=service.origin) as site,
        firefox(tmp_path, push_service=service.address) as driven,
    ):
        await driven.allows_notifications(site.url)
        yield Phone(site, service, driven)


@asynccontextmanager
async def a_login(site: Site) -> AsyncIterator[asyncio.Future[Reply | None]]:
    asking = asyncio.ensure_future(site.log_in())
    try:
        yield asking
    finally:
        asking.cancel()


async def accepted(asking: asyncio.Future[Reply | None]) -> None:
    async with asyncio.timeout(WAIT):
        reply = await asking
    assert reply is not None
    assert reply.code == ACCEPT


async def test_a_closed_app_is_rung_and_a_click_on_the_alert_leads_to_the_yes(phone: Phone) -> None:
    device = await phone.enrol()
    await phone.firefox.closes_its_page()
    async with a_login(phone.site) as asking:
        assert await phone.firefox.shows() == [
            Alert(
                "Sign-in request",
                "head-office asks for alice",
                f"via {phone.site.url.removeprefix('http://')}",
            )
        ]
        (posted,) = phone.service.posted
        assert posted.headers["Urgency"] == "high"
        assert 30 < int(posted.headers["TTL"]) <= 40
        assert expires_within_a_day(posted.claims)
        assert posted.claims["sub"] == "mailto:vpn@example.com"
        assert b"alice" not in posted.body

        await phone.opens_by_the_alert()
        await phone.firefox.sees("Are you signing in?")
        assert await phone.firefox.url() == f"{phone.site.url}/"
        await phone.firefox.sees("203.0.113.7")
        await phone.firefox.taps("Yes, it’s me")
        await accepted(asking)
    await phone.until(lambda service: service.acked == {posted.version: TAKEN})
    (answered,) = [event for event in phone.site.told if isinstance(event, events.Answered)]
    assert (answered.answer, answered.device) == ("approve", device.id)


async def test_a_click_brings_back_the_page_that_is_open_and_opens_no_second_one(phone: Phone) -> None:
    await phone.enrol()
    page = await phone.firefox.pages()
    async with a_login(phone.site) as asking:
        await phone.firefox.shows()
        await phone.firefox.clicks_the_alert()
        assert await phone.firefox.pages() == page
        await phone.firefox.taps("Yes, it’s me")
        await accepted(asking)


async def test_what_waits_for_a_phone_out_of_reach_is_replaced_by_the_next_try(phone: Phone) -> None:
    """Meanwhile the app, opened by hand, shows the request without any push."""
    await phone.enrol()
    phone.service.in_reach = False
    async with a_login(phone.site) as first:
        await phone.firefox.taps("Yes, it’s me")
        await accepted(first)
    await phone.firefox.taps("Done")
    await phone.firefox.closes_its_page()
    async with a_login(phone.site) as second:
        await phone.until(lambda service: len(service.posted) == 2)
        before, after = phone.service.posted
        assert before.topic == after.topic
        await phone.service.back_in_reach()
        await phone.firefox.shows()
        await phone.until(lambda service: service.acked == {after.version: TAKEN})
        await phone.opens_by_the_alert()
        await phone.firefox.taps("Yes, it’s me")
        await accepted(second)


async def test_a_subscription_that_is_gone_is_noticed_and_made_anew_by_the_app(phone: Phone) -> None:
    device = await phone.enrol()
    (dropped,) = phone.service.subscriptions
    phone.service.forget(dropped)
    async with a_login(phone.site) as first:
        await phone.firefox.taps("Yes, it’s me")
        await accepted(first)
    async with asyncio.timeout(WAIT):
        await until(lambda: any(isinstance(event, events.Rang) for event in phone.site.told))
    (rang,) = [e for e in phone.site.told if isinstance(e, events.Rang)]
    assert (rang.outcome, rang.device) == ("gone", device.id)
    # The app is open: it hears that its address was given up.
    await phone.until(
        lambda service: [each.path for each in service.subscriptions] not in ([], [dropped.path])
    )
    await phone.firefox.sees("Notifications are on")
    (made,) = phone.service.subscriptions
    assert made.path != dropped.path
    await phone.firefox.closes_its_page()
    async with a_login(phone.site) as second:
        assert [alert.title for alert in await phone.firefox.shows()] == ["Sign-in request"]
        await phone.opens_by_the_alert()
        await phone.firefox.taps("Yes, it’s me")
        await accepted(second)


async def test_a_test_request_comes_to_the_closed_app(phone: Phone) -> None:
    await phone.enrol()
    phone.service.in_reach = False
    await phone.firefox.taps("Send a test request")
    await phone.firefox.sees("This is a test")
    await phone.firefox.closes_its_page()
    await phone.until(lambda service: len(service.posted) == 1)
    await phone.service.back_in_reach()
    (alert,) = await phone.firefox.shows()
    assert alert.title == "Test request"
    await phone.opens_by_the_alert()
    await phone.firefox.taps("OK")
    await phone.firefox.sees("It works")
    assert not [e for e in phone.site.told if isinstance(e, events.Asked | events.Accepted)]
