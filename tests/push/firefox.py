"""Debian's Firefox ESR, driven by its own remote protocol (Marionette): pages, and alerts that are clicked
where the mouse's clicks come in.

It has no window on any screen (`--headless`), and draws its alerts itself, as a test has no desktop to do it.
Alerts of its own have no buttons: those of a notification are the desktop's to draw.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = "firefox-esr"
SECONDS = 20
"""For whatever Firefox is waited for."""
PREFERENCES: dict[str, object] = {
    "marionette.port": 0,
    "alerts.useSystemBackend": False,
    "dom.push.connection.enabled": True,
    "dom.push.testing.allowInsecureServerURL": True,
    "intl.accept_languages": "en-US",
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.newtabpage.enabled": False,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "extensions.getAddons.cache.enabled": False,
    "browser.safebrowsing.update.enabled": False,
}
"""Those of push and alerts are what is tried; the others keep a fresh profile quiet and off the internet."""

# Each alert is a window of Firefox's own. `done` is the protocol's way to answer later.
_ALERTS = """
    const [wanted, done] = arguments;
    const look = () => {
        const windows = [...Services.wm.getEnumerator("alert:alert")];
        const texts = windows.map(({ document }) => ({
            title: document.getElementById("alertTitleLabel")?.getAttribute("value") ?? "",
            body: document.getElementById("alertTextLabel")?.textContent ?? "",
            source: document.getElementById("alertSourceLabel")?.getAttribute("value") ?? "",
        }));
        const ready = texts.length === wanted && texts.every(({ title, source }) => title && source);
        if (ready) done(texts); else setTimeout(look, 10);
    };
    look();
"""
# Into the widget, as from the system's mouse: Firefox itself finds what lies at that point of the screen.
_CLICK = """
    const done = arguments[0];
    const window = Services.wm.getMostRecentWindow("alert:alert");
    const { windowUtils: utils, devicePixelRatio: scale } = window;
    const label = window.document.getElementById("alertTextLabel");
    const clicks = [];
    window.addEventListener("click", (event) => clicks.push(event.isTrusted), true);
    const click = async () => {
        const { x, y, width, height } = label.getBoundingClientRect();
        const at = [window.mozInnerScreenX + x + width / 2, window.mozInnerScreenY + y + height / 2];
        const kinds = [utils.NATIVE_MOUSE_MESSAGE_MOVE];
        kinds.push(utils.NATIVE_MOUSE_MESSAGE_BUTTON_DOWN, utils.NATIVE_MOUSE_MESSAGE_BUTTON_UP);
        for (const kind of kinds) {
            const [left, top] = at.map((pixels) => pixels * scale);
            await new Promise((sent) => utils.sendNativeMouseEvent(left, top, kind, 0, 0, label, sent));
        }
    };
    const look = async () => {
        if (clicks.length && window.closed) return done(clicks);
        // A new alert may still be moving to its corner: then the click met nothing, as a person's would.
        if (!window.closed && !clicks.length) await click();
        setTimeout(look, 50);
    };
    look();
"""
# What the browser notes when a person answers its question with "Allow".
_ALLOW = """
    const [origin, done] = arguments;
    const site = Services.scriptSecurityManager.createContentPrincipalFromOrigin(origin);
    Services.perms.addFromPrincipal(site, "desktop-notification", Services.perms.ALLOW_ACTION);
    done(true);
"""


class FirefoxSays(Exception):
    """An error of the protocol or of a script."""


@dataclass(frozen=True)
class Alert:
    title: str
    body: str
    source: str
    """"via localhost:8443": which site it is from, in Firefox's words."""


