"""A line in which a flood of one name keeps nobody of another name waiting."""

from __future__ import annotations

import asyncio

import pytest

from radius_push.directory.turns import CrowdedOut, Turns


class Line:
    """People who come in order; each has their turn for a moment and is noted down."""

    def __init__(self, *, waiting: int = 100, of_one: int = 100) -> None:
        self.turns = Turns(at_once=1, waiting=waiting, of_one=of_one)
        self.had: list[str] = []
        self.out: list[str] = []
        self.open = asyncio.Event()

    async def _come(self, name: str, ahead: bool) -> None:
        try:
            async with self.turns.turn(name[0], ahead=ahead):
                self.had.append(name)
                await self.open.wait()
        except CrowdedOut:
            self.out.append(name)

    async def come(self, *names: str, ahead: bool = False) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self._come(name, ahead)) for name in names]
        await asyncio.sleep(0)
        return tasks

    async def end(self, *tasks: list[asyncio.Task[None]]) -> None:
        self.open.set()
        await asyncio.gather(*(each for some in tasks for each in some), return_exceptions=True)


async def test_names_take_turns_and_the_newest_of_a_name_comes_first() -> None:
    line = Line()
    tasks = await line.come("e1", "e2", "e3", "e4", "z1", "z2")
    await line.end(tasks)
    assert line.had == ["e1", "e4", "z2", "e3", "z1", "e2"]


async def test_who_goes_ahead_goes_ahead_of_all_names() -> None:
    line = Line()
    tasks = await line.come("e1", "e2", "z1")
    await line.end(tasks, await line.come("e3", ahead=True))
    assert line.had == ["e1", "e3", "e2", "z1"]


async def test_those_ahead_keep_nobody_out_for_ever() -> None:
    line = Line()
    tasks = [await line.come("e1", "z1", "z2"), await line.come(*(f"a{n}" for n in range(8)), ahead=True)]
    await line.end(*tasks)
    assert line.had == ["e1", "a0", "a1", "a2", "z2", "a3", "a4", "a5", "z1", "a6", "a7"]


async def test_the_newest_crowds_out_the_oldest_of_its_name() -> None:
    line = Line(of_one=2)
    await line.end(await line.come("e1", "z1", "e2", "e3", "e4", "e5"))
    assert line.out == ["e2", "e3"]
    assert line.had == ["e1", "z1", "e5", "e4"]


async def test_a_full_line_crowds_out_the_oldest_of_the_longest() -> None:
    line = Line(waiting=4)
    await line.end(await line.come("e1", "e2", "e3", "e4", "z1", "y1"))
    assert line.out == ["e2"]
    assert set(line.had) == {"e1", "e3", "e4", "z1", "y1"}


async def test_a_line_that_is_full_of_those_ahead_stays_bounded() -> None:
    line = Line(waiting=2)
    tasks = await line.come("e1")
    await line.end(tasks, await line.come("e2", "e3", "e4", ahead=True))
    assert (line.had, line.out) == (["e1", "e3", "e4"], ["e2"])


async def test_who_gives_up_leaves_the_line_and_no_turn_is_lost() -> None:
    line = Line()
    tasks = await line.come("e1", "e2", "e3")
    tasks[2].cancel()
    await asyncio.sleep(0)
    line.open.set()
    await tasks[0]
    tasks[1].cancel()  # its turn may have come in this very moment
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(10), line.turns.turn("z"):
        pass
    assert "e3" not in line.had


@pytest.mark.parametrize("failing", [ValueError, asyncio.CancelledError])
async def test_a_turn_that_fails_is_passed_on(failing: type[BaseException]) -> None:
    line = Line()
    with pytest.raises(failing):
        async with line.turns.turn("e"):
            raise failing
    async with asyncio.timeout(10), line.turns.turn("z"):
        pass
