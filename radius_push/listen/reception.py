"""What every door for packets does with one: whose is it, is it new, who decides, and the reply."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol

from radius_push.hush import Hush, place_of
from radius_push.listen.desk import FRESH_TRY, Desk, trace_code
from radius_push.model import Client, Rejected, Silent, Verdict
from radius_push.ports import Clock
from radius_push.radius.dedup import Again, Dedup, Full, InFlight, Key, New, Slot, Ticket
from radius_push.radius.packet import (
    AccessRequest,
    Arrival,
    Dictionary,
    MalformedPacket,
    NotAuthentic,
    NotServed,
    read_request,
    write_reply,
)
from radius_push.shapes import OUR_OWN_CLIENT, ClientTable

log = logging.getLogger("radius_push.listen")


_address = lru_cache(4096)(ip_address)
"""Gateways are few, and each is read twice for every packet."""


class Line(Protocol):
    """The way that a packet came, and its reply goes back: a datagram's two addresses, or a connection."""

    source: tuple[str, int]
    """Address and port of the gateway."""
    server: tuple[str, int]
    """Address and port of ours that were asked."""

    def send(self, reply: bytes) -> bool:
        """Never raises, never waits. False: the line is gone, and the reply with it."""

    def congested(self) -> bool:
        """Does the kernel take no more for the moment?"""

    def works(self, task: asyncio.Task[None]) -> None:
        """This task decides about a packet of this line."""


