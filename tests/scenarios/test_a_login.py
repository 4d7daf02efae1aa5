"""Whole logins as stories: a gateway asks on a real socket, a phone answers, the gateway is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import Down, Found, Person, Proof, Proved, Reason
from radius_push.ports import Directory
from radius_push.test_phone import PhoneRefused
from tests.scenarios.house import ACCEPT, REJECT, House, house
from tests.scenarios.turned import run


def test_an_approved_login_is_accepted_with_the_policys_reply(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask())
            await phone.answer_next(approve=True, seconds=30)
            reply = await asking
            assert reply is not None
            assert reply.code == ACCEPT
            assert reply.attributes["Filter-Id"] == ("IT",)
            assert reply.attributes["Session-Timeout"] == ("3600",)
            await h.until(events.Sent)
            kinds = [events.kind(event) for event in h.told if getattr(event, "login", None)]
            kinds = [kind for kind in kinds if kind != "shown"]  # beside it, at any time
            assert kinds == ["asked", "answered", "accepted", "sent"]
            assert await h.server.store.verify_evidence() >= len(h.told)

    run(story())


def test_the_phone_is_told_who_asks_from_where(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask())
            card = await phone.next_question(seconds=30)
            assert (card["account"], card["client"], card["address"]) == ("alice", "fw1", "203.0.113.7")
            await phone.answer(card, approve=False)
            await asking

    run(story())


def test_a_deny_is_a_reject_at_once_with_its_own_text(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask())
            await phone.answer_next(approve=False, seconds=30)
            reply = await asking
            assert reply is not None
            assert (reply.code, reply.attributes["Reply-Message"]) == (REJECT, ("You said no.",))
            # No reject delay after a hold: less than one step of it has passed.
            assert reply.seconds < 1.0
            assert [e.reason for e in h.of(events.Rejected)] == [Reason.DENIED]

    run(story())


def test_nobody_answers_and_the_profiles_time_out_ends_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            await h.phone()
            reply = await h.ask()
            assert reply is not None
            assert (reply.code, reply.attributes["Reply-Message"]) == (REJECT, ("Nobody tapped in 45 s.",))
            assert 45.0 <= reply.seconds < 46.0

    run(story())


def test_an_approval_after_the_end_lets_nobody_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask())
            await h.until(events.Asked)
            card = await phone.next_question(seconds=10)
            await asking
            with pytest.raises(PhoneRefused) as refused:
                await phone.answer(card, approve=True)
            assert refused.value.word == "late"
            assert h.of(events.Accepted) == []

    run(story())


def test_every_refusal_before_the_question_looks_the_same_and_rings_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            await h.phone("alice")
            await h.phone("bob")
            wrong, unknown, no_policy = (
                await h.ask("alice", "not it"),
                await h.ask("nobody"),
                await h.ask("bob"),
            )
            for reply in (wrong, unknown, no_policy):
                assert reply is not None
                assert (reply.code, reply.attributes) == (REJECT, {"Reply-Message": ("Sign-in refused.",)})
                assert 1.0 <= reply.seconds < 1.1
            assert h.of(events.Asked) == []
            assert [e.reason for e in h.of(events.Rejected)] == [
                Reason.WRONG_PASSWORD,
                Reason.UNKNOWN_USER,
                Reason.NO_POLICY,
            ]

    run(story())


def test_somebody_without_a_phone_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            reply = await h.ask()
            assert reply is not None
            assert reply.code == REJECT
            assert [e.reason for e in h.of(events.Rejected)] == [Reason.NOT_ENROLLED]

    run(story())


def test_the_same_wrong_password_is_not_tried_twice_within_a_minute(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            await h.ask("alice", "not it")
            await h.ask("alice", "not it")
            await asyncio.sleep(61)
            await h.ask("alice", "not it")
            details = [e.detail for e in h.of(events.Rejected)]
            assert ["again" in detail for detail in details] == [False, True, False]

    run(story())


def test_of_two_phones_the_first_answer_wins(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            one, other = await h.phone(), await h.phone()
            asking = asyncio.ensure_future(h.ask())
            card = await other.next_question(seconds=10)
            await one.answer_next(approve=False, seconds=10)
            with pytest.raises(PhoneRefused):
                await other.answer(card, approve=True)
            reply = await asking
            assert reply is not None
            assert reply.code == REJECT
            assert len(h.of(events.Answered)) == 1

    run(story())


def test_duplicates_ring_once_and_are_accepted_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask(timeout=3, tries=10))
            card = await phone.next_question(seconds=10)
            await asyncio.sleep(10)
            await phone.answer(card, approve=True)
            reply = await asking
            assert reply is not None
            assert reply.code == ACCEPT
            assert h.server.counters["duplicate"] >= 3
            assert (len(h.of(events.Asked)), len(h.of(events.Accepted))) == (1, 1)

    run(story())


def test_a_profile_without_a_second_factor_is_reached_by_otherwise(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            reply = await h.ask(source="127.0.0.3")
            assert reply is not None
            assert reply.code == ACCEPT
            assert [e.method for e in h.of(events.Accepted)] == ["none"]

    run(story())


def test_a_phone_removed_while_it_is_asked_answers_no_more(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask())
            card = await phone.next_question(seconds=10)
            (device,) = await h.server.store.devices()
            removed = events.DeviceRemoved(str(device.person), device.id, "test")
            await h.server.store.remove_device(device.id, at=h.server.clock.now(), event=removed)
            with pytest.raises(PhoneRefused):
                await phone.answer(card, approve=True)
            reply = await asking
            assert reply is not None
            assert reply.code == REJECT

    run(story())


class Stuttering:
    """A directory that cannot read an attribute, or is not there at all, the first time it is asked."""

    emergency = False

    def __init__(self, real: Directory, *, down: bool) -> None:
        self.name = real.name
        self._real, self._down, self._asked = real, down, 0

    async def find(self, username: str) -> Found:
        self._asked += 1
        found = await self._real.find(username)
        if self._asked > 1 or not isinstance(found, Person):
            return found
        return (
            Down("not there")
            if self._down
            else replace(found, unread=frozenset({"department"}), attributes={})
        )

    async def prove(self, person: Person, proof: Proof) -> Proved:
        return await self._real.prove(person, proof)

    async def pretend(self, username: str) -> None:
        raise AssertionError("no password was wrong before")

    async def close(self) -> None:
        await self._real.close()


@pytest.mark.parametrize("down", [True, False])
def test_silence_for_a_directorys_sake_ends_with_the_gateways_next_packet(tmp_path: Path, down: bool) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            h.server.directories["staff"] = Stuttering(h.server.directories["staff"], down=down)
            asking = asyncio.ensure_future(h.ask(timeout=3, tries=10))
            await phone.answer_next(approve=True, seconds=30)
            reply = await asking
            assert reply is not None
            assert reply.code == ACCEPT
            silent = Reason.DIRECTORY_DOWN if down else Reason.ATTRIBUTE_NOT_READ
            assert [e.reason for e in h.of(events.Unanswered)] == [silent]

    run(story())


def test_when_the_server_stops_held_logins_get_silence_and_their_questions_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            await h.phone()
            asking = asyncio.ensure_future(h.ask(timeout=20))
            await h.until(events.Asked)
            assert await h.server.stop() == 1
            assert await asking is None
            assert [e.held for e in h.of(events.ServerStopped)] == [1]

    run(story())


@pytest.mark.slow
def test_two_hundred_held_logins_are_all_accepted(tmp_path: Path) -> None:
    people = [f"person{n}" for n in range(200)]

    async def one(h: House, name: str) -> int:
        phone = await h.phone(name)
        asking = asyncio.ensure_future(h.ask(name))
        card = await phone.next_question(seconds=40)
        await h.until(events.Asked, len(people))  # all are held at once
        await phone.answer(card, approve=True)
        reply = await asking
        return reply.code if reply else 0

    async def story() -> None:
        async with house(tmp_path, people=people) as h:
            codes = await asyncio.gather(*(one(h, name) for name in people))
            assert codes == [ACCEPT] * 200
            accepted = h.of(events.Accepted)
            assert len({e.person for e in accepted}) == len(accepted) == 200
            assert await h.server.store.verify_evidence() >= 800

    run(story())
