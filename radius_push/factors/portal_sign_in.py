"""What a phone is shown about a sign-in to the page for phones, and what its answer to it must say.

It is signed for purposes of its own: no answer to it is one to a login, and none to a login is one to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

from radius_push.factors.answer import AnswerRefused, expect_exactly, read_payload
from radius_push.factors.question import VERSION, Value, milliseconds
from radius_push.model import Device, DeviceState
from radius_push.portal_store import PortalSignIn

SignInPurpose = Literal["portal_approve", "portal_deny"]


def cards(device: Device, sign_ins: Sequence[PortalSignIn], *, now: float) -> list[dict[str, Value]]:
    """What the phone is shown, and what it needs for its answers; nothing, unless the phone is active."""
    if device.state is not DeviceState.ACTIVE:
        return []
    return [card(each) for each in sign_ins if now < each.expires_at]


def card(sign_in: PortalSignIn) -> dict[str, Value]:
    return {
        "id": sign_in.id,
        "person": str(sign_in.person),
        "account": sign_in.account,
        "page": sign_in.page,
        "address": sign_in.address,
        "code": code(sign_in),
        "nonce": sign_in.nonce,
        "opened_at": milliseconds(sign_in.opened_at),
        "expires_at": milliseconds(sign_in.expires_at),
    }


def code(sign_in: PortalSignIn) -> str:
    """Four digits that the browser shows, and the phone: is the one that is asked for the one that I see?

    Whoever has the password may be first with a sign-in of their own, at the very moment when its owner looks
    for a card. SHA-256 over `radius-push sign-in code v1`, NUL, the nonce, which the answer is bound to; its
    first 8 octets as a big-endian number, modulo 10,000, with leading zeros.
    """
    text = b"\0".join((b"radius-push sign-in code v1", sign_in.nonce.encode()))
    return f"{int.from_bytes(hashlib.sha256(text).digest()[:8], 'big') % 10_000:04d}"


def statement(sign_in: PortalSignIn, *, device: str, origin: str, purpose: SignInPurpose) -> dict[str, Value]:
    """Every field that this device's answer must hold, with the one value it may have."""
    return {
        "version": VERSION,
        "purpose": purpose,
        "origin": origin,
        "sign_in": sign_in.id,
        "person": str(sign_in.person),
        "device": device,
        "page": sign_in.page,
        "address": sign_in.address,
        "nonce": sign_in.nonce,
        "expires_at": milliseconds(sign_in.expires_at),
    }


def read_sign_in_answer(payload: str, *, sign_in: PortalSignIn, device: Device, origin: str) -> bool:
    """Is it a yes? Raises AnswerRefused with the first field that differs.

    The caller has verified the device's signature over `payload`.
    """
    if device.state is not DeviceState.ACTIVE:
        raise AnswerRefused("device")
    if device.person != sign_in.person:
        raise AnswerRefused("person")
    said = read_payload(payload)
    match said.get("purpose"):
        case "portal_approve" | "portal_deny" as purpose:
            expected = statement(sign_in, device=device.id, origin=origin, purpose=purpose)
        case _:
            raise AnswerRefused("purpose")
    expect_exactly(said, expected)
    return purpose == "portal_approve"
