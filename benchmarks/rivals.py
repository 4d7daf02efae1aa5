"""The same load on us and on FreeRADIUS, in turns, so that both meet the same weather on this machine."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.freeradius import NotInstalled, freeradius
from benchmarks.load import Load, Target
from benchmarks.machine import processor_seconds
from benchmarks.measures import NotAsItMustBe, Row
from benchmarks.site import plain_site

ROUNDS = 3
SOURCE = "127.20.0.1"


@dataclass(frozen=True, slots=True)
class Pace:
    rate: float
    """Replies a second."""
    cost: float
    """CPU-seconds of the server for 1,000 replies."""
    p50_ms: float
    p99_ms: float
    again: int
    """Packets that were sent once more."""


async def beside_freeradius(folder: Path, load: Load, *, seconds: float) -> AsyncIterator[Row]:
    """PAP with Message-Authenticator, a user whose secret lies at hand, 1 and 64 requests outstanding."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(plain_site(_new(folder, "ours"), users=["alice"]))
        try:
            theirs = await stack.enter_async_context(freeradius(_new(folder, "theirs"), user="alice"))
        except NotInstalled as missing:
            yield Row("beside FreeRADIUS", "not measured", str(missing))
            theirs = None
        for outstanding in (1, 64):
            our_paces, their_paces = list[Pace](), list[Pace]()
            for _ in range(ROUNDS):
                our_paces.append(await _pace(load, ours.pid, ours.target, outstanding, seconds))
                if theirs is not None:
                    their_paces.append(await _pace(load, theirs.pid, theirs.target, outstanding, seconds))
            what = f"PAP, {outstanding} outstanding"
            yield _row(f"{what}: radius-push", our_paces)
            if theirs is not None:
                yield _row(f"{what}: FreeRADIUS {theirs.version}", their_paces)
                yield _ratio(f"{what}: radius-push to FreeRADIUS", our_paces, their_paces)


async def _pace(load: Load, pid: int, target: Target, outstanding: int, seconds: float) -> Pace:
    before = processor_seconds(pid)
    met = await load.ask(target, source=SOURCE, outstanding=outstanding, seconds=seconds)
    if met.forged or met.rejects or met.others or met.lost or not met.accepts:
        raise NotAsItMustBe(f"a right password, and this came of it: {met}")
    spent = processor_seconds(pid) - before
    rate, cost = met.accepts / met.seconds, spent / met.accepts * 1000
    return Pace(rate, cost, met.p50_ms, met.p99_ms, met.again)


def _row(what: str, paces: Sequence[Pace]) -> Row:
    return Row(
        what,
        f"{_median(paces, 'rate'):,.0f} replies a second, {_median(paces, 'cost'):.3f} CPU-s per 1,000",
        f"p50 {_median(paces, 'p50_ms'):.2f} ms, p99 {_median(paces, 'p99_ms'):.2f} ms; "
        f"medians of {len(paces)} runs; sent once more: {sum(pace.again for pace in paces)}",
    )


def _ratio(what: str, ours: Sequence[Pace], theirs: Sequence[Pace]) -> Row:
    rate = _median(ours, "rate") / _median(theirs, "rate")
    cost = _median(ours, "cost") / _median(theirs, "cost")
    how = "we write each accept to disk before it leaves, and remember its packet for a day; they need not"
    return Row(what, f"{rate:.3f} of the replies, {cost:.1f} times the CPU", how)


def _median(paces: Sequence[Pace], name: str) -> float:
    return float(statistics.median(getattr(pace, name) for pace in paces))


def _new(folder: Path, name: str) -> Path:
    place = folder / name
    place.mkdir()
    return place
