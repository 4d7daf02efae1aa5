"""The built-in clients of `simulate` open nothing to others on the machine."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from pathlib import Path

import pytest

from radius_push import events
from radius_push.client import Login, Speaker
from radius_push.model import Secret
from radius_push.own_clients import simulating, speaks_from
from radius_push.radius.packet import load_dictionary
from radius_push.radius.presets import PRESETS
from radius_push.simulate.gateway import attributes, like
from radius_push.simulate.person import Person, signs_in
from radius_push.simulation import Told, play
from radius_push.test_phone import SoftwarePhone
from tests.scenarios.house import PASSWORD, REJECT, House, house
from tests.scenarios.turned import run


@pytest.mark.parametrize("sealed", [True, False])
def test_who_does_not_know_the_secret_asks_nobody_as_a_simulated_gateway(
    tmp_path: Path, sealed: bool
) -> None:
    """Else anybody with a shell on the machine could make a directory count wrong passwords."""

    async def story() -> None:
        async with house(tmp_path) as h:
            secret = h.server.keys.try_login_secret if not sealed else Secret("a guess of enough octets")
            for preset in PRESETS:
                source = str(speaks_from(preset))
                reply = await h.ask(source=source, secret=secret, timeout=2, message_authenticator=sealed)
                assert reply is None
            assert h.server.counters["not_authentic"] == len(PRESETS)
            assert not [*h.of(events.Rejected), *h.of(events.Asked)]

    run(story())


def test_a_phone_that_plays_along_approves_nobodys_real_login(tmp_path: Path) -> None:
    """Who has the password, and waits for a play with that user, must not be let in by it."""

    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            playing = asyncio.ensure_future(simulated(h, phone))
            await h.until(events.Asked)
            attacker = await h.ask(attributes=[("Calling-Station-Id", "203.0.113.66")])
            told = await playing
            assert (told.let_in, len(told.rings)) == (True, 1)
            assert attacker is not None
            assert attacker.code == REJECT
            assert [event.client for event in h.of(events.Accepted)] == ["simulate-fortigate"]

    run(story())


async def simulated(h: House, phone: SoftwarePhone) -> Told:
    """As the verb does it: a FortiGate, and somebody who approves."""
    gateway, person = like(PRESETS["fortigate"]), Person(after=5.0)
    assert gateway is not None
    client = simulating(h.server.settings, h.server.keys, "fortigate")
    home = ip_address("203.0.113.9")
    said = attributes(PRESETS["fortigate"], gateway.timers, address=home, client=client)
    login = Login("alice", Secret(PASSWORD), client.secrets[0], said)
    source, servers = str(speaks_from("fortigate")), h.server.authentication
    async with Speaker(login, servers=servers, source=source, dictionary=load_dictionary()) as speaker:
        script = signs_in(person, gateway)
        return await play(script, speaker=speaker, phone=phone, person=person, client=client.name)
