"""Who has the password and stands at the same address, and would ride on somebody's yes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from radius_push import events
from radius_push.attempts import Joined, Lateness, Met, Opened
from radius_push.model import ProofName, Question, QuestionState, Reason, Secret
from radius_push.store.sqlite import SqliteStore
from radius_push.test_phone import PhoneRefused
from tests.scenarios.house import ACCEPT, REJECT, house
from tests.scenarios.test_one_push import SHORT, TWICE, Gateway, card_of, code, rings, too_late
from tests.scenarios.turned import run
from tests.store.making import (
    ALICE,
    BOB,
    NOW,
    SetClock,
    a_question,
    a_rider,
    add_phone,
    ask,
    open_or_join,
    open_store,
)

HOME, AWAY = "203.0.113.7", "198.51.100.9"
LONG = TWICE.replace("follow_on: 30s", "follow_on: 300s")


def test_a_no_ends_the_follow_on_of_the_yes_before_it(tmp_path: Path) -> None:
    """Else who waits until the minute of the no is over would be let in by the person's own sign-in."""

    async def story() -> None:
        async with house(tmp_path, settings=LONG) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            mine = await gateway.begins()
            await asyncio.sleep(5)
            yours = await gateway.begins()
            first = await card_of(phone)
            second = await card_of(phone, but=first)
            await phone.answer(first, approve=True)
            assert code(await mine) == ACCEPT
            await phone.answer(second, approve=False)
            assert code(await yours) == REJECT
            await asyncio.sleep(61)
            before = rings(h)
            assert code(await (await gateway.begins())) == REJECT
            assert (rings(h), len(h.of(events.Accepted))) == (before + 1, 1)

    run(story())


def test_a_yes_signed_for_one_try_is_none_for_the_next_that_is_here_already(tmp_path: Path) -> None:
    """Held back on its way from the phone until the attacker's try had taken the place of the person's."""

    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            first = await gateway.begins()
            held_back = await card_of(phone)
            assert code(await first) == REJECT
            second = await gateway.begins()
            assert [type(event) for event in h.of(events.Joined)] == [events.Joined]
            with pytest.raises(PhoneRefused) as refused:
                await phone.answer(held_back, approve=True)
            assert refused.value.word == "late"
            assert not second.done()
            # Whoever looks again, and still means it, is heard.
            await phone.answer(await card_of(phone), approve=True)
            assert code(await second) == ACCEPT

    run(story())