class Reception:
    """Takes packets from a listener, has each new one decided by a task of its own, and answers."""

    def __init__(
        self,
        *,
        clients: Callable[[], ClientTable],
        dictionary: Callable[[], Dictionary],
        desk: Desk,
        clock: Clock,
        counters: Counter[str],
        dedup: Dedup | None = None,
    ) -> None:
        """`clients` and `dictionary` are called for every packet, so that settings can change. Those that
        share a `dedup` share its bounds. `counters` counts what nobody is told."""
        self._clients = clients
        self._dictionary = dictionary
        self._desk = desk
        self._clock = clock
        self._counters = counters
        self._dedup = Dedup() if dedup is None else dedup
        self._hush = Hush()
        self._tasks: asyncio.TaskGroup | None = None
        self._held: set[asyncio.Task[None]] = set()
        self._working: set[asyncio.Task[None]] = set()

    @property
    def clients(self) -> ClientTable:
        """Those of this moment."""
        return self._clients()

    @property
    def held(self) -> int:
        """Logins that are being decided now."""
        return len(self._held)

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """From now on packets are taken; their tasks belong to this group."""
        self._tasks = tasks

    def end(self) -> None:
        """No packet is taken any more."""
        self._tasks = None

    async def drain(self) -> int:
        """Take no more and let the held logins go: they get silence. How many there were."""
        self.end()
        held = tuple(self._held)
        for task in held:
            task.cancel()
        # Those whose accept has left may still write that down.
        if self._working:
            await asyncio.wait(tuple(self._working))
        return len(held)

    def client_of(self, address: str) -> Client | None:
        """Who speaks from there. None is counted."""
        if self._tasks is None:
            self._counters["not_serving"] += 1
            return None
        client = self._clients().find(_address(address))
        if client is None:
            self._count("unknown_client", "", "packets from %s, which is no client", address)
        return client

    def receive(self, packet: bytes, client: Client, line: Line) -> bool:
        """One packet of this client. Never raises; the reply, if any, goes to the line later. False: it is
        malformed or not authentic, and a connection that brings such a thing is not to be trusted."""
        if self._tasks is None:
            self._counters["not_serving"] += 1
            return True
        source = line.source[0]
        try:
            request = read_request(packet, client=client, dictionary=self._dictionary())
        except NotServed as error:
            counter = "accounting_not_served" if error.accounting else "not_served"
            self._count(counter, client.name, "%s from %s: %s", client.name, source, error)
            return True
        except MalformedPacket as error:
            where = (client.name, source, error)
            self._count("malformed_packet", client.name, "%s from %s: malformed packet: %s", *where)
            return False
        except NotAuthentic as error:
            self._not_authentic(error, client, source)
            return False
        self._meet(request, client, line, self._tasks)
        return True

    def _not_authentic(self, error: NotAuthentic, client: Client, source: str) -> None:
        if client.name == OUR_OWN_CLIENT:
            sentence = (
                "packets from %s, which is no client of the settings (only try-login may ask from there)"
            )
            self._count("not_authentic", client.name, sentence, source)
            return
        whose = f"{client.name} {error}"  # a missing seal and a wrong one are told apart
        self._count("not_authentic", whose, "%s from %s: not authentic: %s", client.name, source, error)

    def _meet(self, request: AccessRequest, client: Client, line: Line, tasks: asyncio.TaskGroup) -> None:
        key = Key(Slot(line.source, line.server, request.identifier), request.authenticator, request.digest)
        met = self._dedup.arrive(
            key,
            self._clock.monotonic(),
            authentic=request.authentic,
            carries_state=request.state is not None,
        )
        match met:
            case InFlight():
                self._counters["duplicate"] += 1
            case Again(reply):
                self._repeat(reply, line)
            case Full():
                self._count("too_many_in_flight", "", "too many logins in flight: silence for new ones")
            case New(ticket, supersedes, crowded):
                self._counters["superseded"] += supersedes
                if crowded:
                    log.warning(
                        "%s: port %d has nearly all its 256 Identifiers in flight; let the gateway use "
                        "more source ports",
                        client.name,
                        line.source[1],
                    )
                arrival = self._arrival(ticket, request, client, line)
                work = self._work(ticket, arrival, line)
                self._hold(ticket, tasks.create_task(work, name=f"login {arrival.login}"), line)

    def _arrival(self, ticket: Ticket, request: AccessRequest, client: Client, line: Line) -> Arrival:
        return Arrival(
            request=request,
            client=client,
            source=_address(line.source[0]),
            source_port=line.source[1],
            login=trace_code(),
            at=self._clock.now(),
            started=self._clock.monotonic(),
            packet=ticket.key.packet(),
            superseded=lambda: ticket.superseded,
        )

    def _hold(self, ticket: Ticket, task: asyncio.Task[None], line: Line) -> None:
        for kept in (self._held, self._working):
            kept.add(task)
            task.add_done_callback(kept.discard)
        # However it ended: after a crash and a cancelled task its duplicates get silence.
        task.add_done_callback(lambda _: self._dedup.finish(ticket, None, self._clock.monotonic()))
        line.works(task)

    async def _work(self, ticket: Ticket, arrival: Arrival, line: Line) -> None:
        try:
            verdict = await self._desk.log_in(arrival)
            accepted = self._answer(ticket, arrival, verdict, line)
            if task := asyncio.current_task():
                self._held.discard(task)
            if accepted:
                await self._desk.sent(arrival)
        except Exception as error:  # noqa: BLE001 - one crashed login must not take the listener down
            self._crashed(arrival, error)

    def _answer(self, ticket: Ticket, arrival: Arrival, verdict: Verdict, line: Line) -> bool:
        """Say it, or say nothing. True if an accept has left."""
        now = self._clock.monotonic()
        if isinstance(verdict, Silent):
            if verdict.reason in FRESH_TRY:
                self._dedup.forget(ticket, now)
            return False
        reply = write_reply(arrival.request, verdict, dictionary=self._dictionary())
        if not self._dedup.finish(ticket, reply, now):
            self._counters["superseded_reply"] += 1
            return False
        return line.send(reply) and not isinstance(verdict, Rejected)

    def _repeat(self, reply: bytes, line: Line) -> None:
        # While the kernel takes no more, a flood of duplicates must not fill our memory.
        if line.congested():
            self._counters["not_repeated"] += 1
            return
        self._counters["answered_again"] += 1
        line.send(reply)

    def _crashed(self, arrival: Arrival, error: Exception) -> None:
        """The type and the place only: a message may hold what somebody typed."""
        self._counters["crashed"] += 1
        log.error(
            "login %s from %s crashed: %s at %s",
            arrival.login,
            arrival.client.name,
            type(error).__name__,
            place_of(error),
        )

    def _count(self, counter: str, whose: str, sentence: str, *values: object) -> None:
        self._counters[counter] += 1
        more = self._hush.due((counter, whose), self._clock.monotonic())
        if more is not None:
            since = f" ({more} more since the last line)" if more else ""
            log.warning("%s%s", sentence % values, since)
