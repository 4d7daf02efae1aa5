"""What every store must keep to about the page for people's own phones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import PersonKey
from radius_push.portal_store import (
    IDLE_SECONDS,
    MOST_SESSIONS,
    WHOLE_SECONDS,
    PortalSession,
    PortalSignIn,
    SignInState,
)
from radius_push.ports import Store
from radius_push.shapes import RingLimit
from tests.store.making import ALICE, BOB, NOW, SetClock, add_phone, kinds, open_store

SAID = events.Sent("said")
MARK, OTHER = b"m" * 32, b"o" * 32


CLOCK = SetClock()


@pytest.fixture
def clock() -> SetClock:
    CLOCK.time = NOW
    return CLOCK


@pytest.fixture(params=["sqlite"])
async def store(tmp_path: Path, clock: SetClock) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "state.db", clock)
    yield store
    await store.close()


def a_sign_in(id: str = "s1", person: PersonKey = ALICE, *, at: float = NOW) -> PortalSignIn:
    return PortalSignIn(id, person, "alice", "https://p.example", None, "nonce", at, at + 60)


async def opened(
    store: Store, id: str = "s1", person: PersonKey = ALICE, *, at: float = NOW, most: int = 5
) -> str:
    CLOCK.time = at
    mark = id.encode().ljust(32, b".")
    limit = RingLimit(most, 600.0)
    return await store.open_sign_in(a_sign_in(id, person, at=at), mark=mark, limit=limit, event=SAID)


async def answered(
    store: Store, id: str = "s1", *, device: str = "d1", approve: bool = True, at: float = NOW
) -> SignInState | None:
    CLOCK.time = at
    return await store.answer_sign_in(id, device=device, approve=approve, at=at, event=SAID)


async def begun(
    store: Store,
    mark: bytes = MARK,
    *,
    person: PersonKey = ALICE,
    device: str | None = "d1",
    approved: str | None = "s1",
    at: float = NOW,
) -> bool:
    CLOCK.time = at
    browser = (approved or "").encode().ljust(32, b".")
    session = PortalSession(person, "alice", device, at)
    return await store.begin_portal_session(mark, session, approved=approved, browser=browser, event=SAID)


async def alive(store: Store, mark: bytes = MARK, *, at: float = NOW, seen: bool = False) -> bool:
    CLOCK.time = at
    return await store.portal_session(mark, at=at, seen=seen) is not None


async def test_one_sign_in_waits_for_a_person_at_a_time(store: Store) -> None:
    await add_phone(store)
    assert await opened(store) == "opened"
    assert await opened(store, "s2", at=NOW + 59) == "one_waits"
    assert await opened(store, "s3", BOB) == "opened"
    assert [each.id for each in await store.sign_ins_of(ALICE, now=NOW + 59)] == ["s1"]
    assert await store.sign_ins_of(ALICE, now=NOW + 60) == []
    assert await opened(store, "s2", at=NOW + 60) == "opened"
    assert await store.sign_in("s1") == await store.sign_in_of(b"s1".ljust(32, b"."))
    assert await store.sign_in("nobody's") is None


async def test_rings_in_vain_are_bounded_and_a_yes_is_none_of_them(store: Store) -> None:
    await add_phone(store)
    assert await opened(store, "s0", most=2) == "opened"
    assert await answered(store, "s0") is SignInState.APPROVED
    assert await opened(store, "s1", at=NOW + 1, most=2) == "opened"
    assert await answered(store, "s1", approve=False, at=NOW + 2) is SignInState.DENIED
    assert await opened(store, "s2", at=NOW + 3, most=2) == "opened"
    assert await opened(store, "s3", at=NOW + 64, most=2) == "rung_too_often"
    assert await opened(store, "s4", at=NOW + 602, most=2) == "opened"


async def test_an_answer_is_written_once_in_time_and_by_a_phone_of_theirs(store: Store) -> None:
    await add_phone(store)
    await add_phone(store, "d2", BOB)
    await opened(store)
    before = await kinds(store)
    assert await answered(store, device="d2") is None
    assert await answered(store, at=NOW + 60) is None
    assert await answered(store, "nobody's") is None
    assert await kinds(store) == before
    assert await answered(store) is SignInState.APPROVED
    assert await answered(store, approve=False) is None
    assert len(await kinds(store)) == len(before) + 1


@pytest.mark.parametrize("approve", [True, False])
async def test_its_answer_is_the_phones_last_one_everywhere(store: Store, approve: bool) -> None:
    await add_phone(store)
    await opened(store)
    assert (await store.last_answers(), (await store.kept_devices_of(ALICE))[0].answered_at) == ({}, None)
    assert await answered(store, approve=approve, at=NOW + 3)
    assert await store.last_answers() == {"d1": NOW + 3}
    assert [kept.answered_at for kept in await store.kept_devices_of(ALICE)] == [NOW + 3]


async def test_a_removed_phones_yes_is_none(store: Store) -> None:
    await add_phone(store)
    await opened(store)
    await store.remove_device("d1", at=NOW, event=SAID)
    assert await answered(store) is None


async def test_a_yes_opens_one_session_for_the_browser_that_asked(store: Store) -> None:
    await add_phone(store)
    await opened(store)
    assert not await begun(store)
    await answered(store)
    assert not await store.begin_portal_session(
        MARK, PortalSession(ALICE, "alice", "d1", NOW), approved="s1", browser=OTHER, event=SAID
    )
    assert not await begun(store, person=BOB)
    assert not await begun(store, device=None)
    assert await begun(store)
    assert await alive(store)
    assert not await begun(store, OTHER)
    assert not await alive(store, OTHER)


@pytest.mark.parametrize("why", ["denied", "the phone was removed", "a minute after its end"])
async def test_no_session_without_a_yes_that_holds(store: Store, why: str) -> None:
    await add_phone(store)
    await opened(store)
    await answered(store, approve=why != "denied")
    if why == "the phone was removed":
        await store.remove_device("d1", at=NOW, event=SAID)
    assert not await begun(store, at=NOW + 120 if "after" in why else NOW)
    assert not await alive(store)


async def test_a_session_ends_when_nobody_is_there_and_in_any_case(store: Store) -> None:
    await add_phone(store)
    await opened(store)
    await answered(store)
    await begun(store)
    assert await alive(store, at=NOW + IDLE_SECONDS - 1)
    assert not await alive(store, at=NOW + IDLE_SECONDS)
    at = NOW
    while at < NOW + WHOLE_SECONDS - 1:
        assert await alive(store, at=at, seen=True)
        at += IDLE_SECONDS / 2
    assert not await alive(store, at=NOW + WHOLE_SECONDS, seen=True)


async def test_a_session_ends_by_itself_with_its_phone_and_when_left(store: Store) -> None:
    await add_phone(store)
    await add_phone(store, "d2")
    await opened(store)
    await answered(store)
    await begun(store)
    await store.remove_device("d2", at=NOW, event=SAID)
    assert await alive(store)
    await store.remove_device("d1", at=NOW, event=SAID)
    assert not await alive(store)
    assert await store.end_portal_session(MARK, at=NOW, event=SAID)
    assert not await store.end_portal_session(MARK, at=NOW, event=SAID)


async def test_whoever_never_had_a_phone_has_a_session_until_one_is_theirs(store: Store) -> None:
    assert await begun(store, device=None, approved=None)
    assert await begun(store, OTHER, device=None, approved=None)
    await add_phone(store)
    assert not await alive(store)  # one with the password alone, which was open already
    await store.note_portal_invitation(OTHER, invitation=None, device="d1")
    assert await alive(store, OTHER)  # the one in which that phone was added
    assert not await begun(store, b"n" * 32, device=None, approved=None)
    assert not await begun(store, b"n" * 32, device="d1", approved=None)
    await store.remove_device("d1", at=NOW, event=SAID)
    assert not await alive(store, OTHER)
    assert not await begun(store, b"n" * 32, device=None, approved=None)


async def test_one_person_has_few_sessions_and_the_oldest_gives_way(store: Store) -> None:
    marks = [bytes([n]) * 32 for n in range(MOST_SESSIONS + 1)]
    for n, mark in enumerate(marks):
        assert await begun(store, mark, device=None, approved=None, at=NOW + n)
    at = NOW + MOST_SESSIONS
    assert [await alive(store, mark, at=at) for mark in marks] == [False] + [True] * MOST_SESSIONS


async def test_with_a_clock_that_went_back_nobody_is_signed_in(store: Store) -> None:
    assert await begun(store, device=None, approved=None)
    assert not await alive(store, at=NOW - 60)


async def test_what_is_shown_in_a_session_is_kept(store: Store) -> None:
    await begun(store, device=None, approved=None)
    await store.note_portal_invitation(MARK, invitation="i1")
    session = await store.portal_session(MARK, at=NOW, seen=True)
    assert session == replace(PortalSession(ALICE, "alice", None, NOW), invitation="i1")


async def test_a_phone_is_renamed_by_its_person_alone(store: Store) -> None:
    await add_phone(store)

    async def rename(name: str, person: PersonKey | None) -> bool:
        return await store.rename_device("d1", name=name, person=person, at=NOW, event=SAID)

    assert not await rename("mine", BOB)
    assert not await rename("Pixel 7", ALICE)
    assert await rename("Nokia", ALICE)
    assert await rename("brick", None)
    (kept,) = await store.kept_devices_of(ALICE)
    assert (kept.device.name, kept.answered_at, kept.rung) == ("brick", None, False)
    await store.remove_device("d1", at=NOW, event=SAID)
    assert not await rename("gone", ALICE)
    assert await store.kept_devices_of(ALICE) == []


async def test_no_login_is_let_in_by_a_sign_in_to_the_page(store: Store) -> None:
    await add_phone(store)
    await opened(store)
    assert await store.question("s1") is None
    assert not await store.answer("s1", device="d1", approve=True, at=NOW, event=SAID)
    await answered(store)
    assert not await store.accept("s1", at=NOW, event=SAID)
