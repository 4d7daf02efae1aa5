"""How a phone becomes trusted: invitation -> link or typed code -> key -> the issuer types the phone's code.

The only way to a device. Times and random octets are arguments; what outlives a step is in the Store,
which keeps token and code only as keyed hashes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from radius_push import events
from radius_push.model import (
    Device,
    DeviceState,
    Down,
    Invitation,
    Person,
    PersonKey,
    Proved,
    Reason,
    Right,
    Secret,
    Wrong,
)
from radius_push.phone_store import Confirmation
from radius_push.ports import Clock, Store

TRIES = 5
"""Wrong confirmation codes that end an invitation."""
PASSWORD_TRIES = 5
"""Wrong passwords that end a sent invitation."""
LONGEST_NAME = 64
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O and U."""
_TOKEN_TEXT = re.compile(r"[A-Za-z0-9_-]{22}")
_CONFIRMATION_LABEL = b"radius-push confirm v1"
_BIOMETRICS_LABEL = b"radius-push confirm biometrics v1"
_NOBODY = PersonKey("-", "-")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the issuer shows to the person, once. Nothing here is ever logged or stored."""

    invitation: str
    token: str = field(repr=False)
    """16 octets, base64url without padding: 22 characters."""
    code: str = field(repr=False)
    """`XXXX-XXXX`, Crockford's base32."""
    expires_at: float


@dataclass(frozen=True, slots=True)
class Redeemed:
    """The phone's key is in the store, and waits for the issuer."""

    device: Device
    invitation: str


@dataclass(frozen=True, slots=True)
class Refused:
    word: Literal[
        "unknown",
        "expired",
        "spent",
        "too_many_devices",
        "password_needed",
        "wrong_password",
        "password_not_proved",
    ]
    """`password_not_proved`: the directory could not be asked now. That was no try."""


Prove = Callable[[PersonKey, str, Secret], Awaitable[Proved]]
"""Asks the directory of a person, whose name is the second, whether the password is theirs."""


async def cannot_prove(person: PersonKey, username: str, password: Secret) -> Proved:
    """Where no directory is at hand."""
    return Down("no directory is asked here")


# --- the issuer invites ------------------------------------------------------------------------------


async def invite(
    store: Store,
    *,
    person: Person,
    lifetime: float,
    pepper: Secret,
    by: str,
    now: float,
    token: bytes,
    code_octets: bytes,
    by_device: str | None = None,
    sent: bool = False,
    asks_code: bool = True,
    mail: str | None = None,
) -> Shown:
    """Give `person` the right to add one phone; it takes the place of an earlier open one.

    `token`: 16 random octets, `code_octets`: 5 others. `by`: the issuer's name for the evidence. `by_device`:
    the phone that invites, and alone may confirm. `sent`: it is not shown to the person, so whoever redeems
    it must prove their password. Not `asks_code`: the phone is trusted as soon as it has come. `mail`: where
    the person is written to from now on.
    """
    if len(token) != 16 or len(code_octets) != 5:
        raise ValueError("a token has 16 octets, a typed code 5")
    code = _crockford(code_octets)
    id = _keyed(pepper, "invitation", token)[:8].hex()
    expires_at, how = now + lifetime, "sent" if sent else "shown"
    invitation = Invitation(
        id,
        person.key,
        person.username,
        expires_at=expires_at,
        by_device=by_device,
        sent=sent,
        asks_code=asks_code,
    )
    await store.invite(
        invitation,
        token=_keyed(pepper, "token", token),
        code=_keyed(pepper, "code", code.encode()),
        event=events.Invited(str(person.key), person.username, id, by, expires_at, how, asks_code),
        mail=mail,
    )
    return Shown(
        invitation=id,
        token=base64.urlsafe_b64encode(token).decode().rstrip("="),
        code=f"{code[:4]}-{code[4:]}",
        expires_at=invitation.expires_at,
    )


