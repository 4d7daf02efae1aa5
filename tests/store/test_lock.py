"""One server of a name to a store, however the other one ended."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from radius_push.ports import StoreDown
from radius_push.store.lock import StoreLock, lock_file

HOLDS = """
import sys, time
from pathlib import Path
from radius_push.store.lock import StoreLock
lock = StoreLock.share(Path(sys.argv[1]), server="first")
print("held", flush=True)
time.sleep(600)
"""


def test_the_second_one_is_told_who_has_it_and_gets_it_when_that_one_is_killed(tmp_path: Path) -> None:
    store = tmp_path / "state.db"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(store)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreDown, match=f"serves from {store} already .process {holder.pid}"):
            StoreLock.share(store, server="first")
        with pytest.raises(StoreDown, match=f"serves from {store} already .process {holder.pid}"):
            StoreLock.take(store)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    lock = StoreLock.share(store, server="first")
    own = lock_file(store, server="first")
    assert own.read_text() == f"{os.getpid()}\n"
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    lock.release()
    lock.release()
    StoreLock.take(store).release()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    for server in (None, "first"):
        lock_file(tmp_path / "state.db", server=server).symlink_to(target)
        with pytest.raises(StoreDown, match="cannot be opened"):
            StoreLock.share(tmp_path / "state.db", server="first")
        lock_file(tmp_path / "state.db", server=server).unlink()
    assert target.read_text() == "precious"
