"""A real VPN login: ocserv asks, slapd knows the password, a browser is the phone, a tunnel comes up."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.directory.slapd import (
    ALICE_PASSWORD,
    BOB_PASSWORD,
    GROUPS,
    PEOPLE,
    SERVICE_DN,
    SERVICE_PASSWORD,
    Slapd,
)
from tests.interop.gateway import Gateway, start_gateway
from tests.interop.lab import RADIUS_PUSH, SECRET, Lab, Program, free_port, needed, network, wait_until

pytestmark = pytest.mark.slow

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
TIMEOUT = 12.0
"""Seconds, of the profile: long enough for a tap, short enough to wait for."""

SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["{server}:{radius}"]
    accounting: ["{server}:{accounting}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  office-vpn:
    addresses: [{gateway}]
    secret: "{secret}"
    preset: ocserv
    profiles: [staff-push]
authentication_profiles:
  corp-ldap:
    type: ldap
    urls: ["{ldap}"]
    start_tls: yes
    ca_file: {ca}
    base_dn: {people}
    group_base_dn: {groups}
    bind_dn: {service}
    bind_password: "{service_password}"
profiles:
  staff-push:
    methods: [push]
    fallback_auth_profiles: [corp-ldap]
    timeout: {timeout:g}s
policies:
  - name: VPN users
    profile: staff-push
    authentication_profile: corp-ldap
    attribute: memberOf
    values: [vpn]
"""


@dataclass
class Site:
    lab: Lab
    gateway: Gateway
    server: Program
    slapd: Slapd
    config: Path
    page: Page

    def dial(self, user: str, password: str) -> Program:
        return self.gateway.dial(user, password)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    needed("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(**playwright.devices["Pixel 7"])
        yield context.new_page()
        context.close()
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, page: Page) -> Iterator[Site]:
    needed("ocserv", "openconnect", "ip", "ping", "slapd")
    folder = tmp_path_factory.mktemp("vpn")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o711)  # ocserv's worker runs as nobody
    slapd, lab = Slapd(), Lab(folder)
    with network() as net:
        try:
            slapd.start(folder / "slapd")
            radius, accounting = (free_port(socket.SOCK_DGRAM, net.server_address) for _ in range(2))
            config = folder / "radius-push.yaml"
            config.write_text(
                SETTINGS.format(
                    server=net.server_address,
                    radius=radius,
                    accounting=accounting,
                    phone=free_port(),
                    gateway=net.gateway_inside,
                    secret=SECRET,
                    ldap=slapd.url,
                    ca=slapd.ca_file,
                    people=PEOPLE,
                    groups=GROUPS,
                    service=SERVICE_DN,
                    service_password=SERVICE_PASSWORD,
                    timeout=TIMEOUT,
                )
            )
            server = lab.start("radius-push", RADIUS_PUSH, "serve", "--config", str(config))
            server.wait_until_it_says("ready:")
            gateway = start_gateway(lab, net, radius_port=radius, accounting_port=accounting)
            site = Site(lab, gateway, server, slapd, config, page)
            enrol(site, "alice")
            yield site
        finally:
            lab.stop()
            slapd.stop()


