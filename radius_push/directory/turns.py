"""Whose turn it is: a bounded line in which a flood of one name keeps nobody of another name waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

AHEAD_IN_A_ROW = 3


class CrowdedOut(Exception):
    """Others came, and there was no room left to wait in."""


class Turns:
    """`at_once` have their turn, `waiting` wait, at most `of_one` of them under one name.

    The names take turns; within a name the newest comes first, as the oldest may be waited for no more.
    Who comes to a full line crowds out the oldest of their name, or of the name with the longest line.
    """

    def __init__(self, *, at_once: int, waiting: int, of_one: int) -> None:
        self._free = at_once
        self._most = waiting
        self._most_of_one = of_one
        self._in_a_row = 0
        self._ahead: deque[asyncio.Future[None]] = deque()
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}  # the name whose turn is next comes first

    @asynccontextmanager
    async def turn(self, whose: str, *, ahead: bool = False) -> AsyncIterator[None]:
        """Wait for a turn and have it; `ahead` of all names. Raises CrowdedOut."""
        await self._wait(whose, ahead=ahead)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, whose: str, *, ahead: bool) -> None:
        if self._free:  # then nobody waits
            self._free -= 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line = self._ahead if ahead else self._lines.setdefault(whose, deque())
        line.append(place)
        if not ahead and len(line) > self._most_of_one:
            self._crowd_out(line)
        elif len(self._ahead) + sum(map(len, self._lines.values())) > self._most:
            self._crowd_out(max(self._lines.values(), key=len, default=self._ahead) or self._ahead)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._pass_on()  # the turn came in the very moment of giving up
            raise
        finally:
            with suppress(ValueError):  # it is not in the line any more, if its turn came
                line.remove(place)
            if not line and self._lines.get(whose) is line:
                del self._lines[whose]

    def _crowd_out(self, line: deque[asyncio.Future[None]]) -> None:
        oldest = line.popleft()
        if not oldest.done():
            oldest.set_exception(CrowdedOut())

    def _pass_on(self) -> None:
        while place := self._next():
            if not place.done():
                place.set_result(None)
                return
        self._free += 1

    def _next(self) -> asyncio.Future[None] | None:
        # Who goes ahead must not keep the others out for ever: of four turns, one is theirs.
        if self._ahead and (self._in_a_row < AHEAD_IN_A_ROW or not self._lines):
            self._in_a_row += 1
            return self._ahead.popleft()
        self._in_a_row = 0
        while self._lines:
            whose = next(iter(self._lines))
            line = self._lines.pop(whose)
            if line:
                place = line.pop()
                self._lines[whose] = line  # to the end
                return place
        return self._ahead.popleft() if self._ahead else None
