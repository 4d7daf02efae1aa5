"""What every door for packets does with one: whose is it, is it new, who decides, and the reply."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from ipaddress import ip_address
from typing import Protocol

from radius_push.client_table import ClientTable
from radius_push.gateways import Gateways
from radius_push.hush import place_of
from radius_push.listen.books import Books
from radius_push.listen.desk import FRESH_TRY, Desk, trace_code, trace_code_in
from radius_push.listen.signs_of_life import SignsOfLife
from radius_push.listen.tally import Tally
from radius_push.model import Client, PeerCertificate, Rejected, Silent, Verdict
from radius_push.ports import Clock
from radius_push.radius.accounting import read_accounting
from radius_push.radius.dedup import Again, Dedup, Full, InFlight, Key, New, Slot, Ticket
from radius_push.radius.packet import (
    AccessRequest,
    Arrival,
    Dictionary,
    HangUp,
    MalformedPacket,
    NotAuthentic,
    NotServed,
    read_request,
    write_reply,
)
from radius_push.radius.status import read_status
from radius_push.radius.wire import Bounds, Code
from radius_push.shapes import Limits, is_our_own

log = logging.getLogger("radius_push.listen")

AUTHENTICATION = frozenset({Code.ACCESS_REQUEST, Code.STATUS_SERVER})
ACCOUNTING = frozenset({Code.ACCOUNTING_REQUEST, Code.STATUS_SERVER})
EVERYTHING = AUTHENTICATION | ACCOUNTING
"""What is served on a port of each kind; RadSec has one for all (RFC 6614 2.5)."""

REST_SECONDS = 0.001
"""What is read of a client that floods is enough work for some milliseconds."""

_address = lru_cache(4096)(ip_address)
"""Gateways are few, and each is read twice for every packet."""


class Line(Protocol):
    """The way that a packet came, and its reply goes back: a datagram's two addresses, or a connection."""

    source: tuple[str, int]
    """Address and port of the gateway."""
    server: tuple[str, int]
    """Address and port of ours that were asked; of a connection, which one it is."""
    identity: str
    """Who speaks, also by the next connection: the certificate, or the address."""

    @property
    def certificate(self) -> PeerCertificate | None:
        """By which the gateway is known, inside TLS."""

    @property
    def hang_up(self) -> HangUp | None:
        """The end of the connection; None: a datagram has none."""

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
        gateways: Gateways,
        limits: Callable[[], Limits] = Limits,
        pressure: Callable[[str], bool] = lambda _: False,
        dedup: Dedup | None = None,
        serves: frozenset[Code] = AUTHENTICATION,
        elsewhere: Mapping[int, str] | None = None,
        books: Books | None = None,
        signs_of_life: SignsOfLife | None = None,
    ) -> None:
        """`clients`, `dictionary` and `limits` are called for every packet, so that settings can change.
        Those that share a `dedup`, `books` or `signs_of_life` share their bounds. `counters` counts what
        nobody is told; `gateways` hears of every packet; `pressure` says by a client's name whether so much
        of its work waits that no more is to be read of it.

        `serves`: the codes that are answered here; `elsewhere`: where others belong, in words, by code."""
        self._clients = clients
        self._dictionary = dictionary
        self._desk = desk
        self._clock = clock
        self._counters = counters
        self._gateways = gateways
        self._limits = limits
        self._pressure = pressure
        self._tally = tally = Tally(counters, clock, gateways)
        self._serves = serves
        self._elsewhere = elsewhere or {}
        self._books = books or Books(desk=desk, clock=clock, tally=tally)
        self._signs_of_life = signs_of_life or SignsOfLife(answers=desk.answers, clock=clock, tally=tally)
        self._dedup = Dedup() if dedup is None else dedup
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

    def note(self, counter: str) -> None:
        """What a listener counts, that is no client's."""
        self._tally.note(counter, "")

    def client_of(self, address: str, certificate: PeerCertificate | None = None) -> Client | None:
        """Who speaks from there, with this certificate if it is by TLS. None is counted."""
        if self._tasks is None:
            self._counters["not_serving"] += 1
            return None
        client = self._clients().find(_address(address), certificate)
        if client is None:
            self._gateways.stranger(address)
            if certificate is None:
                self._tally.tell("unknown_client", "", "packets from %s, which is no client", address)
            else:
                self._tally.tell("unknown_certificate", "", *_whose(certificate, address))
        return client

    def presses(self, client: str) -> bool:
        """Is its next packet to wait in the kernel for `REST_SECONDS`, and then for another look?"""
        return self._pressure(client)

    def malformed(self, client: Client, line: Line, error: MalformedPacket) -> None:
        """What came was no packet at all."""
        where = (client.name, line.source[0], error)
        self._tally.tell("malformed_packet", client.name, "%s from %s: malformed packet: %s", *where)

    def tell(self, counter: str, client: str, sentence: str, *values: object, of: str = "") -> None:
        """Count it, and say so now and then. `client`: its name, or "" for nobody's; `of` tells two matters
        of one counter apart, and is none of a stranger's choosing."""
        self._tally.tell(counter, client, sentence, *values, of=of)

    def receive(self, packet: bytes, client: Client, line: Line) -> bool:
        """One packet of this client. Never raises; the reply, if any, goes to the line later. False: it is
        malformed or not authentic, and a connection that brings such a thing is not to be trusted."""
        if self._tasks is None:
            self._counters["not_serving"] += 1
            return True
        source = line.source[0]
        try:
            self._dispatch(packet, client, line, self._tasks)
        except NotServed as error:
            counter = "accounting_not_served" if error.accounting else "not_served"
            self._tally.tell(counter, client.name, "%s from %s: %s", client.name, source, error)
            return True
        except MalformedPacket as error:
            self.malformed(client, line, error)
            return False
        except NotAuthentic as error:
            self._not_authentic(error, client, source)
            return False
        return True

    def _dispatch(self, packet: bytes, client: Client, line: Line, tasks: asyncio.TaskGroup) -> None:
        """Read it for what it says it is. Raises MalformedPacket, NotServed among them, or NotAuthentic."""
        code, limits = packet[0] if packet else Code.ACCESS_REQUEST, self._limits()
        if code not in self._serves:
            raise NotServed(code, self._elsewhere.get(code, ""))
        bounds = Bounds(limits.packet_octets, limits.attributes)
        match code:
            case Code.STATUS_SERVER:
                status = read_status(packet, client=client, bounds=bounds)
                self._signs_of_life.ask(status, client, line, tasks, accounting=self._serves == ACCOUNTING)
            case Code.ACCOUNTING_REQUEST:
                report = read_accounting(packet, client=client, dictionary=self._dictionary(), bounds=bounds)
                self._books.enter(report, client, line, self._keep_working, tasks)
            case _:
                request = read_request(
                    packet,
                    client=client,
                    dictionary=self._dictionary(),
                    seal_required=self._gateways.must_seal(client, line.identity),
                    bounds=bounds,
                )
                self._gateways.heard(client, line.identity, request)
                self._meet(request, client, line, tasks)

    def _not_authentic(self, error: NotAuthentic, client: Client, source: str) -> None:
        if is_our_own(client.name):
            sentence = (
                "packets from %s, which is no client of the settings "
                "(only try-login and simulate may ask from there)"
            )
            self._tally.tell("not_authentic", client.name, sentence, source)
            return
        # A missing seal and a wrong one are told apart.
        where = (client.name, source, error)
        self._tally.tell("not_authentic", client.name, "%s from %s: not authentic: %s", *where, of=str(error))

    def _meet(self, request: AccessRequest, client: Client, line: Line, tasks: asyncio.TaskGroup) -> None:
        key = Key(Slot(line.source, line.server, request.identifier), request.authenticator, request.digest)
        met = self._dedup.arrive(
            key,
            self._clock.monotonic(),
            authentic=request.authentic,
            carries_state=request.state is not None,
            owner=client.name,
        )
        match met:
            case InFlight():
                self._tally.note("duplicate", client.name)
            case Again(reply, repeated):
                self._repeat(reply, client, line)
                if repeated is not None:
                    self._missed(repeated, client, line, tasks)
            case Full(of_owner=True):
                sentence = "%s: too many logins in flight (limits.in_flight_per_client): silence for new ones"
                self._tally.tell("too_many_in_flight_of_client", client.name, sentence, client.name)
            case Full():
                sentence = "too many logins in flight (limits.in_flight): silence for new ones"
                self._tally.tell("too_many_in_flight", client.name, sentence)
            case New(ticket, crowded):
                if crowded:
                    self._tally.note("identifiers_nearly_used_up", client.name)
                    log.warning(
                        "%s: port %d has nearly all its 256 Identifiers in flight; let the gateway use "
                        "more source ports",
                        client.name,
                        line.source[1],
                    )
                arrival = self._arrival(ticket, request, client, line)
                work = self._work(ticket, arrival, line)
                self._hold(ticket, arrival, tasks.create_task(work, name=f"login {arrival.login}"), line)

    def _arrival(self, ticket: Ticket, request: AccessRequest, client: Client, line: Line) -> Arrival:
        if line.hang_up is None:  # nothing is repeated inside a connection (RFC 6613 2.6.1)
            client = self._gateways.patient(client, line.identity, request)
        ticket.login = trace_code()
        return Arrival(
            request=request,
            client=client,
            source=_address(line.source[0]),
            source_port=line.source[1],
            login=ticket.login,
            at=self._clock.now(),
            started=self._clock.monotonic(),
            packet=_packet(ticket, line),
            superseded=lambda: ticket.superseded,
            supersede=partial(self._supersede, ticket, client.name),
            certificate=line.certificate,
            hang_up=line.hang_up,
            repeats=ticket.repeats,
        )

    def _supersede(self, ticket: Ticket, client: str) -> None:
        if given_up := self._dedup.supersede(ticket):
            self._tally.note("superseded", client, given_up)

    def _keep_working(self, task: asyncio.Task[None]) -> None:
        """Also while the server stops."""
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    def _hold(self, ticket: Ticket, arrival: Arrival, task: asyncio.Task[None], line: Line) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            self._held.discard(task)
            self._working.discard(task)
            # However it ended: after a crash and a cancelled task its duplicates get silence.
            self._dedup.finish(ticket, None, self._clock.monotonic())
            if ticket.genuine and line.hang_up is None:
                self._gateways.over(ticket, arrival.client, line.identity, arrival.request)

        self._held.add(task)
        self._working.add(task)
        task.add_done_callback(ended)
        line.works(task)

    async def _work(self, ticket: Ticket, arrival: Arrival, line: Line) -> None:
        try:
            verdict = await self._desk.log_in(arrival)
            accepted = self._answer(ticket, arrival, verdict, line)
            if task := asyncio.current_task():
                self._held.discard(task)
            if accepted:
                await self._desk.sent(arrival)
            if ticket.seen_again:
                last_at = arrival.at + ticket.seen_again_at - arrival.started
                await self._desk.repeated(arrival, verdict, times=ticket.seen_again, last_at=last_at)
        except Exception as error:  # noqa: BLE001 - one crashed login must not take the listener down
            self._crashed(arrival, error)

    def _answer(self, ticket: Ticket, arrival: Arrival, verdict: Verdict, line: Line) -> bool:
        """Say it, or say nothing. True if an accept has left."""
        now = self._clock.monotonic()
        if isinstance(verdict, Silent):
            if verdict.reason in FRESH_TRY:
                self._dedup.forget(ticket, now)
            return False
        ticket.login = verdict.login or arrival.login
        code = trace_code_in(arrival, verdict)
        reply = write_reply(arrival.request, verdict, dictionary=self._dictionary(), trace_code=code)
        if not self._dedup.finish(ticket, reply, now):
            self._tally.note("superseded_reply", arrival.client.name)
            return False
        return line.send(reply) and not isinstance(verdict, Rejected)

    def _repeat(self, reply: bytes, client: Client, line: Line) -> None:
        # While the kernel takes no more, a flood of duplicates must not fill our memory.
        if line.congested():
            self._tally.note("not_repeated", client.name)
            return
        self._tally.note("answered_again", client.name)
        line.send(reply)

    def _missed(self, ticket: Ticket, client: Client, line: Line, tasks: asyncio.TaskGroup) -> None:
        """It was answered, and the gateway asks once more: it may not have taken the answer."""
        seconds = ticket.missed(self._clock.monotonic())
        if seconds is None:
            return
        self._tally.note("not_heard", client.name)
        if ticket.genuine:  # whoever floods with wrong passwords fills no evidence with this
            work = self._note_missed(ticket, client, line, seconds)
            self._keep_working(tasks.create_task(work, name=f"not heard {ticket.login}"))

    async def _note_missed(self, ticket: Ticket, client: Client, line: Line, seconds: float) -> None:
        packet = _packet(ticket, line)
        try:
            await self._desk.not_heard(ticket.login, packet, client.name, seconds)
        except Exception as error:  # noqa: BLE001 - it must not take the listener down
            log.error("login %s: %s at %s", ticket.login, type(error).__name__, place_of(error))

    def _crashed(self, arrival: Arrival, error: Exception) -> None:
        """The type and the place only: a message may hold what somebody typed."""
        self._tally.note("crashed", arrival.client.name)
        log.error(
            "login %s from %s crashed: %s at %s",
            arrival.login,
            arrival.client.name,
            type(error).__name__,
            place_of(error),
        )


def _packet(ticket: Ticket, line: Line) -> bytes:
    return ticket.key.packet(None if line.hang_up is None else line.identity)


def _whose(certificate: PeerCertificate, address: str) -> tuple[str, ...]:
    """For people: an authority of the settings has signed these names, so they are few and no stranger's."""
    names = ", ".join(sorted(certificate.names)[:3])[:200]
    return (
        "RadSec from %s with the certificate of %s (sha256:%s): no client has it, or not from that address",
        address,
        names if names.isprintable() and names else "no name",
        certificate.fingerprint,
    )