def enrol(site: Site, user: str) -> None:
    """The issuer at the terminal, the person at the phone: link, tap, code read out, code typed."""
    with subprocess.Popen(
        [RADIUS_PUSH, "enroll", user, "--config", str(site.config), "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as issuer:  # fmt: skip
        assert issuer.stdin
        assert issuer.stdout
        shown = json.loads(issuer.stdout.readline())
        site.page.goto(shown["link"])
        site.page.get_by_role("button", name="Add this phone").click()
        code = site.page.get_by_text(re.compile(r"^\s*\d{3}\s?\d{3}\s*$"))
        expect(code).to_be_visible()
        issuer.stdin.write(re.sub(r"\D", "", code.inner_text()) + "\n")
        issuer.stdin.flush()
        assert json.loads(issuer.stdout.readline())["result"] == "confirmed"
        assert issuer.wait(20) == 0
    expect(site.page.get_by_role("heading", name="No request")).to_be_visible()


def asked(site: Site) -> int:
    """How often a phone was asked, as the log tells."""
    return len(re.findall(r" asked login=", site.server.said()))


def sessions(site: Site, *words: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [RADIUS_PUSH, "sessions", "--config", str(site.config), "--json", *words],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_gateways_accounting_says_who_is_in(site: Site) -> None:
    dial = site.dial("alice", ALICE_PASSWORD)
    try:
        yes = site.page.get_by_role("button", name=re.compile("^Yes"))
        expect(yes).to_be_enabled(timeout=10_000)
        yes.click()
        dial.wait_until_it_says("Configured as")
        wait_until(lambda: len(sessions(site)) == 1, 10, what="a session")
        [live] = sessions(site)
        assert (live["user"], live["client"]) == ("alice", "office-vpn")
        assert live["address"] == site.gateway.net.client_address
        assert str(live["person"]).startswith("corp-ldap:")
        assert re.search(rf"accepted login={live['login']} ", site.server.said())
        # An Interim-Update, every 2 s.
        wait_until(lambda: sessions(site)[0]["seconds"], 25, what="news of the session")
    finally:
        dial.stop()
    wait_until(lambda: not sessions(site), 10, what="the end of the session")
    ended = sessions(site, "--all")[-1]
    assert (ended["session"], ended["ended_by"]) == (live["session"], "stop")


def test_the_person_taps_yes_and_the_tunnel_is_up(site: Site) -> None:
    dial = site.dial("alice", ALICE_PASSWORD)
    try:
        yes = site.page.get_by_role("button", name=re.compile("^Yes"))
        expect(yes).to_be_enabled(timeout=10_000)
        for text in (
            "office-vpn",
            "alice",
            site.gateway.net.client_address,
            re.compile(r"\d+ ?s ago|now"),
        ):
            expect(site.page.get_by_text(text).first).to_be_visible()
        site.page.screenshot(path=site.lab.folder / "request.png")
        yes.click()
        dial.wait_until_it_says("Configured as")
        assert "1 received" in site.gateway.ping_through_the_tunnel()
        expect(site.page.get_by_role("heading", name="Approved")).to_be_visible()
    finally:
        dial.stop()


def test_nobody_answers_and_it_fails_at_the_profiles_time_out(site: Site) -> None:
    before = asked(site)
    dial = site.dial("alice", ALICE_PASSWORD)
    wait_until(lambda: asked(site) > before, 10, what="a question")
    began = time.monotonic()
    dial.wait_until_it_says("Nobody answered on the phone in time.", TIMEOUT + 10)
    assert TIMEOUT - 1 < time.monotonic() - began < TIMEOUT + 2
    assert "timed_out" in site.server.said()
    dial.process.wait(10)


def test_the_person_taps_no_and_openconnect_fails_within_a_second(site: Site) -> None:
    """What nobody answered a moment ago is open again, and gets its no; that counts for a minute."""
    dial = site.dial("alice", ALICE_PASSWORD)
    no = site.page.get_by_role("button", name="No", exact=True)
    expect(no).to_be_enabled(timeout=10_000)
    tapped = time.monotonic()
    no.click()
    dial.wait_until_it_says("The sign-in was denied on the phone.")
    assert time.monotonic() - tapped < 1.0
    assert dial.process.wait(10) != 0


def test_somebody_outside_the_policys_group_is_refused_and_no_phone_rings(site: Site) -> None:
    before = asked(site)
    dial = site.dial("bob", BOB_PASSWORD)
    dial.wait_until_it_says("Sign-in refused.")
    assert asked(site) == before
    assert re.search(r"rejected .*username=bob .*reason=no_policy", site.server.said())
    dial.process.wait(10)


def test_a_wrong_password_is_refused_and_no_phone_rings(site: Site) -> None:
    before = asked(site)
    dial = site.dial("alice", "not " + ALICE_PASSWORD)
    dial.wait_until_it_says("Sign-in refused.")
    assert asked(site) == before
    dial.process.wait(10)
