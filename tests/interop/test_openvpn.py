"""OpenVPN's RADIUS plug-in asks, the person taps, a tunnel comes up or does not, and the books know it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop import openvpn
from tests.interop.lab import SECRET, Lab, Program, free_port, needed, network, wait_until
from tests.interop.openvpn import OpenVpn, start_openvpn
from tests.interop.served import PASSWORD, Served, hashed, serve

pytestmark = pytest.mark.slow

SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["{server}:1812"]
    accounting: ["{server}:1813"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  home-vpn:
    addresses: [{gateway}]
    secret: "{secret}"
    preset: openvpn
    profiles: [staff-push]
authentication_profiles:
  staff:
    type: local
    users:
      alice: {{password_hash: "{hash}"}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 45s}}
"""


@dataclass
class Site:
    vpn: OpenVpn
    served: Served


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    needed(openvpn.PROGRAM, "ip", "ping")
    assert Path(openvpn.PLUGIN).exists(), "not installed: openvpn-auth-radius; run `tools/setup ci`"
    lab = Lab(tmp_path_factory.mktemp("openvpn"))
    with network() as net:
        try:
            settings = SETTINGS.format(
                server=net.server_address,
                phone=free_port(),
                gateway=net.gateway_inside,
                secret=SECRET,
                hash=hashed(),
            )
            served = serve(lab, settings)
            yield Site(start_openvpn(lab, net), served)
        finally:
            lab.stop()


def test_the_person_approves_after_20_seconds_and_the_tunnel_is_up(site: Site) -> None:
    asked = site.served.count("asked")
    dial = site.vpn.dial("alice", PASSWORD)
    try:
        wait_until(lambda: site.served.count("asked") > asked, 10, what="a question")
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > 20, 30, what="a person who takes their time")
        phone = site.served.tap("approve")
        assert phone.process.wait(30) == 0, phone.said()
        assert phone.said().endswith(f"alice at home-vpn from {site.vpn.net.client_address}\n")
        dial.wait_until_it_says("Initialization Sequence Completed")
        assert "1 received" in site.vpn.ping_through_the_tunnel()
        assert site.served.count("asked") == asked + 1
        wait_until(lambda: site.served.count("session_started") == 1, 10, what="Start in the books")
        assert f"address={site.vpn.net.client_address} " in site.served.last("session_started")
    finally:
        dial.stop()
    wait_until(lambda: site.served.count("session_ended") == 1, 10, what="Stop in the books")


def test_the_person_denies_and_openvpn_is_refused(site: Site) -> None:
    dial = site.vpn.dial("alice", PASSWORD)
    assert site.served.tap("deny").process.wait(30) == 0
    refused(dial)


def test_a_wrong_password_is_refused_and_no_phone_rings(site: Site) -> None:
    asked = site.served.count("asked")
    dial = site.vpn.dial("alice", "not " + PASSWORD)
    refused(dial)
    assert "reason=wrong_password" in site.served.last("rejected")
    assert site.served.count("asked") == asked


def refused(dial: Program) -> None:
    dial.process.wait(20)  # with 0, whatever came of it
    assert "AUTH_FAILED" in dial.said()
    assert "Initialization Sequence Completed" not in dial.said()
