"""What every store must keep to about where a person was let in from last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import PersonKey, Reason
from radius_push.ports import Store
from tests.store.making import ALICE, BOB, NOW, add_phone, ask, open_store

ACCEPTED = events.Accepted(
    login="K7F2QX",
    client="fw",
    username="alice",
    person=str(ALICE),
    profile="staff-push",
    policy=None,
    method="push",
    question=None,
    device=None,
    address="198.51.100.7",
    reply=(),
    directories=(),
    trace=(),
    arrived_at=NOW,
)


@pytest.fixture(params=["sqlite"])
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "state.db")
    yield store
    await store.close()


async def let_in(
    store: Store, address: str | None, *, at: float, person: PersonKey = ALICE, method: str = "push"
) -> None:
    event = replace(ACCEPTED, address=address, person=str(person), method=method)
    assert await store.accept(None, at=at, event=event, request=f"{address} {at} {method}".encode())


async def test_it_is_that_of_the_last_accept_before_then(store: Store) -> None:
    await let_in(store, "198.51.100.7", at=NOW)
    await let_in(store, "198.51.100.8", at=NOW + 10)
    assert await store.last_address_of(ALICE, before=NOW) is None
    assert await store.last_address_of(ALICE, before=NOW + 10) == "198.51.100.7"
    assert await store.last_address_of(ALICE, before=NOW + 11) == "198.51.100.8"


async def test_somebody_elses_is_not_theirs(store: Store) -> None:
    await let_in(store, "198.51.100.7", at=NOW, person=BOB)
    assert await store.last_address_of(ALICE, before=NOW + 10) is None


async def test_an_unknown_address_is_no_reason_to_look_further_back(store: Store) -> None:
    await let_in(store, "198.51.100.7", at=NOW)
    await let_in(store, None, at=NOW + 1)
    assert await store.last_address_of(ALICE, before=NOW + 10) is None


async def test_an_authorization_alone_and_a_refusal_are_no_login(store: Store) -> None:
    await let_in(store, "198.51.100.7", at=NOW)
    await let_in(store, "198.51.100.8", at=NOW + 1, method="authorize_only")
    refused = events.Rejected(
        login="K7F2QY",
        client="fw",
        username="alice",
        person=str(ALICE),
        reason=Reason.DENIED,
        detail="",
        address="198.51.100.9",
        question=None,
        directories=(),
        trace=(),
        arrived_at=NOW,
    )
    for _ in range(200):
        await store.record(refused)
    assert await store.last_address_of(ALICE, before=NOW + 1e6) == "198.51.100.7"


async def test_a_login_that_its_person_contested_was_not_theirs(store: Store) -> None:
    await let_in(store, "198.51.100.7", at=NOW)
    await add_phone(store)
    await ask(store)
    await store.answer("q1", device="d1", approve=True, at=NOW + 2, event=events.Sent("answered"))
    let_in_by_q1 = replace(ACCEPTED, question="q1", address="198.51.100.8")
    assert await store.accept("q1", packet=b"packet q1", at=NOW + 3, event=let_in_by_q1)
    assert await store.last_address_of(ALICE, before=NOW + 10) == "198.51.100.8"
    assert await store.contest("q1", device="d1", within=300, at=NOW + 5, event=events.Sent("contested"))
    assert await store.last_address_of(ALICE, before=NOW + 10) == "198.51.100.7"
