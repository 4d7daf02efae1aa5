"""`methods.push.apns`: which app is rung, who we are to Apple, and every way in which that is not whole."""

# ruff: noqa: E501

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from radius_push.model import Secret
from radius_push.push_shapes import Apns, Certificate, Token
from radius_push.settings.changes import differences, needs_restart
from tests.directory.certificates import Authority
from tests.settings.files import changed, good, mistakes

P256 = ec.generate_private_key(ec.SECP256R1())
TOKEN = "topic: com.example.mfa, key: {file: apns.p8}, key_id: 8XFAKEKEY1, team_id: TEAMFAKE01"
CERTIFICATE = "topic: com.example.mfa, certificate: apns.pem, certificate_key: {file: apns.key}"


def pem(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = P256,
    form: PrivateFormat = PrivateFormat.PKCS8,
    lock: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, form, lock or NoEncryption())


def with_apns(apns: str) -> str:
    return changed(("methods: {push: {}}", f"methods: {{push: {{apns: {{{apns}}}}}}}"))


def written(folder: Path, octets: bytes, name: str = "apns.p8") -> None:
    (folder / name).write_bytes(octets)
    (folder / name).chmod(0o600)


def said(folder: Path, apns: str) -> list[str]:
    """What is wrong, without the place in the file."""
    start = "methods.push.apns"
    return [line[line.index(start) + len(start) :] for line in mistakes(folder, with_apns(apns))]


def test_a_key(tmp_path: Path) -> None:
    written(tmp_path, pem())
    settings = good(tmp_path, with_apns(TOKEN))
    token = Token(Secret(pem().removesuffix(b"\n")), "8XFAKEKEY1", "TEAMFAKE01")
    assert settings.push.apns == Apns("com.example.mfa", token)
    assert "PRIVATE" not in repr(settings.push)


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ("", "https://api.push.apple.com"),
        (", environment: sandbox", "https://api.sandbox.push.apple.com"),
        (", url: 'https://api.push.apple.com:2197'", "https://api.push.apple.com:2197"),
        (", url: 'https://relay.example/', environment: sandbox", "https://relay.example"),
    ],
)
def test_where_it_is_asked(tmp_path: Path, more: str, url: str) -> None:
    written(tmp_path, pem())
    apns = good(tmp_path, with_apns(TOKEN + more)).push.apns
    assert apns is not None
    assert apns.url == url


def test_a_certificate_and_whom_else_to_believe(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue(common_name="Apple Push Services", user_id="com.example.mfa", days=300)
    issued.certificate.rename(tmp_path / "apns.pem")
    issued.key.rename(tmp_path / "apns.key")
    settings = good(tmp_path, with_apns(f"{CERTIFICATE}, ca_file: authority.pem"))
    assert settings.push.apns is not None
    assert isinstance(settings.push.apns.identity, Certificate)
    assert settings.push.apns.ca == authority.file.read_text()
    assert not [line for line in settings.warnings if "apns" in line]


def test_a_certificate_that_ends_soon_or_is_for_another_app_is_said(tmp_path: Path) -> None:
    issued = Authority(tmp_path).issue(common_name="x", user_id="com.example.other", days=20)
    issued.certificate.rename(tmp_path / "apns.pem")
    issued.key.rename(tmp_path / "apns.key")
    warnings = "\n".join(good(tmp_path, with_apns(CERTIFICATE)).warnings)
    assert "apns.certificate: expires on" in warnings


def test_a_certificate_that_has_ended_is_said_and_the_server_starts(tmp_path: Path) -> None:
    """Else a restart would keep everybody out, also those whom other channels ring."""
    issued = Authority(tmp_path).issue(common_name="x", user_id="com.example.mfa", days=-1)
    issued.certificate.rename(tmp_path / "apns.pem")
    issued.key.rename(tmp_path / "apns.key")
    settings = good(tmp_path, with_apns(CERTIFICATE))
    assert "apns.certificate: expired on" in "\n".join(settings.warnings)
    assert settings.push.apns is not None
    assert isinstance(settings.push.apns.identity, Certificate)
    assert settings.push.apns.identity.ends_at < time.time()


def test_a_certificate_for_another_app_is_said(tmp_path: Path) -> None:
    issued = Authority(tmp_path).issue(common_name="x", user_id="com.example.other", days=300)
    issued.certificate.rename(tmp_path / "apns.pem")
    issued.key.rename(tmp_path / "apns.key")
    warnings = "\n".join(good(tmp_path, with_apns(CERTIFICATE)).warnings)
    assert "is for com.example.other, and topic is com.example.mfa" in warnings


P8 = "the .p8 file of Apple's developer page, as it was downloaded"
NO_KEY = f".key: is no private key in PEM (-----BEGIN PRIVATE KEY-----); name {P8}"
NO_P256 = f".key: is no P-256 key in PKCS #8; name {P8}"


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"not a key", NO_KEY),
        (b"apns.p8\n", ".key: is the name of a file; write {file: PATH}"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", NO_KEY),
        (pem(ec.generate_private_key(ec.SECP384R1())), NO_P256),
        (pem(rsa.generate_private_key(65537, 2048)), NO_P256),
        (pem(form=PrivateFormat.TraditionalOpenSSL), NO_P256),
        (
            pem(lock=BestAvailableEncryption(b"x")),
            ".key: is encrypted: store it without a pass phrase, readable by the server alone",
        ),
    ],
    ids=["text", "a name", "cut off", "P-384", "RSA", "SEC1", "encrypted"],
)
def test_a_key_that_is_none(tmp_path: Path, octets: bytes, sentence: str) -> None:
    written(tmp_path, octets)
    assert said(tmp_path, TOKEN) == [sentence]


