"""Runs a command as the unit file would: its system calls, its address families, no new rights.

    python -m tests.systemd.jail UNIT COMMAND...

What systemd does before it starts a service, done here with libseccomp (which systemd uses too), so that a
machine without a running systemd can show that the server lives with it. One thing is stricter: a refused
system call ends the process instead of failing, so that none goes unseen.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.systemd.unit import values

KILL, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
LESS, EQUAL, GREATER, MASKED = 2, 4, 6, 7
"""SCMP_CMP_LT, _EQ, _GT and _MASKED_EQ."""
NOT_SUPPORTED = 97
"""EAFNOSUPPORT."""
WRITE_AND_EXEC, EXEC, SHM_EXEC = 6, 4, 0o100000
PR_SET_NO_NEW_PRIVS = 38
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}


class Compare(ctypes.Structure):
    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


def calls_of(words: list[str]) -> set[str]:
    """The system calls that `SystemCallFilter=` words stand for."""
    found: set[str] = set()
    for word in words:
        if not word.startswith("@"):
            found.add(word)
            continue
        told = subprocess.run(
            ["systemd-analyze", "syscall-filter", "--no-pager", word],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        found |= calls_of(
            [line.strip() for line in told.splitlines()[1:] if line.strip()[:1] not in ("", "#")]
        )
    return found


def allowed(unit: str) -> set[str]:
    """What the unit's lists leave, in the order in which they stand."""
    left: set[str] = set()
    for line in values(unit, "SystemCallFilter"):
        if line.startswith("~"):
            left -= calls_of(line[1:].split())
        else:
            left |= calls_of(line.split())
    # systemd lets these through always: to start the service at all.
    return left | {
        "execve",
        "exit",
        "exit_group",
        "getrlimit",
        "rt_sigreturn",
        "sigreturn",
        "time",
        "sched_yield",
    }


class Filters:
    """libseccomp, as much of it as is needed."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._library.seccomp_init.restype = ctypes.c_void_p

    def load(self, default: int, rules: Iterator[tuple[int, str, list[Compare]]]) -> None:
        filter = ctypes.c_void_p(self._library.seccomp_init(ctypes.c_uint32(default)))
        for action, name, compares in rules:
            number = self._library.seccomp_syscall_resolve_name(name.encode())
            if number < 0:  # a call of another architecture
                continue
            array = (Compare * len(compares))(*compares)
            done = self._library.seccomp_rule_add_array(
                filter, ctypes.c_uint32(action), number, len(compares), array
            )
            if done not in (0, -17, -1):  # EEXIST; EPERM: the default does that already
                raise OSError(-done, f"no rule for {name}")
        if done := self._library.seccomp_load(filter):
            raise OSError(-done, "the filter was not loaded")


def lock_up(unit: str, names: set[str]) -> None:
    filters = Filters()
    if "yes" in values(unit, "MemoryDenyWriteExecute"):
        filters.load(ALLOW, writable_code())
    families = {FAMILIES[name] for line in values(unit, "RestrictAddressFamilies") for name in line.split()}
    # As systemd does for its list: refused, not killed, since libc asks and lives with the answer.
    filters.load(ALLOW, other_families(families))
    # Last: it forbids to load another one.
    filters.load(KILL, ((ALLOW, name, []) for name in sorted(names)))


def writable_code() -> Iterator[tuple[int, str, list[Compare]]]:
    yield KILL, "mmap", [Compare(2, MASKED, WRITE_AND_EXEC, WRITE_AND_EXEC)]
    yield KILL, "mprotect", [Compare(2, MASKED, EXEC, EXEC)]
    yield KILL, "pkey_mprotect", [Compare(2, MASKED, EXEC, EXEC)]
    yield KILL, "shmat", [Compare(2, MASKED, SHM_EXEC, SHM_EXEC)]


def other_families(families: set[int]) -> Iterator[tuple[int, str, list[Compare]]]:
    refuse = ERRNO | NOT_SUPPORTED
    known = sorted(families)
    yield refuse, "socket", [Compare(0, LESS, known[0], 0)]
    yield refuse, "socket", [Compare(0, GREATER, known[-1], 0)]
    for family in range(known[0], known[-1]):
        if family not in families:
            yield refuse, "socket", [Compare(0, EQUAL, family, 0)]


def main() -> None:
    unit, *command = sys.argv[1:]
    text = Path(unit).read_text(encoding="utf-8")
    os.umask(int(values(text, "UMask")[-1], 8))
    names = allowed(text)
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    lock_up(text, names)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
