"""A backup is everything or nothing, and what it brings back is not trusted before somebody says so."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import stat
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import DeviceState, QuestionState
from radius_push.ports import StoreDown
from radius_push.store.backup import Backup, back_up
from radius_push.store.keys import keys_folder, load_keys
from radius_push.store.lock import StoreLock
from radius_push.store.restore import Returned, restore
from tests.store.making import (
    ALICE,
    NOW,
    a_question,
    a_rider,
    add_phone,
    ask,
    invite,
    kinds,
    open_or_join,
    open_store,
    redeem,
)

PACKET = b"p" * 32


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A store with keys, Alice's phone, one that waits for its code, and an open question."""
    path = tmp_path / "state" / "state.db"
    store = open_store(path)
    load_keys(keys_folder(path), create=True)
    await add_phone(store, "d1")
    await invite(store)
    await redeem(store, "d2")
    await open_or_join(store, a_question("q1"), a_rider(PACKET))
    await store.close()
    return path


def write(path: Path, file: Path, *, force: bool = False) -> Backup:
    return back_up(path, file, version="1", by="carol", at=NOW, force=force)


def bring_back(file: Path, path: Path, *, force: bool = False) -> Returned:
    return restore(file, path, by="carol", at=NOW + 1, force=force)


def everything(folder: Path) -> dict[str, bytes]:
    # The lock's file stays: it says nothing.
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


