"""Gateways for load: few sockets, many Identifiers, addresses all over 127/8. What they send is what
`radius_push.client` sends; each reply's seals are checked."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import cast

from benchmarks.site import PASSWORD, SECRET
from radius_push.model import Secret
from radius_push.radius.asking import read_reply, write_request
from radius_push.radius.dictionary import Dictionary
from radius_push.radius.wire import MalformedPacket, NotAuthentic

IDENTIFIERS = 150
"""In use at once on one port; a server warns at 200."""
RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Told:
    code: int
    """2: accepted, 3: rejected, 0: nothing."""
    seconds: float
    at: float
    """time.perf_counter() at the reply."""


class Gateways:
    """Sockets that share the load. `subnet` is the first two octets of their addresses."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary
        self._ports: list[_Port] = []
        self._free: asyncio.Queue[tuple[_Port, int]] = asyncio.Queue()

    @classmethod
    async def open(
        cls, server: tuple[str, int], dictionary: Dictionary, *, subnet: str, at_once: int
    ) -> Gateways:
        made = cls(dictionary)
        loop = asyncio.get_running_loop()
        for number in range(-(-at_once // IDENTIFIERS)):
            port = _Port(dictionary)
            source = f"{subnet}.{number // 200}.{number % 200 + 1}"
            await loop.create_datagram_endpoint(
                lambda port=port: port,  # type: ignore[misc]
                remote_addr=server,
                local_addr=(source, 0),
            )
            made._ports.append(port)
        for identifier in range(IDENTIFIERS):
            for port in made._ports:
                made._free.put_nowait((port, identifier))
        return made

    async def ask(self, username: str, password: str = PASSWORD, *, seconds: float = 300.0) -> Told:
        """One login; the same packet again every few seconds until there is an answer."""
        port, identifier = await self._free.get()
        try:
            return await port.ask(identifier, username, password, seconds)
        finally:
            self._free.put_nowait((port, identifier))

    def close(self) -> None:
        for port in self._ports:
            port.close()


class _Port(asyncio.DatagramProtocol):
    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._waiting: dict[int, tuple[bytes, asyncio.Future[Told], float]] = {}
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one by its methods, not by its class.
        self._transport = cast("asyncio.DatagramTransport", transport)

    async def ask(self, identifier: int, username: str, password: str, seconds: float) -> Told:
        authenticator = os.urandom(16)
        request = write_request(
            identifier=identifier,
            authenticator=authenticator,
            secret=SECRET,
            username=username,
            password=Secret(password),
            attributes=[("NAS-Identifier", "benchmark"), ("Calling-Station-Id", "203.0.113.7")],
            dictionary=self._dictionary,
        )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Told] = loop.create_future()
        began = time.perf_counter()
        self._waiting[identifier] = (authenticator, answer, began)
        again: asyncio.TimerHandle | None = None

        def send() -> None:
            nonlocal again
            self._transport.sendto(request)
            if time.perf_counter() - began > seconds:
                answer.set_result(Told(0, seconds, time.perf_counter()))
            else:
                again = loop.call_later(RETRY_SECONDS, send)

        send()
        try:
            return await answer
        finally:
            if again is not None:
                again.cancel()
            del self._waiting[identifier]

    def datagram_received(self, data: bytes, addr: object) -> None:
        now = time.perf_counter()
        waiting = self._waiting.get(data[1])
        if waiting is None:
            return
        authenticator, answer, began = waiting
        try:
            code, _ = read_reply(
                data,
                identifier=data[1],
                authenticator=authenticator,
                secret=SECRET,
                dictionary=self._dictionary,
            )
        except (MalformedPacket, NotAuthentic):
            return
        if not answer.done():
            answer.set_result(Told(code, now - began, now))

    def error_received(self, exc: Exception) -> None:
        """Sent again soon."""

    def close(self) -> None:
        self._transport.close()
