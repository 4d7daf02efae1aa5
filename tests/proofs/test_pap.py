"""PAP: what the RFC's octets say, and what a password may not become."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.model import Reason, Secret
from radius_push.proofs.pap import LooksLikeWrongSecret, NotReadable, decrypt, hide, read
from tests.vectors import rfc2865_7_1 as rfc

WRONG_SECRET = json.loads((Path(__file__).parent.parent / "vectors" / "wrong_secret.json").read_text())


def test_the_rfcs_password_is_uncovered() -> None:
    assert decrypt(rfc.HIDDEN, rfc.SECRET, rfc.AUTHENTICATOR) == rfc.PASSWORD


def test_the_rfcs_password_is_hidden_the_same_way() -> None:
    assert hide(rfc.PASSWORD, rfc.SECRET, rfc.AUTHENTICATOR) == rfc.HIDDEN


@given(
    password=st.binary(max_size=128).filter(lambda octets: not octets.endswith(b"\0")),
    secret=st.binary(min_size=1, max_size=64),
    authenticator=st.binary(min_size=16, max_size=16),
)
def test_what_is_hidden_comes_back(password: bytes, secret: bytes, authenticator: bytes) -> None:
    hidden = hide(password, Secret(secret), authenticator)
    assert len(hidden) % 16 == 0
    assert 16 <= len(hidden) <= 128
    assert decrypt(hidden, Secret(secret), authenticator) == password


@pytest.mark.parametrize("length", [0, 1, 15, 17, 129, 144])
def test_a_hidden_password_of_an_impossible_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="16 to 128"):
        decrypt(bytes(length), Secret("s"), bytes(16))


def test_a_password_over_128_octets_is_refused() -> None:
    with pytest.raises(ValueError, match="128"):
        hide(b"x" * 129, Secret("s"), bytes(16))


def test_an_authenticator_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="16 octets"):
        hide(b"x", Secret("s"), b"short")


@pytest.mark.parametrize(
    ("raw", "encoding", "text"),
    [
        (b"hunter2", "latin-1", "hunter2"),
        ("pässwörd".encode(), "latin-1", "pässwörd"),
        ("pässwörd".encode("latin-1"), "latin-1", "pässwörd"),
        ("пароль".encode("cp1251"), "cp1251", "пароль"),
        (b"tab\there", "latin-1", "tab\there"),
        (b" ", "latin-1", " "),
    ],
)
def test_a_password_is_read_in_utf_8_or_else_in_the_clients_encoding(
    raw: bytes, encoding: str, text: str
) -> None:
    outcome = read(raw, encoding=encoding)
    assert isinstance(outcome, Secret)
    assert outcome == Secret(text.encode("utf-8"))


@pytest.mark.parametrize(
    ("raw", "encoding", "reason"),
    [
        (b"", "latin-1", Reason.NO_PASSWORD),
        (b"hun\0ter2", "latin-1", Reason.PASSWORD_NOT_READABLE),
        (b"\0hunter2", "latin-1", Reason.PASSWORD_NOT_READABLE),
        (b"p\xe4ssword", "ascii", Reason.PASSWORD_NOT_READABLE),
        (b"\xe9", "no-such-encoding", Reason.PASSWORD_NOT_READABLE),
        (b"\xe9", "hex", Reason.PASSWORD_NOT_READABLE),
    ],
)
def test_what_is_no_password_never_becomes_one(raw: bytes, encoding: str, reason: Reason) -> None:
    assert read(raw, encoding=encoding) == NotReadable(reason)


@given(
    raw=st.binary(max_size=128), encoding=st.sampled_from(["latin-1", "cp1251", "cp1252", "utf-8", "utf-7"])
)
def test_nothing_read_is_empty_or_holds_nul(raw: bytes, encoding: str) -> None:
    outcome = read(raw, encoding=encoding)
    if isinstance(outcome, Secret):
        assert outcome.reveal()
        assert b"\0" not in outcome.reveal()
        outcome.reveal().decode("utf-8")


@pytest.mark.parametrize("vector", WRONG_SECRET["garbage"])
def test_a_wrong_shared_secret_is_recognised(vector: dict[str, str]) -> None:
    assert read(_with_the_servers_secret(vector), encoding="latin-1") == LooksLikeWrongSecret()


@pytest.mark.parametrize("vector", WRONG_SECRET["looks_like_latin_1"])
def test_about_one_wrong_secret_in_a_hundred_looks_like_latin_1(vector: dict[str, str]) -> None:
    """Not wanted, and not to be had otherwise without Message-Authenticator: the docs say so."""
    assert isinstance(read(_with_the_servers_secret(vector), encoding="latin-1"), Secret)


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_octets_that_an_encoding_makes_nothing_of_are_no_password(mark: bytes) -> None:
    """A byte order mark alone: an LDAP server would take what it says for an anonymous bind."""
    assert read(mark, encoding="utf-16") == NotReadable(Reason.NO_PASSWORD)


def _with_the_servers_secret(vector: dict[str, str]) -> bytes:
    return decrypt(
        bytes.fromhex(vector["hidden"]),
        Secret(vector["server_secret"]),
        bytes.fromhex(vector["authenticator"]),
    )
