"""A backup: the store and its keys in one file, written while the server runs.

The file is a tar without compression: `backup.json` (what it is), `keys/NAME`, `store.db`. It holds all that
the server knows, so it is for its owner alone.
"""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from radius_push import events
from radius_push.ports import StoreDown
from radius_push.store import evidence
from radius_push.store.file import open_file
from radius_push.store.keys import keys_folder, load_keys, sync_folder
from radius_push.store.ownership import as_owner_of, check_owner

FORMAT = 1
_PAGE = 5_000
KEY = re.compile(r"keys/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
"""A key's name in the tar: nothing that leads out of its folder."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself."""

    made_at: float
    """UTC seconds."""
    version: str
    """Of radius-push."""
    rows: int
    """The number of its last row of evidence."""
    head: str
    """That row's hash, hexadecimal."""


def back_up(store: Path, file: Path, *, version: str, by: str, at: float, force: bool) -> Backup:
    """Write a backup of `store`, running or not, and its keys to `file` (0600): whole or not at all.

    Raises StoreDown with a sentence for the admin: also if `file` is there, unless `force`.
    """
    if not store.exists():
        raise StoreDown(f"there is no store at {store} yet: `radius-push serve` makes it")
    if file.exists() and not force:
        raise StoreDown(f"{file} is there already: name another file, or add --force")
    try:
        with closing(open_file(store)) as rows:
            keys = _read_keys(store)
            _note(rows, events.BackedUp(str(file.absolute()), by), at=at)
            with as_owner_of(file.parent), workplace(file.parent) as work:
                copy = work / "store.db"
                _copy(rows, copy)
                backup = _describe(copy, version=version, at=at)
                draft = work / "backup.tar"
                _pack(draft, backup, copy, keys)
                _put(draft, file, force=force)
    except (OSError, sqlite3.Error) as error:
        raise StoreDown(f"the backup {file} cannot be written: {error}") from error
    return backup


def _read_keys(store: Path) -> dict[str, bytes]:
    """Every key beside the store, by its name in the tar."""
    folder = keys_folder(store)
    load_keys(folder, create=False)
    with as_owner_of(folder):
        found = [key for key in sorted(folder.iterdir()) if KEY.fullmatch(f"keys/{key.name}")]
        for key in found:
            check_owner(key, what="the key")
        return {f"keys/{key.name}": key.read_bytes() for key in found}


def _note(rows: sqlite3.Connection, event: events.Event, *, at: float) -> None:
    # Before the copy is made: then it holds the event too, and there is none that nobody noted.
    rows.execute("BEGIN IMMEDIATE")
    evidence.append(rows, evidence.head(rows), at=at, event=event)
    rows.execute("COMMIT")


def _copy(rows: sqlite3.Connection, copy: Path) -> None:
    """All pages in one step: a snapshot between two commits, while others go on writing."""
    make(copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as target:
        rows.backup(target)
        # One file, without a log beside it.
        target.execute("PRAGMA journal_mode = DELETE")


def _describe(copy: Path, *, version: str, at: float) -> Backup:
    with closing(read_only(copy)) as rows:
        head = verified(rows)
    return Backup(made_at=at, version=version, rows=head.number, head=head.hash.hex())


def verified(rows: sqlite3.Connection) -> evidence.Head:
    """The end of the chain. Raises StoreDown for a damaged file or a broken chain."""
    said = rows.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise StoreDown(f"the store is damaged: {said}")
    head = evidence.beginning(rows)
    while page := evidence.page(rows, after=head.number, most=_PAGE):
        head = evidence.follow(head, page)
    evidence.check_copies(rows)
    return head


def read_only(path: Path) -> sqlite3.Connection:
    rows = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    rows.row_factory = sqlite3.Row
    rows.execute("PRAGMA trusted_schema = OFF")
    return rows


def _pack(draft: Path, backup: Backup, copy: Path, keys: dict[str, bytes]) -> None:
    make(draft)
    note = {"radius_push_backup": FORMAT} | {name: getattr(backup, name) for name in Backup.__slots__}
    with draft.open("r+b") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, "backup.json", json.dumps(note).encode(), at=backup.made_at)
            for name, octets in keys.items():
                _add(tar, name, octets, at=backup.made_at)
            member = _member("store.db", copy.stat().st_size, at=backup.made_at)
            with copy.open("rb") as pages:
                tar.addfile(member, pages)
        file.flush()
        os.fsync(file.fileno())


def _add(tar: tarfile.TarFile, name: str, octets: bytes, *, at: float) -> None:
    tar.addfile(_member(name, len(octets), at=at), io.BytesIO(octets))


def _member(name: str, size: int, *, at: float) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, int(at), 0o600
    return member


def _put(draft: Path, file: Path, *, force: bool) -> None:
    if force:
        draft.replace(file)
    else:
        try:
            file.hardlink_to(draft)
        except FileExistsError:
            raise StoreDown(f"{file} is there already: name another file, or add --force") from None
    sync_folder(file.parent)


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """A folder of ours on the same file system, gone at the end whatever happened."""
    work = folder / f".radius-push-{secrets.token_hex(8)}"
    try:
        work.mkdir(mode=0o700)
    except OSError as error:
        raise StoreDown(f"nothing can be written in {folder}: {error.strerror}") from error
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def make(path: Path) -> Path:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return path
