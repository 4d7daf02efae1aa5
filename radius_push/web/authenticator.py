"""Is this really the person's fingerprint or face? WebAuthn (Level 2, 7.1 and 7.2), by py_webauthn.

The one door to that library. It is given exact octets and says what they prove, or raises NotVerified; it
keeps nothing and asks nobody. Counters are compared by the store, in the transaction of the answer.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import parse_attestation_object
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    CredentialDeviceType,
    RegistrationCredential,
)

from radius_push.model import Credential
from radius_push.web.octets import text_of

LONGEST_ID = 1023
"""Octets of a credential's id (WebAuthn 4)."""
ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
"""-7, -8 and -257 (RFC 9053, RFC 8812): what the app asks for."""
_FORMATS = {AttestationFormat.NONE, AttestationFormat.PACKED}
"""We ask for none; an authenticator that vouches for itself may say `packed` all the same (WebAuthn 5.1.3).
The makers' own formats are not even read: whoever made the phone is not what this proves."""
_ADDING = b"radius-push biometric v1"


class NotVerified(Exception):
    """It is not what it should be. The text is for counters and tests, and holds nothing that was sent."""


@dataclass(frozen=True, slots=True)
class Made:
    """A credential that the phone's authenticator made for us, with its person there."""

    id: bytes
    public_key: bytes
    """COSE_Key."""
    counter: int
    mark: bytes
    """As `model.Credential.mark`."""
    synced: bool


def relying_party(origin: str) -> str | None:
    """Whose credentials a browser keeps for this origin: its host name. None: an address has none
    (WebAuthn 5.1.2: an effective domain that is a domain)."""
    host = urlsplit(origin).hostname
    if host is None:
        return None
    try:
        ip_address(host)
    except ValueError:
        return host
    return None


def adding_challenge(device: str, nonce: str) -> bytes:
    """What the authenticator signs when it makes a credential for this device: 32 octets. SHA-256 over
    `radius-push biometric v1`, NUL, the device's id, NUL, the server's nonce."""
    return hashlib.sha256(b"\0".join((_ADDING, device.encode(), nonce.encode()))).digest()


def answer_challenge(payload: str) -> bytes:
    """The same for an answer: SHA-256 of the very text that the phone's own key signs."""
    return hashlib.sha256(payload.encode()).digest()


def verify_made(client_data: bytes, attestation: bytes, *, challenge: bytes, origin: str) -> Made:
    """What `navigator.credentials.create` gave. Raises NotVerified."""
    _expect_same_origin(client_data)
    claimed = RegistrationCredential(
        id="",
        raw_id=b"",
        response=AuthenticatorAttestationResponse(
            client_data_json=client_data, attestation_object=attestation
        ),
    )
    try:
        if parse_attestation_object(attestation).fmt not in _FORMATS:
            raise NotVerified("format")
        found = verify_registration_response(
            credential=claimed,
            expected_challenge=challenge,
            expected_rp_id=_relying_party(origin),
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except Exception as problem:  # noqa: BLE001  # a stranger's octets fail in many ways: all mean no
        raise NotVerified(type(problem).__name__) from None
    if not 1 <= len(found.credential_id) <= LONGEST_ID:
        raise NotVerified("id")
    return Made(
        id=found.credential_id,
        public_key=found.credential_public_key,
        counter=found.sign_count,
        mark=hashlib.sha256(attestation).digest(),
        synced=found.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
    )


def verify_used(
    credential: Credential,
    client_data: bytes,
    authenticator_data: bytes,
    signature: bytes,
    *,
    challenge: bytes,
    origin: str,
) -> int:
    """What `navigator.credentials.get` gave, by this credential: the counter that it says, which is still to
    be compared. Raises NotVerified."""
    _expect_same_origin(client_data)
    claimed = AuthenticationCredential(
        id=text_of(credential.id),
        raw_id=credential.id,
        response=AuthenticatorAssertionResponse(
            client_data_json=client_data, authenticator_data=authenticator_data, signature=signature
        ),
    )
    try:
        found = verify_authentication_response(
            credential=claimed,
            expected_challenge=challenge,
            expected_rp_id=_relying_party(origin),
            expected_origin=origin,
            credential_public_key=credential.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as problem:  # noqa: BLE001  # a stranger's octets fail in many ways: all mean no
        raise NotVerified(type(problem).__name__) from None
    return found.new_sign_count


def goes_on(counter: int, *, after: int) -> bool:
    """Did the authenticator count further? Many count nothing and always say 0 (WebAuthn 6.1.1)."""
    return counter > after or counter == after == 0


def _expect_same_origin(client_data: bytes) -> None:
    """Nobody's frame around the app, and no key twice: the library looks at neither."""
    try:
        said = json.loads(client_data, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise NotVerified("client data") from None
    if not isinstance(said, dict):
        raise NotVerified("client data")
    if said.get("crossOrigin", False) is not False or "topOrigin" in said:
        raise NotVerified("another site's frame")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key twice")
    return fields


def _relying_party(origin: str) -> str:
    host = relying_party(origin)
    if host is None:
        raise NotVerified("the server has no name")
    return host
