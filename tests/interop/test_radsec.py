"""RadSec clients carry logins over TLS: radsecproxy, FreeRADIUS's own proxy, and one on Python's `ssl`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.directory.certificates import Authority, Certificate
from tests.interop import freeradius, radsecproxy
from tests.interop.freeradius import start_freeradius, start_freeradius_proxy
from tests.interop.lab import SECRET, Lab, Program, needed
from tests.interop.packets import ACCESS_ACCEPT, ACCESS_REJECT
from tests.interop.radsec_peer import RadSecClient
from tests.interop.radsecproxy import start_radsecproxy
from tests.interop.served import PASSWORD

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
