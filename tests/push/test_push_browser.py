"""The whole way to a closed phone: a login by RADIUS, our push, a push service that checks it, and Chromium's
real service worker, which shows it.

Chromium cannot subscribe without the internet. So `pushManager.subscribe` is a stub that gives out a
subscription of the test's push service, and the DevTools protocol hands the browser what arrived there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, CDPSession, Page, Worker, async_playwright, expect
from playwright.async_api import Error as NotAllowed

from radius_push import enrollment, events
from radius_push.model import Device
from tests.push.service import Browser, PushService, push_service
from tests.push.site import ACCEPT, REJECT, Site, open_site
from tests.push.vapid import expires_within_a_day, unpadded
from tests.web.test_phone_app_browser import ARGUMENTS, WAIT

pytestmark = pytest.mark.slow

STUB = """(told) => {
    const plain = (text) => atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const octets = (text) => Uint8Array.from(plain(text), (letter) => letter.charCodeAt(0)).buffer;
    const subscription = (options) => ({
        endpoint: told.endpoint,
        options: { applicationServerKey: octets(options.applicationServerKey) },
        getKey: (name) => octets(told[name]),
        unsubscribe: async () => { delete sessionStorage.pushed; return true; },
    });
    PushManager.prototype.getSubscription = async () =>
        sessionStorage.pushed ? subscription(JSON.parse(sessionStorage.pushed)) : null;
    PushManager.prototype.subscribe = async (options) => {
        if (told.hangs) await new Promise(() => {});
        sessionStorage.pushed = JSON.stringify(options);
        return subscription(options);
    };
}"""
SHOWN = """async () => (await self.registration.getNotifications()).map(
    ({ title, body, tag, actions, requireInteraction, data }) =>
        ({ title, body, tag, actions: actions.map(({ action }) => action), requireInteraction, data }))"""
CLICK = """async (action) => {
    const [notification] = await self.registration.getNotifications();
    const event = new NotificationEvent("notificationclick", { notification, action });
    let done = Promise.resolve();
    event.waitUntil = (promise) => { done = promise; };  // only the browser's own events have a real one
    self.dispatchEvent(event);
    await done;
}"""


@dataclass
class Rung(Site):
    service: PushService = field(kw_only=True)


@dataclass
class Phone:
    """A person's phone, with its app open or closed."""

    site: Rung
    context: BrowserContext
    page: Page
    cdp: CDPSession
    subscription: Browser
    registration: str = ""

    async def taps(self, button: str) -> None:
        await self.page.get_by_role("button", name=button, exact=True).click()

    async def sees(self, text: str) -> None:
        await expect(self.page.get_by_text(text).first).to_be_visible(timeout=WAIT * 1000)

    async def enrol(self) -> Device:
        shown = await self.site.invite()
        await self.page.goto(enrollment.link(self.site.url, shown))
        await self.taps("Add this phone")
        await expect(self.page.get_by_role("heading", name="One more step")).to_be_visible()
        device = await self.site.confirm(shown)
        await expect(self.page.get_by_role("heading", name="No request")).to_be_visible()
        return device

    async def turns_notifications_on(self) -> None:
        await self.taps("Get notified when this app is closed")
        await self.sees("Notifications are on")

    async def is_handed(self, message: dict[str, Any]) -> None:
        """What the browser does when its push service has something for it."""
        await self.cdp.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": self.site.url, "registrationId": self.registration, "data": json.dumps(message)},
        )

    async def shows(self, count: int = 1, *, title: str = "") -> list[dict[str, Any]]:
        """Its notifications, once there are so many, and all are called so: a browser lists one that is
        closed for a moment more."""
        found: list[dict[str, Any]] = []
        async with asyncio.timeout(WAIT):
            while True:
                found = await (await self.worker()).evaluate(SHOWN)
                if len(found) == count and all(each["title"].startswith(title) for each in found):
                    return found
                await asyncio.sleep(0.05)  # a notification is shown without a sign that a test could hear

    async def worker(self) -> Worker:
        if self.context.service_workers:
            return self.context.service_workers[0]
        return await self.context.wait_for_event("serviceworker")

    async def clicks(self, action: str) -> None:
        await (await self.worker()).evaluate(CLICK, action)

    async def closes_the_app(self) -> None:
        """Another page stays open in the browser, as the browser itself does on a phone."""
        await self.page.goto("about:blank")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Rung]:
    async with push_service() as service, open_site(tmp_path, push_service=service.origin) as site:
        yield Rung(site.server, site.url, site.told, service=service)