def link(origin: str, shown: Shown) -> str:
    """What the QR code holds. The token is in the fragment, which browsers send to nobody."""
    return f"{origin}/#enrol={shown.token}"


# --- the phone redeems ---------------------------------------------------------------------------------


async def redeem(
    store: Store,
    *,
    token_or_code: str,
    public_key: bytes,
    name: str,
    device_id: str,
    pepper: Secret,
    devices_per_user: int,
    origin: str,
    now: float,
    proved: bool = False,
) -> Redeemed | Refused:
    """Spend an invitation for a phone's key: 65 octets, whose possession the caller has proved.

    `name` is what the phone calls itself; it is cleaned. `proved`: the person's password, by
    `prove_password` for this very invitation. Raises ValueError if the key is not an uncompressed point.
    """
    if len(public_key) != 65 or public_key[0] != 4:
        raise ValueError("a public key is an uncompressed P-256 point of 65 octets")
    secret = _secret_of(token_or_code, pepper)
    if secret is None:
        return Refused("unknown")
    device = Device(
        id=device_id,
        person=_NOBODY,  # the invitation says whose it is
        username="",
        name=clean_name(name),
        public_key=public_key,
        state=DeviceState.PENDING,
        created_at=now,
        invitation="",
    )
    outcome = await store.redeem(
        secret, device, devices_per_user=devices_per_user, origin=origin, at=now, proved=proved
    )
    return Redeemed(outcome, outcome.invitation) if isinstance(outcome, Device) else Refused(outcome)


async def prove_password(
    store: Store, *, token_or_code: str, password: Secret, pepper: Secret, prove: Prove, now: float
) -> Refused | None:
    """Does whoever has this sent invitation know the person's password? None: yes.

    To be asked only where `redeem` said `password_needed`. Each try is counted before the directory is
    asked, so that no number of tries at once is more than PASSWORD_TRIES; the last wrong one closes the
    invitation.
    """
    secret = _secret_of(token_or_code, pepper)
    row = None if secret is None else await store.invitation_by(secret)
    if row is None or not await store.begin_password(row.id, most=PASSWORD_TRIES):
        return Refused("spent")
    match await prove(row.person, row.username, password):
        case Right():
            # It stays counted: a right password is said once, and then there is a phone.
            return None
        case Wrong(Reason.CROWDED_OUT) | Down():
            await store.password_not_asked(row.id)
            return Refused("password_not_proved")
        case Wrong():
            given_up = await store.password_wrong(row.id, most=PASSWORD_TRIES, at=now)
            return Refused("spent" if given_up else "wrong_password")


def normal_code(text: str) -> str | None:
    """A typed code as it was made (8 characters), or None if it cannot be one.

    Reads as Crockford says: case does not matter, O is 0, I and L are 1; dashes and spaces are dropped.
    """
    if len(text) > 64:
        return None
    kept = "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Pd")
    code = kept.upper().translate(str.maketrans("OIL", "011"))
    return code if len(code) == 8 and all(c in CROCKFORD for c in code) else None


def clean_name(text: str) -> str:
    """A phone's name fit for a terminal and a log: one line, nothing invisible, at most 64 characters."""
    # Category C: control, format (which can turn the direction of a line), surrogate, private, unassigned.
    # The slice comes first: what a phone sends need not be read to its end.
    visible = (" " if c.isspace() else c for c in text[: 4 * LONGEST_NAME])
    kept = "".join(c for c in visible if not unicodedata.category(c).startswith("C"))
    return " ".join(kept.split())[:LONGEST_NAME].rstrip() or "phone"


# --- the issuer confirms -------------------------------------------------------------------------------


