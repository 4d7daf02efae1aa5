"""kill -9, power cuts, full disks under load: no accept without its evidence, no second ring for a packet."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from radius_push.server import LoopClock
from radius_push.store.sqlite import SqliteStore
from tests.crash.site import Site, site

pytestmark = pytest.mark.slow

KILLS = 20
CUTS = 12
WAL_HEADER, FRAME = 32, 24 + 4096


async def test_killed_at_twenty_moments_under_load(tmp_path: Path) -> None:
    async with site(tmp_path, seed=20) as s:
        s.load()
        for _ in range(KILLS):
            await asyncio.sleep(s.random.uniform(0.02, 0.8))
            await s.kill()
            await s.start()
        await s.accepts(6)
        await s.quiet()
        await s.kill(signal.SIGTERM)
        assert s.process is not None
        assert s.process.returncode == 0
        kinds = await s.check()
        assert (kinds.count("server_started"), kinds.count("server_stopped")) == (KILLS + 1, 1)
        # The test met what it is about: packets that found their question again.
        assert kinds.count("came_back") >= 10
        assert "store is down" not in s.log.read_text()


@dataclass
class Cut:
    """The files as a power cut left them."""

    store: Path
    accepted_before: int
    """Accepts that gateways had received by then."""
    synced: int
    """Octets of the log that are in the store's file already: no power cut takes them away."""


def cut_power(s: Site, folder: Path) -> Cut:
    """Everything in one moment: the server stands still while it is copied."""
    assert s.process is not None
    s.process.send_signal(signal.SIGSTOP)
    try:
        accepted = sum(login.accepted for login in s.logins)
        folder.mkdir(mode=0o700)
        for end in ("", "-wal"):
            shutil.copy(f"{s.store}{end}", folder)
        # The log's index tells how many frames were copied back into the store's file (walformat, 2.1).
        (copied_back,) = struct.unpack_from("=I", Path(f"{s.store}-shm").read_bytes(), 96)
    finally:
        s.process.send_signal(signal.SIGCONT)
    return Cut(folder / s.store.name, accepted, WAL_HEADER + copied_back * FRAME)


def chain(store: Path) -> list[tuple[int, bytes]]:
    with closing(sqlite3.connect(store)) as rows:
        return rows.execute("SELECT number, hash FROM evidence ORDER BY number").fetchall()


async def opened(store: Path) -> None:
    """As a start opens it; the chain must hold."""
    again = SqliteStore.open(store, clock=LoopClock(), on_event=lambda _at, _event: None)
    await again.verify_evidence()
    await again.close()


async def test_a_power_cut_anywhere_in_the_log_loses_only_its_end(tmp_path: Path) -> None:
    async with site(tmp_path, seed=7) as s:
        s.load()
        cuts = []
        for number in range(CUTS):
            await asyncio.sleep(s.random.uniform(0.2, 0.6))
            cuts.append(cut_power(s, tmp_path / f"cut-{number}"))
        await s.accepts(6)
        await s.quiet()
        await s.kill(signal.SIGTERM)
        await s.check()
        whole = chain(s.store)
        for cut in cuts:
            await opened_whole(s, cut, whole)
            for trial in range(4):
                await opened_torn(s, cut, trial, whole)


async def opened_whole(s: Site, cut: Cut, whole: list[tuple[int, bytes]]) -> None:
    """Whatever a gateway had received by then is there."""
    copy = copied(cut, "whole")
    await opened(copy)
    rows = chain(copy)
    assert rows == whole[: len(rows)]
    with closing(sqlite3.connect(copy)) as store:
        (spent,) = store.execute("SELECT count(*) FROM questions WHERE state = 'spent'").fetchone()
    assert spent >= cut.accepted_before


async def opened_torn(s: Site, cut: Cut, trial: int, whole: list[tuple[int, bytes]]) -> None:
    """The log ends anywhere, or in rubbish: what is left is what was once on disk, and nothing else."""
    copy = copied(cut, f"torn-{trial}")
    log = copy.with_name(f"{copy.name}-wal")
    octets = log.read_bytes()
    end = s.random.randint(min(cut.synced, len(octets)), len(octets))
    log.write_bytes(octets[:end] + (s.random.randbytes(5000) if trial % 2 else b""))
    await opened(copy)
    rows = chain(copy)
    assert rows == whole[: len(rows)]
    with closing(sqlite3.connect(copy)) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        without = store.execute(
            "SELECT count(*) FROM questions WHERE state = 'spent'"
            " AND NOT EXISTS (SELECT 1 FROM riders JOIN evidence ON evidence.number = accepted"
            " WHERE question = questions.id AND kind = 'accepted')"
        ).fetchone()
    assert without == (0,)


def copied(cut: Cut, name: str) -> Path:
    folder = cut.store.parent / name
    folder.mkdir(mode=0o700)
    for end in ("", "-wal"):
        shutil.copy(f"{cut.store}{end}", folder)
    return folder / cut.store.name


async def test_a_full_disk_is_silence_until_there_is_room_again(tmp_path: Path) -> None:
    async with site(tmp_path, seed=3) as s:
        s.load()
        await s.accepts(6)
        for _ in range(3):
            s.limit_files(1)
            # What was answered before may still arrive; then nothing does.
            await asyncio.sleep(1.0)
            accepted = sum(login.accepted for login in s.logins)
            await asyncio.sleep(1.0)
            assert sum(login.accepted for login in s.logins) == accepted
            s.limit_files(-1)
            await s.accepts(6)
        await s.quiet()
        await s.kill(signal.SIGTERM)
        assert s.process is not None
        assert s.process.returncode == 0
        kinds = await s.check()
        assert kinds.count("server_started") == 1
