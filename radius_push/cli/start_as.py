"""The command line by which root starts the server as its user, of what is on this machine."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

ROOTS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where sudo and a root shell find commands, whatever the path of who reads this."""


def this_command() -> Path:
    """The radius-push that runs now, by the path it was called by."""
    found = shutil.which(sys.argv[0]) or sys.argv[0]
    return Path(found).absolute()


def as_called(command: Path) -> str:
    """Its bare name where root finds the same one by it, else the whole path."""
    found = shutil.which(command.name, path=ROOTS_PATH)
    same = found is not None and Path(found).resolve() == command.resolve()
    return command.name if same else shlex.quote(str(command))


def start_as(user: str, command: str) -> str:
    """`command` run as `user`: by sudo, or by what every Debian has."""
    if shutil.which("sudo", path=ROOTS_PATH):
        return f"sudo -u {user} {command}"
    if shutil.which("runuser", path=ROOTS_PATH):
        return f"runuser -u {user} -- {command}"
    return f"su -s /bin/sh -c {shlex.quote(command)} {user}"
