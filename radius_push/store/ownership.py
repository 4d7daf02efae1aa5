"""Files that belong to one user alone, and a plain sentence with the mend when they do not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from radius_push.ports import StoreDown


def make_folder(folder: Path) -> None:
    """Create `folder` for its owner only (0700), or check that nobody else may write in one that is there.

    Raises StoreDown.
    """
    try:
        # `parents=True` would give the folders above it the umask's mode.
        missing = [above for above in (folder, *folder.parents) if not above.exists()]
        for above in reversed(missing):
            above.mkdir(mode=0o700, exist_ok=True)
            give_to_owner_of(above.parent, above)
        status = folder.stat()
    except OSError as error:
        raise StoreDown(f"the folder {folder} cannot be made: {error.strerror}") from error
    # Whoever may write in the folder may put another file in place of ours, unless it is sticky (as /tmp is).
    if status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX:
        raise StoreDown(f"others may write in the folder {folder}: run `chmod go-w {folder}`")


def check_owner(path: Path, *, what: str) -> None:
    """`path` must belong to whoever runs this (or root runs it), closed to others. Raises StoreDown."""
    try:
        status = path.stat()
    except OSError as error:
        raise StoreDown(f"{what} {path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise StoreDown(f"{what} {path} is not a file")
    if os.geteuid() not in (0, status.st_uid):
        raise StoreDown(
            f"{what} {path} belongs to user id {status.st_uid}, and this runs as user id {os.geteuid()}: "
            f"run it as that user, or `chown` the file"
        )
    if status.st_mode & 0o077:
        raise StoreDown(f"{what} {path} is open to other users: run `chmod 600 {path}`")
    if not os.access(path, os.R_OK | os.W_OK):
        raise StoreDown(f"{what} {path} cannot be written by user id {os.geteuid()}")


def give_to_owner_of(folder: Path, path: Path) -> None:
    """What root makes in the server's folder (`sudo radius-push enroll`) is the server's. Raises OSError."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid)
