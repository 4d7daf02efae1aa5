"""Our MS-CHAPv2 test client agrees with the RFCs and with FreeRADIUS; then the server is asked the same."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tests.interop import mschapv2_client as client
from tests.interop.freeradius import PROGRAM, FreeRadius, start_freeradius
from tests.interop.lab import SECRET, Lab, free_port, needed
from tests.interop.mschapv2_client import Accepted, Keys, Login, MsChap2Client, Refused
from tests.interop.packets import NotBelieved
from tests.interop.served import Served, serve

PASSWORD = "correct hörse"


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


RFC = Login(
    user="User",
    password="clientPass",
    ident=0,
    challenge=octets("5B5D7C7D7B3F2F3E3C2C602132262628"),
    peer_challenge=octets("21402324255E262A28295F2B3A337C7E"),
)
"""RFC 2759 9.2"""
RFC_RESPONSE = octets("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")


def test_the_client_computes_what_rfc_2759_prints() -> None:
    assert client.challenge_hash(RFC.peer_challenge, RFC.challenge, RFC.user) == octets("D02E4386BCE91226")
    assert client.nt_hash(RFC.password) == octets("44EBBA8D5312B8D611474411F56989AE")
    assert client.hash_nt_hash(RFC.password) == octets("41C00C584BD2D91C4017A2A12FA59F3F")
    assert RFC.response()[-24:] == RFC_RESPONSE
    proof = client.authenticator_response(
        RFC.password, RFC_RESPONSE, RFC.peer_challenge, RFC.challenge, RFC.user
    )
    assert proof == "S=407A5589115FD0D6209F510FE9C04566932CDA56"


def test_the_client_computes_what_rfc_3079_prints() -> None:
    assert client.master_key(RFC.password, RFC_RESPONSE) == octets("FDECE3717A8C838CB388E527AE3CDD31")
    assert client.start_keys(RFC.password, RFC_RESPONSE).send == octets("8B7CDC149B993A1BA118CB153F56DCCB")


@pytest.fixture(scope="module")
def freeradius(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreeRadius]:
    needed(PROGRAM)
    lab = Lab(tmp_path_factory.mktemp("mschapv2"))
    try:
        yield start_freeradius(
            lab,
            f'alice Cleartext-Password := "{PASSWORD}"\n'
            f"nina NT-Password := 0x{client.nt_hash(PASSWORD).hex()}\n",
        )
    finally:
        lab.stop()


@pytest.fixture
def gateway(freeradius: FreeRadius) -> MsChap2Client:
    return MsChap2Client(("127.0.0.1", freeradius.port), SECRET)


@pytest.mark.slow
@pytest.mark.parametrize("user", ["alice", "nina"])
def test_freeradius_accepts_the_client_and_both_have_the_same_keys(gateway: MsChap2Client, user: str) -> None:
    accepted = gateway.log_in(user, PASSWORD, seconds=5)
    assert isinstance(accepted, Accepted)
    assert isinstance(accepted.keys, Keys)


@pytest.mark.slow
def test_freeradius_refuses_a_wrong_password(gateway: MsChap2Client) -> None:
    refused = gateway.log_in("alice", "not it", seconds=5)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.version) == (691, 3)


@pytest.mark.slow
def test_the_client_believes_no_server_that_does_not_know_the_password(
    gateway: MsChap2Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right answer goes out, but the client takes another password for its own."""
    right = replace(RFC, user="alice", password=PASSWORD)
    answer = right.response()
    monkeypatch.setattr(Login, "response", lambda _: answer)
    with pytest.raises(NotBelieved, match="authenticator response"):
        gateway.send(replace(right, password="another"), seconds=5)


SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["127.0.0.1:{radius}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  desk: {{addresses: [127.0.0.1], secret: "{secret}", profiles: [staff-push], accepts: [ms-chapv2]}}
authentication_profiles:
  staff:
    type: local
    users:
      alice: {{clear_password: "{password}"}}
      nina: {{nt_hash: "{nt_hash}"}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 25s}}
"""


@dataclass
class Site:
    served: Served
    gateway: MsChap2Client


@pytest.fixture(params=["alice", "nina"], scope="module")
def user(request: pytest.FixtureRequest) -> str:
    """`alice` has a clear password, `nina` an NT hash."""
    return str(request.param)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, user: str) -> Iterator[Site]:
    lab = Lab(tmp_path_factory.mktemp("mschapv2-served"))
    radius = free_port(socket.SOCK_DGRAM)
    settings = SETTINGS.format(
        radius=radius,
        phone=free_port(),
        secret=SECRET,
        password=PASSWORD,
        nt_hash=client.nt_hash(PASSWORD).hex(),
    )
    try:
        yield Site(serve(lab, settings, user=user), MsChap2Client(("127.0.0.1", radius), SECRET))
    finally:
        lab.stop()


@pytest.mark.slow
def test_the_server_accepts_after_a_yes_proves_itself_and_both_have_the_same_keys(
    site: Site, user: str
) -> None:
    phone = site.served.tap("approve")
    accepted = site.gateway.log_in(user, PASSWORD)
    assert phone.process.wait(30) == 0
    assert isinstance(accepted, Accepted)
    assert isinstance(accepted.keys, Keys)


@pytest.mark.slow
def test_the_server_refuses_after_a_no_and_a_wrong_password_rings_no_phone(site: Site, user: str) -> None:
    phone = site.served.tap("deny")
    denied = site.gateway.log_in(user, PASSWORD)
    assert phone.process.wait(30) == 0
    assert isinstance(denied, Refused)
    asked = site.served.count("asked")
    wrong = site.gateway.log_in(user, "not it")
    assert isinstance(wrong, Refused)
    for refused in (denied, wrong):
        assert (refused.code, refused.retry, refused.version) == (691, 0, 3)
        assert refused.message
    assert site.served.count("asked") == asked
    assert "reason=wrong_password" in site.served.last("rejected")
