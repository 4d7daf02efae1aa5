"""What the sender of a push says of itself (VAPID, RFC 8292), read by hand and not by what wrote it."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


def unpadded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def octets_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def vapid_claims(authorization: str, *, origin: str, key: str | None) -> dict[str, Any]:
    """What the sender says of itself, signed (RFC 8292, sections 2 to 4). `key`: base64url; None: any."""
    scheme, _, parameters = authorization.partition(" ")
    assert scheme == "vapid"
    said = dict(each.strip().split("=", 1) for each in parameters.split(","))
    assert key in (None, said["k"])
    sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), octets_of(said["k"]))
    head, claims, signature = said["t"].split(".")
    raw = octets_of(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    sender.verify(encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    assert json.loads(octets_of(head))["alg"] == "ES256"
    told: dict[str, Any] = json.loads(octets_of(claims))
    assert told["aud"] == origin
    assert told["sub"].startswith(("mailto:", "https:"))
    return told


def expires_within_a_day(claims: dict[str, Any], *, now: float | None = None) -> bool:
    now = time.time() if now is None else now
    return bool(now < claims["exp"] <= now + 24 * 3600)
