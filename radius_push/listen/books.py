"""Accounting-Requests at the door: each new one is kept by a task of its own, and answered once it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from radius_push.accounting import AccountingArrival
from radius_push.hush import place_of
from radius_push.listen.desk import Desk
from radius_push.listen.tally import Tally
from radius_push.model import Client
from radius_push.ports import Clock, StoreDown
from radius_push.radius.accounting import AccountingRequest, write_accounting_response
from radius_push.radius.dedup import Again, Dedup, Full, InFlight, Key, New, Slot, Ticket
from radius_push.shapes import Limits

if TYPE_CHECKING:
    from radius_push.listen.reception import Line

log = logging.getLogger("radius_push.listen")

MOST_REMEMBERED = 20_000


class Books:
    """What the gateways report is brought to the desk once, however often it comes."""

    def __init__(self, *, desk: Desk, clock: Clock, tally: Tally, limits: Limits = Limits()) -> None:  # noqa: B008  # frozen
        self._desk = desk
        self._clock = clock
        self._tally = tally
        self._dedup = Dedup(most=MOST_REMEMBERED)
        self.use(limits)

    def use(self, limits: Limits) -> None:
        """Counted apart from logins: no flood of reports keeps those out."""
        self._dedup.bound(
            most_in_flight=limits.accounting_in_flight, most_of_owner=limits.accounting_in_flight_per_client
        )

    def enter(
        self,
        request: AccountingRequest,
        client: Client,
        line: Line,
        hold: Callable[[asyncio.Task[None]], None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        """One authentic packet. `hold` is told of the task that works on it."""
        key = Key(Slot(line.source, line.server, request.identifier), request.authenticator, request.digest)
        # Its Request Authenticator was right, so it is as good as sealed.
        met = self._dedup.arrive(
            key, self._clock.monotonic(), authentic=True, carries_state=False, owner=client.name
        )
        match met:
            case InFlight():
                self._tally.note("accounting_duplicate", client.name)
            case Again(reply):
                self._repeat(reply, client, line)
            case Full():
                sentence = (
                    "%s: too many Accounting-Requests in flight (limits.accounting_in_flight, or "
                    "_per_client): silence for new ones"
                )
                self._tally.tell("too_much_accounting", client.name, sentence, client.name)
            case New(ticket):
                # It supersedes nothing: what was reported before it stays true.
                arrival = AccountingArrival(request, client, ip_address(line.source[0]), self._clock.now())
                task = tasks.create_task(
                    self._keep(ticket, arrival, line), name=f"accounting of {client.name}"
                )
                task.add_done_callback(lambda _: self._dedup.finish(ticket, None, self._clock.monotonic()))
                hold(task)
                line.works(task)

    async def _keep(self, ticket: Ticket, arrival: AccountingArrival, line: Line) -> None:
        name = arrival.client.name
        try:
            await self._desk.account(arrival)
        except StoreDown as problem:
            # Not kept, so not answered (RFC 2866 4.1): the gateway's next packet is a fresh try.
            self._dedup.forget(ticket, self._clock.monotonic())
            sentence = "accounting of %s is not answered: %s"
            self._tally.tell("accounting_unanswered", name, sentence, name, problem)
        except Exception as error:  # noqa: BLE001 - one crash must not take the listener down
            self._tally.note("crashed", name)
            log.error("accounting of %s crashed: %s at %s", name, type(error).__name__, place_of(error))
        else:
            reply = write_accounting_response(arrival.request)
            if self._dedup.finish(ticket, reply, self._clock.monotonic()):
                self._tally.note("accounting_answered", name)
                line.send(reply)

    def _repeat(self, reply: bytes, client: Client, line: Line) -> None:
        # While the kernel takes no more, a flood of duplicates must not fill our memory.
        if line.congested():
            self._tally.note("not_repeated", client.name)
            return
        self._tally.note("accounting_answered_again", client.name)
        line.send(reply)
