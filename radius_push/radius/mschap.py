"""What the reply to an MS-CHAPv2 login carries beside its attributes (RFC 2548 2.1.5, 2.3.3 and 2.4)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from radius_push.model import MsChapSuccess, MsChapV2, Secret
from radius_push.proofs import mppe, mschapv2
from radius_push.radius import attributes as names
from radius_push.radius.attributes import MOST_OF_A_VENDOR, of_vendor, split_text
from radius_push.radius.dictionary import Key

ENCRYPTION_ALLOWED = 1
"""MS-MPPE-Encryption-Policy (RFC 2548 2.4.4): a gateway whose tunnel encrypts by itself needs no MPPE."""
ONLY_128_BIT = 4
"""MS-MPPE-Encryption-Types (RFC 2548 2.4.5): 40 bits are no secret."""
PLACEHOLDER = MsChapSuccess(b"S=" + b"0" * 40, Secret(bytes(mppe.KEY)), Secret(bytes(mppe.KEY)))
"""As long as any: to see whether a reply has room for it."""

_SAID = re.compile(rb"E=[0-9]{1,10} R=[01] C=[0-9A-F]{32} V=3 M=(.*)", re.DOTALL)


def success(
    proof: MsChapV2,
    outcome: MsChapSuccess,
    *,
    secret: Secret,
    authenticator: bytes,
    digest: bytes,
    taken: Collection[Key] = (),
) -> bytes:
    """The attributes of an accept. `digest` is the request's; `taken` are attributes that the settings give
    values of their own (the encryption's policy and types only)."""
    salts = _salts(secret, digest)
    keys = (
        mppe.hide(key, salt=salt, secret=secret, authenticator=authenticator)
        for key, salt in zip((outcome.send_key, outcome.receive_key), salts, strict=True)
    )
    said = bytes((proof.identifier,)) + outcome.authenticator_response
    body = of_vendor(names.MS_CHAP2_SUCCESS, said)
    for key, number in (
        (names.MS_MPPE_ENCRYPTION_POLICY, ENCRYPTION_ALLOWED),
        (names.MS_MPPE_ENCRYPTION_TYPES, ONLY_128_BIT),
    ):
        if key not in taken:
            body += of_vendor(key, number.to_bytes(4, "big"))
    for key, hidden in zip((names.MS_MPPE_SEND_KEY, names.MS_MPPE_RECV_KEY), keys, strict=True):
        body += of_vendor(key, hidden)
    return body


def error(proof: MsChapV2, text: str, *, secret: Secret, digest: bytes, trace_code: str = "") -> bytes:
    """The MS-CHAP-Error of a reject: 691, do not try again with this challenge (RFC 2759 6). The text is cut
    where it does not fit, and never the code behind it."""
    # Nobody may answer it (R=0); it is there because the form asks for one.
    challenge = _derived(secret, b"MS-CHAP-Error challenge", digest)[: mschapv2.CHALLENGE]
    said = b"E=691 R=0 C=%s V=3 M=" % challenge.hex().upper().encode()
    code = names.in_brackets(trace_code)
    tail = b" " + code if text and code else code
    room = MOST_OF_A_VENDOR - 1 - len(said) - len(tail)
    message = next(split_text(names.plain(text), room), b"")
    return of_vendor(names.MS_CHAP_ERROR, bytes((proof.identifier,)) + said + message + tail)


def _salts(secret: Secret, digest: bytes) -> tuple[bytes, bytes]:
    """Two that differ, the highest bit set (RFC 2548 2.4.2).

    Made of the secret and of every octet of the request in place of chance: a salt has but 15 bits, what
    keeps masks apart is the Request Authenticator, and where a gateway used one twice for different requests
    these salts differ as chance would have it. Who has not the secret can't foresee them. And the same
    request gets the same reply after a restart.
    """
    made = _derived(secret, b"MS-MPPE salts", digest)
    first = int.from_bytes(made[:2], "big") | 0x8000
    second = int.from_bytes(made[2:4], "big") | 0x8000
    if second == first:
        second ^= 1
    return first.to_bytes(2, "big"), second.to_bytes(2, "big")


def _derived(secret: Secret, purpose: bytes, digest: bytes) -> bytes:
    return hmac.digest(secret.reveal(), purpose + b"\0" + digest, "sha256")


# --- the gateway's side --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """What a reply says to an MS-CHAPv2 login, checked with the password."""

    success: bool
    """Its MS-CHAP2-Success shows that the server knows the password, too."""
    keys: bool
    """Both keys are there, and they are those of this login."""
    error: str | None
    """The text of its MS-CHAP-Error."""


def request_attributes(proof: MsChapV2) -> bytes:
    """MS-CHAP-Challenge and MS-CHAP2-Response."""
    response = bytes((proof.identifier, 0)) + proof.peer_challenge + bytes(8) + proof.nt_response
    return of_vendor(names.MS_CHAP_CHALLENGE, proof.authenticator_challenge) + of_vendor(
        names.MS_CHAP2_RESPONSE, response
    )


def read_told(
    attributes: Iterable[tuple[int, bytes]],
    proof: MsChapV2,
    *,
    nt_hash: Secret,
    secret: Secret,
    authenticator: bytes,
) -> Told:
    """Never fails: what is missing or of another shape is not right."""
    wanted = {names.MS_CHAP2_SUCCESS, names.MS_CHAP_ERROR, names.MS_MPPE_SEND_KEY, names.MS_MPPE_RECV_KEY}
    values = names.values_of(attributes, frozenset(wanted))
    said, failed, *hidden = (
        values.get(key, [b""])[0]
        for key in (
            names.MS_CHAP2_SUCCESS,
            names.MS_CHAP_ERROR,
            names.MS_MPPE_SEND_KEY,
            names.MS_MPPE_RECV_KEY,
        )
    )
    right = said[:1] == bytes((proof.identifier,)) and mschapv2.check_authenticator_response(
        proof, nt_hash, said[1:]
    )
    keys = tuple(mppe.uncover(each, secret=secret, authenticator=authenticator) for each in hidden)
    found = _SAID.fullmatch(failed[1:]) if failed[:1] == bytes((proof.identifier,)) else None
    return Told(
        success=right,
        keys=keys == mppe.start_keys(nt_hash, proof.nt_response),
        error=found[1].decode("utf-8", "replace") if found else None,
    )
