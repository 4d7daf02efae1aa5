"""A gateway whose logins wait for a directory is read no further, and another one's logins are."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from radius_push import pressure
from radius_push.listen import udp
from radius_push.model import Found
from tests.scenarios.house import ACCEPT, REJECT, House, house
from tests.scenarios.turned import run


def test_what_a_directory_has_not_answered_leaves_the_next_packets_in_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pressure, "MOST_ASKING", 2)

    async def story() -> None:
        async with house(tmp_path, people=["alice"]) as h:
            asked, answers = slow_for_strangers(h, monkeypatch)
            flood = [asyncio.create_task(h.ask(f"stranger{n}")) for n in range(9)]
            reply = await h.ask("alice", source="127.0.0.3")
            assert reply is not None
            assert (reply.code, reply.seconds < 1) == (ACCEPT, True)
            await asyncio.sleep(0.1)  # of the turned clock, on which a lane looks again every millisecond
            assert len(asked) <= 2 + udp.AT_ONCE  # a turn reads so many before it looks
            answers.set()
            refused = [reply.code for reply in await asyncio.gather(*flood) if reply is not None]
            assert refused == [REJECT] * 9

    run(story())


def slow_for_strangers(h: House, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], asyncio.Event]:
    """Whom the directory was asked for, and what lets it answer."""
    directory, asked, answers = h.server.directories["staff"], list[str](), asyncio.Event()
    find = directory.find

    async def slow(username: str) -> Found:
        if username != "alice":
            asked.append(username)
            await answers.wait()
        return await find(username)

    monkeypatch.setattr(directory, "find", slow)
    return asked, answers
