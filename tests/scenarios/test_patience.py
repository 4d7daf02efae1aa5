"""How long a gateway really waits: learned from what it does, and kept to from then on."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from radius_push import events
from radius_push.client import Reply
from radius_push.heard import not_heard
from tests.radius.reports import START
from tests.scenarios.accounting import WITH_ACCOUNTING, report, tell
from tests.scenarios.house import REJECT, SETTINGS, House, house
from tests.scenarios.test_odd_packets import LENIENT, a_gateway, write_login
from tests.scenarios.turned import run

PRESET = SETTINGS.replace("patience: 60s}}", "preset: fortigate}}")
BEFORE_THE_END = 5.0
PEOPLE = ("alice", "carol")


async def sign_in(h: House, *, every: float = 4.0, tries: int = 5, user: str = "alice") -> Reply | None:
    """Through a gateway that asks so often and then gives up; nobody answers the phone. Then all rest."""
    reply = await h.ask(user, timeout=every, tries=tries)
    await h.until(events.Rejected, len(h.of(events.Asked)))
    await asyncio.sleep(300)
    return reply


async def learn(h: House) -> None:
    """That it asks 5 times, every 4 s."""
    for person in PEOPLE:
        await h.phone(person)
    for person in (*PEOPLE, PEOPLE[0]):
        assert await sign_in(h, user=person) is None


def bar(reply: Reply | None) -> float:
    """The phone's seconds: nobody answered."""
    assert reply is not None
    assert reply.code == REJECT
    return round(reply.seconds)


def test_a_gateway_that_gives_up_is_learned_after_three_logins(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=PRESET, people=PEOPLE) as h:
            await learn(h)
            assert bar(await sign_in(h)) == 20 - BEFORE_THE_END

    with caplog.at_level(logging.WARNING):
        run(story())
    (said,) = (each.getMessage() for each in caplog.records if "gives up" in each.getMessage())
    assert "fw1 (127.0.0.1) gives up after about 20 s: it asks 5 times, every 4 s (seen 3 times)" in said
    assert "set remoteauthtimeout 60" in said


@pytest.mark.slow
def test_what_the_settings_say_wins_and_is_doubted_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with house(tmp_path, people=PEOPLE) as h:
            await learn(h)
            assert await sign_in(h) is None

    with caplog.at_level(logging.WARNING):
        run(story())
    (said,) = (each.getMessage() for each in caplog.records if "gives up" in each.getMessage())
    assert "Phones ring for too long: the settings say 60 s; or write `patience: 20s`" in said


@pytest.mark.slow
def test_a_gateway_that_was_set_to_one_long_try_gets_its_time_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=PRESET, people=PEOPLE) as h:
            await learn(h)
            bars = [bar(await sign_in(h, every=60, tries=1)) for _ in range(4)]
            assert bars == [15, 15, 15, 45]

    run(story())


@pytest.mark.slow
def test_one_person_who_hangs_up_early_shortens_nobody_elses_time(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=PRESET, people=PEOPLE) as h:
            for person in PEOPLE:
                await h.phone(person)
            for name in ("alice", "ALICE", "alice", "Alice"):
                await h.ask(name, timeout=4, tries=2)
                await asyncio.sleep(300)
            assert len(h.of(events.Asked)) == 4
            assert bar(await sign_in(h, user="carol", every=60, tries=1)) == 45

    run(story())


def test_packets_whose_password_is_wrong_teach_nothing(tmp_path: Path) -> None:
    """Anybody can send them where no seal is asked for, and as often as they like."""

    async def story() -> None:
        async with house(tmp_path, settings=LENIENT.replace("patience: 60s, ", ""), people=PEOPLE) as h:
            await h.phone("alice")
            for number in range(20):
                async with a_gateway(h) as (transport, _):
                    forged = write_login(
                        identifier=number,
                        authenticator=bytes([number]) * 16,
                        password="guessed",
                        message_authenticator=False,
                    )
                    transport.sendto(forged)
                    await asyncio.sleep(0.3)
                    transport.sendto(forged)
                    await asyncio.sleep(20)
            assert h.of(events.Asked) == []
            assert h.server._gateways.meter.news() == {}

    run(story())


# --- was it heard? ---------------------------------------------------------------------------------


async def accepted(h: House, transport: asyncio.DatagramTransport, packet: bytes) -> str:
    """Alice approves this packet; the trace code."""
    phone = await h.phone()
    transport.sendto(packet)
    await phone.answer_next(approve=True, seconds=30)
    await h.until(events.Sent)
    return h.of(events.Accepted)[-1].login


def test_a_repetition_behind_the_reply_is_evidence_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h, a_gateway(h) as (transport, wire):
            packet = write_login(identifier=7, authenticator=b"7" * 16)
            login = await accepted(h, transport, packet)
            for _ in range(5):
                await asyncio.sleep(2)
                transport.sendto(packet)
            await h.until(events.NotHeard)
            await asyncio.sleep(20)
            assert len(wire.heard) == 6
            assert len(set(wire.heard)) == 1
            (told,) = h.of(events.NotHeard)
            assert (told.login, told.client, told.what) == (login, "fw1", "repeated")
            assert 1900 <= told.milliseconds <= 2100

    run(story())


def test_a_repetition_that_crossed_the_reply_says_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h, a_gateway(h) as (transport, wire):
            packet = write_login(identifier=7, authenticator=b"7" * 16)
            await accepted(h, transport, packet)
            transport.sendto(packet)
            await asyncio.sleep(20)
            assert len(wire.heard) == 2
            assert h.of(events.NotHeard) == []

    run(story())


def test_wrong_passwords_that_are_repeated_fill_no_evidence(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h, a_gateway(h) as (transport, _):
            packet = write_login(identifier=7, authenticator=b"7" * 16, password="guessed")
            for _ in range(3):
                transport.sendto(packet)
                await asyncio.sleep(2)
            assert h.server.counters["not_heard"] == 1
            assert len(h.of(events.Rejected)) == 1
            assert h.of(events.NotHeard) == []

    run(story())


def test_a_session_that_began_was_heard_whatever_is_asked_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=WITH_ACCOUNTING) as h, a_gateway(h) as (transport, _):
            packet = write_login(identifier=7, authenticator=b"7" * 16)
            login = await accepted(h, transport, packet)
            await tell(h, report(START))
            assert [each.login for each in h.of(events.SessionStarted)] == [login]
            await asyncio.sleep(2)
            transport.sendto(packet)
            await asyncio.sleep(5)
            assert h.of(events.NotHeard) == []

    run(story())


def test_a_new_try_soon_after_the_accept_says_that_it_was_not_taken(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h, a_gateway(h) as (transport, _):
            login = await accepted(h, transport, write_login(identifier=7, authenticator=b"7" * 16))
            store = h.server.store
            told = [
                await not_heard(store, login=login, client="fw1", what="new_try", seconds=seconds)
                for seconds in (61.0, 8.5, 9.5)
            ]
            assert told == [False, True, False]
            assert h.of(events.NotHeard) == [events.NotHeard(login, "fw1", "new_try", 8500)]

    run(story())