async def test_a_backup_comes_back_with_its_keys_and_its_evidence(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    made = write(path, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    there = tmp_path / "elsewhere" / "state.db"
    assert bring_back(file, there) == Returned(made, devices=1, replaced=None)
    assert everything(there.parent / "keys") == everything(path.parent / "keys")
    old, new = open_store(path), open_store(there)
    assert (await kinds(old))[-1] == "backed_up"
    assert await kinds(new) == [*await kinds(old), "restored"]
    assert await new.verify_evidence() == made.rows + 1
    restored = [fields async for _, _, kind, fields in new.evidence() if kind == "restored"]
    assert restored == [{"file": str(file), "made_at": NOW, "devices": 1, "by": "carol"}]
    for store in (old, new):
        await store.close()


async def test_what_comes_back_is_not_trusted(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    write(path, file)
    bring_back(file, path, force=True)
    store = open_store(path)
    assert [(device.id, device.state) for device in await store.devices()] == [("d1", DeviceState.RESTORED)]
    assert await store.devices_of(ALICE) == []
    question = await store.question("q1")
    assert question is not None
    assert question.state is QuestionState.CLOSED
    await ask(store, "q2")
    answer = events.Sent("answered")
    assert not await store.answer("q2", device="d1", approve=True, at=NOW, event=answer)
    assert await redeem(store, "d3", "i1") == "spent"
    # A newer invitation does not sweep it away: it is no phone that waits for its code.
    await invite(store, "i9")
    assert await store.confirm_restored("d1", by="carol", at=NOW + 60)
    assert not await store.confirm_restored("d1", by="carol", at=NOW + 60)
    assert await store.answer("q2", device="d1", approve=True, at=NOW, event=answer)
    by = [fields["by"] async for _, _, kind, fields in store.evidence() if kind == "device_confirmed"]
    assert by == ["root", "carol, after a restore"]
    await store.close()


async def test_only_a_phone_that_a_restore_brought_back_is_confirmed_so(path: Path) -> None:
    store = open_store(path)
    assert [await store.confirm_restored(id, by="carol", at=NOW) for id in ("d1", "d2", "d9")] == [False] * 3
    await store.close()


async def test_a_backup_is_made_while_others_write(path: Path, tmp_path: Path) -> None:
    store = open_store(path)
    await store.record(events.Sent("in the log of the file, not in the file"))
    made = write(path, tmp_path / "backup.tar")
    await store.record(events.Sent("later"))
    assert await store.verify_evidence() == made.rows + 1
    await store.close()


async def test_a_backup_replaces_nothing_unless_told(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    file.write_text("precious")
    with pytest.raises(StoreDown, match="add --force"):
        write(path, file)
    assert file.read_text() == "precious"
    write(path, file, force=True)
    assert file.read_bytes()[:11] == b"backup.json"
    assert set(everything(tmp_path)) == {"backup.tar"} | {f"state/{name}" for name in everything(path.parent)}


async def test_a_store_that_is_there_is_set_aside_only_when_told_and_then_whole(
    path: Path, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    write(path, file)
    store = open_store(path)
    await store.record(events.Sent("after the backup"))
    await store.close()
    before = everything(path.parent)
    with pytest.raises(StoreDown, match="add --force"):
        bring_back(file, path)
    assert everything(path.parent) == before
    aside = bring_back(file, path, force=True).replaced
    assert aside is not None
    store = open_store(aside / "state.db")
    assert (await kinds(store))[-1] == "sent"
    await store.close()
    assert everything(aside / "keys") == everything(path.parent / "keys")
    assert not [each for each in path.parent.iterdir() if each.name.startswith(".")]


async def test_nothing_is_restored_under_a_running_server(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    write(path, file)
    before = everything(path.parent)
    lock = StoreLock.share(path, server="first")
    with pytest.raises(StoreDown, match=f"process {os.getpid()}.*stop it first"):
        bring_back(file, path, force=True)
    lock.release()
    assert everything(path.parent) == before


def _replaced(name: str, octets: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.update({name: octets})


def _without(name: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        del members[name]

    return change


@pytest.mark.parametrize(
    "change",
    [
        _without("store.db"),
        _without("keys/pepper"),
        _without("backup.json"),
        _replaced("../../evil", b""),
        _replaced("keys/../../evil", b""),
        _replaced("keys/.hidden", b""),
        _replaced("keys/long", b"x" * 70_000),
        _replaced("store.db", b"SQLite format 3\0" + bytes(5000)),
        _replaced("backup.json", b'{"radius_push_backup": 2}'),
        _replaced(
            "backup.json",
            b'{"radius_push_backup": 1, "made_at": 1, "version": "1", "rows": 1, "head": "00"}',
        ),
    ],
)
async def test_what_is_no_backup_of_ours_changes_nothing(
    path: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    file = tmp_path / "backup.tar"
    write(path, file)
    with tarfile.open(file) as tar:
        members = {each.name: tar.extractfile(each).read() for each in tar}  # type: ignore[union-attr]
    change(members)
    with tarfile.open(file, "w") as tar:
        for name, octets in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(octets)
            tar.addfile(member, io.BytesIO(octets))
    before = everything(tmp_path)
    with pytest.raises(StoreDown, match=r"backup|damaged|evidence|restored"):
        bring_back(file, path, force=True)
    assert everything(tmp_path) == before


async def test_a_cut_off_backup_changes_nothing(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    write(path, file)
    whole = file.read_bytes()
    there = tmp_path / "new" / "state.db"
    for length in (0, 100, 600, len(whole) // 2, len(whole) - 20_000):
        file.write_bytes(whole[:length])
        with pytest.raises(StoreDown):
            bring_back(file, there)
        assert not there.exists()


async def test_a_link_in_a_backup_is_not_followed(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    write(path, file)
    with tarfile.open(file, "a") as tar:
        link = tarfile.TarInfo("keys/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(StoreDown, match="not a backup"):
        bring_back(file, path, force=True)


async def test_a_changed_chain_is_not_backed_up_as_whole(path: Path, tmp_path: Path) -> None:
    from tests.store.test_evidence import change

    change(path, "UPDATE evidence SET at = at + 1 WHERE number = 2")
    with pytest.raises(StoreDown, match="row 2 is not"):
        write(path, tmp_path / "backup.tar")
    assert not (tmp_path / "backup.tar").exists()


def test_there_is_nothing_to_back_up_before_the_first_start(tmp_path: Path) -> None:
    with pytest.raises(StoreDown, match="there is no store"):
        write(tmp_path / "state.db", tmp_path / "backup.tar")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_root_leaves_nothing_of_its_own_in_the_servers_folder(path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.chmod(place, 0o755)  # noqa: PTH101  # pytest's own folder is closed to the server's user
        state = shutil.copytree(path.parent, place / "state")
        for each in [state, *state.rglob("*")]:
            os.chown(each, 4242, 4242)
        # One for root alone, one in the server's folder.
        for file in (place / "backup.tar", state / "backup.tar"):
            write(state / "state.db", file)
            bring_back(file, state / "state.db", force=True)
        assert (place / "backup.tar").stat().st_uid == 0
        owners = {str(each.relative_to(state)): each.lstat().st_uid for each in state.rglob("*")}
        assert set(owners.values()) == {4242}, owners
        assert os.geteuid() == 0


def doctored(file: Path, out: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with tarfile.open(file) as tar:
        members = {each.name: taken.read() for each in tar if (taken := tar.extractfile(each)) is not None}
    change(members)
    with tarfile.open(out, "w") as tar:
        for name, octets in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(octets)
            tar.addfile(member, io.BytesIO(octets))
    return out


TRUST = """CREATE TRIGGER z AFTER UPDATE OF state ON devices WHEN new.state = 'restored'
BEGIN UPDATE devices SET state = 'active' WHERE id = new.id; END"""


@pytest.mark.parametrize(
    "script",
    [
        TRUST,
        "CREATE VIEW v AS SELECT 1",
        "CREATE VIRTUAL TABLE f USING fts5(x)",
        (
            "DROP TRIGGER forget_where_a_removed_device_was; "
            "CREATE TRIGGER forget_where_a_removed_device_was AFTER UPDATE ON devices BEGIN SELECT 1; END"
        ),
    ],
)
async def test_a_backup_with_a_trigger_of_somebody_else_is_refused(
    path: Path, tmp_path: Path, script: str
) -> None:
    """It could make a phone active again that we do not trust."""
    write(path, tmp_path / "backup.tar")

    def change(members: dict[str, bytes]) -> None:
        copy = tmp_path / "copy.db"
        copy.write_bytes(members["store.db"])
        with closing(sqlite3.connect(copy)) as rows:
            rows.executescript(script)
        members["store.db"] = copy.read_bytes()

    file = doctored(tmp_path / "backup.tar", tmp_path / "doctored.tar", change)
    before = everything(path.parent)
    with pytest.raises(StoreDown, match="holds a trigger or a view that radius-push did not make"):
        bring_back(file, path, force=True)
    assert everything(path.parent) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda note: b"[" * 60_000,
        lambda note: json.dumps({**note, "made_at": 1e300}).encode(),
        lambda note: json.dumps({**note, "made_at": -1}).encode(),
        lambda note: json.dumps({**note, "made_at": float("nan")}).encode(),
        lambda note: json.dumps({**note, "made_at": 10**400}).encode(),
        lambda note: json.dumps({**note, "rows": float("inf")}).encode(),
    ],
)
async def test_a_crafted_note_is_refused_with_a_sentence(
    path: Path, tmp_path: Path, change: Callable[[dict[str, object]], bytes]
) -> None:
    write(path, tmp_path / "backup.tar")

    def note(members: dict[str, bytes]) -> None:
        members["backup.json"] = change(json.loads(members["backup.json"]))

    file = doctored(tmp_path / "backup.tar", tmp_path / "doctored.tar", note)
    with pytest.raises(StoreDown, match="is not a backup of radius-push"):
        bring_back(file, tmp_path / "elsewhere" / "state.db")
