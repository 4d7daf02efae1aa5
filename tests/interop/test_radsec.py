"""Two real RadSec clients, radsecproxy and FreeRADIUS's own proxy, carry a login over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.directory.certificates import Authority, Certificate
from tests.interop import freeradius, radsecproxy
from tests.interop.freeradius import start_freeradius, start_freeradius_proxy
from tests.interop.lab import SECRET, Lab, Program, needed
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


@pytest.mark.parametrize("name", ["radsecproxy", "freeradius"])
def test_freeradius_takes_the_radsec_clients_of_this_lab(lab: Lab, pki: Pki, name: str) -> None:
    """The oracle first: what is then pointed at us works elsewhere."""
    users = f'alice Cleartext-Password := "{PASSWORD}"\n'
    oracle = start_freeradius(lab, users, own=pki.server, authority=pki.authority.file)
    assert oracle.tls_port is not None
    port = radsec_client(lab, pki, name, to=oracle.tls_port)
    for password, said in ((PASSWORD, "Received Access-Accept"), ("not it", "Received Access-Reject")):
        login = radtest(lab, port, password)
        login.process.wait(30)
        assert said in login.said()
