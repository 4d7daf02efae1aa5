"""An authenticator in software (WebAuthn Level 2, 6): keys, counters, and a finger that can be another's.

Written from the standard and with `cryptography` and `cbor2` alone: it shares no code with what judges it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from radius_push.enrollment import confirm_credential, confirmation_code
from radius_push.test_phone import SoftwarePhone
from tests.web.house import House

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
KINDS = ("es256", "rs256", "eddsa")


def text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def new_key(kind: str) -> Key:
    match kind:
        case "rs256":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "eddsa":
            return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Finger:
    """One credential, on one authenticator."""

    origin: str
    kind: str = "es256"
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    counter: int = 0
    flags: int = UP | UV
    step: int = 1
    """How much the counter grows; many authenticators never count."""

    def __post_init__(self) -> None:
        self._key = new_key(self.kind)
        self.rp_id = urlsplit(self.origin).hostname or ""
        self.attestation = b""

    def made(self, challenge: bytes, *, fmt: str = "none", **client: Any) -> tuple[bytes, bytes]:
        """As `create` gives it: client data and attestation object."""
        key = cbor2.dumps(self._cose())
        data = self._data(self.flags | AT) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key
        self.attestation = cbor2.dumps({"fmt": fmt, "attStmt": {}, "authData": data})
        return self._client("webauthn.create", challenge, client), self.attestation

    def used(self, payload: str, **client: object) -> dict[str, str]:
        """As `get` gives it, for this very text: the fields beside payload and signature."""
        self.counter += self.step
        said = self._client("webauthn.get", hashlib.sha256(payload.encode()).digest(), client)
        data = self._data(self.flags)
        return {
            "credential": text(self.id),
            "client_data": text(said),
            "authenticator_data": text(data),
            "assertion": text(self._sign(data + hashlib.sha256(said).digest())),
        }

    @property
    def mark(self) -> bytes:
        return hashlib.sha256(self.attestation).digest()

    def _client(self, type: str, challenge: bytes, changes: Mapping[str, object]) -> bytes:
        said = {"type": type, "challenge": text(challenge), "origin": self.origin, "crossOrigin": False}
        return json.dumps({**said, **changes}).encode()

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _sign(self, octets: bytes) -> bytes:
        match self._key:
            case rsa.RSAPrivateKey():
                return self._key.sign(octets, padding.PKCS1v15(), SHA256())
            case ed25519.Ed25519PrivateKey():
                return self._key.sign(octets)
            case key:
                return key.sign(octets, ec.ECDSA(SHA256()))

    def _cose(self) -> dict[int, Any]:
        match self._key:
            case rsa.RSAPrivateKey():
                numbers = self._key.public_key().public_numbers()
                return {1: 3, 3: -257, -1: numbers.n.to_bytes(256, "big"), -2: b"\x01\x00\x01"}
            case ed25519.Ed25519PrivateKey():
                return {1: 1, 3: -8, -1: 6, -2: self._key.public_key().public_bytes_raw()}
            case key:
                point = key.public_key().public_numbers()
                x, y = (value.to_bytes(32, "big") for value in (point.x, point.y))
                return {1: 2, 3: -7, -1: 1, -2: x, -3: y}


def adding_challenge(phone: SoftwarePhone, nonce: str) -> bytes:
    """As docs/reference/phone-api.md says it."""
    said = f"radius-push biometric v1\0{phone.enrolled.device}\0{nonce}"
    return hashlib.sha256(said.encode()).digest()


async def add(house: House, phone: SoftwarePhone, finger: Finger, **client: Any) -> dict[str, Any]:
    """The phone sets it up; it waits then. Raises PhoneRefused."""
    assert phone.enrolled.origin == house.origin
    return await set_up(phone, finger, **client)


async def set_up(phone: SoftwarePhone, finger: Finger, **client: Any) -> dict[str, Any]:
    nonce = await phone._wire.nonce()
    client_data, attestation = finger.made(adding_challenge(phone, nonce), **client)
    said = {
        "version": 1,
        "purpose": "biometric",
        "origin": phone.enrolled.origin,
        "device": phone.enrolled.device,
        "nonce": nonce,
        "client_data": text(client_data),
        "attestation": text(attestation),
    }
    return await phone._wire.post("/api/biometric", phone.sign(said))


async def code_of(house: House, phone: SoftwarePhone, finger: Finger) -> str:
    """What the phone shows."""
    device = await house.device(phone)
    return confirmation_code(device.invitation, device.public_key, finger.mark)


async def a_finger(house: House, phone: SoftwarePhone, **how: Any) -> Finger:
    """Set up, and confirmed by the issuer."""
    finger = Finger(house.origin, **how)
    await add(house, phone, finger)
    code = await code_of(house, phone, finger)
    word = await confirm_credential(
        house.store, phone.enrolled.device, code, by="test", now=house.clock.now()
    )
    assert word == "confirmed"
    return finger


async def approve(
    phone: SoftwarePhone, card: dict[str, Any], finger: Finger | None = None, **client: object
) -> str:
    """Yes, with this finger. Raises PhoneRefused."""
    body = phone.signed_answer(card, approve=True)
    if finger is not None:
        body |= finger.used(body["payload"], **client)
    return await send(phone, body)


async def send(phone: SoftwarePhone, body: dict[str, str]) -> str:
    outcome: str = (await phone._wire.post("/api/answer", body))["outcome"]
    return outcome
