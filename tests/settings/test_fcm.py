"""FCM in the settings: what a service account's file becomes, and what is said of everything that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from radius_push.model import Secret
from radius_push.push_shapes import Fcm
from radius_push.settings import describe
from radius_push.settings.changes import differences, needs_restart
from tests.directory.certificates import Authority
from tests.push.google import EMAIL, KEY_ID, PROJECT, Google, pem, private_key
from tests.settings.files import ENVIRON, changed, good, mistakes, warnings

PKCS8 = PrivateFormat.PKCS8
METHODS = "methods: {push: {}}"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def account(authority: Authority) -> dict[str, Any]:
    return Google(authority, origin="https://oauth2.googleapis.com").account()


def saying(fcm: str) -> str:
    return changed((METHODS, f"methods: {{push: {{fcm: {fcm}}}}}"))


def with_file(folder: Path, content: object, more: str = "") -> str:
    file = folder / "fcm.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content, indent=2).encode())
    file.chmod(0o600)
    return saying(f"{{service_account: {{file: fcm.json}}{more}}}")


def mistake(folder: Path, content: object) -> str:
    (found,) = mistakes(folder, with_file(folder, content))
    assert "methods.push.fcm.service_account: " in found
    assert "PRIVATE KEY-----\\n" not in found
    return found


def test_the_file_that_google_gives_out_is_all_it_needs(tmp_path: Path, account: dict[str, Any]) -> None:
    settings = good(tmp_path, with_file(tmp_path, account))
    assert settings.push.fcm == Fcm(
        project=PROJECT,
        client_email=EMAIL,
        key=Secret(pem()),
        key_id=KEY_ID,
        token_uri="https://oauth2.googleapis.com/token",
        url="https://fcm.googleapis.com",
        ca=None,
    )
    assert pem().splitlines()[2] not in repr(settings)
    assert f"apps of {PROJECT} are rung by FCM, at https://fcm.googleapis.com" in describe(settings)
    assert not [each for each in settings.warnings if "fcm" in each]


def test_it_may_come_by_the_environment(tmp_path: Path, account: dict[str, Any]) -> None:
    environ = {**ENVIRON, "FCM": json.dumps(account)}
    settings = good(tmp_path, saying("{service_account: {env: FCM}}"), environ)
    assert settings.push.fcm is not None
    assert settings.push.fcm.project == PROJECT


def test_a_relay_and_whom_it_is_trusted_by(
    tmp_path: Path, account: dict[str, Any], authority: Authority
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text(f"# Autorité de Müller\n{authority.file.read_text()}", encoding="utf-8")
    text = with_file(tmp_path, account, ", url: https://push.corp.example:8443/, ca_file: ca.pem")
    fcm = good(tmp_path, text).push.fcm
    assert fcm is not None
    assert fcm.url == "https://push.corp.example:8443"
    assert fcm.ca == authority.file.read_text().strip()


def test_access_tokens_of_somebody_else_are_warned_of(tmp_path: Path, account: dict[str, Any]) -> None:
    """Whoever may write the file may have this server ask any host: that is said, and done."""
    elsewhere = {**account, "token_uri": "https://inside.corp.example/token"}
    (said,) = [each for each in good(tmp_path, with_file(tmp_path, elsewhere)).warnings if "fcm" in each]
    assert "has its access tokens from inside.corp.example, and not from oauth2.googleapis.com" in said


def test_a_file_that_all_can_read_and_an_unsafe_relay_are_warned_of(
    tmp_path: Path, account: dict[str, Any]
) -> None:
    text = with_file(tmp_path, account, ', url: "http://localhost:8080"')
    (tmp_path / "fcm.json").chmod(0o644)
    said = " ".join(warnings(tmp_path, text))
    assert "fcm.json is open to everybody" in said
    assert "methods.push.fcm.url: not TLS" in said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b" " * 64_000 + b"{}", "longer than 64 kB"),
        (b"{", "is not JSON"),
        (b"\xff\xfe{}", "is not JSON"),
        (b"[" * 30_000, "is not JSON"),
        (b"[]", "is not a service account's key"),
        (b'{"type": "service_account", "type": "x"}', "says something twice"),
        (b"-----BEGIN PRIVATE KEY-----\nabc", "is a key alone"),
        (b"AAAAabcdefg:APA91bF", "switched off in 2024"),
        (b'<?xml version="1.0"?><plist/>', "GoogleService-Info.plist"),
        ({"project_info": {}, "client": []}, "google-services.json"),
        ({"installed": {"client_id": "x"}}, "OAuth client's id"),
        ({"type": "authorized_user"}, "login of gcloud"),
        ({"type": "external_account"}, "workload identity"),
        ({"type": "something"}, "type: service_account"),
    ],
)
def test_what_is_something_else_is_called_by_its_name(tmp_path: Path, content: object, sentence: str) -> None:
    assert sentence in mistake(tmp_path, content)


def _pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, how: PrivateFormat, password: bytes = b""
) -> str:
    sealed = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, how, sealed).decode()


def _long_key() -> rsa.RSAPrivateKey:
    """Of 8192 bits, and not even one: that takes long to find out, and is not asked."""
    odd = 2**4096 - 1
    public = rsa.RSAPublicNumbers(65537, odd * odd)
    numbers = rsa.RSAPrivateNumbers(odd, odd, odd, odd, odd, odd, public)
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("project_id", None, "has no project_id"),
        ("project_id", 7, "has no project_id"),
        ("project_id", "a/../b", "project_id that is not as Google writes it"),
        ("project_id", "UPPER", "project_id that is not as Google writes it"),
        ("client_email", "nobody", "client_email that is not as Google writes it"),
        ("client_email", "a\n@b", "client_email that is not as Google writes it"),
        ("private_key_id", "../x", "private_key_id that is not as Google writes it"),
        ("private_key_id", "", "has no private_key_id"),
        ("token_uri", None, "has no token_uri"),
        ("token_uri", "http://oauth2.googleapis.com/token", "token_uri that is not https"),
        ("token_uri", "https:///token", "token_uri that is not https"),
        ("token_uri", "https://h:99999/token", "token_uri that is not https"),
        ("token_uri", "https://user:pw@h/token", "token_uri that is not as Google writes it"),
        ("token_uri", "https://h/token?key=x", "token_uri that is not as Google writes it"),
        ("private_key", None, "has no private_key"),
        ("private_key", "secret", "not in PKCS #8"),
        ("private_key", pem().replace("\n", "\\n"), "line breaks were written as \\\\n, twice"),
        ("private_key", pem()[:200], "can't be read"),
        ("private_key", pem()[:700] + pem()[800:], "can't be read"),
        ("private_key", _pem(private_key(), PrivateFormat.TraditionalOpenSSL), "not in PKCS #8"),
        ("private_key", _pem(private_key(), PKCS8, b"x"), "not in PKCS #8"),
        ("private_key", _pem(ec.generate_private_key(ec.SECP256R1()), PKCS8), "not RSA of 2048"),
        ("private_key", _pem(rsa.generate_private_key(65537, 1024), PKCS8), "not RSA of 2048"),
        ("private_key", _pem(_long_key(), PKCS8), "not RSA of 2048 to 4096 bits"),
    ],
    ids=range(24),
)  # fmt: skip
def test_every_value_that_is_not_googles_is_named_and_none_is_shown(
    tmp_path: Path, account: dict[str, Any], field: str, value: object, sentence: str
) -> None:
    assert sentence in mistake(tmp_path, {**account, field: value})


@pytest.mark.parametrize(
    ("fcm", "sentence"),
    [
        ("{}", "methods.push.fcm.service_account: is missing"),
        ("{service_account: {file: nowhere.json}}", "cannot read"),
        ("{service_account: {env: NOWHERE}}", "the environment has no NOWHERE"),
        ("{service_account: {type: service_account}}", "write {file: PATH}, {env: NAME}"),
        ("{service_account: {env: FW1}, url: push.corp.example}", "write https and the host"),
        ("{service_account: {env: FW1}, url: https://h/v1}", "write https and the host"),
        ("{service_account: {env: FW1}, url: http://h}", "http only on localhost"),
        ("{service_account: {env: FW1}, ca_file: radius-push.yaml}", "holds no certificates in PEM"),
        ("{service_account: {env: FW1}, project: x}", "methods.push.fcm.project: unknown key"),
        ("yes", "methods.push.fcm: must be a mapping"),
    ],
)
def test_mistakes_of_the_section_have_their_place(tmp_path: Path, fcm: str, sentence: str) -> None:
    assert any(sentence in each for each in mistakes(tmp_path, saying(fcm)))


def test_a_damaged_bundle_is_a_mistake(tmp_path: Path, account: dict[str, Any]) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (found,) = mistakes(tmp_path, with_file(tmp_path, account, ", ca_file: ca.pem"))
    assert "methods.push.fcm.ca_file: " in found


def test_another_key_is_taken_by_a_reload(tmp_path: Path, account: dict[str, Any]) -> None:
    old = good(tmp_path, with_file(tmp_path, account))
    assert not differences(old, good(tmp_path, with_file(tmp_path, account)))
    new = good(tmp_path, with_file(tmp_path, {**account, "private_key_id": "f" * 40}))
    assert differences(old, new) == ("methods.push: changed (fcm)",)
    assert not needs_restart(old, new)
