"""The keys that lie beside the store and never in it: what is stolen with the database alone is of no use."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from radius_push.model import Secret
from radius_push.ports import StoreDown
from radius_push.store.ownership import as_owner_of, check_owner, make_folder


@dataclass(frozen=True, slots=True)
class Keys:
    pepper: Secret
    """32 octets: keys the hashes of invitation tokens and codes."""
    try_login_secret: Secret
    """64 hexadecimal digits: the shared secret of the built-in client that `try-login` speaks as."""
    vapid: Secret
    """32 octets: the P-256 key by which push services know this server (RFC 8292). Phones subscribe with it:
    another one silences them all."""
    tag: Secret
    """32 octets: keys the hashes that stand for something outside, as a push's topic."""


P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Private keys lie between 1 and this (FIPS 186-5, D.1.2.3)."""


def keys_folder(store: Path) -> Path:
    """`keys/` beside the store's file."""
    return store.parent / "keys"


def load_keys(folder: Path, *, create: bool) -> Keys:
    """Read the keys of `folder` (see `keys_folder`), made if absent and `create` says so.

    Raises StoreDown with a sentence for the admin: a key is missing, damaged, or open to other users.
    """
    fresh_vapid = (1 + secrets.randbelow(P256_ORDER - 1)).to_bytes(32, "big")
    with as_owner_of(folder):
        if create:
            make_folder(folder)
        pepper = _load(folder / "pepper", secrets.token_bytes(32) if create else None)
        secret = _load(folder / "try_login_secret", secrets.token_hex(32).encode() if create else None)
        vapid = _load(folder / "vapid", fresh_vapid if create else None)
        tag = _load(folder / "tag", secrets.token_bytes(32) if create else None)
    for name, key in (("pepper", pepper), ("vapid", vapid), ("tag", tag)):
        if len(key) != 32:
            raise StoreDown(f"the key {folder / name} is damaged (not 32 octets): restore it from the backup")
    if not 0 < int.from_bytes(vapid, "big") < P256_ORDER:
        raise StoreDown(f"the key {folder / 'vapid'} is damaged (no P-256 key): restore it from the backup")
    if len(secret) != 64:
        raise StoreDown(
            f"the key {folder / 'try_login_secret'} is damaged: delete it, and `serve` makes a new one"
        )
    return Keys(pepper=Secret(pepper), try_login_secret=Secret(secret), vapid=Secret(vapid), tag=Secret(tag))


def _load(path: Path, fresh: bytes | None) -> bytes:
    try:
        if fresh is not None and not path.exists():
            _make(path, fresh)
        if not path.exists():
            raise StoreDown(f"the key {path} is missing: `radius-push serve` makes it, or the backup has it")
        check_owner(path, what="the key")
        return path.read_bytes()
    except OSError as error:
        raise StoreDown(f"the key {path} cannot be read: {error.strerror}") from error


def _make(path: Path, octets: bytes) -> None:
    """Whole or not at all, and never over one that another process has just made."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, octets)
            os.fsync(file)
        finally:
            os.close(file)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise StoreDown(f"the key {path} cannot be made: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
