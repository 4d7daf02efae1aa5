"""A gateway that asks again and again, and then no more: it has given up, whatever its preset says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import Reason, Secret
from radius_push.radius.asking import write_request
from radius_push.radius.packet import load_dictionary
from tests.scenarios.house import ACCEPT, PASSWORD, REJECT, SECRET, House, house
from tests.scenarios.test_odd_packets import a_gateway
from tests.scenarios.test_one_no import HOME, SITE
from tests.scenarios.test_one_push import Gateway, card_of, code, rings
from tests.scenarios.turned import run

PRESET = SITE.replace("patience: 60s, accepts", "preset: strongswan, accepts")
"""30 s, and so 25 for the phone."""
SAID = SITE.replace("patience: 60s, accepts", "preset: strongswan, patience: 30s, accepts")
SWAN = (2.0, 2.8, 3.92, 5.49)
"""Seconds of its tries as it comes: it waits 14.2 s in all."""
CAROL = "carol"


async def gives_up(h: House, *waits: float) -> bytes | None:
    """One request of carol's, sent again after so many seconds each. None: no answer while it waited."""
    request = write_request(
        identifier=7,
        authenticator=b"7" * 16,
        secret=SECRET,
        username=CAROL,
        password=Secret(PASSWORD),
        attributes=[("Calling-Station-Id", f"{HOME}[4500]")],
        message_authenticator=True,
        dictionary=load_dictionary(),
    )
    async with a_gateway(h) as (transport, wire):
        for seconds in waits:
            transport.sendto(request)
            await asyncio.sleep(seconds)
        return wire.heard[0] if wire.heard else None


def test_a_yes_after_it_fell_silent_is_kept_for_the_next_try(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=PRESET) as h:
            phone, gateway = await h.phone(CAROL), Gateway(h)
            assert await gives_up(h, *SWAN) is None
            await h.until(events.Rejected)
            (told,) = h.of(events.Rejected)
            assert (told.reason, "waits no longer" in told.detail) == (Reason.TIMED_OUT, True)
            await asyncio.sleep(20 - 17)
            card = await card_of(phone)
            assert card["late"] == "yes"
            assert await phone.answer(card, approve=True) == "approved_late"
            assert code(await (await gateway.begins())) == ACCEPT
            assert [each.method for each in h.of(events.Accepted)] == ["ticket"]
            assert rings(h) == 1

    run(story())


def test_the_next_try_joins_from_whatever_port(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=PRESET) as h:
            phone, gateway = await h.phone(CAROL), Gateway(h)
            await gives_up(h, *SWAN)
            await asyncio.sleep(3)
            again = await gateway.begins()
            await phone.answer(await card_of(phone), approve=True)
            assert code(await again) == ACCEPT
            assert (rings(h), len(h.of(events.Joined)), len(h.of(events.Accepted))) == (1, 1, 1)

    run(story())


@pytest.mark.parametrize(
    ("settings", "waits"),
    [
        (PRESET, (20.0,)),  # it came once: nobody can tell
        (PRESET, (8.0, 12.0)),  # it came twice: the intervals may double
        (PRESET, (4.0, 4.0, 4.0, 4.0, 4.0)),  # the next one is about to come
        (SAID, (*SWAN, 6.0)),  # the settings know how long it waits
    ],
)
def test_where_that_is_not_plain_the_phone_keeps_its_time(
    tmp_path: Path, settings: str, waits: tuple[float, ...]
) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=settings) as h:
            phone = await h.phone(CAROL)
            asking = asyncio.ensure_future(gives_up(h, *waits, 1.0))
            await asyncio.sleep(20)
            card = await card_of(phone)
            assert card["late"] == "no"
            assert await phone.answer(card, approve=True) == "approved"
            reply = await asking
            assert reply is not None
            assert reply[0] == ACCEPT

    run(story())


def test_no_gateway_is_given_up_within_ten_seconds(tmp_path: Path) -> None:
    """Whoever can only repeat what they have overheard cuts nobody's time to nothing."""

    async def story() -> None:
        async with house(tmp_path, settings=PRESET) as h:
            await h.phone(CAROL)
            began = asyncio.get_running_loop().time()
            await gives_up(h, 0.3, 0.3, 0.3)
            await h.until(events.Rejected)
            assert asyncio.get_running_loop().time() - began == pytest.approx(10, abs=0.2)

    run(story())


def test_one_that_waits_after_all_is_told(tmp_path: Path) -> None:
    """A repetition may be lost on the way."""

    async def story() -> None:
        async with house(tmp_path, settings=PRESET) as h:
            await h.phone(CAROL)
            reply = await gives_up(h, 2.0, 2.8, 12.0)
            assert reply is not None
            assert reply[0] == REJECT

    run(story())
