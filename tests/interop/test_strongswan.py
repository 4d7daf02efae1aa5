"""strongSwan asks by XAuth, the person taps, an IPsec tunnel comes up or does not."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.interop.lab import SECRET, Lab, free_port, needed, network, wait_until
from tests.interop.served import PASSWORD, Served, hashed, serve
from tests.interop.strongswan import CHARON, DEFAULT, PATIENT, Swan, start_swan

pytestmark = pytest.mark.slow

SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["{server}:{radius}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  branch-vpn:
    addresses: [{gateway}]
    secret: "{secret}"
    preset: strongswan
    profiles: [staff-push]
    patience: {patience}
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
    swan: Swan
    served: Served


def site(folder: Lab, *, timers: str, patience: str, half_open: int) -> Iterator[Site]:
    needed(CHARON, "swanctl", "ip", "ping")
    with network() as net:
        try:
            radius = free_port(socket.SOCK_DGRAM, net.server_address)
            settings = SETTINGS.format(
                server=net.server_address,
                radius=radius,
                phone=free_port(),
                gateway=net.gateway_inside,
                secret=SECRET,
                hash=hashed(),
                patience=patience,
            )
            served = serve(folder, settings)
            swan = start_swan(folder, net, radius_port=radius, timers=timers, half_open=half_open)
            yield Site(swan, served)
        finally:
            folder.stop()


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Set as the docs say."""
    yield from site(Lab(tmp_path_factory.mktemp("swan")), timers=PATIENT, patience="30s", half_open=90)


@pytest.fixture
def as_installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With the timers it comes with, and radius-push told so."""
    yield from site(Lab(tmp_path_factory.mktemp("swan")), timers=DEFAULT, patience="14s", half_open=30)


def test_the_person_approves_and_the_tunnel_is_up(patient: Site) -> None:
    dial = patient.swan.dial("alice", PASSWORD)
    try:
        phone = patient.served.tap("approve")
        assert phone.process.wait(30) == 0, phone.said()
        assert dial.process.wait(30) == 0, dial.said()
        # strongSwan reports `10.99.1.2[4500]`; the person reads an address.
        assert phone.said().endswith(f"alice at branch-vpn from {patient.swan.net.client_address}\n")
        assert "1 received" in patient.swan.ping_through_the_tunnel()
    finally:
        patient.swan.hang_up()


def test_a_wrong_password_is_refused_and_no_phone_rings(patient: Site) -> None:
    asked = patient.served.count("asked")
    dial = patient.swan.dial("alice", "not " + PASSWORD)
    assert dial.process.wait(10) != 0
    assert "reason=wrong_password" in patient.served.last("rejected")
    assert patient.served.count("asked") == asked


def test_set_as_the_docs_say_the_person_has_longer_than_strongswans_own_14_seconds(
    patient: Site,
) -> None:
    asked = patient.served.count("asked")
    dial = patient.swan.dial("alice", PASSWORD)
    try:
        wait_until(lambda: patient.served.count("asked") > asked, 10, what="a question")
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > 20, 30, what="its own timers would have ended")
        assert patient.served.tap("approve").process.wait(30) == 0
        assert dial.process.wait(30) == 0, dial.said()
        assert patient.served.count("asked") == asked + 1
    finally:
        patient.swan.hang_up()


def test_the_person_denies_and_strongswan_is_refused(patient: Site) -> None:
    """Last of those that are set as the docs say: a no counts for a minute."""
    dial = patient.swan.dial("alice", PASSWORD)
    assert patient.served.tap("deny").process.wait(30) == 0
    assert dial.process.wait(10) != 0
    assert "XAuth authentication of 'alice' failed" in patient.swan.gateway.program.said()


def test_as_installed_it_asks_four_times_and_the_phone_rings_once(as_installed: Site) -> None:
    swan, served = as_installed.swan, as_installed.served
    dial = swan.dial("alice", PASSWORD)
    sent_again = re.compile(r"retransmit .* of RADIUS Access-Request")
    wait_until(lambda: len(sent_again.findall(said(swan))) >= 2, 20, what="two retransmissions")
    assert served.tap("approve").process.wait(30) == 0
    assert dial.process.wait(30) == 0, dial.said()
    swan.hang_up()
    assert (served.count("asked"), served.count("accepted")) == (1, 1)

    nobody = swan.dial("alice", PASSWORD)
    # The phone's bar ends before strongSwan gives up: it is told, and does not run into its own time-out.
    assert nobody.process.wait(30) != 0
    assert "reason=timed_out" in served.last("rejected")
    assert "timed out" not in said(swan)
    assert (served.count("asked"), served.count("accepted")) == (2, 1)


def said(swan: Swan) -> str:
    return swan.gateway.program.said()
