"""A certificate that cannot be used is said with its place in the settings and its mend."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from radius_push.shapes import Endpoint, PhoneListener
from radius_push.web.certificate import NoTls, tls_of
from tests.web.test_phone_doorway import make_certificate


def refusal(certificate: str | Path, key: str | Path) -> str:
    here = Endpoint(ip_address("127.0.0.1"), 0)
    with pytest.raises(NoTls) as caught:
        tls_of(PhoneListener(here, "https://mfa.example.com", str(certificate), str(key)))
    return str(caught.value)


def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    certificate, _ = make_certificate(tmp_path)
    _, key = make_certificate(tmp_path / "other")
    assert refusal(certificate, key) == (
        f"server.listen.phone.tls.key: {key} does not belong to the certificate {certificate}: "
        "name the two files that were made together"
    )


def test_files_that_hold_something_else(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    assert refusal(key, key).startswith(f"server.listen.phone.tls.certificate: {key} does not hold a cert")
    assert refusal(certificate, certificate).startswith(
        f"server.listen.phone.tls.key: {certificate} does not hold a private key"
    )
    cut = tmp_path / "cut.pem"
    cut.write_text(Path(certificate).read_text()[:200] + "\n-----END CERTIFICATE-----\n")
    assert refusal(cut, key).startswith(f"server.listen.phone.tls: {cut} and {key} cannot be used (")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    certificate, _ = make_certificate(tmp_path)
    gone = tmp_path / "gone.key"
    assert refusal(certificate, gone) == (
        f"server.listen.phone.tls.key: {gone} cannot be read: no such file or directory"
    )


def test_an_encrypted_key_asks_nobody_at_a_terminal(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    plain = load_pem_private_key(Path(key).read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    )
    assert refusal(certificate, locked).startswith(f"server.listen.phone.tls.key: {locked} is encrypted")
