"""FreeRADIUS's radtest, the first thing an admin tries: accepted and refused."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.interop.lab import SECRET, Lab, Program, free_port, needed
from tests.interop.served import PASSWORD, Served, serve

pytestmark = pytest.mark.slow

SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["127.0.0.1:{radius}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  desk: {{addresses: [127.0.0.1], secret: "{secret}", profiles: [staff-push], accepts: [pap, chap]}}
authentication_profiles:
  staff:
    type: local
    users:
      alice: {{clear_password: "{password}"}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 25s}}
"""


@dataclass
class Site:
    served: Served
    radius: int

    def radtest(self, protocol: str, password: str) -> Program:
        where = f"127.0.0.1:{self.radius}"
        # The last word is its NAS-IP-Address; without one it looks up the name of this machine.
        words = ("radtest", "-t", protocol, "alice", password, where, "0", SECRET, "0", "127.0.0.1")
        return self.served.lab.start("radtest", *words)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    needed("radtest", "radclient")
    lab = Lab(tmp_path_factory.mktemp("radtest"))
    radius = free_port(socket.SOCK_DGRAM)
    settings = SETTINGS.format(radius=radius, phone=free_port(), secret=SECRET, password=PASSWORD)
    try:
        yield Site(serve(lab, settings), radius)
    finally:
        lab.stop()


@pytest.mark.parametrize("protocol", ["pap", "chap"])
def test_radtest_is_accepted_after_a_yes(site: Site, protocol: str) -> None:
    login = site.radtest(protocol, PASSWORD)
    assert site.served.tap("approve").process.wait(30) == 0
    assert login.process.wait(30) == 0
    assert "Received Access-Accept" in login.said()


@pytest.mark.parametrize("protocol", ["pap", "chap"])
def test_radtest_is_refused_after_a_no_and_for_a_wrong_password(site: Site, protocol: str) -> None:
    denied = site.radtest(protocol, PASSWORD)
    assert site.served.tap("deny").process.wait(30) == 0
    assert denied.process.wait(30) == 1
    assert "Received Access-Reject" in denied.said()
    asked = site.served.count("asked")
    wrong = site.radtest(protocol, "not it")
    assert wrong.process.wait(30) == 1
    assert "Received Access-Reject" in wrong.said()
    assert "reason=wrong_password" in site.served.last("rejected")
    assert site.served.count("asked") == asked