@pytest.fixture
async def chromium() -> AsyncIterator[Chromium]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def a_phone(
    site: Rung, chromium: Chromium, *, allowed: bool = True, hangs: bool = False, locale: str = "en-US"
) -> AsyncIterator[Phone]:
    context = await chromium.new_context(
        viewport={"width": 412, "height": 839}, has_touch=True, locale=locale
    )
    context.set_default_timeout(WAIT * 1000)
    if allowed:
        await context.grant_permissions(["notifications"], origin=site.url)
    page = await context.new_page()
    subscription = site.service.subscribe()
    told = {
        "endpoint": subscription.endpoint,
        "p256dh": unpadded(subscription.p256dh),
        "auth": unpadded(subscription.auth),
        "hangs": hangs,
    }
    await page.add_init_script(f"({STUB})({json.dumps(told)})")
    cdp = await context.new_cdp_session(page)
    phone = Phone(site, context, page, cdp, subscription)
    cdp.on("ServiceWorker.workerRegistrationUpdated", lambda event: note(phone, event))
    await cdp.send("ServiceWorker.enable")
    yield phone
    await context.close()


def note(phone: Phone, event: dict[str, Any]) -> None:
    for registration in event["registrations"]:
        if registration["scopeURL"].startswith(phone.site.url):
            phone.registration = registration["registrationId"]


async def test_a_closed_phone_is_rung_shows_it_and_denies_from_the_notification(
    site: Rung, chromium: Chromium
) -> None:
    async with a_phone(site, chromium) as phone:
        device = await phone.enrol()
        # Allowed already, so the app subscribes without being asked.
        await phone.sees("Notifications are on")
        await phone.closes_the_app()

        asking = asyncio.ensure_future(site.log_in())
        async with asyncio.timeout(WAIT):
            (pushed,) = await site.service.until(1)
        assert expires_within_a_day(pushed.claims)
        assert pushed.claims["sub"] == "mailto:vpn@example.com"
        assert pushed.headers["Urgency"] == "high"
        assert 30 < int(pushed.headers["TTL"]) <= 40

        await phone.is_handed(pushed.message)
        (shown,) = await phone.shows()
        (asked,) = [event for event in site.told if isinstance(event, events.Asked)]
        assert shown == {
            "title": "Sign-in request",
            "body": "head-office asks for alice",
            "tag": pushed.headers["Topic"],
            "actions": ["review", "deny"],
            "requireInteraction": True,
            "data": {
                "question": asked.question,
                "test": None,
                "pushed": {"kind": "request", "id": asked.question},
            },
        }
        await receipts(site, 1)

        await phone.clicks("deny")
        async with asyncio.timeout(WAIT):
            reply = await asking
        assert reply is not None
        assert reply.code == REJECT
        (answered,) = [event for event in site.told if isinstance(event, events.Answered)]
        assert (answered.answer, answered.device) == ("deny", device.id)
        (shown,) = await phone.shows(title="Denied")
        assert shown["title"] == "Denied"


async def receipts(site: Rung, count: int) -> list[events.PushReceived]:
    """What the phone has said of its pushes, once it is so many."""
    async with asyncio.timeout(WAIT):
        while True:
            found = [event for event in site.told if isinstance(event, events.PushReceived)]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)  # it is said beside what the person sees


async def test_a_phone_says_that_a_push_came_and_that_it_was_opened_and_both_are_timed(
    site: Rung, chromium: Chromium
) -> None:
    async with a_phone(site, chromium) as phone:
        device = await phone.enrol()
        await phone.sees("Notifications are on")
        asking = asyncio.ensure_future(site.log_in())
        async with asyncio.timeout(WAIT):
            (pushed,) = await site.service.until(1)
        for _ in range(2):  # a push service may hand over the same twice
            await phone.is_handed(pushed.message)
            await phone.shows()
        with contextlib.suppress(NotAllowed):  # only a finger's click may bring a window to the front
            await phone.clicks("review")
        first, opened = await receipts(site, 2)
        (asked,) = [event for event in site.told if isinstance(event, events.Asked)]
        assert (first.login, first.question, first.device) == (asked.login, asked.question, device.id)
        assert [(each.channel, each.what) for each in (first, opened)] == [
            ("web_push", "received"), ("web_push", "opened"),
        ]  # fmt: skip
        assert 0 <= first.milliseconds <= opened.milliseconds
        speed = (await site.server.store.push_speed(device.id))[device.id]["web_push"]
        assert (speed.rings, speed.receipts, speed.receipt) == (1, 1, first.milliseconds)
        asking.cancel()


