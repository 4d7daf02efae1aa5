"""The janitor: closes what nobody waits for any more, lets go of old evidence, and minds the clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from radius_push.hush import place_of
from radius_push.ports import Clock, Store, StoreDown

logger = logging.getLogger("radius_push")

EVERY = 30.0
"""Seconds between two rounds."""
LET_GO_EVERY = 3600.0


class Janitor:
    """Goes round for ever. A store that is down is for the next round."""

    def __init__(self, store: Store, clock: Clock, *, keep_evidence: Callable[[], float]) -> None:
        """`keep_evidence`: how many seconds, asked each time, as settings change."""
        self._store = store
        self._clock = clock
        self._keep_evidence = keep_evidence
        self._let_go_at: float | None = None
        self._clock_was_behind = False
        self._store_was_down = False

    async def run(self) -> None:
        while True:
            try:
                await self.go_round()
                self._store_was_down = False
            except StoreDown as problem:
                if not self._store_was_down:
                    logger.error("the store is down: %s", problem)
                self._store_was_down = True
            except Exception as fault:  # noqa: BLE001 - a fault in tidying ends neither it nor the logins
                # The type and the place only: a message may hold what somebody typed.
                logger.error("the janitor failed: %s at %s", type(fault).__name__, place_of(fault))
            await asyncio.sleep(EVERY)

    async def go_round(self) -> None:
        """Once. Raises StoreDown."""
        self._mind_the_clock()
        while await self._store.close_abandoned(self._clock.now()):
            pass
        await self._let_go()

    async def _let_go(self) -> None:
        now = self._clock.monotonic()
        if self._let_go_at is not None and now < self._let_go_at:
            return
        at = self._clock.now()
        while await self._store.let_go(at - self._keep_evidence(), at=at):
            pass  # logins take turns with it
        self._let_go_at = now + LET_GO_EVERY

    def _mind_the_clock(self) -> None:
        behind = self._store.clock_behind()
        if behind and not self._clock_was_behind:
            logger.critical(
                "THE CLOCK IS %.0f s BEHIND the latest evidence. Invitations are refused until it is right; "
                "logins go on. If it is right now, and was wrong before: start once with --trust-clock",
                behind,
            )
        elif self._clock_was_behind and not behind:
            logger.warning("the clock is right again: invitations are taken")
        self._clock_was_behind = behind > 0
