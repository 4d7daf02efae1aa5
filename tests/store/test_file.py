"""The store's file: whose it is, who may read it, and what a damaged or newer one says."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from radius_push.model import PersonKey
from radius_push.ports import StoreDown
from radius_push.store import file
from tests.store.making import (
    NOW,
    STARTED,
    a_question,
    open_or_join,
    open_store,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: mode(path) for path in folder.iterdir()}


async def test_folder_and_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(tmp_path / "new" / "state.db")
        await store.record(STARTED)
        assert mode(tmp_path / "new") == 0o700
        assert modes(tmp_path / "new") == {
            "state.db": 0o600,
            "state.db-wal": 0o600,
            "state.db-shm": 0o600,
        }
        await store.close()
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
async def test_a_commit_is_on_disk_and_keys_are_checked(tmp_path: Path, pragma: str, value: object) -> None:
    store = open_store(tmp_path / "state.db")
    assert await store._read(lambda rows: rows.execute(f"PRAGMA {pragma}").fetchone()[0]) == value
    await store.close()


def test_a_file_that_others_may_read_is_refused_with_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch(mode=0o644)
    with pytest.raises(StoreDown, match=f"chmod 600 {path}"):
        open_store(path)


@pytest.mark.parametrize(("mode", "mend"), [(0o775, "chmod go-w "), (0o777, "w ")])
def test_a_folder_that_others_may_write_is_refused_with_the_mend(
    tmp_path: Path, mode: int, mend: str
) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StoreDown, match=f"{mend}{folder}"):
        open_store(folder / "state.db")


def test_a_sticky_folder_is_refused_too(tmp_path: Path) -> None:
    folder = tmp_path / "sticky"
    folder.mkdir()
    folder.chmod(0o1777)
    with pytest.raises(StoreDown, match="put the store in a folder of its own"):
        open_store(folder / "state.db")
    assert not list(folder.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_elses_file_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.db"
    path.touch(mode=0o600)
    os.chown(path, 4242, 4242)
    monkeypatch.setattr(os, "geteuid", lambda: 4343)
    with pytest.raises(StoreDown, match="belongs to user id 4242, and this runs as user id 4343"):
        open_store(path)


@pytest.mark.parametrize("what", ["a folder", "not a database"])
def test_what_is_no_store_is_said(tmp_path: Path, what: str) -> None:
    path = tmp_path / "state.db"
    if what == "a folder":
        path.mkdir(mode=0o700)
    else:
        path.touch(mode=0o600)
        path.write_bytes(b"not a database " * 1000)
    with pytest.raises(StoreDown, match=str(path)):
        open_store(path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreDown, match="cannot be made"):
        open_store(tmp_path / "file" / "state.db")


async def test_a_store_of_a_newer_radius_push_is_refused(tmp_path: Path) -> None:
    await open_store(tmp_path / "state.db").close()
    with sqlite3.connect(tmp_path / "state.db") as rows:
        rows.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('radius_push', '9999_later', '')"
        )
    rows.close()
    with pytest.raises(StoreDown, match="a newer radius-push has changed it"):
        open_store(tmp_path / "state.db")


async def test_migrations_run_once_and_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations = {"0001_first": file.MIGRATIONS["0001_first"]}
    monkeypatch.setattr(file, "MIGRATIONS", migrations)
    await open_store(tmp_path / "state.db").close()
    migrations["0002_more"] = "CREATE TABLE more (a TEXT) STRICT;\nCREATE TABLE meta (b TEXT);\n"
    with pytest.raises(StoreDown, match="meta already exists"):
        open_store(tmp_path / "state.db")
    migrations["0002_more"] = "CREATE TABLE more (a TEXT) STRICT;\n"
    await open_store(tmp_path / "state.db").close()
    await open_store(tmp_path / "state.db").close()


async def test_an_address_that_was_gone_before_is_known_to_be_gone_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dict(file.MIGRATIONS)
    monkeypatch.setattr(file, "MIGRATIONS", {name: sql for name, sql in whole.items() if name < "0018"})
    rows = file.open_file(tmp_path / "state.db")
    rows.execute("PRAGMA foreign_keys = OFF")  # it has no invitation
    rows.execute(
        "INSERT INTO devices (id, person, username, name, public_key, state, created_at, invitation,"
        " push_gone_at) VALUES ('d1', 'staff:a', 'alice', 'Pixel', zeroblob(65), 'active', ?1, 'i1', ?1)",
        (NOW,),
    )
    rows.close()
    monkeypatch.setattr(file, "MIGRATIONS", whole)
    store = open_store(tmp_path / "state.db")
    reach = (await store.push_reach())["d1"]
    assert (reach.gone_at, reach.gone) == (NOW, ("web_push",))
    await store.close()


async def test_a_phone_that_was_gone_and_removed_before_is_let_go_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept of a removed device must not keep the device, and all old evidence with it."""
    whole = dict(file.MIGRATIONS)
    monkeypatch.setattr(file, "MIGRATIONS", {name: sql for name, sql in whole.items() if name < "0017"})
    rows = file.open_file(tmp_path / "state.db")
    rows.execute("PRAGMA foreign_keys = OFF")  # they have no invitation
    for id, state, gone_at in (("d1", "removed", NOW), ("d2", "active", NOW), ("d3", "active", None)):
        rows.execute(
            "INSERT INTO devices (id, person, username, name, public_key, state, created_at, invitation,"
            " push_gone_at) VALUES (?, 'staff:a', 'alice', 'Pixel', zeroblob(65), ?, ?, 'i1', ?)",
            (id, state, NOW, gone_at),
        )
    rows.execute(
        "INSERT INTO push_addresses VALUES ('d3', 'https://push.example/1', zeroblob(65), zeroblob(16), ?)",
        (NOW,),
    )
    rows.close()
    monkeypatch.setattr(file, "MIGRATIONS", whole)
    store = open_store(tmp_path / "state.db")
    while await store.let_go(NOW + 1, at=NOW + 2):
        pass
    assert await store.device("d1") is None
    reach = await store.push_reach()
    assert {id: (each.channels, each.gone) for id, each in reach.items()} == {
        "d2": ((), ("web_push",)),
        "d3": (("web_push",), ()),
    }
    await store.close()


async def test_a_person_key_that_holds_colons_comes_back(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state.db")
    question = a_question(person=PersonKey("corp", "a:b:c"))
    await open_or_join(store, question)
    assert await store.question("q1") == question
    await store.close()
