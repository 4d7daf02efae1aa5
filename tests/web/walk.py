"""Through all screens of the app, one after the other, in whatever language it speaks."""

from __future__ import annotations

from collections.abc import AsyncIterator

from playwright.async_api import CDPSession, Locator, Page, expect

from radius_push.enrollment import confirm, confirm_credential, confirmation_code
from radius_push.shapes import Enrollment
from radius_push.test_phone import SoftwarePhone
from tests.web.house import House

NO_KEY = "IDBObjectStore.prototype.put = () => { throw new DOMException('', 'DataCloneError') }"
NOT_INSTALLED = "Object.defineProperty(navigator, 'standalone', {value: false})"
MAY_ASK = "Object.defineProperty(Notification, 'permission', {get: () => 'default'})"

NUMBERS = """(() => {
    const plain = window.fetch;
    window.fetch = async (...asked) => {
        const response = await plain(...asked);
        if (!String(asked[0]).endsWith("/api/stream") || !response.ok) return response;
        let rest = "";
        const change = new TransformStream({
            transform(chunk, onward) {
                const events = (rest + chunk).split("\\n\\n");
                rest = events.pop();
                for (const event of events) {
                    const mode = window.numbers ? "digits" : "off";
                    onward.enqueue(`${event}\\n\\n`.replace(/("number_mode": ?)"off"/g, `$1"${mode}"`));
                }
            },
        });
        const body = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(change);
        return new Response(body.pipeThrough(new TextEncoderStream()), response);
    };
})()"""
"""No server of today asks for a number: what it says of a request is changed on its way to the page, while
`window.numbers` is true."""


def part(page: Page, name: str) -> Locator:
    return page.locator(f'[data-name="{name}"]')


class Authenticator:
    """The one that Chromium lends a page: its finger is always there, and known or not."""

    def __init__(self, protocol: CDPSession, id: str) -> None:
        self._protocol = protocol
        self._id = id

    @classmethod
    async def lend(cls, page: Page) -> Authenticator:
        protocol = await page.context.new_cdp_session(page)
        await protocol.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = await protocol.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return cls(protocol, made["authenticatorId"])

    async def recognises(self, known: bool) -> None:
        await self._protocol.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": known}
        )

    async def forgets(self) -> None:
        await self._protocol.send("WebAuthn.clearCredentials", {"authenticatorId": self._id})


async def screens(house: House, page: Page) -> AsyncIterator[str]:
    """The name of each screen while `page` shows it. The page is new, and its phone not added yet."""
    await page.add_init_script(MAY_ASK)
    await page.add_init_script(NUMBERS)
    authenticator = await Authenticator.lend(page)
    await page.goto(house.origin)
    await expect(part(page, "go")).to_be_visible()
    yield "add by code"
    await part(page, "go").click()
    await expect(part(page, "wrong")).not_to_be_empty()
    yield "add, without a code"
    async for name in _elsewhere(house, page):
        yield name
    await page.goto(await house.link(sent=True))
    await part(page, "go").click()
    await expect(part(page, "password")).to_be_visible()
    yield "your password"
    await part(page, "go").click()
    await expect(part(page, "wrong")).not_to_be_empty()
    yield "your password, without it"
    await page.goto("about:blank")
    await page.goto(await house.link())
    await expect(part(page, "phone")).to_be_visible()
    yield "add by link"
    await part(page, "go").click()
    await expect(part(page, "later")).to_be_visible()
    yield "fingerprint or face, offered"
    await part(page, "later").click()
    await expect(page.locator(".big-code")).not_to_be_empty()
    yield "one more step"
    device = (await house.store.devices())[-1]
    code = confirmation_code(device.invitation, device.public_key)
    await confirm(house.store, device.invitation, code, by="test", now=house.clock.now())
    await expect(part(page, "test")).to_be_visible()
    yield "no request"
    async for name in _notices(house, page):
        yield name
    async for name in _requests(house, page):
        yield name
    async for name in _numbers(house, page):
        yield name
    async for name in _recent(page):
        yield name
    async for name in _another(house, page):
        yield name
    async for name in _fingers(house, page, authenticator):
        yield name
    await house.portal_sign_in()
    await expect(part(page, "yes")).to_be_enabled()
    yield "a sign-in to the page for phones"
    await part(page, "yes").click()
    await expect(page.locator('[data-result="approved"]')).to_be_visible()
    await _done(page)
    async for name in _tests(page):
        yield name
    await page.context.set_offline(True)
    await expect(page.locator(".connection.offline")).to_be_visible()
    yield "offline"
    await page.context.set_offline(False)
    await expect(page.locator(".connection.live")).to_be_visible()
    await house.remove_device(device.id)
    await expect(page.locator(".sign.warn")).to_be_visible()
    yield "to be added again"
    await part(page, "go").click()
    await expect(part(page, "code")).to_be_visible()
    yield "add again"


