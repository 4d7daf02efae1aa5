"""A thousand people who have not tapped yet: all come in, and nobody else notices them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from radius_push import events
from radius_push.test_phone import Card, SoftwarePhone
from tests.scenarios.house import ACCEPT, REJECT, House, house
from tests.scenarios.turned import run

pytestmark = pytest.mark.slow
COUNT = 1000
AT_ONCE = 50


def test_a_thousand_held_logins_are_all_accepted_and_a_wrong_password_is_answered_as_alone(
    tmp_path: Path,
) -> None:
    people = [f"person{n}" for n in range(COUNT)]

    async def story() -> None:
        async with house(tmp_path, people=["alice", *people]) as h:
            alone = await wrong_password(h)
            room = asyncio.Semaphore(AT_ONCE)
            held = await asyncio.gather(*(hold(h, name, room) for name in people))
            await h.until(events.Asked, COUNT)
            crowd = await wrong_password(h)
            assert crowd == pytest.approx(alone, abs=0.05)
            assert not any(asking.done() for _, _, asking in held)
            codes = await asyncio.gather(*(approve(*each, room) for each in held))
            assert codes == [ACCEPT] * COUNT
            accepted = h.of(events.Accepted)
            assert len({e.person for e in accepted}) == len(accepted) == COUNT
            assert await h.server.store.verify_evidence() >= 4 * COUNT

    run(story())


async def wrong_password(h: House) -> float:
    """When it was refused: the common moment."""
    reply = await h.ask("alice", f"not it, after {len(h.told)}", timeout=30)
    assert reply is not None
    assert reply.code == REJECT
    assert 1.0 <= reply.seconds < 1.1
    return reply.seconds


async def hold(
    h: House, name: str, room: asyncio.Semaphore
) -> tuple[SoftwarePhone, Card, asyncio.Future[int]]:
    """A new phone, a login, and the question seen on it; then the phone is put away."""

    async def ask() -> int:
        reply = await h.ask(name)
        return reply.code if reply else 0

    async with room:
        phone = await h.phone(name)
        asking = asyncio.ensure_future(ask())
        card = await phone.next_question(seconds=40)
        assert phone._wire._session is not None
        await phone._wire._session.close()  # a thousand idle connections are more than phones may hold
        return phone, card, asking


async def approve(
    phone: SoftwarePhone, card: Card, asking: asyncio.Future[int], room: asyncio.Semaphore
) -> int:
    async with room, SoftwarePhone(phone._key, phone.enrolled) as taken_up_again:
        await taken_up_again.answer(card)
    return await asking
