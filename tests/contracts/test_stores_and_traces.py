"""What every store must keep to about what is noted beside a login."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from radius_push import events
from radius_push.ports import Store
from tests.store.making import NOW, open_store


@pytest.fixture(params=["sqlite"])
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "state.db")
    yield store
    await store.close()


def shown(login: str, device: str = "d1", by: str = "app") -> tuple[float, events.Event]:
    return NOW - 5, events.Shown(login, f"question of {login}", "staff:alice", device, by)


async def kinds(store: Store, login: str) -> list[tuple[float, str]]:
    return [(at, kind) for _, at, kind, _ in await store.evidence_of(login)]


async def test_it_stands_behind_the_login_with_its_own_time(store: Store) -> None:
    await store.record(events.Sent("q1"))
    await store.add(shown("q1"), (NOW, events.Repeated("q1", 2, NOW)))
    assert await kinds(store, "q1") == [(NOW, "sent"), (NOW - 5, "shown"), (NOW, "repeated")]
    assert await store.verify_evidence() == 3


async def test_of_a_login_that_left_nothing_nothing_is_written(store: Store) -> None:
    await store.add(shown("nobody"), (NOW, events.Repeated("nobody", 1, NOW)))
    assert [row async for row in store.evidence()] == []


async def test_the_same_is_written_once_also_by_another_server(store: Store) -> None:
    await store.record(events.Sent("q1"))
    await store.add(shown("q1"), shown("q1"))
    await store.add(shown("q1"), shown("q1", device="d2"), shown("q1", by="service_worker"))
    assert len(await kinds(store, "q1")) == 4


async def test_many_logins_are_noted_at_once(store: Store) -> None:
    for number in range(20):
        await store.record(events.Sent(f"q{number}"))
    await store.add(*(shown(f"q{number}") for number in range(20)))
    assert [len(await kinds(store, f"q{number}")) for number in range(20)] == [2] * 20
