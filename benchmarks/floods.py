"""One gateway floods: what another one's logins, one at a time, notice of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks.load import Flood, Load, Tally, Target
from benchmarks.measures import NotAsItMustBe, Row
from benchmarks.site import plain_site

QUIET, LOUD, STRANGE = "127.20.0.1", "127.21.0.1", "127.22.0.1"
"""Who logs in, who floods, and whom nobody knows: see `site.PLAIN_SETTINGS`."""
FLOODS: Mapping[Flood, tuple[str, str]] = {
    "right": (LOUD, "right passwords"),
    "wrong-password": (LOUD, "wrong passwords"),
    "wrong-seal": (LOUD, "wrong Message-Authenticators"),
    "garbage": (STRANGE, "garbage from an address of no client"),
}
PATIENCE = 3.0
"""Seconds after which the gateway that logs in sends its packet again."""
SETTLE = 0.5
"""Seconds of flood before we look."""


async def floods(folder: Path, load: Load, *, seconds: float) -> AsyncIterator[Row]:
    """Each kind of flood against a server of its own, so that none inherits what another left."""
    for flood, (source, words) in FLOODS.items():
        place = folder / flood
        place.mkdir()
        async with plain_site(place, users=["alice", "bob"]) as site:

            async def one_at_a_time(target: Target = site.target) -> Tally:
                return await load.ask(target, source=QUIET, outstanding=1, seconds=seconds, patience=PATIENCE)

            alone = await one_at_a_time()
            loud = replace(site.target, user="bob")
            until = seconds + 2 * SETTLE
            async with load.flooding(loud, flood, source=source, seconds=until) as flooding:
                await asyncio.sleep(SETTLE)
                meanwhile = await one_at_a_time()
            yield _row(words, alone, meanwhile, await flooding)


def _row(words: str, alone: Tally, meanwhile: Tally, flood: Tally) -> Row:
    if alone.lost or meanwhile.lost or meanwhile.accepts != meanwhile.begun:
        raise NotAsItMustBe(f"a flood of {words} kept another gateway's login out: {meanwhile}")
    return Row(
        f"a flood of {words}: another gateway's login",
        f"{meanwhile.p50_ms / alone.p50_ms:.1f} times (p50), {meanwhile.again} sent once more, "
        f"{meanwhile.lost} lost",
        f"alone p50 {alone.p50_ms:.1f} ms, p99 {alone.p99_ms:.1f} ms; then p50 {meanwhile.p50_ms:.1f} ms, "
        f"p99 {meanwhile.p99_ms:.1f} ms, most {meanwhile.most_ms:.0f} ms, {meanwhile.begun} logins; "
        f"the flood: {flood.sent / flood.seconds:,.0f} packets a second",
    )
