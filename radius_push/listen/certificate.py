"""RadSec's TLS: whose certificates are believed, and what one says of who shows it (RFC 6614 2.3)."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from radius_push.model import Client, PeerCertificate
from radius_push.shapes import RadsecListener
from radius_push.tls import NoTls, expect, tls_with

_PLACE = "server.listen.radsec"
_NO_CERTIFICATE = "it shows no certificate: give the gateway one, and let it send it"
_MENDS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": _NO_CERTIFICATE,
    "UNSUPPORTED_PROTOCOL": "it speaks nothing newer than TLS 1.1: let it speak TLS 1.2",
    "VERSION_TOO_LOW": "it speaks nothing newer than TLS 1.1: let it speak TLS 1.2",
    "NO_SHARED_CIPHER": "it knows no cipher that is safe today: let it speak TLS 1.2 with AES-GCM",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not trust our certificate: give it the authority that signed ours",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not take our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it says that our certificate has expired",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not take our certificate: is its name the one it asks for?",
    "HTTP_REQUEST": "it speaks HTTP",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
}


@dataclass(frozen=True, slots=True)
class Trust:
    """TLS for new connections, and what it goes by."""

    context: ssl.SSLContext
    believes: bytes
    """Changes with the authority and the list of what it revoked: who came in before must show again."""
    pinned: frozenset[str]
    """Fingerprints of the certificates that are believed as they stand."""


def trust_of(listener: RadsecListener, clients: Iterable[Client]) -> Trust:
    """Who is believed by these settings, their files read now. Raises NoTls."""
    context = tls_with(listener.certificate, listener.key, place=f"{_PLACE}.tls")
    context.verify_mode = ssl.CERT_REQUIRED
    # Connections last for hours: resuming one would save nothing, and go by an older look at a certificate.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.num_tickets = 0
    believes = hashlib.sha256()
    if listener.client_ca is not None:
        what = "the certificate of an authority, in PEM"
        believes.update(_load(context, listener.client_ca, f"{_PLACE}.client_ca", what, b"CERTIFICATE-----"))
    pinned = [pem for client in clients if client.certificate for pem in client.certificate.pinned]
    if pinned:
        # Each is believed as it stands: nobody above it is asked, and (settings see to it) it vouches for
        # nobody.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata="\n".join(pinned))
    if listener.crl is not None:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        believes.update(
            _load(context, listener.crl, f"{_PLACE}.crl", "a revocation list, in PEM", b"X509 CRL-")
        )
    prints = frozenset(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() for pem in pinned)
    return Trust(context, believes.digest(), prints)


def shown_by(connection: ssl.SSLObject) -> PeerCertificate | None:
    """What the handshake proved. None: nothing that can be read."""
    try:
        der, said = connection.getpeercert(binary_form=True), connection.getpeercert()
    except (ssl.SSLError, ValueError):
        return None
    if der is None or said is None:
        return None
    return PeerCertificate(frozenset(_names(said.get("subjectAltName", ()))), hashlib.sha256(der).hexdigest())


def why_not(error: OSError) -> str:
    """Of a handshake that failed: what is wrong, and the mend where we know it. No word of the stranger's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "TLS failed"
        return _MENDS.get(reason, reason.lower().replace("_", " "))
    return "it went away in the middle of the handshake"


def _names(said: object) -> Iterable[str]:
    for kind, value in said if isinstance(said, tuple) else ():
        if kind == "DNS":
            yield value.lower()
        elif kind == "IP Address":
            try:
                yield str(ip_address(value.strip()))
            except ValueError:
                continue


def _load(context: ssl.SSLContext, file: str, place: str, what: str, mark: bytes) -> bytes:
    octets = expect(file, place, what, mark)
    try:
        context.load_verify_locations(cafile=file)
    except (ssl.SSLError, OSError) as problem:
        why = getattr(problem, "reason", None) or "damaged"
        raise NoTls(f"{place}: {file} cannot be used ({why}): is it the whole PEM file?") from None
    return octets
