"""How long a gateway really waits: learned from what it does, and kept to from then on."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from radius_push import events
from radius_push.client import Reply
from tests.scenarios.house import REJECT, SETTINGS, House, house
from tests.scenarios.turned import run

PRESET = SETTINGS.replace("patience: 60s}}", "preset: fortigate}}")
BEFORE_THE_END = 5.0


async def impatient(h: House, *, every: float = 4.0, tries: int = 5, user: str = "alice") -> Reply | None:
    """A sign-in through a gateway that asks so often and then gives up; nobody answers the phone."""
    reply = await h.ask(user, timeout=every, tries=tries)
    await h.until(events.Rejected, len(h.of(events.Asked)))
    return reply


def test_a_gateway_that_gives_up_is_learned_after_three_logins(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=PRESET) as h:
            await h.phone()
            for _ in range(3):
                assert await impatient(h) is None
                await asyncio.sleep(100)
            reply = await impatient(h)
            assert reply is not None
            assert (reply.code, round(reply.seconds)) == (REJECT, 20 - BEFORE_THE_END)

    with caplog.at_level(logging.WARNING):
        run(story())
    (said,) = (each.getMessage() for each in caplog.records if "gives up" in each.getMessage())
    assert "fw1 (127.0.0.1) gives up after about 20 s: it asks 5 times, every 4 s (seen 3 times)" in said
    assert "set remoteauthtimeout 60" in said