def confirmation_code(invitation: str, public_key: bytes, credential: bytes | None = None) -> str:
    """The 6 digits that the phone shows and the issuer types; the phone computes the same.

    SHA-256 over `radius-push confirm v1`, NUL, the invitation's id in ASCII, NUL, the public key's 65
    octets; its first 8 octets as a big-endian number, modulo 1,000,000, with leading zeros. With a
    `credential` (its mark, 32 octets), the label is `radius-push confirm biometrics v1`, and the mark follows
    the key: whoever types the code confirms this credential on this phone.
    """
    label = _CONFIRMATION_LABEL if credential is None else _BIOMETRICS_LABEL
    text = b"\0".join((label, invitation.encode("ascii"), public_key + (credential or b"")))
    number = int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
    return f"{number % 1_000_000:06d}"


async def wait_for_phone(store: Store, invitation: str, *, person: PersonKey, clock: Clock) -> Device | None:
    """The phone that redeems the invitation. None: it expired, or was closed by somebody else."""
    async with store.bell(person) as bell:
        while True:
            row = await store.invitation(invitation)
            if row is None or row.closed:
                return None
            if row.redeemed_by is not None:
                return await store.device(row.redeemed_by)
            left = row.expires_at - clock.now()
            if left <= 0:
                return None
            await bell.wait(left)


async def confirm(
    store: Store, invitation: str, typed: str, *, by: str, now: float, on: str | None = None
) -> Confirmation:
    """The issuer typed what the phone shows, `on` that device of the person if in its app. The fifth wrong
    code gives the phone up."""
    row = await store.invitation(invitation)
    device = await store.device(row.redeemed_by) if row is not None and row.redeemed_by else None
    if device is None:
        return "not_pending"
    waiting = (await store.biometrics_of(device.id)).waiting
    mark = None if waiting is None else waiting.mark
    right = _is_code(typed, confirmation_code(invitation, device.public_key, mark))
    return await store.confirm(invitation, right=right, limit=TRIES, by=by, at=now, credential=mark, on=on)


async def confirm_credential(
    store: Store, device_id: str, typed: str, *, by: str, now: float
) -> Confirmation:
    """The issuer typed what an active phone shows that has a new fingerprint or face. The fifth wrong code
    gives the credential up; the phone stays."""
    device = await store.device(device_id)
    waiting = (await store.biometrics_of(device_id)).waiting
    if device is None or device.state is not DeviceState.ACTIVE or waiting is None:
        return "not_pending"
    right = _is_code(typed, confirmation_code(device.invitation, device.public_key, waiting.mark))
    return await store.confirm_credential(device.id, waiting.mark, right=right, limit=TRIES, by=by, at=now)


def _is_code(typed: str, code: str) -> bool:
    # Compared as octets: `compare_digest` takes only ASCII as text.
    return hmac.compare_digest("".join(typed.split()).encode(errors="replace"), code.encode())


async def confirm_unseen(store: Store, invitation: str, *, by: str, now: float) -> Confirmation:
    """Trust the phone without its code (`--no-confirm`); the evidence says so."""
    return await store.confirm(invitation, right=True, limit=TRIES, by=f"{by}, without a code", at=now)


# --- tokens and codes ------------------------------------------------------------------------------------


def _secret_of(token_or_code: str, pepper: Secret) -> bytes | None:
    if _TOKEN_TEXT.fullmatch(token_or_code):
        octets = base64.urlsafe_b64decode(token_or_code + "==")
        # The last character carries 4 bits that decode to nothing: only one spelling is the token.
        again = base64.urlsafe_b64encode(octets).decode().rstrip("=")
        return _keyed(pepper, "token", octets) if again == token_or_code else None
    code = normal_code(token_or_code)
    return None if code is None else _keyed(pepper, "code", code.encode())


def _keyed(pepper: Secret, purpose: str, value: bytes) -> bytes:
    return hmac.digest(pepper.reveal(), f"radius-push enrolment {purpose} v1\0".encode() + value, "sha256")


def _crockford(octets: bytes) -> str:
    number = int.from_bytes(octets, "big")
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(8 * len(octets) - 5, -1, -5))
