"""On which kind of file system a store lies: SQLite's log, which several processes share, needs one of this
machine's own."""

from __future__ import annotations

import re
from pathlib import Path

from radius_push.ports import StoreDown

ELSEWHERE = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        "lustre",
        "beegfs",
        "gfs2",
        "ocfs2",
        "glusterfs",
        "davfs",
        "fuse.ceph",
        "fuse.davfs2",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
    }
)
"""File systems that other machines write too (proc(5), mountinfo)."""
_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")


def check_disk(store: Path) -> None:
    """Raises StoreDown if the store lies where other machines write too: two of them would destroy it."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # a jail without /proc: then nobody can tell
        return
    kind = file_system(store.absolute().resolve(), mounts)
    if kind in ELSEWHERE:
        raise StoreDown(
            f"the store {store} lies on a network file system ({kind}), where SQLite cannot keep it whole: "
            "move it to a disk of this machine"
        )


def file_system(path: Path, mounts: str) -> str | None:
    """What `path` (without links) lies on, as these lines of mountinfo say; the last mount counts."""
    found, longest = None, -1
    for line in mounts.splitlines():
        before, separator, after = line.partition(" - ")
        words = before.split(" ")
        if not separator or len(words) < 5:
            continue
        point = Path(_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), words[4]))
        if path.is_relative_to(point) and len(point.parts) >= longest:
            found, longest = after.split(" ")[0], len(point.parts)
    return found
