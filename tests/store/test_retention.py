"""What is too old goes, and what is left is still evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from radius_push import events
from radius_push.ports import StoreDown
from radius_push.store import retention
from radius_push.store.sqlite import SqliteStore
from tests.store.making import ALICE, NOW, STARTED, SetClock, add_phone, ask, kinds, open_store
from tests.store.test_evidence import change

DAY = 86400.0


async def write(store: SqliteStore, clock: SetClock, count: int, *, at: float) -> None:
    clock.time = at
    for number in range(count):
        await store.record(events.Sent(f"login {number}"))


async def let_go(store: SqliteStore, before: float, *, at: float) -> None:
    while await store.let_go(before, at=at):
        pass


async def test_old_evidence_goes_and_the_chain_is_whole_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MOST_TOGETHER", 4)
    clock = SetClock()
    store = open_store(tmp_path / "state.db", clock)
    await write(store, clock, 10, at=NOW)
    await write(store, clock, 5, at=NOW + 10 * DAY)
    await let_go(store, NOW + DAY, at=NOW + 10 * DAY)
    assert await kinds(store) == ["sent"] * 5 + ["evidence_let_go"] * 3
    assert [number async for number, *_ in store.evidence()] == list(range(11, 19))
    assert await store.verify_evidence() == 18
    await store.record(STARTED)
    await store.close()
    store = open_store(tmp_path / "state.db", clock)
    assert await store.verify_evidence() == 19
    await store.close()


async def test_the_chain_goes_on_when_all_of_it_went(tmp_path: Path) -> None:
    clock = SetClock()
    store = open_store(tmp_path / "state.db", clock)
    await write(store, clock, 3, at=NOW)
    await let_go(store, NOW + DAY, at=NOW + 2 * DAY)
    assert [row[:3] for row in [row async for row in store.evidence()]] == [
        (4, NOW + 2 * DAY, "evidence_let_go")
    ]
    await store.record(STARTED)
    assert await store.verify_evidence() == 5
    await store.close()


async def test_whoever_cuts_more_off_is_found_out(tmp_path: Path) -> None:
    clock = SetClock()
    store = open_store(tmp_path / "state.db", clock)
    await write(store, clock, 3, at=NOW)
    await write(store, clock, 3, at=NOW + 2 * DAY)
    await let_go(store, NOW + DAY, at=NOW + 2 * DAY)
    change(tmp_path / "state.db", "DELETE FROM evidence WHERE number = 4")
    with pytest.raises(StoreDown, match="row 4 is missing"):
        await store.verify_evidence()
    await store.close()


async def test_a_row_of_a_wrong_clock_keeps_what_stands_behind_it(tmp_path: Path) -> None:
    clock = SetClock()
    store = open_store(tmp_path / "state.db", clock)
    for at in (NOW, NOW + 100 * DAY, NOW):
        await write(store, clock, 1, at=at)
    await let_go(store, NOW + DAY, at=NOW + 2 * DAY)
    assert [number async for number, *_ in store.evidence()] == [2, 3, 4]
    await store.close()


async def test_questions_and_removed_phones_go_with_their_evidence_and_trusted_ones_stay(
    tmp_path: Path,
) -> None:
    clock = SetClock()
    store = open_store(tmp_path / "state.db", clock)
    for device in ("d1", "d2"):
        await add_phone(store, device)
    await ask(store, "old")
    await ask(store, "young", opened_at=NOW + 300 * DAY)
    await ask(store, "open")
    for question, device in (("old", "d1"), ("young", "d2")):
        assert await store.answer(question, device=device, approve=False, at=NOW, event=STARTED)
    for device in ("d1", "d2"):
        await store.remove_device(device, at=NOW, event=events.DeviceRemoved(str(ALICE), device, "root"))
    await add_phone(store, "d3")
    await let_go(store, NOW + DAY, at=NOW + 300 * DAY)
    assert [id for id in ("old", "young", "open") if await store.question(id)] == ["young", "open"]
    # d2's key is needed for what it answered to `young`.
    assert [id for id in ("d1", "d2", "d3") if await store.device(id)] == ["d2", "d3"]
    assert await store.invitation("invitation of d1") is None
    assert await store.invitation("invitation of d3") is not None
    assert await store.has_ever_had_a_device(ALICE)
    await store.close()
