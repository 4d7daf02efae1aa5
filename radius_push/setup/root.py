"""What only root can do: files whole and with their owner, other programs, who a user is."""

from __future__ import annotations

import errno
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from radius_push.ports import DoorClosed

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class NotPossible(DoorClosed):
    """The installation can't be made so; the text says why and what to do."""


def write(path: Path, text: str, mode: int, owner: Callable[[], tuple[int, int]]) -> None:
    """Whole or not at all, and never over something that is there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w"
        ) as file:
            file.write(text)
            file.flush()
            os.fchown(file.fileno(), *owner())
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


def make_folder(folder: Path, mode: int, owner: Callable[[], tuple[int, int]]) -> None:
    """A new one. Whoever owns the folder above may put a link in its place: that is not followed.

    Raises OSError.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    above = open_folder(folder.parent, follow=True)
    try:
        os.mkdir(folder.name, 0o700, dir_fd=above)
        opened = os.open(folder.name, _FOLDER | os.O_NOFOLLOW, dir_fd=above)
    finally:
        os.close(above)
    _give(opened, mode, owner)


def give_folder(folder: Path, seen: os.stat_result, mode: int, owner: Callable[[], tuple[int, int]]) -> None:
    """The very one that was looked at. Raises OSError."""
    opened = open_folder(folder)
    if not os.path.samestat(os.fstat(opened), seen):
        os.close(opened)
        raise OSError(errno.ESTALE, "another one was put in its place", str(folder))
    _give(opened, mode, owner)


def open_folder(folder: Path, *, follow: bool = False) -> int:
    """A file descriptor. Raises OSError, also for a link."""
    return os.open(folder, _FOLDER | (0 if follow else os.O_NOFOLLOW))


def _give(opened: int, mode: int, owner: Callable[[], tuple[int, int]]) -> None:
    try:
        os.fchown(opened, *owner())
        os.fchmod(opened, mode)
    finally:
        os.close(opened)


def run(*command: str) -> None:
    program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        raise NotPossible(f"there is no {command[0]} on this machine; run yourself: {' '.join(command)}")
    told = subprocess.run((program, *command[1:]), capture_output=True, text=True, check=False)  # noqa: S603
    if told.returncode != 0:
        raise NotPossible(f"{command[0]} failed: {told.stderr.strip()}")


def known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def ids(user: str) -> tuple[int, int]:
    found = pwd.getpwnam(user)
    return found.pw_uid, found.pw_gid
