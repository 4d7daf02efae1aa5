"""Connections: where they come in, and by which certificates the gateways are known."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path as File

from radius_push import shapes
from radius_push.model import ClientCertificate
from radius_push.settings import schema, server_schema
from radius_push.settings.book import Book
from radius_push.settings.mistakes import Path

_LISTEN: Path = ("server", "listen")


def radsec(book: Book) -> shapes.RadsecListener | None:
    """`server.listen.radsec:`."""
    section = book.server.listen.radsec
    if section is None or section.tls is None:
        return None
    path: Path = (*_LISTEN, "radsec")
    certificate = book.file(section.tls.certificate, (*path, "tls", "certificate"))
    key = book.file(section.tls.key, (*path, "tls", "key"), private=True)
    return shapes.RadsecListener(
        section.address,
        certificate or "",
        key or "",
        client_ca=book.file(section.client_ca, (*path, "client_ca")),
        crl=book.file(section.crl, (*path, "crl")),
    )


def tcp(book: Book) -> tuple[shapes.Endpoint, ...]:
    """`server.listen.tcp:`, on this machine alone unless it is said otherwise."""
    listen = book.server.listen
    for at, endpoint in enumerate(listen.tcp):
        if not (endpoint.address.is_loopback or listen.tcp_without_tls):
            book.report.wrong(
                (*_LISTEN, "tcp", at),
                "without TLS everybody on the way reads and changes it; use radsec, or write "
                "tcp_without_tls: accepted",
            )
    return listen.tcp


def certificate_of(
    book: Book, section: schema.ClientSection, path: Path, *, sealed: bool
) -> ClientCertificate | None:
    """How a client is known by RadSec. `sealed`: its Message-Authenticator is required there too."""
    written = section.certificate
    if written is None:
        return None
    path = (*path, "certificate")
    if not (written.name or written.fingerprint or written.file or book.report.spoiled_within(path)):
        book.report.wrong(path, "says nothing; write name: fw1.example.com, fingerprint: ... or file: ...")
    pinned = [
        pem
        for at, file in enumerate(written.file)
        if (pem := _pinned(book, file, (*path, "file", at))) is not None
    ]
    prints = [hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() for pem in pinned]
    return ClientCertificate(
        names=written.name,
        fingerprints=(*written.fingerprint, *prints),
        pinned=tuple(pinned),
        networks=section.addresses,
        require_message_authenticator=sealed,
    )


def _pinned(book: Book, written: str, path: Path) -> str | None:
    """The one certificate of a file, in PEM. It must not be an authority: it would vouch for any name."""
    from cryptography import x509  # only where a certificate is named: `check` stays quick
    from cryptography.hazmat.primitives.serialization import Encoding

    file = book.file(written, path)
    if file is None or book.report.spoiled(path):
        return None
    try:
        (found,) = x509.load_pem_x509_certificates(File(file).read_bytes())
        basic = found.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        book.report.wrong(path, f"{file} {_NO_AUTHORITY}")
        return None
    except (ValueError, OSError):
        book.report.wrong(path, f"{file} is not one certificate in PEM (-----BEGIN CERTIFICATE-----)")
        return None
    if basic.ca:
        book.report.wrong(path, f"{file} {_NO_AUTHORITY}")
        return None
    return found.public_bytes(Encoding.PEM).decode("ascii")


_NO_AUTHORITY = (
    "does not say that it is no authority (basicConstraints CA:FALSE), so it could sign certificates "
    "for other gateways; make another one, or name its authority as client_ca"
)


def check(book: Book) -> None:
    """What no client sees by itself: certificates with two owners, and ways that lead nowhere."""
    listens, can_sign = book.server.listen.radsec, None
    if listens is not None:
        can_sign = listens.client_ca
    owners: dict[str, str] = {}
    for client in book.clients.values():
        if client.certificate is None:
            continue
        path: Path = ("clients", client.name, "certificate")
        if listens is None and not book.report.spoiled((*_LISTEN, "radsec")):
            book.report.wrong(path, "is for RadSec, which nobody listens for; add server.listen.radsec")
        signed = client.certificate.names or len(client.certificate.fingerprints) > len(
            client.certificate.pinned
        )
        if listens is not None and signed and not can_sign:
            book.report.wrong(
                path,
                "nobody vouches for it: add client_ca to server.listen.radsec, or name the certificate "
                "itself by file",
            )
        for mark in (*client.certificate.names, *client.certificate.fingerprints):
            owner = owners.setdefault(mark, client.name)
            if owner != client.name:
                shown = mark if mark in client.certificate.names else f"sha256:{mark}"
                book.report.wrong(path, f"{shown} belongs to {owner} already; a certificate has one client")
    if listens is not None and not owners and not book.report.spoiled_within(("clients",)):
        book.report.warn((*_LISTEN, "radsec"), "no client has a certificate: nobody can come in")
    _revoked(book, listens)


def _revoked(book: Book, listens: server_schema.RadsecSection | None) -> None:
    pinned = any(client.certificate and client.certificate.pinned for client in book.clients.values())
    if listens is not None and listens.crl and (pinned or not listens.client_ca):
        why = "a client names its certificate by file" if listens.client_ca else "there is no client_ca"
        book.report.wrong(
            (*_LISTEN, "radsec", "crl"),
            f"is asked about every certificate, and {why}: no list speaks for that; leave one out",
        )
