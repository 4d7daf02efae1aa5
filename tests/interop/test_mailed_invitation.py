"""From a mail to an approved VPN login: serve, slapd, a mail server, Chromium as the phone, and radclient."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.directory.conftest import slapd as slapd
from tests.directory.slapd import ALICE_PASSWORD, PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd
from tests.interop.lab import RADIUS_PUSH, SECRET, Lab, free_port, needed
from tests.notify.peer import MailPeer, mail_peer
from tests.web.test_phone_app_browser import ARGUMENTS

pytestmark = pytest.mark.slow

SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["127.0.0.1:{radius}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
  mail: {{host: 127.0.0.1, port: {mail}, security: none, from: vpn@example.test}}
methods: {{push: {{}}}}
clients:
  fw1: {{addresses: [127.0.0.1], secret: "{secret}", profiles: [staff-push], patience: 60s}}
authentication_profiles:
  corp: {{type: ldap, urls: ["{url}"], base_dn: "{people}", bind_dn: "{service}",
    bind_password: "{password}", ca_file: "{ca}", start_tls: yes}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [corp], timeout: 40s}}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    needed("radclient")
    lab = Lab(tmp_path)
    try:
        yield lab
    finally:
        lab.stop()


async def verb(*words: str, typed: str = "") -> str:
    """What one of our commands said; it must be good."""
    done = await asyncio.to_thread(
        subprocess.run,
        [RADIUS_PUSH, *words],
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def link_in(peer: MailPeer) -> str:
    found = re.search(r"http://localhost:\d+/#enrol=[A-Za-z0-9_-]{22}", peer.mails[0].get_content())
    assert found
    return found[0]


async def told(peer: MailPeer, count: int) -> None:
    async with asyncio.timeout(60):
        while len(peer.mails) < count:  # noqa: ASYNC110  another process sends it
            await asyncio.sleep(0.05)


async def add(page: Page, link: str) -> str:
    """The digits that the phone shows at the end."""

    await page.goto(link)
    await page.get_by_role("button", name="Add this phone", exact=True).click()
    field = page.locator('[data-name="password"]')
    await field.fill("not my password")
    await page.get_by_role("button", name="Add this phone", exact=True).click()
    await expect(page.get_by_role("alert")).to_have_text(re.compile("not your password"))
    await field.fill(ALICE_PASSWORD)
    await page.get_by_role("button", name="Add this phone", exact=True).click()
    code = page.locator(".big-code")
    await expect(code).not_to_be_empty()
    return "".join((await code.inner_text()).split())


async def test_a_mailed_link_the_password_the_digits_and_a_login(lab: Lab, slapd: Slapd) -> None:
    radius, phone = free_port(socket.SOCK_DGRAM), free_port()
    config = str(lab.folder / "radius-push.yaml")
    async with mail_peer() as peer, async_playwright() as play:
        text = SETTINGS.format(
            radius=radius, phone=phone, mail=peer.port, secret=SECRET, url=slapd.url, people=PEOPLE,
            service=SERVICE_DN, password=SERVICE_PASSWORD, ca=slapd.ca_file,
        )  # fmt: skip
        (lab.folder / "radius-push.yaml").write_text(text)
        server = lab.start("radius-push", RADIUS_PUSH, "serve", "--config", config)
        await asyncio.to_thread(server.wait_until_it_says, "ready:")
        checked = await verb("check", "--online", config)
        assert "\n\nThe mail server says:\n  mail: 127.0.0.1" in checked
        await verb("enroll", "alice", "--mail", "--config", config)
        browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        context = await browser.new_context(**play.devices["Pixel 7"])
        page = await context.new_page()
        digits = await add(page, link_in(peer))
        waiting = json.loads(await verb("enroll", "--pending", "--json", "--config", config))
        assert (waiting["user"], waiting["state"]) == ("alice", "waits_for_code")
        await verb("enroll", "--confirm", "alice", "--config", config, typed=f"{digits}\n")
        await expect(page.get_by_role("heading", name="No request", exact=True)).to_be_visible()
        await told(peer, 2)
        assert "was added" in peer.mails[1].get_content()
        packet = lab.folder / "packet.txt"
        packet.write_text(
            f'User-Name="alice", User-Password="{ALICE_PASSWORD}", Message-Authenticator=0x00\n'
        )
        words = ("-x", "-t", "40", "-r", "1", "-f", str(packet), f"127.0.0.1:{radius}", "auth", SECRET)
        login = lab.start("radclient", "radclient", *words)
        yes = page.get_by_role("button", name="Yes, it’s me", exact=True)
        await expect(yes).to_be_enabled(timeout=20_000)
        await yes.click()
        await asyncio.to_thread(login.wait_until_it_says, "Received Access-Accept")
        await browser.close()
    assert ALICE_PASSWORD not in server.said()
    assert "not my password" not in server.said()
