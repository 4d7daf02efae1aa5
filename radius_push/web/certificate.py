"""The phone side's certificate and key, or what is wrong with them and how to mend it."""

from __future__ import annotations

import ssl
from pathlib import Path

from radius_push.ports import DoorClosed
from radius_push.shapes import PhoneListener

_PLACE = "server.listen.phone.tls"


class NoTls(DoorClosed):
    """The certificate or the key can't be used; the text has the place in the settings and the mend."""


def tls_of(listener: PhoneListener) -> ssl.SSLContext | None:
    """TLS 1.2 or newer with the listener's certificate; None if it names none. Raises NoTls."""
    if listener.certificate is None or listener.key is None:
        return None
    _expect(listener.certificate, "certificate", "a certificate in PEM, with its chain", b"CERTIFICATE-----")
    _expect(listener.key, "key", "a private key in PEM", b"PRIVATE KEY-----")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a password here OpenSSL would ask for one at a terminal that a service does not have.
        context.load_cert_chain(listener.certificate, listener.key, password=lambda: _encrypted(listener.key))
    except ssl.SSLError as problem:
        if problem.reason == "KEY_VALUES_MISMATCH":
            raise NoTls(
                f"{_PLACE}.key: {listener.key} does not belong to the certificate {listener.certificate}: "
                "name the two files that were made together"
            ) from None
        raise NoTls(
            f"{_PLACE}: {listener.certificate} and {listener.key} cannot be used "
            f"({problem.reason or 'damaged'}): is each the whole PEM file?"
        ) from None
    return context


def _expect(file: str, key: str, what: str, mark: bytes) -> None:
    try:
        octets = Path(file).read_bytes()
    except OSError as problem:
        why = (problem.strerror or "unknown").lower()
        raise NoTls(f"{_PLACE}.{key}: {file} cannot be read: {why}") from None
    if b"-----BEGIN " not in octets or mark not in octets:
        raise NoTls(f"{_PLACE}.{key}: {file} does not hold {what} (-----BEGIN ...)")


def _encrypted(file: str | None) -> str:
    raise NoTls(f"{_PLACE}.key: {file} is encrypted: store it without a pass phrase, readable by us alone")
