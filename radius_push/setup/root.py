"""What only root can do: files whole and with their owner, other programs, who a user is."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from radius_push.ports import DoorClosed


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
