"""The way back from a backup: into the place of a store that nobody serves from, trusting none of its phones.

What is older than today knows nothing of the phones that were lost or removed since.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from radius_push import events
from radius_push.ports import StoreDown
from radius_push.store.backup import FORMAT, KEY, Backup, make, read_only, verified, workplace
from radius_push.store.file import open_file
from radius_push.store.keys import keys_folder, sync_folder
from radius_push.store.lock import StoreLock
from radius_push.store.ownership import as_owner_of, make_folder
from radius_push.store.writer import Transaction

_LONGEST_KEY = 65_536
_MOST_MEMBERS = 100
_LONGEST_NOTE = 65_536
_END_OF_TIME = 253_402_300_800.0
"""The year 10000, in UTC seconds: no calendar here goes on."""
_ACTIVE = """
SELECT name, tbl_name, sql FROM sqlite_schema WHERE type NOT IN ('table', 'index') OR (
    sql NOT LIKE 'CREATE TABLE %' AND sql NOT LIKE 'CREATE INDEX %' AND sql NOT LIKE 'CREATE UNIQUE INDEX %')
"""
"""Triggers and views, which act by themselves, and whatever else is neither a plain table nor an index."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What a restore brought back."""

    backup: Backup
    devices: int
    """Phones that wait to be confirmed."""
    replaced: Path | None
    """Where the store that was there has gone."""


def restore(file: Path, store: Path, *, by: str, at: float, force: bool) -> Returned:
    """Put the store and the keys of a backup in place, trusting none of its phones.

    The server must not run. A store that is there stays unless `force`; then it is set aside, not deleted.
    Raises StoreDown with a sentence for the admin, and nothing has changed.
    """
    lock = StoreLock.take(store)
    try:
        # The backup is read as whoever asks for it, and everything else is done as whose the store is.
        with file.open("rb") as octets, as_owner_of(store.parent):
            if store.exists() and not force:
                raise StoreDown(f"there is a store at {store} already: add --force to set it aside")
            with workplace(store.parent) as work:
                backup = _unpack(octets, file, work)
                devices = _distrust(work / "store.db", backup, file, by=by, at=at)
                replaced = _set_aside(store, at=at) if store.exists() else None
                _move_in(work, store)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise StoreDown(f"{file} cannot be restored to {store}: {error}") from error
    finally:
        lock.release()
    return Returned(backup, devices, replaced)


def _unpack(octets: BinaryIO, file: Path, work: Path) -> Backup:
    """Take out only what we put in. Raises StoreDown."""
    (work / "keys").mkdir(mode=0o700)
    backup = None
    with tarfile.open(fileobj=octets, mode="r:") as tar:
        for count, member in enumerate(tar):
            content = tar.extractfile(member) if member.isreg() else None
            if content is None or count > _MOST_MEMBERS:
                raise _no_backup(file)
            if count == 0:
                backup = _read_note(file, member, content.read(_LONGEST_NOTE))
            elif member.name == "store.db" or (KEY.fullmatch(member.name) and member.size <= _LONGEST_KEY):
                with make(work / member.name).open("r+b") as out:
                    shutil.copyfileobj(content, out)
                    out.flush()
                    os.fsync(out.fileno())
            else:
                raise _no_backup(file)
    if backup is None or not (work / "store.db").exists() or not (work / "keys" / "pepper").exists():
        raise _no_backup(file)
    return backup


def _read_note(file: Path, member: tarfile.TarInfo, octets: bytes) -> Backup:
    try:
        note = json.loads(octets)
        made_by = note.pop("radius_push_backup")
        if member.name != "backup.json" or made_by != FORMAT:
            raise _no_backup(file)
        made_at = float(note["made_at"])
        if not 0 <= made_at < _END_OF_TIME:  # nor NaN
            raise _no_backup(file)
        return Backup(made_at, str(note["version"]), int(note["rows"]), str(note["head"]))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise _no_backup(file) from None


def _no_backup(file: Path) -> StoreDown:
    return StoreDown(f"{file} is not a backup of radius-push, or one of a newer one")


def _distrust(store: Path, backup: Backup, file: Path, *, by: str, at: float) -> int:
    """What an old store believes and nobody may believe any more. How many phones wait to be confirmed."""
    _check_triggers(store, file)
    with closing(open_file(store)) as rows:  # brings an older one up to date
        head = verified(rows)
        if (head.number, head.hash.hex()) != (backup.rows, backup.head):
            raise StoreDown(f"{file} does not hold the evidence that it says it holds")
        rows.execute("BEGIN IMMEDIATE")
        transaction = Transaction(rows, head)
        transaction.execute("UPDATE devices SET state = 'removed' WHERE state = 'pending'")
        transaction.execute("UPDATE devices SET state = 'restored' WHERE state = 'active'")
        transaction.execute("UPDATE invitations SET closed = 1 WHERE closed = 0")
        transaction.execute("DELETE FROM mails")  # news of long ago
        transaction.execute("DELETE FROM notices")
        transaction.execute(
            "UPDATE questions SET state = 'closed', closed_at = ?, later_until = NULL"
            " WHERE state IN ('pending', 'approved', 'late', 'ticket')",
            at,
        )
        waiting = transaction.execute("SELECT count(*) FROM devices WHERE state = 'restored'").fetchone()[0]
        transaction.write(at, events.Restored(str(file.absolute()), backup.made_at, waiting, by))
        rows.execute("COMMIT")
        rows.execute("PRAGMA journal_mode = DELETE")
    return int(waiting)


def _check_triggers(store: Path, file: Path) -> None:
    """Before anything is changed in it: a trigger not ours could undo what we do. Raises StoreDown."""
    with closing(open_file(store.parent / "fresh" / "store.db")) as fresh:
        ours = {tuple(row) for row in fresh.execute(_ACTIVE)}
    with closing(read_only(store)) as rows:
        for row in rows.execute(_ACTIVE):
            if tuple(row) not in ours:
                raise StoreDown(
                    f"{file} holds a trigger or a view that radius-push did not make "
                    f"({str(row['name'])[:60]!r}): somebody has changed it, take another backup"
                )


def _set_aside(store: Path, *, at: float) -> Path:
    """The store that was there, with its keys, into a folder beside it. It stays in its place as well until
    the new one takes that."""
    day = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = store.parent / f"replaced-{day}-{secrets.token_hex(3)}"
    make_folder(aside)
    # What its log holds comes first into the file itself, if it can be read at all.
    try:
        with closing(open_file(store)) as rows:
            rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (StoreDown, sqlite3.Error):
        pass
    (aside / store.name).hardlink_to(store)
    for log in (store.with_name(f"{store.name}{end}") for end in ("-wal", "-shm")):
        if log.exists():
            log.replace(aside / log.name)
    keys = keys_folder(store)
    if keys.exists():
        shutil.copytree(keys, aside / "keys")
    return aside


def _move_in(work: Path, store: Path) -> None:
    keys = keys_folder(store)
    make_folder(keys)
    for key in (work / "keys").iterdir():
        key.replace(keys / key.name)
    sync_folder(keys)
    (work / "store.db").replace(store)
    sync_folder(store.parent)
