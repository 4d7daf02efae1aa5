"""Where a store must not lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from radius_push.ports import StoreDown
from radius_push.store import disk
from radius_push.store.sqlite import SqliteStore
from tests.store.making import Log, SetClock

MOUNTS = """\
21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 21 0:50 / /srv rw,relatime shared:1 - nfs4 filer:/export rw,vers=4.2
31 30 8:2 / /srv/local rw,relatime - xfs /dev/sdb1 rw
32 21 0:51 / /mnt/with\\040blank rw - cifs //filer/share rw
33 21 0:52 / /twice rw - nfs filer:/a rw
34 21 8:3 / /twice rw - ext4 /dev/sdc1 rw
a line that says nothing
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/radius-push/state.db", "ext4"),
        ("/srv/state.db", "nfs4"),
        ("/srv/local/state.db", "xfs"),
        ("/srv/locals/state.db", "nfs4"),
        ("/mnt/with blank/state.db", "cifs"),
        ("/twice/state.db", "ext4"),
    ],
)
def test_the_innermost_and_last_mount_counts(path: str, kind: str) -> None:
    assert disk.file_system(Path(path), MOUNTS) == kind


def test_a_server_is_told_that_its_store_lies_on_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"{MOUNTS}35 21 0:53 / {tmp_path} rw - nfs4 filer:/b rw\n")
    monkeypatch.setattr(disk, "_MOUNTS", mounts)
    with pytest.raises(StoreDown, match=r"network file system \(nfs4\).*: move it to a disk of this machine"):
        SqliteStore.open(tmp_path / "state.db", clock=SetClock(), on_event=Log(), serves="first")
