"""A stranger with a stopwatch, and a person who never answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from radius_push import events
from radius_push.directory.local import LocalDirectory
from radius_push.model import Found
from tests.scenarios.house import REJECT, SETTINGS, house
from tests.scenarios.turned import run


def slow(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Every directory takes so long to find somebody, or nobody."""
    real = LocalDirectory.find

    async def find(directory: LocalDirectory, username: str) -> Found:
        await asyncio.sleep(seconds)
        return await real(directory, username)

    monkeypatch.setattr(LocalDirectory, "find", find)


@pytest.mark.parametrize(("seconds", "leaves"), [(0.3, 1.0), (0.95, 1.0), (1.4, 2.0), (2.2, 3.0)])
def test_a_refusal_leaves_at_whole_steps_however_long_the_directory_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, leaves: float
) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            slow(monkeypatch, seconds)
            for username, password in (("alice", "not it"), ("nobody", "not it"), ("bob", "correct horse")):
                reply = await h.ask(username, password)
                assert reply is not None
                assert reply.code == REJECT
                assert leaves <= reply.seconds < leaves + 0.05
            assert len({e.reason for e in h.of(events.Rejected)}) == 3

    run(story())


@pytest.mark.parametrize("first_factor", [0.0, 20.0])
def test_a_held_login_is_answered_while_its_gateway_still_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_factor: float
) -> None:
    """A profile may wish for five minutes; the gateway gives one, counted from its first packet."""

    async def story() -> None:
        wishing = SETTINGS.replace("timeout: 45s", "timeout: 300s")
        assert wishing != SETTINGS
        async with house(tmp_path, settings=wishing) as h:
            await h.phone()
            slow(monkeypatch, first_factor)
            reply = await h.ask(timeout=400)
            assert reply is not None
            assert reply.code == REJECT
            assert reply.seconds <= 59.0
            assert len(h.of(events.Asked)) == 1

    run(story())
