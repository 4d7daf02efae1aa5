"""RadSec clients carry logins over TLS: radsecproxy, FreeRADIUS's own proxy, and one on Python's `ssl`."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.directory.certificates import Authority, Certificate
from tests.interop import freeradius, radsecproxy
from tests.interop.freeradius import start_freeradius, start_freeradius_proxy
from tests.interop.lab import SECRET, Lab, Program, free_port, needed
from tests.interop.packets import ACCESS_ACCEPT, ACCESS_REJECT
from tests.interop.radsec_peer import RadSecClient
from tests.interop.radsecproxy import start_radsecproxy
from tests.interop.served import PASSWORD, Served, hashed, serve

pytestmark = pytest.mark.slow


@dataclass
class Pki:
    """One authority; the server's certificate and a gateway's."""

    authority: Authority
    server: Certificate
    gateway: Certificate


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    needed(freeradius.PROGRAM, radsecproxy.PROGRAM, "radtest")
    lab = Lab(tmp_path_factory.mktemp("radsec"))
    try:
        yield lab
    finally:
        lab.stop()


@pytest.fixture(scope="module")
def pki(lab: Lab) -> Pki:
    authority = Authority(lab.folder)
    return Pki(authority, server=authority.issue("127.0.0.1"), gateway=authority.issue("branch.test"))


def radsec_client(lab: Lab, pki: Pki, name: str, *, to: int) -> int:
    """Start it; the UDP port at which it takes what it carries over TLS to port `to`."""
    if name == "radsecproxy":
        return start_radsecproxy(lab, to=to, own=pki.gateway, authority=pki.authority.file).port
    return start_freeradius_proxy(lab, to=to, own=pki.gateway, authority=pki.authority.file).port


def radtest(lab: Lab, port: int, password: str) -> Program:
    words = ("radtest", "-t", "pap", "alice", password, f"127.0.0.1:{port}", "0", SECRET, "0", "127.0.0.1")
    return lab.start("radtest", *words)


@pytest.fixture(scope="module")
def oracle(lab: Lab, pki: Pki) -> int:
    """Where FreeRADIUS listens for RadSec: what is pointed at us works there first."""
    users = f'alice Cleartext-Password := "{PASSWORD}"\n'
    freeradius = start_freeradius(lab, users, own=pki.server, authority=pki.authority.file)
    assert freeradius.tls_port is not None
    return freeradius.tls_port


@pytest.mark.parametrize("name", ["radsecproxy", "freeradius"])
def test_freeradius_takes_the_radsec_clients_of_this_lab(lab: Lab, pki: Pki, oracle: int, name: str) -> None:
    port = radsec_client(lab, pki, name, to=oracle)
    for password, said in ((PASSWORD, "Received Access-Accept"), ("not it", "Received Access-Reject")):
        login = radtest(lab, port, password)
        login.process.wait(30)
        assert said in login.said()


def test_freeradius_answers_our_own_radsec_client(pki: Pki, oracle: int) -> None:
    with RadSecClient(oracle, authority=pki.authority.file, own=pki.gateway) as client:
        right, wrong = client.ask("alice", PASSWORD), client.ask("alice", "not it")
        assert dict((client.next_reply(), client.next_reply())) == {
            right: ACCESS_ACCEPT,
            wrong: ACCESS_REJECT,
        }
        alive = client.ask_whether_it_lives()
        assert client.next_reply() == (alive, ACCESS_ACCEPT)


def test_freeradius_refuses_our_own_radsec_client_without_a_certificate(pki: Pki, oracle: int) -> None:
    with pytest.raises((OSError, EOFError)):  # noqa: PT012, SIM117 - TLS 1.3 says no late
        with RadSecClient(oracle, authority=pki.authority.file, own=None) as client:
            client.ask("alice", PASSWORD)
            client.next_reply()


SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["127.0.0.1:{radius}"]
    radsec:
      address: "127.0.0.1:{radsec}"
      tls: {{certificate: {own.certificate}, key: {{file: {own.key}}}}}
      client_ca: {authority}
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  branch:
    certificate: {{name: branch.test}}
    profiles: [staff-push]
    patience: 60s
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
    served: Served
    radsec: int


@pytest.fixture(scope="module")
def site(lab: Lab, pki: Pki) -> Site:
    radsec = free_port()
    settings = SETTINGS.format(
        radius=free_port(socket.SOCK_DGRAM),
        radsec=radsec,
        phone=free_port(),
        own=pki.server,
        authority=pki.authority.file,
        hash=hashed(),
    )
    return Site(serve(lab, settings), radsec)


@pytest.fixture(scope="module", params=["radsecproxy", "freeradius"])
def carrier(request: pytest.FixtureRequest, lab: Lab, pki: Pki, site: Site) -> int:
    """A real RadSec client in front of the server; its UDP port."""
    return radsec_client(lab, pki, str(request.param), to=site.radsec)


def test_a_login_over_tls_is_accepted_after_a_yes(lab: Lab, site: Site, carrier: int) -> None:
    asked = site.served.count("asked")
    login = radtest(lab, carrier, PASSWORD)
    assert site.served.tap("approve").process.wait(30) == 0
    login.process.wait(30)
    assert "Received Access-Accept" in login.said()
    assert site.served.count("asked") == asked + 1
    assert " client=branch " in site.served.last("accepted")


def test_a_login_over_tls_is_refused_after_a_no_and_for_a_wrong_password(
    lab: Lab, site: Site, carrier: int
) -> None:
    denied = radtest(lab, carrier, PASSWORD)
    assert site.served.tap("deny").process.wait(30) == 0
    denied.process.wait(30)
    assert "Received Access-Reject" in denied.said()
    asked = site.served.count("asked")
    wrong = radtest(lab, carrier, "not it")
    wrong.process.wait(30)
    assert "Received Access-Reject" in wrong.said()
    assert site.served.count("asked") == asked


def test_many_logins_share_one_connection_and_none_waits_for_another(pki: Pki, site: Site) -> None:
    with RadSecClient(site.radsec, authority=pki.authority.file, own=pki.gateway) as client:
        held = client.ask("alice", PASSWORD)
        alive, wrong = client.ask_whether_it_lives(), client.ask("alice", "not it")
        assert dict((client.next_reply(), client.next_reply())) == {
            alive: ACCESS_ACCEPT,
            wrong: ACCESS_REJECT,
        }
        phone = site.served.tap("approve")
        assert client.next_reply() == (held, ACCESS_ACCEPT)
        assert phone.process.wait(30) == 0


def test_a_certificate_of_nobodys_or_of_another_gateway_gets_no_answer(
    lab: Lab, pki: Pki, site: Site
) -> None:
    asked = site.served.count("asked")
    elsewhere = lab.folder / "elsewhere"
    elsewhere.mkdir()
    strangers = (None, pki.authority.issue("other.test"), Authority(elsewhere).issue("branch.test"))
    for own in strangers:
        with pytest.raises((OSError, EOFError)):  # noqa: PT012, SIM117 - TLS 1.3 says no late
            with RadSecClient(site.radsec, authority=pki.authority.file, own=own) as client:
                client.ask("alice", PASSWORD)
                client.next_reply()
    assert site.served.count("asked") == asked
