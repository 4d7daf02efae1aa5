"""Somebody whose attributes were chosen to keep a policy's pattern busy."""

from __future__ import annotations

from pathlib import Path

from radius_push import events
from radius_push.model import Reason
from tests.scenarios.house import REJECT, SETTINGS, house
from tests.scenarios.turned import run


def test_a_pattern_that_doubles_its_work_with_every_letter_answers_at_once(tmp_path: Path) -> None:
    """With a backtracking engine 1,000 letters would take longer than the world has lasted."""
    settings = SETTINGS.replace("values: [IT]", 'values: ["/(a+)+(b|a+)*c/"]').replace(
        "{users}\n", "{users}\n      eve: {{password_hash: {hash!r}, department: " + "a" * 1000 + "}}\n"
    )

    async def story() -> None:
        async with house(tmp_path, settings=settings) as h:
            reply = await h.ask("eve")
            assert reply is not None
            assert reply.code == REJECT
            assert [e.reason for e in h.of(events.Rejected)] == [Reason.NO_POLICY]

    run(story())
