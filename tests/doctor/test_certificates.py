"""The certificate of the phone side, judged as a phone would, without a connection."""

from __future__ import annotations

import ssl
import time
from ipaddress import ip_address
from pathlib import Path

import pytest

from radius_push.doctor.certificates import look_at
from radius_push.doctor.finding import Finding
from radius_push.shapes import Endpoint, PhoneListener
from tests.directory.certificates import Authority

URL = "https://mfa.example.com"


def judged(
    authority: Authority, *names: str, days: float, trusted: bool = True, url: str = URL
) -> Finding | None:
    issued = authority.issue(*names, days=days)
    listener = PhoneListener(
        Endpoint(ip_address("127.0.0.1"), 8443), url, str(issued.certificate), str(issued.key)
    )
    return look_at(
        listener,
        about="phones",
        side="phone",
        now=time.time(),
        trust=lambda: ssl.create_default_context(cafile=str(authority.file) if trusted else None),
    )


@pytest.mark.parametrize(
    ("names", "days", "trusted", "what", "said"),
    [
        (("mfa.example.com",), 90, True, "ok", "for mfa.example.com, 90 days left"),
        (("mfa.example.com",), 5, True, "warning", "5 days left"),
        (("mfa.example.com",), -1, True, "wrong", "it has expired"),
        (("www.example.com",), 90, True, "wrong", "it is not for mfa.example.com"),
        (("mfa.example.com",), 90, False, "warning", "unable to get local issuer certificate"),
        (("mfa.example.com",), -1, False, "wrong", "it has expired"),
        (("www.example.com",), 90, False, "wrong", "it is not for mfa.example.com"),
    ],
)
def test_name_days_and_authority_are_told(
    tmp_path: Path, names: tuple[str, ...], days: float, trusted: bool, what: str, said: str
) -> None:
    found = judged(Authority(tmp_path), *names, days=days, trusted=trusted)
    assert found is not None
    assert (found.what, said in found.says) == (what, True), found
    assert bool(found.mend) == (what != "ok")


def test_a_key_of_another_certificate_is_told(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, other = authority.issue("mfa.example.com"), authority.issue("mfa.example.com")
    listener = PhoneListener(
        Endpoint(ip_address("127.0.0.1"), 8443), URL, str(one.certificate), str(other.key)
    )
    found = look_at(
        listener, about="phones", side="phone", now=time.time(), trust=ssl.create_default_context
    )  # fmt: skip
    assert found is not None
    assert found.what == "wrong"
    assert "does not belong to the certificate" in found.says


def test_who_speaks_no_tls_has_none() -> None:
    listener = PhoneListener(Endpoint(ip_address("127.0.0.1"), 8443), URL)
    trust = ssl.create_default_context
    assert look_at(listener, about="phones", side="phone", now=time.time(), trust=trust) is None
