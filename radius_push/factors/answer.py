"""What a phone signed: read strictly, and believed only where it says exactly what was asked.

The signature is over the exact text; the text is parsed only afterwards. An answer that differs from its
question in any field is no answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from radius_push.factors.question import (
    IN_TIME,
    LATE,
    OVER,
    VERSION,
    Value,
    is_late,
    is_of_another_try,
    lateness,
    statement,
)
from radius_push.model import Device, DeviceState, Question, QuestionState

LONGEST_PAYLOAD = 4096
"""Octets of UTF-8."""


class AnswerRefused(Exception):
    """What the phone signed is not an answer to this question. Carries the field's name, no value."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class TooLate(AnswerRefused):
    """A yes that was signed while the gateway waited, and it waits no more: the person is to be asked whether
    they mean the next try."""

    def __init__(self) -> None:
        super().__init__("late")


@dataclass(frozen=True, slots=True)
class Approve:
    """Yes, it is me."""

    late: bool
    """The phone knew that the gateway had given up: then it is for the next try."""


@dataclass(frozen=True, slots=True)
class Deny:
    """No."""


def verify_signature(public_key: bytes, payload: str, signature: bytes) -> bool:
    """Did this key sign this text? ECDSA on P-256 with SHA-256.

    `public_key`: 65 octets (SEC 1, 2.3.3); `signature`: r and s, 32 octets each, as WebCrypto makes it.
    For each signature there is a second one (r, n - s) over the same text: so a signature must never be
    the mark by which something is spent once. Ours are the question and the nonce.
    """
    if len(signature) != 64 or len(public_key) != 65 or public_key[0] != 4:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public_key)
        key.verify(encode_dss_signature(r, s), payload.encode(), ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def is_public_key(octets: bytes) -> bool:
    """Is this a point of P-256, uncompressed?"""
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), octets)
    except ValueError:
        return False
    return len(octets) == 65


def read_object(text: str, *, most: int) -> dict[str, Value]:
    """A flat JSON object of text, whole numbers and nulls, at most `most` octets.

    Raises AnswerRefused("payload") for whatever else: duplicate keys, fractions, booleans, lists, text
    that is not UTF-8.
    """
    try:
        if len(text.encode()) > most:
            raise AnswerRefused("payload")
        # ValueError covers broken JSON, numbers of thousands of digits and lone surrogates.
        read = json.loads(
            text, object_pairs_hook=_flat, parse_int=_whole, parse_float=_refuse, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        raise AnswerRefused("payload") from None
    if not isinstance(read, dict):
        raise AnswerRefused("payload")
    return read


def read_payload(text: str) -> dict[str, Value]:
    """What a phone signed, before anything is believed. Raises AnswerRefused."""
    return read_object(text, most=LONGEST_PAYLOAD)


def text_field(fields: dict[str, Value], name: str) -> str:
    """A field that must be there and be text. Raises AnswerRefused with its name."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise AnswerRefused(name)
    return value


def read_answer(payload: str, *, question: Question, device: Device, origin: str) -> Approve | Deny:
    """What this device says to this question. Raises AnswerRefused with the first field that differs.

    The caller has verified the device's signature over `payload`.
    """
    if device.state is not DeviceState.ACTIVE:
        raise AnswerRefused("device")
    if device.person != question.person:
        raise AnswerRefused("person")
    said = read_payload(payload)
    late = said.get("late")
    if late not in {IN_TIME, LATE, OVER}:
        raise AnswerRefused("late")
    another_try = is_of_another_try(said.get("nonce"), question)
    # What was signed while the gateway still waited is no yes to its next try, not even when that is here
    # already: the person knew of none.
    if said.get("purpose") == "approve":
        if another_try and question.state is QuestionState.PENDING:
            raise TooLate
        if is_late(question) and (another_try or not late == lateness(question) == LATE):
            raise TooLate
    if another_try:
        said["nonce"] = question.nonce  # a no is a no to all of them; and what is over takes no yes
    match said.get("purpose"):
        case "approve":
            expect_exactly(
                said, statement(question, device=device.id, origin=origin, purpose="approve", late=late)
            )
            return Approve(late=late == LATE)
        case "deny":
            expect_exactly(
                said, statement(question, device=device.id, origin=origin, purpose="deny", late=late)
            )
            return Deny()
        case _:
            raise AnswerRefused("purpose")


def read_request(
    fields: dict[str, Value],
    *,
    purpose: str,
    origin: str,
    names: frozenset[str],
    may_be_null: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """A signed request that is no answer: `names` are its own fields, each a text. Those that may be null,
    and are, are left out of what is returned.

    Beside them stand version, purpose, origin and a server's nonce. Raises AnswerRefused.
    """
    _same("version", fields.get("version"), VERSION)
    _same("purpose", fields.get("purpose"), purpose)
    _same("origin", fields.get("origin"), origin)
    names = names | {"nonce"}
    if not fields.keys() <= names | {"version", "purpose", "origin"}:
        raise AnswerRefused("unknown field")
    null = {name for name in may_be_null & fields.keys() if fields[name] is None}
    return {name: text_field(fields, name) for name in sorted(names - null)}


def expect_exactly(said: dict[str, Value], expected: dict[str, Value]) -> None:
    """These fields and no others, each of its type. Raises AnswerRefused."""
    for name, value in expected.items():
        if name not in said:
            raise AnswerRefused(name)
        _same(name, said[name], value)
    if said.keys() != expected.keys():
        raise AnswerRefused("unknown field")


def _same(name: str, said: Value, expected: Value) -> None:
    # The types too: in Python True == 1.
    if type(said) is not type(expected) or said != expected:
        raise AnswerRefused(name)


def _flat(pairs: list[tuple[str, object]]) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for name, value in pairs:
        if name in fields:
            _refuse(name)
        if isinstance(value, bool) or not (value is None or isinstance(value, str | int)):
            _refuse(name)
        name.encode()
        if isinstance(value, str):
            value.encode()  # a lone surrogate, written as \ud800, is not text
        fields[name] = value
    return fields


def _whole(digits: str) -> int:
    if len(digits) > 16:
        _refuse(digits)  # beyond 2^53 not every language reads the same number
    return int(digits)


def _refuse(what: str) -> NoReturn:
    del what
    raise ValueError("not a flat object of text and whole numbers")
