"""One server to a store: whoever serves from it holds a lock on the file beside it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from radius_push.ports import StoreDown
from radius_push.store.ownership import as_owner_of, make_folder


class StoreLock:
    """Held until `release`, or until the process ends, however it ends."""

    def __init__(self, file: int) -> None:
        """For `take`."""
        self._file: int | None = file

    @classmethod
    def take(cls, store: Path) -> StoreLock:
        """Raises StoreDown, which names the process that holds it."""
        path = lock_file(store)
        with as_owner_of(store.parent):
            make_folder(store.parent)
            try:
                file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except OSError as error:
                raise StoreDown(f"the lock {path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise StoreDown(
                f"a radius-push serves from {store} already (process {holder}): stop it first"
            ) from None
        except OSError as error:
            os.close(file)
            raise StoreDown(f"the lock {path} cannot be taken: {error.strerror}") from error
        return cls(file)

    def release(self) -> None:
        """The file stays: removing it would let two take it. A second time, nothing."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def lock_file(store: Path) -> Path:
    return store.with_name(f"{store.name}.lock")