async def _notices(house: House, page: Page) -> AsyncIterator[str]:
    """What is told of another phone."""
    other = await house.phone(name="A phone with quite a long name, as people give them")
    await other.close()
    await expect(part(page, "remove")).to_be_visible()
    yield "a phone was added"
    await part(page, "remove").click()
    await expect(part(page, "sure")).to_be_visible()
    yield "remove it?"
    await part(page, "remove").click()
    await expect(part(page, "remove")).to_have_count(0)


async def _elsewhere(house: House, page: Page) -> AsyncIterator[str]:
    """What stands in the way of adding."""
    for name, script in (("first, install", NOT_INSTALLED), ("no key", NO_KEY)):
        await page.goto("about:blank")
        await page.goto(await house.link())
        await page.evaluate(f"() => {{ {script} }}")
        if script == NO_KEY:
            await part(page, "go").click()
            await expect(page.locator(".sign.warn")).to_be_visible()
        else:
            await page.evaluate("() => { location.hash = '#enrol=another' }")
            await expect(page.locator(".steps")).to_be_visible()
        yield name
    await page.goto("about:blank")


async def _requests(house: House, page: Page) -> AsyncIterator[str]:
    question = await house.ask(client="a-gateway-with-a-rather-long-name", address=None)
    await expect(part(page, "yes")).to_be_enabled()
    yield "a request"
    await house.give_up(question)
    await expect(part(page, "late")).to_be_visible()
    await expect(part(page, "yes")).to_be_enabled()
    yield "a late request"
    await house.ask(address="2001:db8:85a3:1234:5678:8a2e:370:7334")
    await expect(page.get_by_role("article")).to_have_count(2)
    await expect(part(page, "no").nth(1)).to_be_enabled()
    yield "two requests"
    await page.context.set_offline(True)
    await part(page, "no").nth(1).click()
    await expect(part(page, "wrong").nth(1)).not_to_be_empty()
    yield "an answer that was not sent"
    await page.context.set_offline(False)
    await part(page, "no").nth(1).click()
    await expect(page.locator('[data-result="denied"]')).to_be_visible()
    await part(page, "yes").click()
    await expect(page.locator('[data-result="approved_late"]')).to_be_visible()
    yield "answered late"
    await _done(page)
    await house.ask()
    await house.ask(address="2001:db8:85a3:1234:5678:8a2e:370:7334")
    await part(page, "yes").first.click()
    await expect(page.locator(".result.small")).to_be_visible()
    await expect(part(page, "no")).to_be_enabled()
    yield "one of two is answered"
    await part(page, "no").click()
    await expect(page.locator('[data-result="denied"]')).to_be_visible()
    await _done(page)
    await house.ask()
    await part(page, "yes").click()
    await expect(page.locator('[data-result="approved"]')).to_be_visible()
    yield "approved"
    await _done(page)
    await house.ask(seconds=0.5)
    await expect(page.locator('[data-result="too_late"]')).to_be_visible()
    yield "too late"
    await _done(page)


async def _numbers(house: House, page: Page) -> AsyncIterator[str]:
    """What a yes needs in a matching mode."""
    await page.evaluate("() => { window.numbers = true }")
    question = await house.ask()
    await part(page, "yes").click()
    await expect(part(page, "go")).to_be_enabled()
    yield "the number alone"
    await part(page, "go").click()
    await expect(part(page, "number-wrong")).not_to_be_empty()
    yield "the number, not typed"
    await house.time_out(question)
    await expect(page.locator('[data-result="too_late"]')).to_be_visible()
    await page.evaluate("() => { window.numbers = false }")
    await _done(page)


