"""A store in which there were logins of every kind, and what to ask the verbs that tell of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
from click.testing import CliRunner

from radius_push import events, server
from tests.scenarios.house import house
from tests.scenarios.turned import TurnedClock, run

AT = 1_790_001_000.0
"""When the first request came: the turned clock's beginning."""


def live(folder: Path) -> dict[str, str]:
    """Play the logins; their trace codes by how they ended. The last one is open when the server ends."""

    async def story() -> dict[str, str]:
        codes: dict[str, str] = {}
        async with house(folder) as h:
            phone = await h.phone()
            for approve, name in ((True, "approved"), (False, "denied")):
                asking = asyncio.ensure_future(h.ask(attributes=elsewhere(7 if approve else 6)))
                await phone.answer_next(approve=approve, seconds=30)
                await asking
                codes[name] = h.of(events.Asked)[-1].login
            for username, password in (("ALICE", "not it"), ("nobody", "x"), ("bob", "correct horse")):
                await h.ask(username, password)
                codes[username] = h.of(events.Rejected)[-1].login
            await h.ask(source="127.0.0.3")
            codes["alone"] = h.of(events.Accepted)[-1].login
            await h.ask("\u202eecila", "x")
            codes["turned"] = h.of(events.Rejected)[-1].login
            await h.ask(attributes=elsewhere(8))
            codes["timed out"] = h.of(events.Rejected)[-1].login
            asking = asyncio.ensure_future(h.ask(timeout=1, attributes=elsewhere(9)))
            await h.until(events.Asked, 4)
            codes["open"] = h.of(events.Asked)[-1].login
            await asking
        return codes

    return run(story())


def elsewhere(number: int) -> tuple[tuple[str, str], ...]:
    """What the gateway tells of a login that no other's no speaks against."""
    return (("Calling-Station-Id", f"203.0.113.{number}"),)


class At(server.LoopClock):
    """A clock that stands."""

    time = AT

    def now(self) -> float:
        return self.time


def ask(folder: Path, verb: click.Command, *words: str) -> tuple[int, str]:
    """Exit code and what the verb says, of the house in this folder."""
    ended = CliRunner().invoke(verb, ["--config", str(folder / "radius-push.yaml"), *words])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended.exit_code, ended.output


assert TurnedClock.START + 1000.0 == AT
