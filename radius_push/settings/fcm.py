"""Firebase Cloud Messaging: the service account's file, read strictly, and whose certificates are trusted."""

from __future__ import annotations

import json
import re
import ssl
from pathlib import Path as File
from typing import Any
from urllib.parse import urlsplit

from radius_push.model import Secret
from radius_push.push_shapes import Fcm
from radius_push.settings import schema
from radius_push.settings.book import Book
from radius_push.settings.mistakes import Path
from radius_push.settings.scalars import FromFile, SecretSource

LONGEST = 64_000
"""Octets of a service account's file. Google's have 2400."""
LONGEST_CA = 1_000_000
LEAST_BITS = 2048
MOST_BITS = 4096
"""Google's have 2048. To check one of 8192 takes 12 s, and no login goes on while it signs."""
_HOST = "oauth2.googleapis.com"
_NEW_KEY = "make one in the Firebase console > Project settings > Service accounts > Generate new private key"
_PROJECT = re.compile(r"(?:[a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{2,60}[a-z0-9]")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,100}@[A-Za-z0-9.-]{1,150}")
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_URL = re.compile(r"[A-Za-z0-9:/._~-]{1,300}")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
"""Bundles have names between them, in any script."""
_TEXTS = ("type", "project_id", "private_key_id", "private_key", "client_email", "token_uri")


class _Wrong(Exception):
    """What is wrong with the file, and the mend; never any of its values."""


def fcm(book: Book, section: schema.FcmSection | None, path: Path) -> Fcm | None:
    """`methods.push.fcm:`; None where it is not there, or wrong."""
    if section is None:
        return None
    if section.url.startswith("http:"):
        book.report.warn((*path, "url"), "not TLS, so for tests only")
    ca = _authority(book, section.ca_file, (*path, "ca_file"))
    source: SecretSource | None = section.service_account
    if source is None:
        return None
    path = (*path, "service_account")
    octets = book.vault.document(source, book.report, path, longest=LONGEST)
    if octets is None:
        return None
    where = book.vault.path(source.path, book.report, path) if isinstance(source, FromFile) else "it"
    try:
        account = _account(octets)
        key = _key(account["private_key"])
    except _Wrong as wrong:
        book.report.wrong(path, f"{where} {wrong}")
        return None
    asked = urlsplit(account["token_uri"]).hostname
    if asked != _HOST:
        book.report.warn(
            path,
            f"{where} has its access tokens from {asked}, and not from {_HOST}: unless that is a relay of "
            "yours, somebody changed the file",
        )
    return Fcm(
        project=account["project_id"],
        client_email=account["client_email"],
        key=key,
        key_id=account["private_key_id"],
        token_uri=account["token_uri"],
        url=section.url,
        ca=ca,
    )


def _account(octets: bytes) -> dict[str, str]:
    """The texts of a service account's file. Other keys are Google's to add."""
    found = _object(octets)
    _is_a_service_account(found)
    for name in _TEXTS:
        if not isinstance(found.get(name), str) or not found[name]:
            raise _Wrong(f"has no {name}: it is not whole; {_NEW_KEY}")
    for name, pattern in (
        ("project_id", _PROJECT),
        ("client_email", _EMAIL),
        ("private_key_id", _KEY_ID),
        ("token_uri", _URL),
    ):
        if not pattern.fullmatch(found[name]):
            raise _Wrong(f"has a {name} that is not as Google writes it: take the file as it was given out")
    _is_asked_by_tls(found["token_uri"])
    return {name: found[name] for name in _TEXTS}


def _object(octets: bytes) -> dict[str, Any]:
    begin = octets.lstrip()[:40]
    if begin.startswith((b"<?xml", b"bplist")):
        raise _Wrong(
            f"is the app's GoogleService-Info.plist, which belongs into the app; a service account's "
            f"key is wanted: {_NEW_KEY}"
        )
    if begin.startswith(b"-----BEGIN"):
        raise _Wrong("is a key alone; the whole JSON file of the service account is wanted")
    if begin.startswith(b"AAAA"):
        raise _Wrong(
            "is a server key of the interface that Google switched off in 2024; a service account's key is "
            f"wanted: {_NEW_KEY}"
        )
    try:
        found = json.loads(octets.decode("utf-8-sig"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        if re.fullmatch(rb"[\w./-]+\.json", octets.strip()):
            raise _Wrong("is the name of a file; write {file: PATH}") from None
        raise _Wrong(f"is not JSON: it was cut off or changed; {_NEW_KEY}") from None
    if not isinstance(found, dict):
        raise _Wrong(f"is not a service account's key: {_NEW_KEY}")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Wrong("says something twice: take the file as it was given out")
    return found


def _is_a_service_account(found: dict[str, Any]) -> None:
    if "project_info" in found and "client" in found:
        raise _Wrong(
            "is the app's google-services.json, which belongs into the app; a service account's key is "
            f"wanted: {_NEW_KEY}"
        )
    if "installed" in found or "web" in found:
        raise _Wrong(f"is an OAuth client's id, not a service account's key: {_NEW_KEY}")
    match found.get("type"):
        case "service_account":
            return
        case "authorized_user":
            raise _Wrong(f"is a person's login of gcloud, not a service account's key: {_NEW_KEY}")
        case "external_account" | "impersonated_service_account":
            raise _Wrong(f"is a workload identity, which is not in this version: {_NEW_KEY}")
    raise _Wrong(f"is not a service account's key (type: service_account): {_NEW_KEY}")


def _is_asked_by_tls(url: str) -> None:
    try:
        parts = urlsplit(url)
        port_can_be = parts.port != 0
    except ValueError:
        parts, port_can_be = urlsplit(""), False
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    plain = parts.scheme == "http" and here
    if not (parts.hostname and port_can_be and (parts.scheme == "https" or plain)):
        raise _Wrong(
            "has a token_uri that is not https: take the file as it was given out; Google's is "
            "https://oauth2.googleapis.com/token"
        )


def _key(pem: str) -> Secret:
    """PKCS #8, RSA."""
    from cryptography.exceptions import UnsupportedAlgorithm  # only where FCM is: `check` stays quick
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    mend = "take the file as it was given out"
    if "\\n" in pem:
        raise _Wrong(f"has a private_key whose line breaks were written as \\\\n, twice: {mend}")
    if "-----BEGIN PRIVATE KEY-----" not in pem:
        raise _Wrong(f"has a private_key that is not in PKCS #8 (-----BEGIN PRIVATE KEY-----): {mend}")
    try:
        key = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, RSAPrivateKey) or not LEAST_BITS <= key.key_size <= MOST_BITS:
            raise _Wrong(f"has a private_key that is not RSA of {LEAST_BITS} to {MOST_BITS} bits: {_NEW_KEY}")
        load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _Wrong(f"has a private_key that can't be read: it was cut off or changed; {_NEW_KEY}") from None
    return Secret(pem)


def _authority(book: Book, written: str | None, path: Path) -> str | None:
    """PEM, its certificates read once."""
    file = book.file(written, path)
    if file is None or book.report.spoiled(path):
        return None
    try:
        with File(file).open("rb") as opened:
            found = _PEM.findall(opened.read(LONGEST_CA).decode("latin-1"))
        if not found:
            raise ValueError
        ssl.create_default_context(cadata="\n".join(found))
    except (ssl.SSLError, ValueError, OSError):
        book.report.wrong(path, f"{file} holds no certificates in PEM (-----BEGIN CERTIFICATE-----)")
        return None
    return "\n".join(found)
