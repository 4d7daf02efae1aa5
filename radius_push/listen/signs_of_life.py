"""Status-Server (RFC 5997): an answer as long as logins could be decided, silence while the store is down.

It proves nothing about anybody: it latches nothing, rings nobody and is no evidence.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from radius_push.hush import place_of
from radius_push.listen.tally import Tally
from radius_push.model import Client
from radius_push.ports import Clock, StoreDown
from radius_push.radius.rate import Rate
from radius_push.radius.status import StatusRequest, write_status_reply
from radius_push.shapes import Limits

if TYPE_CHECKING:
    from radius_push.listen.reception import Line

log = logging.getLogger("radius_push.listen")

BURST = 5
"""Seconds' worth of Status-Server packets of one client that are answered at once."""
LOOK_EVERY = 1.0
"""Seconds that the store's last sign of life holds, and that the next may take."""
MOST_KNOWN = 10_000
"""Packets known when they come again: whoever recorded one must not use up its gateway's share."""
MOST_WAITING = 1000
"""Replies that wait for one look."""


class SignsOfLife:
    """Looks whether the store lives, once a second at most, and answers everybody who asked meanwhile."""

    def __init__(
        self,
        *,
        answers: Callable[[], Awaitable[None]],
        clock: Clock,
        tally: Tally,
        limits: Callable[[], Limits] = Limits,
    ) -> None:
        """`answers` returns if the store can be read, else it raises StoreDown."""
        self._answers = answers
        self._clock = clock
        self._tally = tally
        self._limits = limits
        self._rate = Rate()
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._lives = True
        self._looked_at: float | None = None
        self._looking: asyncio.Task[None] | None = None
        self._waiting: list[tuple[bytes, str, Line]] = []

    def ask(
        self,
        request: StatusRequest,
        client: Client,
        line: Line,
        tasks: asyncio.TaskGroup,
        *,
        accounting: bool,
    ) -> None:
        """Answer now, or when the store was looked at, or not at all."""
        now = self._clock.monotonic()
        often, reply = self._limits().status_per_second, write_status_reply(request, accounting=accounting)
        whose = (client.name, self._is_known(reply))
        if not self._rate.take(whose, now, per_second=often, burst=often * BURST):
            sentence = (
                "%s asks with Status-Server more than %d times a second (limits.status_per_second): silence "
                "for the rest"
            )
            self._tally.tell("too_many_status_requests", client.name, sentence, client.name, often)
            return
        if self._looking is None and self._looked_at is not None and now - self._looked_at < LOOK_EVERY:
            self._say(reply, client.name, line)
        elif len(self._waiting) >= MOST_WAITING:
            self._tally.note("too_many_status_requests", client.name)
        else:
            self._waiting.append((reply, client.name, line))
            if self._looking is None:
                self._looking = tasks.create_task(self._look(), name="look whether the store lives")

    def _is_known(self, reply: bytes) -> bool:
        """Was the very same answered before? The reply is made of all that matters of the request, the secret
        too."""
        mark = sha256(reply).digest()
        known = mark in self._known
        self._known[mark] = None
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return known

    def _say(self, reply: bytes, client: str, line: Line) -> None:
        if not self._lives:
            self._tally.note("status_unanswered", client)
        elif line.congested():
            self._tally.note("not_repeated", client)
        else:
            self._tally.note("status_answered", client)
            line.send(reply)

    async def _look(self) -> None:
        self._lives = False
        try:
            await asyncio.wait_for(self._answers(), LOOK_EVERY)
            self._lives = True
        except (StoreDown, TimeoutError) as problem:
            self._tally.tell(
                "store_down", "", "Status-Server is not answered: %s", problem or "the store is stuck"
            )
        except Exception as error:  # noqa: BLE001 - a fault here must not take the listener down
            log.error("Status-Server crashed: %s at %s", type(error).__name__, place_of(error))
        finally:
            self._looked_at = self._clock.monotonic()
            self._looking = None
            waiting, self._waiting = self._waiting, []
            for reply, client, line in waiting:
                self._say(reply, client, line)