@pytest.mark.parametrize(
    ("apns", "sentences"),
    [
        ("topic: com.example.mfa", [f": does not say who we are; write key ({P8}), key_id and team_id, or a certificate"]),
        (f"{TOKEN}, certificate: apns.pem", [": has a key and a certificate; keep one of the two"]),
        ("topic: com.example.mfa, key: {file: apns.p8}", [
            ".key_id: is missing; it goes with key and team_id",
            ".team_id: is missing; it goes with key and key_id",
        ]),
        ("topic: com.example.mfa, certificate_key: {file: apns.p8}", [".certificate: is missing; it goes with certificate_key"]),
        (TOKEN.replace("8XFAKEKEY1", "8xfakekey1"), [".key_id: must be 10 capital letters and digits, as Apple's developer page shows it"]),
        (TOKEN.replace("TEAMFAKE01", "TEAM"), [".team_id: must be 10 capital letters and digits, as Apple's developer page shows it"]),
        (TOKEN.replace("com.example.mfa", "our app"), [".topic: not a bundle id; write it as the app has it in Xcode: com.example.mfa"]),
        (TOKEN.replace("topic: com.example.mfa, ", ""), [".topic: is missing"]),
        (f"{TOKEN}, environment: sandpit", [".environment: must be production or sandbox"]),
        (f"{TOKEN}, url: 'http://localhost:8443'", [".url: must be https: Apple speaks nothing else; write https://api.push.apple.com"]),
        (f"{TOKEN}, url: 'https://relay.example/x'", [".url: write https, a host, and a port if it is not 443: https://relay.example"]),
        (f"{TOKEN}, keyid: x", [".keyid: unknown key, did you mean 'key_id'?"]),
    ],
)  # fmt: skip
def test_every_mistake_has_its_mend(tmp_path: Path, apns: str, sentences: list[str]) -> None:
    written(tmp_path, pem())
    assert said(tmp_path, apns) == sentences


def test_a_certificate_that_cannot_be_used(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one = authority.issue(common_name="one")
    other = authority.issue(common_name="other")
    apns = CERTIFICATE.replace("apns.pem", one.certificate.name).replace("apns.key", other.key.name)
    (key,) = said(tmp_path, apns)
    assert key == ".certificate_key: does not belong to the certificate"


@pytest.mark.parametrize("octets", [b"\x30\x82\x01\x01", b"", b"-----BEGIN CERTIFICATE-----", b"x" * 70_000])
def test_a_p12_and_other_files_are_no_certificate(tmp_path: Path, octets: bytes) -> None:
    written(tmp_path, octets, "apns.pem")
    written(tmp_path, pem(), "apns.key")
    (sentence,) = said(tmp_path, CERTIFICATE)
    assert "holds no certificate in PEM" in sentence
    assert "openssl pkcs12" in sentence


def test_a_reload_tells_of_it_without_a_value_and_needs_no_restart(tmp_path: Path) -> None:
    written(tmp_path, pem())
    new = good(tmp_path, with_apns(TOKEN))
    old = replace(new, push=replace(new.push, apns=None))
    assert differences(old, new) == ("methods.push: changed (apns)",)
    assert needs_restart(old, new) == ()
