"""Who serves from a store: a few servers, each under its own name, or one that wants it for itself alone."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from radius_push.ports import StoreDown
from radius_push.shapes import FIRST
from radius_push.store.ownership import as_owner_of, make_folder


class StoreLock:
    """Held until `release`, or until the process ends, however it ends."""

    def __init__(self, *files: int) -> None:
        """For `take` and `share`."""
        self._files = files

    @classmethod
    def take(cls, store: Path) -> StoreLock:
        """For whoever replaces the store: nobody serves from it meanwhile. Raises StoreDown, which names the
        processes that do."""
        path = lock_file(store)
        with as_owner_of(store.parent):
            file = _open(path)
            if not _locked(file, path, fcntl.LOCK_EX):
                shared = _locked(file, path, fcntl.LOCK_SH)
                holder = _signed(file)
                os.close(file)
                if not shared:
                    raise StoreDown(f"{store} is being changed as a whole (process {holder})")
                raise StoreDown(
                    f"a radius-push serves from {store} already ({_processes(store)}): stop it first"
                )
        _sign(file, path)
        return cls(file)

    @classmethod
    def share(cls, store: Path, *, server: str) -> StoreLock:
        """For a server: others may serve from the same store by other names. Raises StoreDown, which names
        the process that has this name."""
        path, own = lock_file(store), lock_file(store, server=server)
        with as_owner_of(store.parent):
            together = _open(path)
            if not _locked(together, path, fcntl.LOCK_SH):
                holder = _signed(together)
                os.close(together)
                raise StoreDown(
                    f"{store} is being changed as a whole (process {holder}): start when that has ended"
                )
            try:
                ours = _open(own)
            except StoreDown:
                os.close(together)
                raise
            if not _locked(ours, own, fcntl.LOCK_EX):
                holder = _signed(ours)
                os.close(ours)
                os.close(together)
                who = "a radius-push" if server == FIRST else f"the radius-push {server}"
                raise StoreDown(
                    f"{who} serves from {store} already (process {holder}): stop it first, or give this one "
                    "a name and addresses of its own (`server.more_servers`, `serve --name`)"
                )
        _sign(ours, own)
        return cls(ours, together)

    def release(self) -> None:
        """The files stay: removing them would let two take one. A second time, nothing."""
        files, self._files = self._files, ()
        for file in files:
            os.close(file)


def lock_file(store: Path, *, server: str | None = None) -> Path:
    """`server`: the one of this name; None: the one that all of them share."""
    return store.with_name(f"{store.name}.lock" if server is None else f"{store.name}.{server}.lock")


def _open(path: Path) -> int:
    make_folder(path.parent)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        raise StoreDown(f"the lock {path} cannot be opened: {error.strerror}") from error


def _locked(file: int, path: Path, how: int) -> bool:
    """False: another process has it."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        os.close(file)
        raise StoreDown(f"the lock {path} cannot be taken: {error.strerror}") from error
    return True


def _sign(file: int, path: Path) -> None:
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        os.close(file)
        raise StoreDown(f"the lock {path} cannot be taken: {error.strerror}") from error


def _signed(file: int) -> str:
    return os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"


def _processes(store: Path) -> str:
    """Those that signed and still run, in words."""
    signed = []
    for path in sorted(store.parent.glob(f"{store.name}.*lock")):
        file = _open(path)
        holder = _signed(file)
        os.close(file)
        if holder.isdecimal() and Path(f"/proc/{holder}").exists():
            signed.append(holder)
    names = list(dict.fromkeys(signed)) or ["unknown"]
    return f"process{'' if len(names) == 1 else 'es'} {', '.join(names)}"
