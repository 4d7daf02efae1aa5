"""The store's file: made for one owner, opened so that a commit is on disk, its schema brought up to date."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from radius_push.ports import StoreDown
from radius_push.store.disk import check_disk
from radius_push.store.lock import StoreLock
from radius_push.store.ownership import as_owner_of, check_owner, make_folder

# Read before root acts as the owner of the store, who may not look where radius-push is installed.
MIGRATIONS = {
    file.stem: file.read_text(encoding="utf-8")
    for file in sorted((Path(__file__).parent / "schema").glob("[0-9][0-9][0-9][0-9]_*.sql"))
}
"""Name -> SQL, in order."""
BUSY_SECONDS = 5.0
"""How long a transaction waits for another process on the same file."""


def open_file(path: Path) -> sqlite3.Connection:
    """Open the store at `path`, made if absent, with every migration applied.

    Transactions are begun and ended by hand, and the connection may move to another thread once.
    Raises StoreDown with a sentence for the admin.
    """
    with as_owner_of(path.parent):
        make_folder(path.parent)
        _make(path)
        check_owner(path, what="the store")
        return _open(path)


def _open(path: Path) -> sqlite3.Connection:
    try:
        rows = _connect(path)
    except sqlite3.Error as error:
        raise StoreDown(f"the store {path} cannot be opened: {error}") from error
    try:
        _migrate(path)
        # Opens the -wal and the -shm too: from here on nothing is opened by its name.
        rows.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except (sqlite3.Error, StoreDown) as error:
        rows.close()
        raise StoreDown(f"the store {path} cannot be brought up to date: {error}") from error
    return rows


def _make(path: Path) -> None:
    # Made by us and not by SQLite, which would leave the mode to the umask. Its -wal and -shm take the mode.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreDown(f"the store {path} cannot be made: {error.strerror}") from error


def _connect(path: Path) -> sqlite3.Connection:
    rows = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        rows.row_factory = sqlite3.Row
        rows.execute("PRAGMA foreign_keys = ON")
        rows.execute("PRAGMA trusted_schema = OFF")
        mode = rows.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise sqlite3.OperationalError(f"it needs a local file system (journal mode {mode})")
        rows.execute("PRAGMA synchronous = FULL")
    except BaseException:
        rows.close()
        raise
    return rows


def lock_for(path: Path, *, server: str) -> StoreLock:
    """The right to serve from the store, which is up to date then. Raises StoreDown."""
    check_disk(path)
    lock = StoreLock.share(path, server=server)
    try:
        behind = _is_behind(path)
    except (sqlite3.Error, StoreDown):
        behind = False  # whoever opens it says what is wrong
    if not behind:
        return lock
    # To change it we must be alone with it, without ourselves.
    lock.release()
    open_file(path).close()
    return StoreLock.share(path, server=server)


def _is_behind(path: Path) -> bool:
    """Has an earlier version made it?"""
    if not path.exists():
        return False
    with as_owner_of(path.parent):
        check_owner(path, what="the store")
        rows = sqlite3.connect(path, timeout=BUSY_SECONDS)
        try:
            db = Database(rows, execute_plugins=False)
            return bool(_migrations().applied(db)) and bool(_migrations().pending(db))
        finally:
            rows.close()


def _migrate(path: Path) -> None:
    """Run the numbered SQL files that this store has not seen; one process at a time, all or nothing. Not
    while a server serves from it: what is new to the store is unknown to that one."""
    migrations = _migrations()
    rows = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        db = Database(rows, execute_plugins=False)
        applied = {migration.name for migration in migrations.applied(db)}
        if newer := sorted(applied - MIGRATIONS.keys()):
            raise StoreDown(f"a newer radius-push has changed it ({newer[0]})")
        if migrations.pending(db):
            lock = StoreLock.take(path) if applied else None
            try:
                rows.execute("BEGIN IMMEDIATE")
                migrations.apply(db)
                rows.commit()
            finally:
                if lock is not None:
                    lock.release()
    finally:
        rows.close()


def _migrations() -> Migrations:
    migrations = Migrations("radius_push")
    for name, text in MIGRATIONS.items():
        migrations(name=name)(partial(_run, text))
    return migrations


def _run(text: str, db: Database) -> None:
    for statement in _statements(text):
        db.conn.execute(statement)


def _statements(text: str) -> Iterator[str]:
    # `executescript` would commit the transaction that holds the migrations together.
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise StoreDown("its schema file ends in the middle of a statement")
