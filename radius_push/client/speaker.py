"""Speak as a gateway whose script somebody else has: send each of its packets, and hear the answers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from radius_push.model import Chap, MsChapV2, ProofName, Secret
from radius_push.radius.asking import CHANCE, read_reply, respond, write_request
from radius_push.radius.dictionary import Dictionary
from radius_push.radius.wire import Code, MalformedPacket, NotAuthentic
from radius_push.simulate.gateway import Answer, Heard, Send

ANSWERS: dict[int, Answer] = {Code.ACCESS_ACCEPT: "accepted", Code.ACCESS_REJECT: "rejected"}


@dataclass(frozen=True, slots=True)
class Login:
    """What is asked, whatever the packet."""

    username: str
    password: Secret
    secret: Secret
    """Shared with the servers."""
    attributes: Sequence[tuple[str, str]] = ()
    sealed: bool = True
    """With a Message-Authenticator."""


@dataclass(slots=True)
class Packet:
    """One request, and what came of it."""

    identifier: int
    authenticator: bytes = field(repr=False)
    octets: bytes = field(repr=False)
    answer: asyncio.Future[Answer]


class Speaker:
    """The sockets of one gateway. Close it, or use it with `async with`."""

    def __init__(
        self,
        login: Login,
        *,
        servers: Sequence[tuple[str, int]],
        source: str,
        dictionary: Dictionary,
        on_sent: Callable[[Send], None] = lambda _step: None,
    ) -> None:
        """`source`: the address to speak from."""
        self._login = login
        self._servers = servers
        self._source = source
        self._dictionary = dictionary
        self._on_sent = on_sent
        self._doors: dict[tuple[int, int], _Door] = {}
        self._packets: dict[int, Packet] = {}
        self.nobody_listens: set[tuple[str, int]] = set()
        """Servers whose machine says so (ICMP port unreachable)."""

    @property
    def accepts(self) -> int:
        """How many of the packets were answered by an Access-Accept, in time or late."""
        answers = (packet.answer for packet in self._packets.values() if packet.answer.done())
        return sum(answer.result() == "accepted" for answer in answers)

    @property
    def packets(self) -> int:
        """How many different ones were sent."""
        return len(self._packets)

    @property
    def is_owed(self) -> bool:
        """Was one of them never answered?"""
        return not all(packet.answer.done() for packet in self._packets.values())

    async def send(self, step: Send) -> Heard:
        """One step. Raises ValueError for a request that can't be written, OSError if there is no socket."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        door = await self._door(step.socket, step.server)
        packet = self._packets.get(step.packet)
        if packet is None:
            packet = self._packets[step.packet] = self._write(step.proof, door)
        door.send(packet)
        self._on_sent(step)
        await asyncio.wait({packet.answer}, timeout=step.seconds)
        answer = packet.answer.result() if packet.answer.done() else None
        return Heard(answer, loop.time() - started)

    def _write(self, proof: ProofName, door: _Door) -> Packet:
        login, authenticator = self._login, secrets.token_bytes(16)
        identifier = door.free_identifier()
        username, password = login.username, login.password
        response: Chap | MsChapV2 | None = respond(
            proof, username=username, password=password, chance=secrets.token_bytes(CHANCE)
        )
        octets = write_request(
            identifier=identifier,
            authenticator=authenticator,
            secret=login.secret,
            username=username,
            password=password if response is None else None,
            response=response,
            attributes=login.attributes,
            message_authenticator=login.sealed,
            dictionary=self._dictionary,
        )
        return Packet(identifier, authenticator, octets, asyncio.get_running_loop().create_future())

    async def _door(self, socket: int, server: int) -> _Door:
        key = (socket, server)
        if key not in self._doors:
            there = self._servers[server]
            door = _Door(self._read, refused=lambda: self.nobody_listens.add(there))
            door.transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: door, remote_addr=there, local_addr=(self._source, 0)
            )
            self._doors[key] = door
        return self._doors[key]

    def _read(self, datagram: bytes, packets: Iterable[Packet]) -> None:
        """What is not a right reply to one of them is ignored, as a forger's would have to be."""
        for packet in packets:
            try:
                code, _ = read_reply(
                    datagram,
                    identifier=packet.identifier,
                    authenticator=packet.authenticator,
                    secret=self._login.secret,
                    dictionary=self._dictionary,
                )
            except (MalformedPacket, NotAuthentic):
                continue
            if code in ANSWERS and not packet.answer.done():
                packet.answer.set_result(ANSWERS[code])

    def close(self) -> None:
        for door in self._doors.values():
            door.close()

    async def __aenter__(self) -> Speaker:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.close()


class _Door(asyncio.DatagramProtocol):
    """One port, towards one server."""

    def __init__(
        self, read: Callable[[bytes, Iterable[Packet]], None], *, refused: Callable[[], object]
    ) -> None:
        self._read = read
        self._refused = refused
        self._packets: dict[int, Packet] = {}
        self.transport: asyncio.DatagramTransport | None = None

    def free_identifier(self) -> int:
        """One that no packet from this port has had (RFC 2865 section 3)."""
        return secrets.choice([each for each in range(256) if each not in self._packets])

    def send(self, packet: Packet) -> None:
        self._packets[packet.identifier] = packet
        if self.transport is not None:
            self.transport.sendto(packet.octets)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._read(data, self._packets.values())

    def error_received(self, exc: Exception) -> None:
        """A gateway goes on waiting where nothing listens (yet)."""
        if isinstance(exc, ConnectionRefusedError):
            self._refused()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()
