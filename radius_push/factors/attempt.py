"""One login of one person, however often and in whatever protocol the gateway asks for it."""

from __future__ import annotations

import hmac

from radius_push.model import PersonKey, Secret


def attempt(
    key: Secret, person: PersonKey, *, group: str, address: str | None, nt_hash: Secret | None
) -> bytes | None:
    """32 octets, the same for every try of one attempt; None where it equals no other one.

    `group`: whose gateways serve the same logins. `address`: the user's; an unknown one equals nothing, not
    even another unknown one. `nt_hash`: of the password that was *proved*, so that PAP, CHAP and MS-CHAPv2
    come to the same. `key` must lie outside the database: else whoever reads it can guess at passwords.
    """
    if address is None or nt_hash is None:
        return None
    return _keyed(key, b"attempt", str(person), group, address, tag(key, person, nt_hash))


def tag(key: Secret, person: PersonKey, nt_hash: Secret) -> bytes:
    """32 octets that stand for this person's verified password, and tell nothing about it without `key`."""
    return _keyed(key, b"tag", str(person), nt_hash.reveal())


def _keyed(key: Secret, purpose: bytes, *parts: str | bytes) -> bytes:
    octets = [part.encode() if isinstance(part, str) else part for part in parts]
    # The lengths keep the parts apart, whatever they hold.
    text = b"".join(len(part).to_bytes(4, "big") + part for part in octets)
    return hmac.digest(key.reveal(), b"radius-push " + purpose + b" v1\0" + text, "sha256")
