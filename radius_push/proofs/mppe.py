"""The keys that come of a right MS-CHAPv2 proof (RFC 3079), hidden for their way (RFC 2548)."""

from __future__ import annotations

import hashlib

from radius_push.model import Secret
from radius_push.proofs import mschapv2

KEY = 16
SALT = 2
HIDDEN = SALT + 2 * KEY
"""Octets of a hidden key: its salt, its length, itself, and padding."""

_MAGIC_1 = b"This is the MPPE Master Key"
_MAGIC_2 = b"On the client side, this is the send key; on the server side, it is the receive key."
_MAGIC_3 = b"On the client side, this is the receive key; on the server side, it is the send key."
_PAD_1, _PAD_2 = bytes(40), b"\xf2" * 40


def get_master_key(password_hash_hash: bytes, nt_response: bytes) -> bytes:
    """GetMasterKey, RFC 3079 3.4: 16 octets."""
    return _sha1(password_hash_hash + nt_response + _MAGIC_1)[:KEY]


def get_asymmetric_start_key(
    master_key: bytes, *, length: int = KEY, is_send: bool, is_server: bool
) -> bytes:
    """GetAsymmetricStartKey, RFC 3079 3.4."""
    magic = _MAGIC_3 if is_send == is_server else _MAGIC_2
    return _sha1(master_key + _PAD_1 + magic + _PAD_2)[:length]


def start_keys(nt_hash: Secret, nt_response: bytes) -> tuple[Secret, Secret]:
    """What the gateway sends with and what it receives with, 16 octets each (RFC 3079 3.3)."""
    master = get_master_key(mschapv2.hash_nt_password_hash(nt_hash.reveal()), nt_response)
    send = get_asymmetric_start_key(master, is_send=True, is_server=True)
    receive = get_asymmetric_start_key(master, is_send=False, is_server=True)
    return Secret(send), Secret(receive)


def hide(key: Secret, *, salt: bytes, secret: Secret, authenticator: bytes) -> bytes:
    """A key as MS-MPPE-Send-Key and MS-MPPE-Recv-Key carry it (RFC 2548 2.4.2): salt and 32 octets.

    `salt` is 2 octets, the highest bit set, and differs between the keys of one packet.
    """
    if len(salt) != SALT or not salt[0] & 0x80:
        raise ValueError("a salt is 2 octets, the highest bit set")
    clear = (bytes((len(key),)) + key.reveal()).ljust(2 * KEY, b"\0")
    hidden, before = b"", authenticator + salt
    for at in range(0, len(clear), KEY):
        before = _xor(clear[at : at + KEY], _mask(secret, before))
        hidden += before
    return salt + hidden


def uncover(hidden: bytes, *, secret: Secret, authenticator: bytes) -> Secret | None:
    """The key that `hide` hid. None if this is none: a wrong secret, or octets of another shape."""
    if len(hidden) != HIDDEN:
        return None
    salt, blocks = hidden[:SALT], [hidden[at : at + KEY] for at in range(SALT, HIDDEN, KEY)]
    masks = [_mask(secret, before) for before in (authenticator + salt, blocks[0])]
    clear = b"".join(map(_xor, blocks, masks))
    return Secret(clear[1 : KEY + 1]) if clear[0] == KEY and not any(clear[KEY + 1 :]) else None


def _mask(secret: Secret, before: bytes) -> bytes:
    return hashlib.md5(secret.reveal() + before, usedforsecurity=False).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _sha1(octets: bytes) -> bytes:
    return hashlib.sha1(octets, usedforsecurity=False).digest()
