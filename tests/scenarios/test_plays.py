"""What a play tells: the rings of that play, its taps, and every accept that went over the wire."""

from __future__ import annotations

import asyncio
from pathlib import Path

from radius_push.client import Login, Speaker
from radius_push.model import Secret
from radius_push.radius.packet import load_dictionary
from radius_push.radius.timers import Timers
from radius_push.simulate.gateway import Gateway
from radius_push.simulate.person import Person, Try, signs_in
from radius_push.simulation import Told, play
from radius_push.test_phone import SoftwarePhone
from tests.scenarios.house import ACCEPT, PASSWORD, SECRET, House, house
from tests.scenarios.turned import run

HOME = [("Calling-Station-Id", "203.0.113.9")]


async def played(h: House, phone: SoftwarePhone, timers: Timers, person: Person) -> Told:
    gateway = Gateway(timers, ("pap",))
    login = Login("alice", Secret(PASSWORD), SECRET, HOME)
    servers = h.server.authentication
    async with Speaker(login, servers=servers, source="127.0.0.1", dictionary=load_dictionary()) as speaker:
        return await play(
            signs_in(person, gateway), speaker=speaker, phone=phone, person=person, client="fw1"
        )


def test_a_ring_its_tap_and_the_verdict_are_told_with_their_seconds(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            told = await played(h, await h.phone(), Timers(60.0), Person(after=7.0))
            (ring,), (one,) = told.rings, told.tries
            assert (ring.address, ring.answer) == ("203.0.113.9", "approved")
            assert ring.answered_at is not None
            assert (round(ring.at), round(ring.answered_at), round(one.seconds)) == (0, 7, 7)
            assert (told.let_in, told.packets, told.accepts) == (True, 1, 1)

    run(story())


def test_a_gateway_that_gave_up_hears_no_verdict_and_the_tap_is_told_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            told = await played(h, await h.phone(), Timers(2.0, tries=2), Person(False, after=20.0))
            assert told.tries == (Try(None, 4.0),)
            assert [ring.answer for ring in told.rings] == ["denied"]
            assert (told.let_in, told.accepts) == (False, 0)

    run(story())


def test_who_only_ignores_has_rings_without_an_answer(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            told = await played(h, await h.phone(), Timers(60.0), Person(None))
            assert [ring.answer for ring in told.rings] == [None]
            assert [each.answer for each in told.tries] == ["rejected"]

    run(story())


def test_a_sign_in_from_before_the_play_is_not_answered_by_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            real = asyncio.ensure_future(h.ask(attributes=[("Calling-Station-Id", "203.0.113.77")]))
            card = await phone.next_question(seconds=10)
            told = await played(h, phone, Timers(60.0), Person(False, after=1.0))
            assert [ring.address for ring in told.rings] == ["203.0.113.9"]
            await phone.answer(card, approve=True)
            reply = await real
            assert reply is not None
            assert reply.code == ACCEPT

    run(story())