async def test_a_deny_that_cannot_be_sent_is_not_sent_later(site: Rung, chromium: Chromium) -> None:
    async with a_phone(site, chromium) as phone:
        await phone.enrol()
        await phone.sees("Notifications are on")
        asking = asyncio.ensure_future(site.log_in())
        await expect(phone.page.get_by_role("heading", name="Are you signing in?")).to_be_visible()
        async with asyncio.timeout(WAIT):
            (pushed,) = await site.service.until(1)
        await phone.is_handed(pushed.message)
        await phone.shows()
        await phone.context.set_offline(True)
        await phone.clicks("deny")
        (shown,) = await phone.shows()
        assert "NOT denied" in shown["body"]
        await phone.context.set_offline(False)
        await phone.taps("Yes, it’s me")
        async with asyncio.timeout(WAIT):
            reply = await asking
        assert reply is not None
        assert reply.code == ACCEPT
        # Answered in the app: its notification leaves the screen.
        await phone.shows(0)


async def test_a_deny_of_a_request_that_is_over_answers_nothing_else(site: Rung, chromium: Chromium) -> None:
    async with a_phone(site, chromium) as phone:
        await phone.enrol()
        await phone.sees("Notifications are on")
        await phone.closes_the_app()
        first = asyncio.ensure_future(site.log_in())
        async with asyncio.timeout(WAIT):
            (pushed,) = await site.service.until(1)
        first.cancel()
        other = dict(pushed.message["notification"], data={"question": "of another login"})
        await phone.is_handed({"web_push": 8030, "notification": other})
        await phone.shows()
        await phone.clicks("deny")
        (shown,) = await phone.shows()
        assert shown["title"] == "It is over"
        assert not [event for event in site.told if isinstance(event, events.Answered)]


@pytest.mark.parametrize(
    ("locale", "title", "body"),
    [
        ("de-AT", "Anmeldung", "head-office fragt nach alice"),
        ("tr-TR", "Giriş isteği", "head-office soruyor: alice"),
        ("es-MX", "Solicitud de acceso", "head-office pregunta por alice"),
    ],
)
async def test_a_notification_speaks_the_language_of_its_browser(
    site: Rung, locale: str, title: str, body: str
) -> None:
    # A worker knows the language of the whole browser, not that of one page's emulation.
    speaks = [*ARGUMENTS, f"--accept-lang={locale}"]
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=speaks)
        async with a_phone(site, chromium, locale=locale) as phone:
            await phone.page.goto(site.url)
            await expect(phone.page.locator("html")).to_have_attribute("lang", locale[:2])
            await phone.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
            data = {"question": "q", "client": "head-office", "account": "alice"}
            message = {"title": "Sign-in request", "body": "head-office asks for alice", "data": data}
            await phone.is_handed({"web_push": 8030, "notification": message})
            (shown,) = await phone.shows()
            assert (shown["title"], shown["body"]) == (title, body)
        await chromium.close()


@pytest.mark.parametrize("message", [{}, {"notification": {"title": 7, "data": {"question": 5}}}, {"a": "b"}])
async def test_every_push_shows_something(site: Rung, chromium: Chromium, message: dict[str, Any]) -> None:
    async with a_phone(site, chromium) as phone:
        await phone.enrol()
        await phone.sees("Notifications are on")
        await phone.is_handed(message)
        (shown,) = await phone.shows()
        assert shown["actions"] == ["review"]


