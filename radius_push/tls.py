"""A listener's certificate and key, or what is wrong with them and how to mend it."""

from __future__ import annotations

import ssl
from pathlib import Path

from radius_push.ports import DoorClosed


class NoTls(DoorClosed):
    """A certificate or a key can't be used; the text has the place in the settings and the mend."""


def tls_with(certificate: str, key: str, *, place: str) -> ssl.SSLContext:
    """TLS 1.2 or newer with these PEM files, for a server. `place`: of the two in the settings. Raises
    NoTls."""
    expect(certificate, f"{place}.certificate", "a certificate in PEM, with its chain", b"CERTIFICATE-----")
    expect(key, f"{place}.key", "a private key in PEM", b"PRIVATE KEY-----")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password here OpenSSL would ask for one at a terminal that a service does not have.
        context.load_cert_chain(certificate, key, password=lambda: _encrypted(key, place))
    except ssl.SSLError as problem:
        if problem.reason == "KEY_VALUES_MISMATCH":
            raise NoTls(
                f"{place}.key: {key} does not belong to the certificate {certificate}: "
                "name the two files that were made together"
            ) from None
        raise NoTls(
            f"{place}: {certificate} and {key} cannot be used "
            f"({problem.reason or 'damaged'}): is each the whole PEM file?"
        ) from None
    return context


def expect(file: str, place: str, what: str, mark: bytes) -> bytes:
    """The octets of a PEM file that holds such a thing. Raises NoTls."""
    try:
        octets = Path(file).read_bytes()
    except OSError as problem:
        why = (problem.strerror or "unknown").lower()
        raise NoTls(f"{place}: {file} cannot be read: {why}") from None
    if b"-----BEGIN " not in octets or mark not in octets:
        raise NoTls(f"{place}: {file} does not hold {what} (-----BEGIN ...)")
    return octets


def _encrypted(file: str, place: str) -> str:
    raise NoTls(f"{place}.key: {file} is encrypted: store it without a pass phrase, readable by us alone")
