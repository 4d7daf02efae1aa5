"""When a store lets a question ring and when it does not: the same in every process that has it open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import PersonKey, Question, QuestionState, Reason
from radius_push.ports import Store
from radius_push.shapes import RingLimit
from radius_push.store.sqlite import SqliteStore
from tests.store.making import (
    ALICE,
    BOB,
    NOW,
    Log,
    SetClock,
    a_question,
    a_rider,
    add_phone,
    ask,
    kinds,
    open_or_join,
    open_store,
)

Open = Callable[[], Store]
ATTEMPT, OTHER = b"a" * 32, b"o" * 32
HOME, AWAY = "203.0.113.7", "198.51.100.9"
LIMIT = RingLimit(unanswered=3, within=600)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite"])
async def open_another(tmp_path: Path, clock: SetClock) -> AsyncIterator[Open]:
    opened: list[Store] = []

    def open_it() -> Store:
        opened.append(open_store(tmp_path / "state.db", clock, Log()))
        return opened[-1]

    yield open_it
    for store in opened:
        await store.close()


@pytest.fixture
def store(open_another: Open) -> Store:
    return open_another()


async def may_ring(
    store: Store,
    id: str = "next",
    person: PersonKey = ALICE,
    limit: RingLimit = LIMIT,
    **changes: object,
) -> Reason | None:
    """A try that no gateway's earlier one can be taken for."""
    question = a_question(id, person, **{"attempt": ATTEMPT, **changes})
    rider = a_rider(f"packet {id}".encode(), source_port=40000, may_skip=False, may_join=False)
    met = await open_or_join(store, question, rider, limit=limit)
    return met if isinstance(met, Reason) else None


async def denied(store: Store, id: str, *, at: float = NOW, **changes: object) -> None:
    await ask(store, id, ALICE, **{"attempt": ATTEMPT, **changes})
    event = events.Sent("denied")
    assert await store.answer(id, device="d1", approve=False, at=at, event=event)


async def not_answered(
    store: Store,
    id: str,
    state: QuestionState = QuestionState.TIMED_OUT,
    *,
    at: float = NOW,
    **changes: object,
) -> None:
    await ask(store, id, ALICE, **{"opened_at": at, "expires_at": at + 45, **changes})
    event = events.Sent("over")
    assert await store.close_question(id, expected=QuestionState.PENDING, state=state, at=at, event=event)


async def let_in(
    store: Store, id: str, person: PersonKey = ALICE, *, at: float = NOW, **changes: object
) -> None:
    await ask(store, id, person, **changes)
    assert await store.answer(id, device="d1", approve=True, at=at, event=events.Sent("answered"))
    packet = f"packet {id}".encode()
    assert await store.accept(id, packet=packet, at=at, event=events.Sent("accepted"))


async def rang(store: Store, id: str) -> int:
    assert isinstance(store, SqliteStore)
    found = store._writer._rows.execute("SELECT rang FROM questions WHERE id = ?", (id,)).fetchone()
    return int(found["rang"])


async def opened(store: Store, id: str = "next") -> Question:
    question = await store.question(id)
    assert question is not None
    return question


# --- a no counts ---------------------------------------------------------------------------------------


async def test_the_attempt_is_read_as_it_was_written(store: Store) -> None:
    assert await may_ring(store) is None
    assert (await opened(store)).attempt == ATTEMPT


@pytest.mark.parametrize(("seconds", "why"), [(0, True), (59.9, True), (60, False)])
async def test_a_deny_mutes_its_attempt_for_a_minute(
    store: Store, clock: SetClock, seconds: float, why: bool
) -> None:
    await add_phone(store)
    await denied(store, "q1")
    clock.time = NOW + seconds
    assert await may_ring(store) is (Reason.DENIED_BEFORE if why else None)


@pytest.mark.parametrize(("seconds", "why"), [(0, True), (59.9, True), (60, False)])
async def test_so_does_a_time_out(store: Store, clock: SetClock, seconds: float, why: bool) -> None:
    await not_answered(store, "q1", attempt=ATTEMPT)
    clock.time = NOW + seconds
    assert await may_ring(store) is (Reason.NOT_ANSWERED_BEFORE if why else None)


async def test_a_deny_speaks_before_a_later_time_out(store: Store) -> None:
    await add_phone(store)
    await ask(store, "q2", attempt=ATTEMPT)
    await denied(store, "q1")
    over, event = QuestionState.TIMED_OUT, events.Sent("over")
    assert await store.close_question(
        "q2", expected=QuestionState.PENDING, state=over, at=NOW + 9, event=event
    )
    assert await may_ring(store) is Reason.DENIED_BEFORE


