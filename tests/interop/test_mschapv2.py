"""Our MS-CHAPv2 test client agrees with the RFCs and with FreeRADIUS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.interop import mschapv2_client as client
from tests.interop.freeradius import PROGRAM, FreeRadius, start_freeradius
from tests.interop.lab import SECRET, Lab, needed
from tests.interop.mschapv2_client import Accepted, Keys, Login, MsChap2Client, Refused
from tests.interop.packets import NotBelieved

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
