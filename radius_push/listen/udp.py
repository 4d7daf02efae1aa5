"""The UDP door: datagrams in, one task for each new Access-Request, replies out."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address

from radius_push.hush import Hush, place_of
from radius_push.listen.bind import bind
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
from radius_push.shapes import OUR_OWN_CLIENT, ClientTable, Endpoint

__all__ = ["Desk", "UdpListener"]

log = logging.getLogger("radius_push.listen")

UdpAddress = tuple[str, int] | tuple[str, int, int, int]


class UdpListener:
    """One endpoint: `open` it, then `serve` until `drain`."""

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        clients: Callable[[], ClientTable],
        dictionary: Dictionary,
        desk: Desk,
        clock: Clock,
        counters: Counter[str],
        dedup: Dedup | None = None,
    ) -> None:
        """`clients` is called for every datagram, so that settings can change. Listeners that share
        a `dedup` share its bounds. `counters` counts what nobody is told."""
        self._endpoint = endpoint
        self._clients = clients
        self._dictionary = dictionary
        self._desk = desk
        self._clock = clock
        self._counters = counters
        self._dedup = Dedup() if dedup is None else dedup
        self._hush = Hush()
        self._socket: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._held: set[asyncio.Task[None]] = set()
        self._working: set[asyncio.Task[None]] = set()
        self._drained = asyncio.Event()
        self._congested = False
        self._server = (str(endpoint.address), endpoint.port)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, with the port that port 0 became."""
        return self._server

    @property
    def held(self) -> int:
        """Logins that are being decided now."""
        return len(self._held)

    async def open(self) -> None:
        """Bind. OSError if the address can't be had. What arrives waits in the kernel for `serve`."""
        self._socket = bind(self._endpoint)
        host, port = self._socket.getsockname()[:2]
        self._server = (str(host), int(port))

    async def serve(self) -> None:
        """Answer until `drain`. One crashed login takes nothing else with it."""
        if self._drained.is_set():
            return
        if self._socket is None:
            await self.open()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                # uvloop and asyncio both take a bound socket, and only so can IPV6_V6ONLY be set before.
                self._transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Protocol(self), sock=self._socket
                )
                await self._drained.wait()
        finally:
            self._tasks = None
            self._close()

    async def drain(self) -> int:
        """Receive no more and let the held logins go: they get silence. How many there were."""
        self._tasks = None
        held = tuple(self._held)
        for task in held:
            task.cancel()
        # Those whose accept has left may still write that down.
        if self._working:
            await asyncio.wait(tuple(self._working))
        self._close()
        self._drained.set()
        return len(held)

    def receive(self, datagram: bytes, peer: UdpAddress) -> None:
        """One datagram. Never raises; the reply, if any, comes later."""
        if self._tasks is None:
            self._counters["not_serving"] += 1
            return
        client = self._clients().find(ip_address(peer[0]))
        if client is None:
            self._count("unknown_client", "", "packets from %s, which is no client", peer[0])
            return
        try:
            request = read_request(datagram, client=client, dictionary=self._dictionary)
        except NotServed as error:
            counter = "accounting_not_served" if error.accounting else "not_served"
            self._count(counter, client.name, "%s from %s: %s", client.name, peer[0], error)
        except MalformedPacket as error:
            where = (client.name, peer[0], error)
            self._count("malformed_packet", client.name, "%s from %s: malformed packet: %s", *where)
        except NotAuthentic as error:
            self._not_authentic(error, client, peer)
        else:
            self._meet(request, client, peer, self._tasks)

    def _not_authentic(self, error: NotAuthentic, client: Client, peer: UdpAddress) -> None:
        if client.name == OUR_OWN_CLIENT:
            sentence = (
                "packets from %s, which is no client of the settings (only try-login may ask from there)"
            )
            self._count("not_authentic", client.name, sentence, peer[0])
            return
        whose = f"{client.name} {error}"  # a missing seal and a wrong one are told apart
        where = (client.name, peer[0], error)
        self._count("not_authentic", whose, "%s from %s: not authentic: %s", *where)

    def _meet(
        self, request: AccessRequest, client: Client, peer: UdpAddress, tasks: asyncio.TaskGroup
    ) -> None:
        slot = Slot((peer[0], peer[1]), self._server, request.identifier)
        key = Key(slot, request.authenticator, request.digest)
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
                self._repeat(reply, peer)
            case Full():
                self._count("too_many_in_flight", "", "too many logins in flight: silence for new ones")
            case New(ticket, supersedes, crowded):
                self._counters["superseded"] += supersedes
                if crowded:
                    log.warning(
                        "%s: port %d has nearly all its 256 Identifiers in flight; let the gateway use "
                        "more source ports",
                        client.name,
                        peer[1],
                    )
                arrival = self._arrival(ticket, request, client, peer)
                work = self._work(ticket, arrival, peer)
                self._hold(ticket, tasks.create_task(work, name=f"login {arrival.login}"))

    def _arrival(self, ticket: Ticket, request: AccessRequest, client: Client, peer: UdpAddress) -> Arrival:
        return Arrival(
            request=request,
            client=client,
            source=ip_address(peer[0]),
            source_port=peer[1],
            login=trace_code(),
            at=self._clock.now(),
            started=self._clock.monotonic(),
            packet=ticket.key.packet(),
            superseded=lambda: ticket.superseded,
        )

    def _hold(self, ticket: Ticket, task: asyncio.Task[None]) -> None:
        for kept in (self._held, self._working):
            kept.add(task)
            task.add_done_callback(kept.discard)
        # However it ended: after a crash and a cancelled task its duplicates get silence.
        task.add_done_callback(lambda _: self._dedup.finish(ticket, None, self._clock.monotonic()))

    async def _work(self, ticket: Ticket, arrival: Arrival, peer: UdpAddress) -> None:
        try:
            verdict = await self._desk.log_in(arrival)
            accepted = self._answer(ticket, arrival, verdict, peer)
            if task := asyncio.current_task():
                self._held.discard(task)
            if accepted:
                await self._desk.sent(arrival)
        except Exception as error:  # noqa: BLE001 - one crashed login must not take the listener down
            self._crashed(arrival, error)

    def _answer(self, ticket: Ticket, arrival: Arrival, verdict: Verdict, peer: UdpAddress) -> bool:
        """Say it, or say nothing. True if an accept has left."""
        now = self._clock.monotonic()
        if isinstance(verdict, Silent):
            if verdict.reason in FRESH_TRY:
                self._dedup.forget(ticket, now)
            return False
        reply = write_reply(arrival.request, verdict, dictionary=self._dictionary)
        if not self._dedup.finish(ticket, reply, now):
            self._counters["superseded_reply"] += 1
            return False
        self._send(reply, peer)
        return not isinstance(verdict, Rejected)

    def _repeat(self, reply: bytes, peer: UdpAddress) -> None:
        # While the kernel takes no more, a flood of duplicates must not fill our memory.
        if self._congested:
            self._counters["not_repeated"] += 1
            return
        self._counters["answered_again"] += 1
        self._send(reply, peer)

    def _send(self, reply: bytes, peer: UdpAddress) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(reply, peer)

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

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        elif self._socket is not None:
            self._socket.close()
        self._transport = self._socket = None

    def congested(self, now: bool) -> None:
        """The kernel takes no more datagrams for the moment, or does again."""
        self._congested = now


class _Protocol(asyncio.DatagramProtocol):
    """What the event loop calls; so thin that there is nothing in it to test."""

    def __init__(self, listener: UdpListener) -> None:
        self._listener = listener

    def datagram_received(self, data: bytes, addr: UdpAddress) -> None:
        self._listener.receive(data, addr)

    def error_received(self, exc: Exception) -> None:
        """ICMP says that a gateway is gone: it will ask again, or not."""

    def pause_writing(self) -> None:
        self._listener.congested(True)

    def resume_writing(self) -> None:
        self._listener.congested(False)
