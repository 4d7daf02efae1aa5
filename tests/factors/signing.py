"""A phone's key and pen, for tests of what is signed."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from radius_push.model import Device, DeviceState, PersonKey, Question

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (SEC 2, 2.4.2)."""
ORIGIN = "https://mfa.example.com"
NOW = 1_790_000_000.0
ALICE = PersonKey("staff", "alice-id")


class Pen:
    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def numbers(self, text: str) -> tuple[int, int]:
        return decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(SHA256())))

    def sign(self, text: str) -> bytes:
        return raw(*self.numbers(text))


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def a_device(state: DeviceState = DeviceState.ACTIVE, *, id: str = "d1", person: PersonKey = ALICE) -> Device:
    return Device(id, person, "alice", "Pixel", b"\4" + b"k" * 64, state, NOW, "i1")


def a_question(**changes: object) -> Question:
    fields: dict[str, object] = {
        "id": "q1",
        "login": "K7F2QX",
        "person": ALICE,
        "account": "alice",
        "client": "fw1",
        "profile": "staff-push",
        "address": "198.51.100.7",
        "nonce": "n" * 22,
        "opened_at": NOW,
        "expires_at": NOW + 45.25,
        "closes_at": NOW + 195.25,
    }
    return Question(**{**fields, **changes})  # type: ignore[arg-type]