async def _recent(page: Page) -> AsyncIterator[str]:
    """Of what was approved before."""
    row = page.locator("article.recent").first
    await expect(part(page, "not-me").first).to_be_visible()
    yield "recently approved"
    await row.locator('[data-name="not-me"]').click()
    await expect(row.locator('[data-name="tell"]')).to_be_visible()
    yield "was it me?"
    await row.locator('[data-name="tell"]').click()
    await expect(row.locator('[data-name="told"]')).to_be_visible()
    yield "it was not me"


async def _another(house: House, page: Page) -> AsyncIterator[str]:
    await part(page, "add-another").click()
    await expect(page.locator(".qr")).to_be_visible()
    yield "another phone"
    new = await SoftwarePhone.enrol((house.origin, await page.locator(".small-code").inner_text()))
    await expect(part(page, "digits")).to_be_visible()
    yield "another phone's digits"
    await part(page, "digits").fill("1")
    await part(page, "go").click()
    await expect(part(page, "wrong")).not_to_be_empty()
    yield "another phone's digits, too few"
    await part(page, "digits").fill(new.confirmation_code)
    await part(page, "go").click()
    await expect(part(page, "text")).to_be_visible()
    yield "another phone is added"
    await new.close()
    await part(page, "leave").click()
    await part(page, "add-another").click()
    await expect(part(page, "wrong")).to_be_visible()
    await expect(part(page, "again")).to_be_hidden()
    yield "no more phones"
    await part(page, "leave").click()
    await house.remove_device(new.enrolled.device)


async def _fingers(house: House, page: Page, authenticator: Authenticator) -> AsyncIterator[str]:
    await house.ask(address=None, biometrics="required")
    await expect(part(page, "biometrics")).to_be_visible()
    await expect(part(page, "no")).to_be_enabled()
    yield "a request that this phone cannot approve"
    await part(page, "no").click()
    await expect(page.locator('[data-result="denied"]')).to_be_visible()
    await _done(page)
    await part(page, "finger-go").click()
    await expect(part(page, "finger-code")).to_be_visible()
    yield "fingerprint or face, to be confirmed"
    (device,) = [each for each in await house.store.devices() if each.id in await house.store.biometrics()]
    waiting = (await house.store.biometrics_of(device.id)).waiting
    assert waiting is not None
    code = confirmation_code(device.invitation, device.public_key, waiting.mark)
    assert (
        await confirm_credential(house.store, device.id, code, by="t", now=house.clock.now()) == "confirmed"
    )
    await expect(part(page, "finger-code")).to_be_hidden()
    yield "fingerprint or face, on"
    await authenticator.recognises(False)
    await house.ask(address=None)
    await part(page, "yes").click()
    await expect(part(page, "without")).to_be_enabled()
    yield "not recognised"
    await part(page, "without").click()
    await expect(page.locator('[data-result="approved"]')).to_be_visible()
    await _done(page)
    await part(page, "finger-go").click()
    yield "fingerprint or face, to be removed"
    await part(page, "finger-go").click()
    await expect(part(page, "finger")).to_have_attribute("data-state", "none")
    async for name in _guarded(house, page):
        yield name


async def _guarded(house: House, page: Page) -> AsyncIterator[str]:
    """Its finger is missed: a sign-in to the page, and another phone, need one."""
    house.side.use(Enrollment(devices_per_user=2), (), None, "required")
    await house.portal_sign_in()
    await expect(part(page, "biometrics")).to_be_visible()
    await expect(part(page, "no")).to_be_enabled()
    await expect(part(page, "yes")).to_be_disabled()
    yield "a sign-in to the page that this phone cannot approve"
    await part(page, "no").click()
    await _done(page)
    await part(page, "add-another").click()
    await expect(part(page, "again")).to_be_visible()
    await expect(part(page, "wrong")).not_to_be_empty()
    yield "another phone, which this one may not add"
    await part(page, "leave").click()
    house.side.use(Enrollment(devices_per_user=2), (), None)


async def _tests(page: Page) -> AsyncIterator[str]:
    await part(page, "test").click()
    await expect(part(page, "ok")).to_be_enabled()
    yield "a test"
    await part(page, "ok").click()
    await expect(page.locator('[data-result="test_done"]')).to_be_visible()
    yield "the test went well"
    await _done(page)


async def _done(page: Page) -> None:
    for _ in range(await part(page, "done").count()):
        await part(page, "done").first.click()