async def test_what_is_muted_is_not_written_and_its_packet_is_never_worked_on_again(store: Store) -> None:
    await add_phone(store)
    await denied(store, "q1")
    before = await kinds(store)
    assert await may_ring(store) is Reason.DENIED_BEFORE
    assert await store.question("next") is None
    assert await kinds(store) == before
    assert await may_ring(store) is Reason.REPLAYED


async def test_the_mute_holds_in_another_process_and_after_a_restart(
    store: Store, open_another: Open
) -> None:
    await add_phone(store)
    await denied(store, "q1")
    assert await may_ring(open_another()) is Reason.DENIED_BEFORE
    await store.close()
    assert await may_ring(open_another(), "another") is Reason.DENIED_BEFORE


async def test_another_attempt_and_an_unknown_one_ring(store: Store) -> None:
    await add_phone(store)
    await denied(store, "q1")
    await denied(store, "q2", attempt=None)
    assert await may_ring(store, attempt=OTHER) is None
    assert await may_ring(store, "unknown", attempt=None) is None


async def test_a_yes_and_a_question_without_a_verdict_mute_nobody(store: Store) -> None:
    await add_phone(store)
    await let_in(store, "q1", attempt=ATTEMPT)
    await not_answered(store, "q2", QuestionState.CLOSED, attempt=ATTEMPT)
    assert await may_ring(store) is None


async def test_a_no_of_a_wrong_clocks_future_mutes_nobody(store: Store) -> None:
    await not_answered(store, "q1", at=NOW + 86400, attempt=ATTEMPT)
    assert await may_ring(store) is None


# --- rings in vain --------------------------------------------------------------------------------------


async def test_beyond_the_limit_nobody_is_rung(store: Store, clock: SetClock) -> None:
    for number in range(3):
        await not_answered(store, f"q{number}")
    assert await may_ring(store) is Reason.RUNG_TOO_OFTEN
    assert await may_ring(store, "bobs", BOB) is None
    clock.time = NOW + 600
    assert await may_ring(store, "later") is None


async def test_those_that_wait_count_so_many_at_once_are_bounded(store: Store, open_another: Open) -> None:
    other = open_another()
    why = await asyncio.gather(
        *(may_ring(store if n % 2 else other, f"q{n}", attempt=None, login=f"L{n}") for n in range(10))
    )
    assert (why.count(None), why.count(Reason.RUNG_TOO_OFTEN)) == (3, 7)


async def test_a_gateway_that_gave_up_does_not_make_a_ring_unrung(store: Store) -> None:
    for number in range(3):
        await not_answered(store, f"q{number}", QuestionState.CLOSED)
    assert await may_ring(store) is Reason.RUNG_TOO_OFTEN


async def test_answers_are_no_rings_in_vain(store: Store) -> None:
    await add_phone(store)
    for number in range(3):
        await denied(store, f"no{number}", attempt=bytes([number]) * 32)
        await let_in(store, f"yes{number}")
    assert await may_ring(store) is None


@pytest.mark.parametrize(("address", "why"), [(HOME, None), (AWAY, Reason.RUNG_TOO_OFTEN), (None, None)])
async def test_an_address_that_let_them_in_is_never_shut(
    store: Store, clock: SetClock, address: str | None, why: Reason | None
) -> None:
    await add_phone(store)
    await let_in(store, "mine", address=HOME)
    await let_in(store, "unknown", address=None)
    clock.time = NOW + 30 * 86400 - 1
    for number in range(3):
        await not_answered(store, f"q{number}", at=clock.time, address=AWAY)
    assert await may_ring(store, address=address) is why
    if why is None:  # but no phone is rung
        assert [await rang(store, id) for id in ("mine", "next")] == [1, 0]
    if address is None:  # of this gateway
        assert await may_ring(store, "other", address=None, client="fw2") is Reason.RUNG_TOO_OFTEN


async def test_after_a_month_an_address_is_as_any_other(store: Store, clock: SetClock) -> None:
    await add_phone(store)
    await let_in(store, "mine", address=HOME)
    clock.time = NOW + 30 * 86400
    for number in range(3):
        await not_answered(store, f"q{number}", at=clock.time)
    assert await may_ring(store, address=HOME) is Reason.RUNG_TOO_OFTEN


async def test_another_persons_success_opens_no_address(store: Store) -> None:
    await add_phone(store, "d1", BOB)
    await let_in(store, "bobs", BOB, address=HOME)
    for number in range(3):
        await not_answered(store, f"q{number}")
    assert await may_ring(store, address=HOME) is Reason.RUNG_TOO_OFTEN


async def test_a_question_knows_how_many_before_it_were_not_answered(store: Store) -> None:
    await not_answered(store, "q1")
    await not_answered(store, "q2")
    assert await may_ring(store) is None
    assert (await opened(store)).unanswered == 2
