"""Can the server's user start the program where it lies? Homes are closed, and a venv leads elsewhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import radius_push
from radius_push.setup.root import NotPossible, ids

OUT_OF_SIGHT = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108  # named, not used
"""Where the unit's service cannot look: ProtectHome, PrivateTmp."""
PACKAGE = Path(radius_push.__file__)
"""A checkout that was installed in place lies where it lies."""
_READ, _ENTER = 0o4, 0o1


def expect_for_the_service(command: Path) -> None:
    """Raises NotPossible if systemd could not start it as another user."""
    if not command.is_absolute() or not os.access(command, os.X_OK):
        raise NotPossible(f"{command} is not a command that systemd could start")
    for path in (command, command.resolve()):  # a venv's Python is a link to where it was made
        if hidden := next((each for each in OUT_OF_SIGHT if path.is_relative_to(each)), None):
            raise NotPossible(
                f"the service cannot look into {hidden}, and {path} is there: install radius-push elsewhere, "
                f"such as /opt/radius-push (docs/how-to/install.md)"
            )
        for folder in path.parents:
            if not folder.stat().st_mode & stat.S_IXOTH:
                raise NotPossible(
                    f"only its owner may enter {folder}, so the service cannot start {path}: "
                    f"`chmod o+x {folder}`, or install radius-push elsewhere, such as /opt/radius-push"
                )


def in_the_way(user: str, *, command: Path, interpreter: Path) -> str | None:
    """Why this user could not start it, in words; None: they can, as far as owners and modes tell."""
    whose = ids(user)
    for path, bits in ((command, _READ | _ENTER), (interpreter, _ENTER), (PACKAGE, _READ)):
        for each in _with_what_it_leads_to(path):
            if not each.exists():
                return f"there is no {each}"
            for folder in reversed(each.parents):
                if not _may(folder, whose, _ENTER):
                    return f"{user} may not enter {folder}, and {each} is there"
            if not _may(each, whose, bits):
                return f"{user} may not {'start' if bits & _ENTER else 'read'} {each}"
    return None


def _with_what_it_leads_to(path: Path) -> Iterator[Path]:
    yield path
    if path.resolve() != path:
        yield path.resolve()


def _may(path: Path, whose: tuple[int, int], bits: int) -> bool:
    # As the kernel asks: the first that fits decides.
    status, (user, group) = path.stat(), whose
    mode = status.st_mode >> (6 if status.st_uid == user else 3 if status.st_gid == group else 0)
    return mode & bits == bits