class Firefox:
    """One browser. Its commands are WebDriver's (W3C), in frames of `LENGTH:[0, id, name, parameters]`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._sent = 0

    async def open_session(self) -> None:
        await self._read()  # it greets
        await self.does("WebDriver:NewSession")
        await self.does("WebDriver:SetTimeouts", implicit=SECONDS * 1000, script=SECONDS * 1000)

    async def does(self, command: str, **parameters: Any) -> Any:
        self._sent += 1
        text = json.dumps([0, self._sent, command, parameters]).encode()
        self._writer.write(b"%d:%b" % (len(text), text))
        async with asyncio.timeout(SECONDS + 5):
            _, _, wrong, result = await self._read()
        if wrong:
            raise FirefoxSays(f"{command}: {wrong['message']}")
        return result["value"] if isinstance(result, dict) and result.keys() == {"value"} else result

    def lets_go(self) -> None:
        self._writer.close()

    async def _read(self) -> Any:
        length = await self._reader.readuntil(b":")
        return json.loads(await self._reader.readexactly(int(length[:-1])))

    # --- pages -----------------------------------------------------------------------------------------

    async def goes_to(self, url: str) -> None:
        await self.does("WebDriver:Navigate", url=url)

    async def url(self) -> str:
        return str(await self.does("WebDriver:GetCurrentURL"))

    async def sees(self, text: str) -> None:
        """Waits for a text that nothing hides."""
        await self._find(
            f"//*[not(ancestor-or-self::*[@hidden]) and text()[contains(., {json.dumps(text)})]]"
        )

    async def taps(self, button: str) -> None:
        """Waits for the button, and clicks it as a mouse does."""
        found = await self._find(f'//button[not(@disabled) and normalize-space()="{button}"]')
        await self.does("WebDriver:ElementClick", id=next(iter(found.values())))

    async def _find(self, path: str) -> dict[str, str]:
        found: dict[str, str] = await self.does("WebDriver:FindElement", using="xpath", value=path)
        return found

    async def closes_its_page(self) -> None:
        """The tab is closed; the browser goes on, with an empty one."""
        other = await self.does("WebDriver:NewWindow", type="tab")
        await self.does("WebDriver:CloseWindow")
        await self._look_at(other["handle"])

    async def pages(self) -> list[str]:
        return list(await self.does("WebDriver:GetWindowHandles"))

    async def looks_at_the_new_page(self, before: list[str]) -> None:
        """Waits for a page that was not there before."""
        async with asyncio.timeout(SECONDS):
            # A tab opens without a sign in this protocol.
            while not (new := [page for page in await self.pages() if page not in before]):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await self._look_at(new[0])

    async def _look_at(self, page: str) -> None:
        await self.does("WebDriver:SwitchToWindow", handle=page)

    # --- alerts ----------------------------------------------------------------------------------------

    async def allows_notifications(self, origin: str) -> None:
        await self.within_itself(_ALLOW, origin)

    async def shows(self, count: int = 1) -> list[Alert]:
        """Its alerts, once there are so many."""
        return [Alert(**told) for told in await self.within_itself(_ALERTS, count)]

    async def clicks_the_alert(self) -> None:
        """Until it has closed."""
        assert await self.within_itself(_CLICK) == [True]

    async def within_itself(self, script: str, *arguments: object) -> Any:
        """Run by the browser, not by its page."""
        await self.does("Marionette:SetContext", value="chrome")
        try:
            return await self.does(
                "WebDriver:ExecuteAsyncScript", script=script, args=list(arguments), sandbox="system"
            )
        finally:
            await self.does("Marionette:SetContext", value="content")


@asynccontextmanager
async def firefox(
    folder: Path, *, push_service: str, preferences: Mapping[str, object] | None = None
) -> AsyncIterator[Firefox]:
    """A new Firefox, its profile in `folder`. `push_service`: the WebSocket that it holds to be Mozilla's."""
    profile = folder / "profile"
    profile.mkdir()
    told = {**PREFERENCES, **(preferences or {}), "dom.push.serverURL": push_service}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in told.items()]
    (profile / "user.js").write_text("".join(lines))
    with (folder / "firefox.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "--headless", "--no-remote", "--marionette", "--remote-allow-system-access"),
            *("--profile", str(profile)),
            stdout=log,
            stderr=log,
            env={
                "HOME": str(folder),
                "PATH": "/usr/bin:/bin",
                "LC_ALL": "C.UTF-8",
                "MOZ_CRASHREPORTER_DISABLE": "1",
            },
        )
    try:
        driven = await _drive(profile)
        yield driven
        driven.lets_go()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _drive(profile: Path) -> Firefox:
    file = profile / "MarionetteActivePort"  # Firefox takes a free port and writes it down
    async with asyncio.timeout(SECONDS):
        while not (file.exists() and (port := file.read_text().strip())):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        driven = Firefox(*await asyncio.open_connection("127.0.0.1", int(port)))
        await driven.open_session()
    return driven
