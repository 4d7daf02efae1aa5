"""Gateways that ask again and again, and people who take their time: one ring, and a tunnel."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.gateway import start_gateway
from tests.interop.lab import SECRET, Lab, Network, Program, free_port, needed, network, wait_until
from tests.interop.served import PASSWORD, Served, hashed, serve
from tests.interop.strongswan import CHARON, DEFAULT, Swan, start_swan

pytestmark = pytest.mark.slow

SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["{server}:{radius}"]
    accounting: ["{server}:{accounting}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  vpn:
    addresses: [{gateway}]
    secret: "{secret}"
    profiles: [staff-push]
    {how}
authentication_profiles:
  staff:
    type: local
    users:
      alice: {{password_hash: "{hash}"}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 45s}}
"""


@dataclass(frozen=True)
class Ports:
    radius: int
    accounting: int


def served(lab: Lab, *, server: str, gateway: str, how: str) -> tuple[Served, Ports]:
    """`how`: what the settings say of the gateway beside its address."""
    ports = Ports(*(free_port(socket.SOCK_DGRAM, server) for _ in range(2)))
    settings = SETTINGS.format(
        server=server,
        radius=ports.radius,
        accounting=ports.accounting,
        phone=free_port(),
        gateway=gateway,
        secret=SECRET,
        how=how,
        hash=hashed(),
    )
    return serve(lab, settings), ports


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o711)  # ocserv's worker runs as nobody
    made = Lab(tmp_path)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as made:
        yield made


class Watch:
    """Real peers have real time."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def wait_for(self, second: float) -> None:
        wait_until(lambda: time.monotonic() - self._began >= second, 60, what=f"second {second:g}")


def rung(site: Served) -> tuple[int, int, int]:
    """Rings, tries that joined, accepts."""
    return site.count("asked"), site.count("joined"), site.count("accepted")


# --- ocserv: the same packet five times ---------------------------------------------------------------


def test_ocserv_asks_every_four_seconds_and_the_person_answers_after_fourteen(lab: Lab, net: Network) -> None:
    needed("ocserv", "openconnect", "ip", "ping")
    site, ports = served(lab, server=net.server_address, gateway=net.gateway_inside, how="preset: ocserv")
    gateway = start_gateway(
        lab, net, radius_port=ports.radius, accounting_port=ports.accounting, timeout=4, retries=5
    )
    dial = gateway.dial("alice", PASSWORD)
    try:
        wait_until(lambda: site.count("asked"), 10, what="a question")
        watch = Watch()
        watch.wait_for(14)
        assert site.tap("approve").process.wait(30) == 0
        dial.wait_until_it_says("Configured as")
        assert "1 received" in gateway.ping_through_the_tunnel()
    finally:
        dial.stop()
    assert rung(site) == (1, 0, 1)
    assert "times=3" in site.last("repeated")  # at 4, 8 and 12 s


# --- strongSwan: 14 s, and then the person signs in again -----------------------------------------------


LEFT_AS_IT_IS = "preset: strongswan"
WRITTEN = f"{LEFT_AS_IT_IS}\n    patience: 14s"


@dataclass(frozen=True)
class Branch:
    """strongSwan with the timers that it comes with, and radius-push, which knows of them or not."""

    swan: Swan
    site: Served

    def fails(self) -> Watch:
        """The first sign-in, which nobody answers in time. Counts from its question."""
        dial = self.swan.dial("alice", PASSWORD)
        wait_until(lambda: self.site.count("asked"), 10, what="a question")
        watch = Watch()
        assert dial.process.wait(30) != 0
        return watch

    def approves(self, says: str) -> None:
        phone = self.site.tap("approve")
        assert phone.process.wait(30) == 0, phone.said()
        assert phone.said().startswith(f"{says}: ")

    def is_up(self, dial: Program) -> None:
        assert dial.process.wait(30) == 0, dial.said()
        assert "1 received" in self.swan.ping_through_the_tunnel()


def branch(lab: Lab, net: Network, how: str) -> Branch:
    needed(CHARON, "swanctl", "ip", "ping")
    site, ports = served(lab, server=net.server_address, gateway=net.gateway_inside, how=how)
    return Branch(start_swan(lab, net, radius_port=ports.radius, timers=DEFAULT, half_open=30), site)


@pytest.mark.parametrize(
    ("how", "gave_up", "retypes"),
    [
        (LEFT_AS_IT_IS, "RADIUS Access-Request timed out", 1),  # and asks from the same port
        (LEFT_AS_IT_IS, "RADIUS Access-Request timed out", 4),  # by then it is known to wait no more
        (WRITTEN, "received RADIUS Access-Reject", 5),
    ],
)
def test_strongswan_gives_up_and_the_person_signs_in_again_before_they_look_at_the_phone(
    lab: Lab, net: Network, how: str, gave_up: str, retypes: float
) -> None:
    its = branch(lab, net, how)
    try:
        watch = its.fails()
        assert gave_up in its.swan.gateway.program.said()
        Watch().wait_for(retypes)
        again = its.swan.dial("alice", PASSWORD)
        watch.wait_for(20)
        its.approves("approved")
        its.is_up(again)
        assert rung(its.site) == (1, 1, 1)
    finally:
        its.swan.hang_up()


@pytest.mark.parametrize("how", [LEFT_AS_IT_IS, WRITTEN])
def test_strongswan_gives_up_and_the_person_approves_before_they_sign_in_again(
    lab: Lab, net: Network, how: str
) -> None:
    its = branch(lab, net, how)
    try:
        its.fails().wait_for(20)
        its.approves("approved_late")
        its.is_up(its.swan.dial("alice", PASSWORD))
        assert rung(its.site) == (1, 0, 1)
        assert "method=ticket" in its.site.last("accepted")
    finally:
        its.swan.hang_up()


# --- radclient: another request every four seconds ------------------------------------------------------


@dataclass(frozen=True)
class Impatient:
    """radclient, which waits 3 s for one packet."""

    lab: Lab
    server: str
    port: int

    def ask(self, *, source_port: int) -> Program:
        packet = self.lab.folder / "packet.txt"
        packet.write_text(
            f'User-Name="alice", User-Password="{PASSWORD}", Calling-Station-Id="203.0.113.7", '
            f"Message-Authenticator=0x00, Packet-Src-Port={source_port}\n"
        )
        words = ("-x", "-f", str(packet), "-t", "3", "-r", "1", f"{self.server}:{self.port}", "auth", SECRET)
        return self.lab.start("radclient", "radclient", *words)


def test_radclient_asks_anew_every_four_seconds_and_the_newest_is_told(lab: Lab) -> None:
    needed("radclient")
    site, ports = served(lab, server="127.0.0.1", gateway="127.0.0.1", how="preset: generic")
    gateway, port = Impatient(lab, "127.0.0.1", ports.radius), free_port(socket.SOCK_DGRAM)
    watch = Watch()
    tries = []
    for number in range(4):
        watch.wait_for(4 * number)
        tries.append(gateway.ask(source_port=port))
    wait_until(lambda: site.count("joined") == 3, 10, what="the fourth try")
    assert site.tap("approve").process.wait(30) == 0
    assert [each.process.wait(10) for each in tries] == [1, 1, 1, 0]
    assert rung(site) == (1, 3, 1)
