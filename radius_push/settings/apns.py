"""Apple's push service: which app is rung, and who we are to Apple."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path as File
from typing import TYPE_CHECKING

from radius_push.model import Secret
from radius_push.push_shapes import APPLE, Apns, Certificate, Token
from radius_push.settings.apns_schema import ApnsSection
from radius_push.settings.book import Book
from radius_push.settings.mistakes import Path

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

LONGEST = 64_000
"""Octets of a chain, or of authorities."""
SOON = dt.timedelta(days=30)
_TOKEN, _CERTIFICATE = ("key", "key_id", "team_id"), ("certificate", "certificate_key")
_P8 = "the .p8 file of Apple's developer page, as it was downloaded"


def apns(book: Book, section: ApnsSection | None, path: Path) -> Apns | None:
    """`methods.push.apns:`; None where it is not there, or not whole."""
    if section is None:
        return None
    identity = _identity(book, section, path)
    ca = _authorities(book, section.ca_file, (*path, "ca_file"))
    if identity is None:
        return None
    return Apns(
        section.topic,
        identity,
        environment=section.environment,
        url=section.url or APPLE[section.environment],
        ca=ca,
    )


def _identity(book: Book, section: ApnsSection, path: Path) -> Token | Certificate | None:
    by_token, by_certificate = (
        any(name in section.model_fields_set or book.report.spoiled((*path, name)) for name in names)
        for names in (_TOKEN, _CERTIFICATE)
    )
    if by_token and by_certificate:
        book.report.wrong(path, "has a key and a certificate; keep one of the two")
        return None
    if not by_token and not by_certificate:
        book.report.wrong(
            path, f"does not say who we are; write key ({_P8}), key_id and team_id, or a certificate"
        )
        return None
    names = _TOKEN if by_token else _CERTIFICATE
    for name in names:
        if getattr(section, name) is None and not book.report.spoiled((*path, name)):
            others = " and ".join(each for each in names if each != name)
            book.report.wrong((*path, name), f"is missing; it goes with {others}")
    return _token(book, section, path) if by_token else _certificate(book, section, path)


def _token(book: Book, section: ApnsSection, path: Path) -> Token | None:
    if section.key is None:
        return None
    path = (*path, "key")
    key = book.vault.secret(section.key, book.report, path)
    if key is None:
        return None
    from cryptography.hazmat.primitives.asymmetric import ec

    loaded = _loaded(book, key, path, mend=_P8)
    if loaded is None:
        return None
    p256 = isinstance(loaded, ec.EllipticCurvePrivateKey) and isinstance(loaded.curve, ec.SECP256R1)
    if not p256 or b"-----BEGIN PRIVATE KEY-----" not in key.reveal():
        book.report.wrong(path, f"is no P-256 key in PKCS #8; name {_P8}")
        return None
    return Token(key, section.key_id or "", section.team_id or "")


def _certificate(book: Book, section: ApnsSection, path: Path) -> Certificate | None:
    chain: list[x509.Certificate] = []
    key = loaded = None
    if section.certificate is not None:
        chain = _certificates(book, section.certificate, (*path, "certificate"))
        if chain:
            _valid(book, chain[0], section.topic, (*path, "certificate"))
    if section.certificate_key is not None:
        key = book.vault.secret(section.certificate_key, book.report, (*path, "certificate_key"))
    if key is not None:
        loaded = _loaded(book, key, (*path, "certificate_key"), mend="the private key in PEM")
    if not chain or key is None or loaded is None:
        return None
    if loaded.public_key() != chain[0].public_key():
        book.report.wrong((*path, "certificate_key"), "does not belong to the certificate")
        return None
    return Certificate(_pem(chain), key, chain[0].not_valid_after_utc.timestamp())


def _loaded(book: Book, key: Secret, path: Path, *, mend: str) -> PrivateKeyTypes | None:
    # Only where a key is named: `check` stays quick.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(key.reveal(), None)
    except TypeError:
        book.report.wrong(path, "is encrypted: store it without a pass phrase, readable by the server alone")
    except (ValueError, UnsupportedAlgorithm):
        if re.fullmatch(rb"[\w./-]+\.(p8|pem|key)", key.reveal().strip()):
            book.report.wrong(path, "is the name of a file; write {file: PATH}")
        else:
            book.report.wrong(path, f"is no private key in PEM (-----BEGIN PRIVATE KEY-----); name {mend}")
    return None


def _certificates(book: Book, written: str, path: Path) -> list[x509.Certificate]:
    from cryptography import x509

    file = book.file(written, path)
    if file is None or book.report.spoiled(path):
        return []
    try:
        with File(file).open("rb") as opened:
            octets = opened.read(LONGEST + 1)
        if len(octets) <= LONGEST:
            return x509.load_pem_x509_certificates(octets)
    except (ValueError, OSError):
        pass
    book.report.wrong(
        path,
        f"{file} holds no certificate in PEM (-----BEGIN CERTIFICATE-----); of a .p12 `openssl pkcs12 -in "
        "FILE.p12 -nokeys` makes it, and `-nocerts -nodes` the key",
    )
    return []


def _valid(book: Book, found: x509.Certificate, topic: str, path: Path) -> None:
    from cryptography.x509.oid import NameOID

    now, ends = dt.datetime.now(dt.UTC), found.not_valid_after_utc
    if ends < now:
        # No mistake that keeps the server from starting: then nobody could sign in, whatever their phone.
        book.report.warn(
            path,
            f"expired on {ends:%Y-%m-%d}: no app on Apple's devices is rung; make a new one on Apple's "
            "developer page",
        )
    elif ends < now + SOON:
        book.report.warn(path, f"expires on {ends:%Y-%m-%d}; make a new one on Apple's developer page")
    names = [str(name.value) for name in found.subject.get_attributes_for_oid(NameOID.USER_ID)]
    if names and topic and topic not in names:
        book.report.warn(path, f"is for {', '.join(names)}, and topic is {topic}: Apple will not take it")


def _authorities(book: Book, written: str | None, path: Path) -> str | None:
    if written is None:
        return None
    return _pem(_certificates(book, written, path)) or None


def _pem(chain: list[x509.Certificate]) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return "".join(each.public_bytes(Encoding.PEM).decode("ascii") for each in chain)