def test_a_no_signed_for_one_try_is_a_no_to_the_next(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            first = await gateway.begins()
            held_back = await card_of(phone)
            assert code(await first) == REJECT
            second = await gateway.begins()
            assert await phone.answer(held_back, approve=False) == "denied"
            assert code(await second) == REJECT

    run(story())


def test_a_no_signed_in_time_that_comes_late_is_a_no(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            first = await gateway.begins()
            held_back = await card_of(phone)
            assert code(await first) == REJECT
            assert await phone.answer(held_back, approve=False) == "denied"
            assert code(await (await gateway.begins())) == REJECT
            assert h.of(events.Rejected)[-1].reason is Reason.DENIED_BEFORE

    run(story())


def test_a_yes_to_the_next_try_is_for_one_try_alone(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            held_back = await too_late(h, phone, gateway)
            assert code(await (await gateway.begins())) == REJECT  # it came and went without an answer
            with pytest.raises(PhoneRefused) as refused:
                await phone.answer(held_back, approve=True)
            assert refused.value.word == "late"
            assert h.of(events.Accepted) == []

    run(story())


@pytest.mark.parametrize("proof", ["pap", "chap", "ms-chapv2"])
@pytest.mark.parametrize("secret", [None, Secret("a guess of enough octets")])
def test_who_does_not_know_its_secret_asks_nobody_as_try_login(
    tmp_path: Path, secret: Secret | None, proof: ProofName
) -> None:
    """Whoever has a shell on the machine speaks from any of its addresses: unsealed, and with a guess."""

    async def story() -> None:
        async with house(tmp_path) as h:
            sealed, known = secret is not None, h.server.keys.try_login_secret
            reply = await h.ask(
                source="127.6.6.6",
                secret=secret or known,
                proof=proof,
                timeout=2,
                message_authenticator=sealed,
            )
            assert reply is None
            assert h.server.counters["not_authentic"] == 1
            assert not [*h.of(events.Rejected), *h.of(events.Asked)]

    run(story())


# --- the store itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["push", "ticket", "follow_on"])
async def test_of_many_requests_at_two_servers_one_spends_a_yes(
    tmp_path: Path, by: Literal["push", "ticket", "follow_on"]
) -> None:
    clock = SetClock()
    stores = [open_store(tmp_path / "state.db", clock) for _ in range(2)]
    try:
        await add_phone(stores[0])
        question = await ask(stores[0])
        said, packet = events.Sent("said"), b"packet q1"
        if by == "ticket":
            late = Lateness(30.0, counts=True)
            assert await stores[0].end_of_bar("q1", packet, late=late, at=NOW + 45, event=said)
            clock.time = NOW + 46
        await stores[0].answer(
            "q1", device="d1", approve=True, late=by == "ticket", at=clock.time, event=said
        )
        if by == "follow_on":
            assert await stores[0].accept("q1", packet=packet, at=NOW, event=accepted(question))
        spent = await asyncio.gather(
            *(
                stores[number % 2].accept("q1", packet=packet, by=by, at=clock.time, event=accepted(question))
                for number in range(20)
            )
        )
        assert spent.count(True) == 1
    finally:
        for store in stores:
            await store.close()


async def test_a_clock_that_went_back_authorizes_nobody(tmp_path: Path) -> None:
    clock = SetClock()
    store = open_store(tmp_path / "state.db", clock)
    try:
        await add_phone(store)
        clock.time = NOW + 3600
        await let_in(store, "q1", at=clock.time)
        clients, profile = {"fw"}, "staff-push"
        assert await store.was_let_in(ALICE, clients=clients, profile=profile, since=clock.time - 60)
        clock.time = NOW
        assert not await store.was_let_in(ALICE, clients=clients, profile=profile, since=NOW - 60)
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("differs", "decision"), [({"person": BOB}, b"staff"), ({}, b"admin"), ({"person": BOB}, b"admin")]
)
async def test_the_same_octets_at_a_server_that_takes_them_otherwise_join_nothing(
    tmp_path: Path, differs: dict[str, object], decision: bytes
) -> None:
    """Two servers over one store, of which one was given newer settings: what the person says yes to is what
    the first would let in, and nobody else or more by the second."""
    store = open_store(tmp_path / "state.db")
    try:
        met = await open_or_join(store, a_question("q1"), request=b"octets", decision=b"staff")
        assert isinstance(met, Opened)
        same = a_rider(b"packet of the same octets", at=NOW + 1)
        second = replace(a_question("q2"), **differs)  # type: ignore[arg-type]
        met = await open_or_join(store, second, same, request=b"octets", decision=decision)
        assert met is Reason.REPLAYED
        met = await open_or_join(store, a_question("q3"), same, request=b"octets", decision=b"staff")
        assert isinstance(met, Joined)
    finally:
        await store.close()


async def test_who_fills_the_queue_from_elsewhere_keeps_nobody_out_of_where_they_were_let_in(
    tmp_path: Path,
) -> None:
    """Here by a gateway that reports no address: every try of the attacker is an attempt of its own."""
    store = open_store(tmp_path / "state.db")
    try:
        await add_phone(store)
        await let_in(store, "mine", at=NOW, address=HOME)
        await let_in(store, "there", at=NOW, address=None)
        for number in range(10):
            assert isinstance(await tries(store, f"q{number}", address=None), Opened)
        assert await tries(store, "eleventh", address=None) is Reason.TOO_MANY_WAITING
        assert isinstance(await tries(store, "home", address=HOME), Opened)
        # Where nobody knows them, what waits anywhere counts.
        assert isinstance(await tries(store, "away", address=AWAY), Reason)
    finally:
        await store.close()


async def tries(store: SqliteStore, id: str, **changes: object) -> Met:
    question = a_question(id, ALICE, **changes)
    return await open_or_join(store, question, a_rider(f"packet {id}".encode(), may_join=False))


async def let_in(store: SqliteStore, id: str, *, at: float, **changes: object) -> None:
    question = await ask(store, id, ALICE, opened_at=at, expires_at=at + 45, closes_at=at + 195, **changes)
    said = events.Sent("answered")
    approved = await store.answer(id, device="d1", approve=True, late=False, at=at, event=said)
    assert approved is QuestionState.APPROVED
    event = replace(accepted(question), question=id)
    assert await store.accept(id, packet=f"packet {id}".encode(), at=at, event=event)


def accepted(question: Question) -> events.Accepted:
    return events.Accepted(
        login=question.login,
        client=question.client,
        username=question.account,
        person=str(question.person),
        profile=question.profile,
        policy=None,
        method="push",
        question=None,
        device="d1",
        address=question.address,
        reply=(),
        directories=(),
        trace=(),
        arrived_at=question.opened_at,
    )
