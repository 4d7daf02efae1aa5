"""No password leaves before the server has shown the right certificate."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from radius_push.model import Down, Person, PersonKey, Right, Secret
from tests.directory.certificates import Authority
from tests.directory.directories import known, opened
from tests.directory.slapd import ALICE_PASSWORD, PEOPLE, SERVICE_PASSWORD, Slapd

ALICE = Person(PersonKey("corp-ldap", "1"), "alice", f"uid=alice,{PEOPLE}", {})


def _urls(slapd: Slapd, how: str, *, host: str = "127.0.0.1") -> dict[str, object]:
    if how == "StartTLS":
        return {"urls": (f"ldap://{host}:{slapd.port}",), "start_tls": True}
    return {"urls": (f"ldaps://{host}:{slapd.tls_port}",), "start_tls": False}


@pytest.mark.parametrize("how", ["StartTLS", "LDAPS"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_the_right_certificate_is_accepted(slapd: Slapd, how: str, host: str) -> None:
    async with opened(slapd.profile(**_urls(slapd, how, host=host))) as directory:
        alice = await known(directory, "alice")
        assert await directory.prove(alice, Secret(ALICE_PASSWORD)) == Right()


@pytest.mark.parametrize("how", ["StartTLS", "LDAPS"])
@pytest.mark.parametrize("wrong", ["another authority", "the system's authorities", "another host name"])
async def test_a_wrong_certificate_is_down_and_nothing_is_bound(
    slapd: Slapd, tmp_path: Path, how: str, wrong: str
) -> None:
    change = _urls(slapd, how, host="127.0.0.2" if wrong == "another host name" else "127.0.0.1")
    if wrong != "another host name":
        change["ca_file"] = str(Authority(tmp_path).file) if wrong == "another authority" else None
    before = slapd.binds()
    async with opened(slapd.profile(**change)) as directory:
        found = await directory.find("alice")
        proved = await directory.prove(ALICE, Secret(ALICE_PASSWORD))
    for answer in (found, proved):
        assert isinstance(answer, Down)
        assert "CERTIFICATE_VERIFY_FAILED" in answer.detail
    assert slapd.binds() == before


@pytest.mark.parametrize("how", ["StartTLS", "LDAPS"])
async def test_only_check_certificate_no_turns_the_check_off(slapd: Slapd, how: str) -> None:
    change = _urls(slapd, how, host="127.0.0.2") | {"ca_file": None, "check_certificate": False}
    async with opened(slapd.profile(**change)) as directory:
        alice = await known(directory, "alice")
        assert await directory.prove(alice, Secret(ALICE_PASSWORD)) == Right()


def test_a_ca_file_that_is_none_is_an_error_at_the_start(slapd: Slapd, tmp_path: Path) -> None:
    from radius_push.directory.ldap import LdapDirectory
    from tests.directory.directories import TurnedClock

    (tmp_path / "empty.pem").write_text("")
    for path in (tmp_path / "none.pem", tmp_path / "empty.pem"):
        profile = slapd.profile(ca_file=str(path))
        with pytest.raises(OSError):  # noqa: PT011  FileNotFoundError or ssl.SSLError
            LdapDirectory(profile, attributes=frozenset(), group_names=frozenset(), clock=TurnedClock())


class RefusesStartTls:
    """A server, or somebody on the path, that wants the password in the clear; keeps what it hears."""

    def __init__(self) -> None:
        self.heard = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            line, _ = self._listening.accept()
            with line:
                while octets := line.recv(4096):
                    if octets == b"stop":
                        return
                    self.heard += octets
                    id = octets[2 : 4 + octets[3]]
                    # ExtendedResponse with resultCode unavailable (52), RFC 4511, 4.12.
                    answer = id + b"\x78\x07\x0a\x01\x34\x04\x00\x04\x00"
                    line.sendall(b"\x30" + bytes([len(answer)]) + answer)

    def stop(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.sendall(b"stop")
        self._thread.join(10)
        self._listening.close()


@pytest.fixture
def refuses_start_tls() -> Iterator[RefusesStartTls]:
    server = RefusesStartTls()
    yield server
    server.stop()


async def test_without_tls_no_password_is_sent(slapd: Slapd, refuses_start_tls: RefusesStartTls) -> None:
    urls = (f"ldap://127.0.0.1:{refuses_start_tls.port}",)
    async with opened(slapd.profile(urls=urls, start_tls=True)) as directory:
        assert isinstance(await directory.find("alice"), Down)
        assert isinstance(await directory.prove(ALICE, Secret(ALICE_PASSWORD)), Down)
    heard = refuses_start_tls.heard
    assert heard.count(b"1.3.6.1.4.1.1466.20037") == 2
    assert SERVICE_PASSWORD.encode() not in heard
    assert ALICE_PASSWORD.encode() not in heard
