"""What every store must keep to, whatever it is made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from radius_push import events
from radius_push.attempts import Opened, Standing
from radius_push.gateway import Series
from radius_push.model import (
    Device,
    DeviceState,
    Earlier,
    Known,
    PersonKey,
    QuestionState,
    Reason,
    Sighting,
)
from radius_push.ports import Store, StoreDown
from tests.store.making import (
    ALICE,
    BOB,
    NOW,
    ORIGIN,
    STARTED,
    Log,
    SetClock,
    a_device,
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

Open = Callable[[], Store]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite"])
async def open_another(tmp_path: Path, clock: SetClock, log: Log) -> AsyncIterator[Open]:
    """Opens the same store once more, as another process would."""
    opened: list[Store] = []

    def open_it() -> Store:
        opened.append(open_store(tmp_path / "state.db", clock, log))
        return opened[-1]

    yield open_it
    for store in opened:
        await store.close()


@pytest.fixture
def store(open_another: Open) -> Store:
    return open_another()


async def answered(
    store: Store, question: str = "q1", *, device: str = "d1", approve: bool = True, at: float = NOW
) -> bool:
    written = await store.answer(
        question, device=device, approve=approve, at=at, event=events.Sent("answered")
    )
    return written is not None


def an_accept(reply: tuple[tuple[str, str], ...]) -> events.Accepted:
    return events.Accepted(
        login="login-of-q1",
        client="fw",
        username="alice",
        person=str(ALICE),
        profile="staff-push",
        policy=None,
        method="push",
        question="q1",
        device="d1",
        address=None,
        reply=reply,
        directories=(),
        trace=(),
        arrived_at=NOW,
    )


async def accepted(store: Store, question: str | None = "q1") -> bool:
    return await store.accept(
        question, packet=f"packet {question}".encode(), at=NOW, event=events.Sent("accepted")
    )


# --- questions ---------------------------------------------------------------------------------------


async def test_a_question_is_read_as_it_was_written(store: Store) -> None:
    question = await ask(store, address=None)
    assert await store.question("q1") == question
    assert await store.question("q2") is None


async def test_a_request_seen_before_opens_no_question(store: Store) -> None:
    await ask(store, "q1")
    before = await kinds(store)
    again = a_question("q2")
    assert await open_or_join(store, again, request=b"packet q1") is Reason.REPLAYED
    assert await store.question("q2") is None
    assert await kinds(store) == before


async def test_a_request_is_remembered_for_a_day(store: Store) -> None:
    assert await store.remember_request(b"packet", NOW)
    assert not await store.remember_request(b"packet", NOW + 24 * 3600 - 1)
    assert await store.remember_request(b"packet", NOW + 24 * 3600 + 1)


async def test_an_accept_without_a_question_is_written_once_for_its_packet(store: Store) -> None:
    event = an_accept(())
    assert await store.accept(None, at=NOW, event=event, request=b"packet")
    before = await kinds(store)
    assert not await store.accept(None, at=NOW, event=event, request=b"packet")
    assert not await store.remember_request(b"packet", NOW)
    assert await kinds(store) == before


async def test_a_clock_that_went_back_does_not_forget_requests(store: Store) -> None:
    assert await store.remember_request(b"packet", NOW)
    assert not await store.remember_request(b"packet", NOW - 48 * 3600)


async def test_one_login_has_one_open_question(store: Store) -> None:
    await ask(store, "q1", login="K7F2")
    with pytest.raises(StoreDown):
        await ask(store, "q2", login="K7F2")
    assert await store.question("q2") is None


async def test_an_approval_becomes_one_accept(store: Store) -> None:
    await add_phone(store)
    await ask(store)
    assert await answered(store)
    row = await store.question("q1")
    assert row is not None
    assert (row.state, row.device, row.closed_at) == (QuestionState.APPROVED, "d1", NOW)
    assert await accepted(store)
    assert not await accepted(store)
    row = await store.question("q1")
    assert row is not None
    assert row.state is QuestionState.SPENT


async def test_of_two_answers_at_once_one_counts(store: Store) -> None:
    await add_phone(store, "d1")
    await add_phone(store, "d2")
    await ask(store)
    before = len(await kinds(store))
    won = await asyncio.gather(
        answered(store, device="d1", approve=True), answered(store, device="d2", approve=False)
    )
    assert won.count(True) == 1
    assert len(await kinds(store)) == before + 1


async def test_of_two_processes_that_answer_one_counts(store: Store, open_another: Open) -> None:
    await add_phone(store, "d1")
    await add_phone(store, "d2")
    await ask(store)
    won = await asyncio.gather(answered(store, device="d1"), answered(open_another(), device="d2"))
    assert won.count(True) == 1
    assert await store.verify_evidence() == len(await kinds(store))


async def test_an_answer_at_the_end_of_the_bar_is_too_late(store: Store) -> None:
    await add_phone(store)
    await ask(store)
    assert not await answered(store, at=NOW + 45)
    assert await answered(store, at=NOW + 44.9)


async def test_nobody_answers_for_another_person(store: Store) -> None:
    await add_phone(store, "bobs", BOB)
    await ask(store, person=ALICE)
    assert not await answered(store, device="bobs")
    assert not await answered(store, device="nobodys")


async def test_only_a_confirmed_phone_answers(store: Store) -> None:
    await invite(store)
    await redeem(store)
    await ask(store)
    assert not await answered(store)


async def test_a_removed_phone_answers_no_more_and_the_others_still_do(store: Store) -> None:
    await add_phone(store, "d1")
    await add_phone(store, "d2")
    await ask(store)
    removal = events.DeviceRemoved(str(ALICE), "d1", "root")
    assert await store.remove_device("d1", at=NOW, event=removal)
    assert not await answered(store, device="d1")
    assert await answered(store, device="d2")


async def test_an_approval_by_a_phone_removed_since_is_not_accepted(store: Store) -> None:
    await add_phone(store)
    await ask(store)
    assert await answered(store)
    await store.remove_device("d1", at=NOW, event=events.DeviceRemoved(str(ALICE), "d1", "root"))
    before = await kinds(store)
    assert not await accepted(store)
    assert await kinds(store) == before


async def test_a_yes_is_for_the_try_that_it_was_signed_for_and_a_no_for_all(store: Store) -> None:
    await add_phone(store)
    question = await ask(store)

    async def say(*, approve: bool) -> QuestionState | None:
        said = events.Sent("said")
        return await store.answer("q1", device="d1", approve=approve, nonce="of before", at=NOW, event=said)

    assert await say(approve=True) is None
    assert (await store.question("q1")) == question
    assert await say(approve=False) is QuestionState.DENIED


async def test_a_deny_is_never_accepted(store: Store) -> None:
    await add_phone(store)
    await ask(store)
    assert await answered(store, approve=False)
    assert not await answered(store, approve=True)
    assert not await accepted(store)


async def test_a_question_is_closed_once_and_only_from_the_expected_state(store: Store) -> None:
    await add_phone(store)
    await ask(store)

    async def close(expected: QuestionState) -> bool:
        return await store.close_question(
            "q1", expected=expected, state=QuestionState.TIMED_OUT, at=NOW, event=STARTED
        )

    assert not await close(QuestionState.APPROVED)
    assert await close(QuestionState.PENDING)
    assert not await close(QuestionState.PENDING)
    assert not await answered(store)


async def test_of_an_answer_and_a_time_out_one_counts(store: Store) -> None:
    await add_phone(store)
    await ask(store)
    timed_out = store.close_question(
        "q1", expected=QuestionState.PENDING, state=QuestionState.TIMED_OUT, at=NOW, event=STARTED
    )
    assert (await asyncio.gather(timed_out, answered(store))).count(True) == 1


async def test_an_accept_without_a_question_is_only_its_event(store: Store) -> None:
    assert await accepted(store, None)
    assert await kinds(store) == ["sent"]


async def test_what_nobody_comes_back_for_is_closed_in_its_time(store: Store) -> None:
    await add_phone(store)
    for id in ("q1", "q2", "q3"):
        await ask(store, id)
    assert await answered(store, "q2")
    assert await answered(store, "q3", approve=False)
    end = NOW + 45
    closed = [await store.close_abandoned(at) for at in (end, end + 30, end + 3599, end + 3600, end + 9999)]
    assert closed == [0, 1, 0, 1, 0]
    rows = [await store.question(id) for id in ("q1", "q2", "q3")]
    assert [row.state for row in rows if row] == ["closed", "closed", "denied"]
    left = [fields["state"] async for _, _, kind, fields in store.evidence() if kind == "abandoned"]
    assert left == ["pending", "approved"]


async def test_a_packet_has_one_question_for_ever(store: Store) -> None:
    first = a_question("q1")
    met = await open_or_join(store, first, a_rider(b"p"), request=b"octets", decision=b"d")
    assert met == Opened(rings=True)
    # Of another day, when the octets themselves are forgotten.
    again = a_question("q2")
    met = await open_or_join(store, again, a_rider(b"p"), request=b"others", decision=b"d")
    assert met is Reason.REPLAYED
    assert await store.earlier(b"p") == Earlier(
        first, client="fw", decision=b"d", until=NOW + 50, over=False, reply=None, sent_at=None
    )
    assert await store.earlier(b"another") is None


async def test_the_reply_of_an_accept_is_read_from_its_evidence_and_the_first_sending_counts(
    store: Store, log: Log
) -> None:
    await add_phone(store)
    await open_or_join(store, a_question("q1"), a_rider(b"p"), request=b"octets", decision=b"d")
    assert await answered(store)
    reply = (("Filter-Id", "IT"), ("Session-Timeout", "3600"))
    assert await store.accept("q1", packet=b"p", at=NOW, event=an_accept(reply))
    earlier = await store.earlier(b"p")
    assert earlier is not None
    assert (earlier.question.state, earlier.reply, earlier.sent_at) == (QuestionState.SPENT, reply, None)
    await store.sent(b"p", login="of a later packet", at=NOW + 1)
    await store.sent(b"p", login="of a later packet", at=NOW + 2)
    await store.sent(b"without a question", login="K7F2", at=NOW + 3)
    earlier = await store.earlier(b"p")
    assert earlier is not None
    assert earlier.sent_at == NOW + 1
    assert log.events[-3:] == [events.Sent("login-of-q1"), events.Sent("login-of-q1"), events.Sent("K7F2")]


async def test_questions_of_a_person_are_the_open_ones_and_the_fresh_ends(store: Store) -> None:
    await add_phone(store)
    await ask(store, "old", opened_at=NOW - 100)
    await ask(store, "fresh", opened_at=NOW - 50)
    await ask(store, "open", opened_at=NOW - 200)
    await ask(store, "bobs", BOB)
    await answered(store, "old", at=NOW - 90)
    await answered(store, "fresh", at=NOW - 10)
    found = await store.questions_of(ALICE, closed_since=NOW - 20)
    assert [question.id for question in found] == ["open", "fresh"]


# --- waiting -------------------------------------------------------------------------------------------


async def test_a_wait_ends_with_the_answer(store: Store) -> None:
    await add_phone(store)
    await ask(store)
    waiting = asyncio.create_task(store.wait_for_answer("q1", b"packet q1", seconds=600))
    assert await answered(store)
    assert (await waiting).question.state is QuestionState.APPROVED


async def test_a_wait_for_an_answer_that_is_there_ends_at_once(store: Store) -> None:
    await add_phone(store)
    await ask(store)
    await answered(store, approve=False)
    assert (
        await store.wait_for_answer("q1", b"packet q1", seconds=600)
    ).question.state is QuestionState.DENIED


async def test_a_wait_that_nobody_answers_returns_the_pending_row(store: Store) -> None:
    await ask(store)
    standing = await store.wait_for_answer("q1", b"packet q1", seconds=0)
    assert standing.question.state is QuestionState.PENDING


async def test_waiting_for_no_question_is_an_error(store: Store) -> None:
    with pytest.raises(StoreDown):
        await store.wait_for_answer("none", b"packet none", seconds=600)


@pytest.mark.parametrize("round", range(10))
async def test_no_wake_up_is_lost_however_waits_and_answers_meet(store: Store, round: int) -> None:
    await add_phone(store)
    ids = [f"q{round}-{number}" for number in range(4)]
    await asyncio.gather(*(ask(store, id) for id in ids))
    waits = [store.wait_for_answer(id, f"packet {id}".encode(), seconds=600) for id in ids]
    answers = [answered(store, id) for id in ids]
    jobs = [job for pair in zip(waits, answers, strict=True) for job in pair]
    Random(round).shuffle(jobs)
    ended = [end for end in await asyncio.gather(*jobs) if isinstance(end, Standing)]
    assert {end.question.state for end in ended} == {QuestionState.APPROVED}
    assert len(ended) == len(ids)


async def test_a_wait_hears_an_answer_from_another_process(store: Store, open_another: Open) -> None:
    await add_phone(store)
    await ask(store)
    other = open_another()
    waiting = asyncio.create_task(store.wait_for_answer("q1", b"packet q1", seconds=600))
    assert await answered(other)
    assert (await waiting).question.state is QuestionState.APPROVED


async def test_a_bell_rings_for_its_person_and_keeps_the_ring_until_the_wait(store: Store) -> None:
    async with store.bell(ALICE) as bell:
        await ask(store)
        await bell.wait(600)
        await ask(store, "bobs", BOB)
        await bell.wait(0)


# --- enrolment -------------------------------------------------------------------------------------------


async def test_an_invitation_brings_one_phone(store: Store) -> None:
    await invite(store)
    device = await redeem(store)
    assert isinstance(device, Device)
    assert (device.person, device.username, device.invitation) == (ALICE, "alice", "i1")
    assert device.state is DeviceState.PENDING
    assert await store.device("d1") == device
    assert await store.devices() == [device]
    assert await store.devices_of(ALICE) == []
    assert not await store.has_ever_had_a_device(ALICE)
    assert await store.confirm("i1", right=True, limit=5, by="root", at=NOW) == "confirmed"
    assert [active.id for active in await store.devices_of(ALICE)] == ["d1"]
    assert await store.has_ever_had_a_device(ALICE)
    assert await kinds(store) == ["invited", "phone_origin_kept", "redeemed", "device_confirmed"]


async def test_token_and_code_are_one_right_used_once(store: Store) -> None:
    await invite(store)
    assert isinstance(await redeem(store), Device)
    for secret in (b"token i1", b"code i1"):
        outcome = await store.redeem(secret, a_device("d2"), devices_per_user=2, origin=ORIGIN, at=NOW)
        assert outcome == "spent"


async def test_of_two_phones_that_redeem_at_once_one_gets_it(store: Store, open_another: Open) -> None:
    await invite(store)
    outcomes = await asyncio.gather(redeem(store, "d1"), redeem(open_another(), "d2"), redeem(store, "d3"))
    assert sorted(isinstance(outcome, Device) for outcome in outcomes) == [False, False, True]
    assert outcomes.count("spent") == 2


async def test_what_is_not_an_invitation_is_unknown(store: Store) -> None:
    await invite(store)
    assert await redeem(store, "d1", "i2") == "unknown"


async def test_an_invitation_ends(store: Store) -> None:
    await invite(store, expires_at=NOW)
    assert await redeem(store) == "expired"


async def test_a_clock_that_is_behind_redeems_nothing(
    store: Store, open_another: Open, clock: SetClock
) -> None:
    clock.time = NOW + 3600
    await invite(store, expires_at=NOW + 7200)
    clock.time = NOW
    assert await redeem(open_another()) == "expired"


async def test_pending_phones_count_towards_the_most(store: Store) -> None:
    await add_phone(store, "d1")
    await invite(store)
    assert await redeem(store, "d2", most=1) == "too_many_devices"
    assert isinstance(await redeem(store, "d2", most=2), Device)


async def test_a_newer_invitation_closes_the_earlier_and_drops_its_phone(store: Store) -> None:
    await invite(store, "i1")
    await redeem(store, "d1", "i1")
    await invite(store, "i2")
    earlier = await store.invitation("i1")
    assert earlier is not None
    assert earlier.closed
    assert await store.confirm("i1", right=True, limit=5, by="root", at=NOW) == "not_pending"
    assert [device.id for device in await store.devices()] == []
    assert isinstance(await redeem(store, "d2", "i2", most=1), Device)
    assert await redeem(store, "d3", "i1") == "spent"


async def test_wrong_codes_end_with_the_phone_given_up(store: Store) -> None:
    await invite(store)
    await redeem(store)
    outcomes = [await store.confirm("i1", right=False, limit=3, by="root", at=NOW) for _ in range(4)]
    assert outcomes == ["wrong", "wrong", "given_up", "not_pending"]
    assert await store.confirm("i1", right=True, limit=3, by="root", at=NOW) == "not_pending"
    assert await store.devices() == []
    row = await store.invitation("i1")
    assert row is not None
    assert (row.closed, row.wrong_codes, row.redeemed_by) == (True, 3, "d1")
    assert not await store.has_ever_had_a_device(ALICE)


async def test_a_pending_phone_that_is_removed_cannot_be_confirmed(store: Store) -> None:
    await invite(store)
    await redeem(store)
    assert await store.remove_device("d1", at=NOW, event=events.DeviceRemoved(str(ALICE), "d1", "root"))
    assert await store.confirm("i1", right=True, limit=5, by="root", at=NOW) == "not_pending"


async def test_a_phone_is_removed_once_and_stays_readable(store: Store) -> None:
    await add_phone(store)
    removal = events.DeviceRemoved(str(ALICE), "d1", "root")
    outcomes = [await store.remove_device(id, at=NOW, event=removal) for id in ("d1", "d1", "none")]
    assert outcomes == [True, False, False]
    device = await store.device("d1")
    assert device is not None
    assert device.state is DeviceState.REMOVED
    assert (await kinds(store)).count("device_removed") == 1
    assert await store.has_ever_had_a_device(ALICE)


async def test_the_phone_origin_is_kept_from_the_first_enrolment_on(store: Store) -> None:
    assert await store.phone_origin() is None
    await add_phone(store)
    assert await store.phone_origin() == ORIGIN
    await invite(store)
    elsewhere = await store.redeem(
        b"token i1", a_device("d2"), devices_per_user=9, origin="https://other.example", at=NOW
    )
    assert elsewhere == "unknown"
    assert await store.phone_origin() == ORIGIN


async def test_forgetting_phones_takes_every_phone_and_open_invitation(store: Store) -> None:
    await add_phone(store, "d1")
    await add_phone(store, "bobs", BOB)
    await invite(store)
    assert await store.forget_phones(by="root", at=NOW) == 2
    assert await store.devices() == []
    assert await store.phone_origin() is None
    assert await redeem(store, "d2") == "spent"
    assert await store.has_ever_had_a_device(ALICE)
    assert (await kinds(store))[-1] == "phones_forgotten"


# --- evidence, restart -----------------------------------------------------------------------------------


async def test_evidence_is_what_was_written_in_order(store: Store, log: Log) -> None:
    written: list[events.Event] = [
        events.ServerStarted("1", 1),
        events.Sent("Ä\ud800"),
        events.ServerStopped(3),
    ]
    await store.record(*written)
    rows = [row async for row in store.evidence()]
    assert [row[0] for row in rows] == [1, 2, 3]
    assert {row[1] for row in rows} == {NOW}
    assert [row[2:] for row in rows] == [(events.kind(event), events.fields(event)) for event in written]
    assert await store.verify_evidence() == 3
    assert log.events == written


async def test_events_reach_the_log_before_their_writer_goes_on_and_in_order(store: Store, log: Log) -> None:
    async def one(number: int) -> None:
        await store.record(events.Sent(str(number)))
        assert events.Sent(str(number)) in log.events

    await asyncio.gather(*(one(number) for number in range(50)))
    assert log.events == [events.Sent(str(number)) for number in range(50)]


async def test_the_chain_holds_across_processes_that_take_turns(store: Store, open_another: Open) -> None:
    other = open_another()
    for _ in range(3):
        await store.record(STARTED)
        await other.record(STARTED, STARTED)
    assert await store.verify_evidence() == 9


def rejected(code: str, person: PersonKey | None = ALICE) -> events.Rejected:
    return events.Rejected(
        login=code,
        client="fw",
        username="alice",
        person=None if person is None else str(person),
        reason=Reason.WRONG_PASSWORD,
        detail="",
        address=None,
        question=None,
        directories=(),
        trace=(),
        arrived_at=NOW,
    )


async def test_evidence_is_read_on_from_a_number(store: Store) -> None:
    await store.record(*(events.Sent(str(number)) for number in range(1, 6)))
    assert [row[0] async for row in store.evidence(after=3)] == [4, 5]
    assert [row async for row in store.evidence(after=5)] == []


async def test_the_events_of_a_login_are_found_by_its_code(store: Store) -> None:
    await store.record(rejected("K7F2QX"), rejected("AAAAAA"), STARTED, events.Sent("K7F2QX"))
    found = await store.evidence_of("K7F2QX")
    assert [(number, kind) for number, _, kind, _ in found] == [(1, "rejected"), (4, "sent")]
    assert found[0][3]["username"] == "alice"
    assert await store.evidence_of("k7f2qx") == []


async def test_evidence_is_read_backwards_by_kind(store: Store) -> None:
    await store.record(rejected("1"), events.Sent("1"), rejected("2"), STARTED, rejected("3"))
    rows = await store.evidence_before(None, kinds=("rejected", "server_started"), most=3)
    assert [row[0] for row in rows] == [5, 4, 3]
    assert [row[0] for row in await store.evidence_before(3, kinds=("rejected",), most=3)] == [1]
    assert await store.evidence_before(1, kinds=("rejected",), most=3) == []


async def test_the_last_login_of_a_person_is_an_end(store: Store) -> None:
    assert await store.last_login_of(ALICE) is None
    await store.record(rejected("1"), rejected("2"), rejected("3", BOB), rejected("4", None))
    await store.record(events.DeviceRemoved(str(ALICE), "d1", "test"))
    row = await store.last_login_of(ALICE)
    assert row is not None
    assert (row[2], row[3]["login"]) == ("rejected", "2")


async def test_people_are_those_who_have_or_had_a_device(store: Store) -> None:
    await add_phone(store, "d1", BOB)
    await add_phone(store, "d2", ALICE)
    await add_phone(store, "d3", ALICE)
    await store.remove_device("d2", at=NOW, event=events.DeviceRemoved(str(ALICE), "d2", "test"))
    assert await store.people() == [
        Known(ALICE, "alice", {DeviceState.ACTIVE: 1, DeviceState.REMOVED: 1}),
        Known(BOB, "bob", {DeviceState.ACTIVE: 1}),
    ]


async def test_a_device_is_known_to_have_answered(store: Store) -> None:
    await add_phone(store, "d1")
    await add_phone(store, "d2")
    assert await store.last_answers() == {}
    for question, at in (("q1", NOW + 1), ("q2", NOW + 2)):
        await ask(store, question)
        assert await answered(store, question, approve=False, at=at)
    assert await store.last_answers() == {"d1": NOW + 2}


async def test_news_ring_in_this_process_and_in_another(store: Store, open_another: Open) -> None:
    other = open_another()
    for listener in (store, other):
        async with listener.news() as bell:
            await store.record(STARTED)
            async with asyncio.timeout(10):
                await bell.wait(60)


async def test_everything_outlives_a_restart(open_another: Open) -> None:
    first = open_another()
    await add_phone(first)
    question = await ask(first)
    await first.close()
    second = open_another()
    assert await second.question("q1") == question
    assert [device.id for device in await second.devices_of(ALICE)] == ["d1"]
    assert await second.phone_origin() == ORIGIN
    assert not await second.remember_request(b"packet q1", NOW)
    assert await second.verify_evidence() == len(await kinds(second))


async def test_a_closed_store_says_so_and_closes_again(store: Store) -> None:
    await store.close()
    await store.close()
    with pytest.raises(StoreDown):
        await store.record(STARTED)


async def test_a_latch_is_written_once_with_its_event_and_taken_back_with_another(
    store: Store, log: Log
) -> None:
    assert await store.latch("fw", "10.0.0.1", at=NOW)
    assert not await store.latch("fw", "10.0.0.1", at=NOW)
    assert await store.latch("fw", "10.0.0.2", at=NOW)
    assert await store.unlatch("fw", "10.0.0.3", by="root", at=NOW) == 0
    assert await store.unlatch("fw", "10.0.0.1", by="root", at=NOW) == 1
    assert await store.latches() == [("fw", "10.0.0.2")]
    assert await store.unlatch("fw", None, by="root", at=NOW) == 1
    assert log.events == [
        events.Latched("fw", "10.0.0.1"),
        events.Latched("fw", "10.0.0.2"),
        events.Unlatched("fw", "10.0.0.1", 1, "root"),
        events.Unlatched("fw", None, 1, "root"),
    ]


async def test_sightings_of_one_client_are_bounded_to_the_newest(store: Store) -> None:
    seen = [Sighting("fw", f"10.0.{n // 256}.{n % 256}", NOW + n, NOW + n) for n in range(300)]
    await store.keep_sightings([*seen, Sighting("other", "10.9.9.9", NOW, NOW)], [], {})
    kept = await store.sightings()
    assert len(kept) == 257
    assert min(each.last_at for each in kept if each.client == "fw") == NOW + 44


async def test_how_a_gateway_repeats_itself_is_kept_beside_its_sighting(store: Store) -> None:
    first, second = (Series(NOW + n, bytes([n]) * 8, 5, 4.0, 16.0, 4.0, given_up=True) for n in range(2))
    seen = Sighting("fw", "10.0.0.1", NOW, NOW)
    await store.keep_sightings([seen], [], {("fw", "10.0.0.1"): [first], ("fw", "nowhere"): [first]})
    await store.keep_sightings([], [], {("fw", "10.0.0.1"): [first, second]})
    await store.keep_sightings([replace(seen, last_at=NOW + 9)], [], {})
    (kept,) = await store.sightings()
    assert (kept.last_at, kept.series) == (NOW + 9, (first, second))
    await store.keep_sightings([], [], {("fw", "10.0.0.1"): []})
    (kept,) = await store.sightings()
    assert kept.series == ()


async def test_tallies_are_those_of_the_last_keeping(store: Store) -> None:
    await store.keep_tallies({("fw", "duplicate"): 3, ("", "unknown_client"): 1}, server="first")
    await store.keep_tallies({("fw", "duplicate"): 4}, server="first")
    assert await store.tallies() == {("fw", "duplicate"): 4}
