"""Root runs a verb, and the server's user (4242, taken over) has laid traps in the folder that is theirs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import radius_push
from radius_push.ports import StoreDown
from radius_push.store.keys import load_keys
from radius_push.store.ownership import as_owner_of, check_owner
from tests.store.making import STARTED, open_store

SERVER = 4242
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to lose")


@pytest.fixture
def place() -> Iterator[Path]:
    """Root's folder, which others may walk through; pytest's own is closed to them."""
    place = Path(tempfile.mkdtemp(prefix="radius-push-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def folder(place: Path) -> Path:
    folder = place / "state"
    folder.mkdir(mode=0o700)
    os.chown(folder, SERVER, SERVER)
    return folder


@pytest.fixture
def roots_folder(place: Path) -> Path:
    folder = place / "roots"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def roots_file(roots_folder: Path) -> Path:
    file = roots_folder / "file"
    file.touch(mode=0o600)
    return file


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in folder.rglob("*")}


def test_radius_push_may_lie_where_only_root_may_look(folder: Path, roots_folder: Path) -> None:
    """As in root's home: what the store needs of it is read before root acts as the server's user."""
    shutil.copytree(Path(radius_push.__file__).parent, roots_folder / "radius_push")
    code = (
        "from pathlib import Path; from radius_push.store import file; "
        f"assert Path(file.__file__).is_relative_to({str(roots_folder)!r}); "
        f"file.open_file(Path({str(folder / 'state.db')!r})).close()"
    )
    done = subprocess.run(  # python -c looks for packages in its folder first
        [sys.executable, "-c", code], cwd=roots_folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert owners(folder) == {SERVER}


async def test_what_root_makes_is_the_servers(folder: Path) -> None:
    store = open_store(folder / "state.db")
    load_keys(folder / "keys", create=True)
    assert os.geteuid() == 0
    await store.record(STARTED)
    assert set(os.listdir(folder)) == {"state.db", "state.db-wal", "state.db-shm", "keys"}  # noqa: PTH208
    assert owners(folder) == {SERVER}
    await store.close()


def test_a_folder_that_is_not_there_yet_becomes_that_of_the_owner_above(folder: Path) -> None:
    load_keys(folder / "new" / "keys", create=True)
    assert owners(folder) == {SERVER}


def test_a_link_in_place_of_a_key_gives_nothing_of_roots_away(
    folder: Path, roots_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def race(file: int) -> None:
        fsync(file)
        for draft in (folder / "keys").glob(".*"):
            draft.unlink()
            draft.symlink_to(roots_file)
            os.lchown(draft, SERVER, SERVER)

    monkeypatch.setattr(os, "fsync", race)
    with pytest.raises(StoreDown):
        load_keys(folder / "keys", create=True)
    assert roots_file.stat().st_uid == 0


def test_a_link_in_place_of_a_new_folder_gives_nothing_of_roots_away(
    folder: Path, roots_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = os.mkdir

    def race(path: Path, mode: int = 0o777) -> None:
        mkdir(path, mode)
        Path(path).rmdir()
        Path(path).symlink_to(roots_folder)

    monkeypatch.setattr(os, "mkdir", race)
    with pytest.raises(StoreDown):
        load_keys(folder / "keys", create=True)
    assert roots_folder.stat().st_uid == 0
    assert not list(roots_folder.iterdir())


def test_a_link_to_roots_folder_is_not_followed(folder: Path, roots_folder: Path) -> None:
    (folder / "keys").symlink_to(roots_folder)
    os.lchown(folder / "keys", SERVER, SERVER)
    with pytest.raises(StoreDown, match="may put anything in its place"):
        load_keys(folder / "keys", create=True)
    assert not list(roots_folder.iterdir())


def test_a_link_that_is_laid_after_the_look_is_followed_as_the_server_only(
    folder: Path, roots_folder: Path
) -> None:
    with as_owner_of(folder):
        (folder / "keys").symlink_to(roots_folder)
        with pytest.raises(PermissionError):
            (folder / "keys" / "pepper").touch()


@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
def test_no_file_of_roots_becomes_part_of_the_store(folder: Path, roots_file: Path, end: str) -> None:
    link = folder / f"state.db{end}"
    link.symlink_to(roots_file)
    os.lchown(link, SERVER, SERVER)
    with pytest.raises(StoreDown):
        open_store(folder / "state.db")
    assert (roots_file.stat().st_uid, roots_file.stat().st_size) == (0, 0)


def test_a_link_of_roots_own_is_followed(place: Path, folder: Path) -> None:
    (place / "link").symlink_to("state")
    load_keys(place / "link" / "keys", create=True)
    assert owners(folder) == {SERVER}


# --- what lies where anybody may lay it ----------------------------------------------------------------


def test_root_serves_no_keys_that_somebody_laid_in_a_sticky_folder(place: Path) -> None:
    place.chmod(0o1777)
    keys = place / "keys"
    load_keys(keys, create=True)
    for path in (keys, *keys.iterdir()):
        os.chown(path, SERVER, SERVER)
    with pytest.raises(StoreDown, match="run this as that user"):
        load_keys(keys, create=False)


def test_root_serves_no_file_of_somebody_else(place: Path) -> None:
    path = place / "state.db"
    path.touch(mode=0o600)
    os.chown(path, SERVER, SERVER)
    with pytest.raises(StoreDown, match=f"belongs to user id {SERVER}, and this runs as user id 0"):
        open_store(path)


def test_a_link_is_no_file_of_ours(roots_folder: Path, roots_file: Path) -> None:
    (roots_folder / "state.db").symlink_to(roots_file)
    with pytest.raises(StoreDown, match="is not a file"):
        check_owner(roots_folder / "state.db", what="the store")


def test_a_folder_above_that_anybody_may_change_is_refused_with_the_mend(place: Path, folder: Path) -> None:
    place.chmod(0o777)
    with pytest.raises(StoreDown, match=f"chmod o-w {place}"):
        load_keys(folder / "keys", create=True)
