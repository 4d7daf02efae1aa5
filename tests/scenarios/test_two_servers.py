"""Two servers over one store: what one of them began, and what the other one knows of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from radius_push import events
from radius_push.model import Reason
from tests.scenarios.house import ACCEPT, REJECT, TWO, House, house
from tests.scenarios.turned import run


def two(folder: Path, story: object) -> None:
    async def play() -> None:
        async with house(folder, settings=TWO) as h:
            await story(h)  # type: ignore[operator]

    run(play())


def test_a_login_at_the_second_server_is_approved_on_the_firsts_phone_side_at_once(tmp_path: Path) -> None:
    async def story(h: House) -> None:
        phone = await h.phone()
        began = h.server.clock.monotonic()
        asking = asyncio.ensure_future(h.ask(server=h.second))
        await phone.answer_next(approve=True, seconds=30)
        reply = await asking
        assert reply is not None
        assert reply.code == ACCEPT
        # Neither waited until its bar ended: each was told.
        assert h.server.clock.monotonic() - began < 1

    two(tmp_path, story)


def test_a_no_at_the_firsts_phone_side_ends_the_login_at_the_second(tmp_path: Path) -> None:
    async def story(h: House) -> None:
        phone = await h.phone()
        asking = asyncio.ensure_future(h.ask(server=h.second))
        await phone.answer_next(approve=False, seconds=30)
        reply = await asking
        assert reply is not None
        assert reply.code == REJECT
        assert [e.reason for e in h.of(events.Rejected)] == [Reason.DENIED]

    two(tmp_path, story)