async def test_a_test_request_comes_as_notification_and_card_and_lets_nobody_in(
    site: Rung, chromium: Chromium
) -> None:
    async with a_phone(site, chromium) as phone:
        await phone.enrol()
        await phone.sees("Notifications are on")
        await phone.taps("Send a test request")
        await expect(phone.page.get_by_role("heading", name="This is a test")).to_be_visible()
        async with asyncio.timeout(WAIT):
            (pushed,) = await site.service.until(1)
        await phone.is_handed(pushed.message)
        (shown,) = await phone.shows()
        assert (shown["title"], shown["actions"]) == ("Test request", ["review"])
        await phone.taps("OK")
        await expect(phone.page.get_by_role("heading", name="It works")).to_be_visible()
        await phone.shows(0)
        assert not [e for e in site.told if isinstance(e, events.Answered | events.Accepted | events.Asked)]


# --- permission ----------------------------------------------------------------------------------------


async def test_a_browser_whose_push_service_never_answers_does_without(
    site: Rung, chromium: Chromium
) -> None:
    async with a_phone(site, chromium, hangs=True) as phone:
        await phone.enrol()
        await phone.sees("Turning notifications on")
        await phone.sees("Notifications could not be turned on")
        asking = asyncio.ensure_future(site.log_in())
        await phone.taps("Yes, it’s me")
        reply = await asking
        assert reply is not None
        assert reply.code == ACCEPT


async def test_blocked_notifications_are_named_with_the_mend(site: Rung, chromium: Chromium) -> None:
    async with a_phone(site, chromium, allowed=False) as phone:
        await phone.page.add_init_script(
            "Object.defineProperty(Notification, 'permission', {get: () => 'denied'})"
        )
        await phone.enrol()
        await phone.sees("Notifications are blocked")
        await expect(phone.page.get_by_role("button", name="Get notified")).to_have_count(0)


async def test_the_person_is_asked_only_on_a_tap(site: Rung, chromium: Chromium) -> None:
    async with a_phone(site, chromium, allowed=False) as phone:
        await phone.page.add_init_script(
            """(() => {
                let said = "default";
                Object.defineProperty(Notification, "permission", {get: () => said});
                Notification.requestPermission = async () => {
                    window.askedWithTap = navigator.userActivation.isActive;
                    return (said = "granted");
                };
            })()"""
        )
        await phone.enrol()
        assert await phone.page.evaluate("() => window.askedWithTap") is None
        await phone.turns_notifications_on()
        assert await phone.page.evaluate("() => window.askedWithTap") is True


async def test_when_a_push_came_last_is_seen_on_the_phone_and_by_the_administrator(
    site: Rung, chromium: Chromium
) -> None:
    async with a_phone(site, chromium) as phone:
        device = await phone.enrol()
        await phone.sees("No notification has come to this phone yet.")
        assert (await site.server.store.push_reach())[device.id].seen_at is None
        await phone.is_handed({"web_push": 8030, "notification": {"title": "x", "navigate": "/"}})
        await phone.sees("The last notification came")
        assert (await site.server.store.push_reach())[device.id].seen_at is not None


async def test_a_push_address_that_its_service_gave_up_is_made_anew_while_the_app_is_open(
    site: Rung, chromium: Chromium
) -> None:
    async with a_phone(site, chromium) as phone:
        device = await phone.enrol()
        await phone.sees("Notifications are on")
        (address,) = await site.server.store.push_addresses_of(device.person)
        gone = events.PushChanged(str(device.person), device.id, "web_push", None, by="push service")
        await site.server.store.forget_push_address(
            device.id, "web_push", only=address.where, at=0.0, event=gone
        )
        async with asyncio.timeout(WAIT):
            while not await site.server.store.push_addresses_of(device.person):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await phone.sees("Notifications are on")


async def test_a_subscription_that_the_server_forgot_is_made_anew(site: Rung, chromium: Chromium) -> None:
    async with a_phone(site, chromium) as phone:
        device = await phone.enrol()
        await phone.sees("Notifications are on")
        await phone.page.reload()
        await phone.sees("Notifications are on")
        changes = [event for event in site.told if isinstance(event, events.PushChanged)]
        assert [change.service for change in changes] == ["localhost"]
        gone = events.PushChanged(str(device.person), device.id, "web_push", None, by="push service")
        await site.server.store.forget_push_address(device.id, "web_push", only=None, at=0.0, event=gone)
        await phone.page.reload()
        await phone.sees("Notifications are on")
        assert [address.device for address in await site.server.store.push_addresses_of(device.person)] == [
            device.id
        ]
