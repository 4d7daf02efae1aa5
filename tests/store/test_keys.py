"""The keys beside the store: made once, whole, and read by nobody else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from radius_push.ports import StoreDown
from radius_push.store.keys import keys_folder, load_keys


def test_keys_lie_beside_the_store() -> None:
    assert keys_folder(Path("/var/lib/radius-push/state.db")) == Path("/var/lib/radius-push/keys")


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = load_keys(folder, create=True)
    assert len(made.pepper) == 32
    assert bytes.fromhex(made.try_login_secret.reveal().decode()) != made.pepper.reveal()
    assert load_keys(folder, create=True) == load_keys(folder, create=False) == made
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "pepper": 0o600,
        "tag": 0o600,
        "vapid": 0o600,
        "try_login_secret": 0o600,
    }


def test_keys_do_not_show_themselves(tmp_path: Path) -> None:
    keys = load_keys(tmp_path / "keys", create=True)
    assert keys.try_login_secret.reveal().decode() not in repr(keys)


def test_a_missing_key_is_not_made_by_whoever_only_reads(tmp_path: Path) -> None:
    with pytest.raises(StoreDown, match="is missing"):
        load_keys(tmp_path / "keys", create=False)
    assert not (tmp_path / "keys").exists()


def test_a_key_that_others_may_read_stops_the_server_with_the_mend(tmp_path: Path) -> None:
    load_keys(tmp_path / "keys", create=True)
    pepper = tmp_path / "keys" / "pepper"
    pepper.chmod(0o640)
    with pytest.raises(StoreDown, match=f"chmod 600 {pepper}"):
        load_keys(tmp_path / "keys", create=True)


@pytest.mark.parametrize("name", ["pepper", "try_login_secret"])
def test_a_key_cut_short_is_not_used(tmp_path: Path, name: str) -> None:
    load_keys(tmp_path / "keys", create=True)
    (tmp_path / "keys" / name).write_bytes(b"short")
    with pytest.raises(StoreDown, match="damaged"):
        load_keys(tmp_path / "keys", create=True)
