"""A certificate authority for one test run, and the server certificates it issues."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """Paths of PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Makes its own key and certificate in `folder`, which exists."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        signing = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        certificate = (
            _blank(self._name, self._name, self._key)
            .add_extension(constraints, critical=True)
            .add_extension(signing, critical=True)
            .add_extension(_key_id(self._key), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.file = _write(folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, *names: str, common_name: str | None = None, days: float = 2, user_id: str | None = None
    ) -> Certificate:
        """A certificate for DNS names and addresses, for servers and clients; `days`: until it expires;
        `user_id`: UID of its subject, as Apple writes a bundle id there."""
        key = ec.generate_private_key(ec.SECP256R1())
        named = [x509.NameAttribute(NameOID.COMMON_NAME, common_name or names[0])]
        if user_id is not None:
            named.append(x509.NameAttribute(NameOID.USER_ID, user_id))
        subject = x509.Name(named)
        made = _blank(subject, self._name, key, days=days)
        if names:
            alternatives = x509.SubjectAlternativeName([_general(name) for name in names])
            made = made.add_extension(alternatives, critical=False)
        certificate = (
            made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_authority_key_id(self._key), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return self._written(certificate, key)

    def revoked(self, *certificates: Certificate) -> Path:
        """A list of what this authority takes back."""
        now = dt.datetime.now(dt.UTC)
        made = x509.CertificateRevocationListBuilder().issuer_name(self._name)
        made = made.last_update(now - dt.timedelta(hours=1)).next_update(now + dt.timedelta(days=2))
        for each in certificates:
            number = x509.load_pem_x509_certificate(each.certificate.read_bytes()).serial_number
            entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(now)
            made = made.add_revoked_certificate(entry.build())
        octets = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        return _write(self._folder / "revoked.crl", octets)

    def _written(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Certificate:
        stem = f"{certificate.serial_number:x}"[:40]
        return Certificate(
            _write(self._folder / f"{stem}.pem", certificate.public_bytes(serialization.Encoding.PEM)),
            _write(self._folder / f"{stem}.key", _private(key)),
        )


def self_signed(folder: Path, name: str, *, ca: bool | None = False) -> Certificate:
    """A certificate that nobody vouches for. `ca` None: it does not say whether it is an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = _blank(subject, subject, key).add_extension(
        x509.SubjectAlternativeName([_general(name)]), critical=False
    )
    if ca is not None:
        made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    certificate = made.sign(key, hashes.SHA256())
    return Certificate(
        _write(folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM)),
        _write(folder / f"{name}.key", _private(key)),
    )


def _blank(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: float = 2
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=9))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _key_id(key: ec.EllipticCurvePrivateKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key())


def _authority_key_id(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, octets: bytes) -> Path:
    path.write_bytes(octets)
    path.chmod(0o600)
    return path
