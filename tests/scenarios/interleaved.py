"""Gateways, phones and a server that may end at any moment, moved one step at a time.

The server, its UDP socket, its store and the gateways' sockets are the real ones; a phone's signed answer is
handed to the phone side without HTTP. Whatever is on its way is counted, so that time stands still for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from multidict import CIMultiDict

from radius_push import events
from radius_push.factors.answer import AnswerRefused
from radius_push.factors.question import state
from radius_push.model import ProofName, Question, Secret
from radius_push.ports import StoreDown
from radius_push.radius.asking import CHANCE, read_reply, respond, write_request
from radius_push.radius.packet import load_dictionary
from radius_push.radius.wire import NotAuthentic
from radius_push.server import Server
from radius_push.shapes import Settings
from radius_push.test_phone import Card, SoftwarePhone
from radius_push.web.refusal import Refusal
from tests.scenarios.house import SECRET
from tests.scenarios.three_gateways import GATEWAYS, OLD, SOCKETS, Heard, Request
from tests.scenarios.turned import TurnedClock, TurnedLoop

T = TypeVar("T")
MOMENT = 0.001
"""Seconds that every step takes: no two packets arrive at the same time."""


class _Wire(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._heard(data)


@dataclass
class _Posted:
    """What the phone side reads of an HTTP request that answers."""

    body: bytes
    content_type = "application/json"
    transport = None
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)

    @property
    def content_length(self) -> int:
        return len(self.body)

    async def read(self) -> bytes:
        return self.body


class World:
    """One site from its first step to its last."""

    def __init__(self, settings: dict[tuple[str, int], Settings], phones: list[SoftwarePhone]) -> None:
        self.loop = TurnedLoop(settle=0.0, begins=5000.0)
        self.clock = TurnedClock(self.loop)
        self.settings, self.rules = settings, (OLD, 3600)
        self.phones = phones
        self.told: list[tuple[float, events.Event]] = []
        self.rang: list[str] = []
        self.requests: list[Request] = []
        self.dead = False
        self.lives = 0
        self._on_the_way = 0
        self._stuck: list[asyncio.Future[Any]] = []
        self._waits: dict[tuple[str, int, int], list[Request]] = {}
        self._used: dict[tuple[str, int], int] = {}
        self._wires: dict[tuple[str, int], asyncio.DatagramTransport] = {}
        self.run(self._start())

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(step)

    # --- the server's lives ---------------------------------------------------------------------------

    async def _start(self) -> None:
        self.server = server = Server(self.settings[self.rules], clock=self.clock, on_event=self._hear)
        self.loop.watched[:] = [
            lambda: server.store.busy() if hasattr(server, "store") else 0,
            lambda: self._on_the_way,
        ]
        await server.start()
        self.dead, self.lives = False, self.lives + 1
        self._death: asyncio.Future[None] = self.loop.create_future()
        assert server._listeners is not None
        listener = server._listeners._authentication[0]
        receive, send = listener._reception.receive, listener.send

        def counted(*args: Any) -> bool:
            self._on_the_way -= 1
            return receive(*args)

        def watched(*args: Any) -> bool:
            if self.dead:
                return True
            left = send(*args)
            self._on_the_way += left
            return left

        listener._reception.receive = counted  # type: ignore[method-assign, assignment]
        listener.send = watched  # type: ignore[method-assign, assignment]
        assert server._phones is not None
        assert server._phones._ringer is not None

        def ring(question: Question, requested_at: float) -> None:
            self.rang.append(question.id)

        server._phones._ringer.ring = ring  # type: ignore[method-assign]
        for name, gateway in GATEWAYS.items():
            for port in range(SOCKETS):
                await self._wire(name, gateway.source, port)

    async def _wire(self, name: str, source: str, port: int) -> None:
        """The same port as in the life before."""
        old = self._wires.get((name, port))
        here = (source, 0) if old is None else old.get_extra_info("sockname")
        if old is not None:
            old.close()
            await asyncio.sleep(0)
        wire, _ = await self.loop.create_datagram_endpoint(
            lambda: _Wire(lambda data: self._arrives(name, port, data)),
            local_addr=here,
            remote_addr=self.server.authentication[0],
        )
        self._wires[name, port] = wire

    async def stop(self) -> None:
        self._spare()
        await self.server.stop()

    def _spare(self) -> None:
        """It is not going to crash after all."""
        vars(self.server.store._writer).pop("run", None)

    async def crash(self) -> None:
        """Nothing more is written, and nothing more leaves."""
        self.dead = True
        self.server.store._writer.run = _gone  # type: ignore[method-assign]
        for reception in {each._reception for each in self.server._listeners._all()}:  # type: ignore[union-attr]
            for task in reception._working:
                task.cancel()
        for each in self._stuck:
            each.cancel()
        self._stuck.clear()
        await self.server.stop()

    def crash_at_write(self, number: int, *, written: bool) -> None:
        """The process gets as far as this write from now on, and no farther."""
        self._spare()
        writer, left = self.server.store._writer, number
        really = writer.run

        async def last(work: Any, *, writes: bool, **named: Any) -> Any:
            nonlocal left
            left -= writes
            if left > 0 or (left == 0 and writes and written and not self.dead):
                done = await really(work, writes=writes, **named)
                if left > 0:
                    return done
            self.dead = True
            if not self._death.done():
                self._death.set_result(None)
            self._stuck.append(self.loop.create_future())
            return await self._stuck[-1]

        writer.run = last  # type: ignore[method-assign]

    async def come_back(self, *, after: float, crashed: bool) -> None:
        await (self.crash() if crashed or self.dead else self.stop())
        self._on_the_way = 0
        self.loop.watched.clear()
        await asyncio.sleep(after)
        await self._start()

    async def use(self, rules: tuple[str, int]) -> None:
        self._spare()
        self.rules = rules
        await self.server.reload(self.settings[rules])

    async def end(self) -> None:
        await (self.crash() if self.dead else self.stop())
        for wire in self._wires.values():
            wire.close()
        await asyncio.sleep(0)

    # --- gateways -------------------------------------------------------------------------------------

    def write(
        self,
        *,
        who: str,
        password: str,
        address: str | None,
        gateway: str,
        port: int,
        proof: ProofName,
        sealed: bool,
        again: bool,
    ) -> Request:
        """A new request. `again`: under the Identifier of the one before, as who gave that up."""
        at = GATEWAYS[gateway]
        used = self._used.get((gateway, port), -1)
        used = used if again and used >= 0 else used + 1
        self._used[gateway, port] = used
        identifier = used % 256
        clear, authenticator = Secret(password), secrets.token_bytes(16)
        response = respond(proof, username=who, password=clear, chance=secrets.token_bytes(CHANCE))
        octets = write_request(
            identifier=identifier,
            authenticator=authenticator,
            secret=SECRET,
            username=who,
            password=clear if response is None else None,
            response=response,
            attributes=[("Calling-Station-Id", address)] if address else [],
            message_authenticator=sealed,
            dictionary=load_dictionary(),
        )
        made = Request(who, password, address, at, port, proof, sealed, octets)
        self._waits.setdefault((gateway, port, identifier), []).append(made)
        self.requests.append(made)
        return made

    async def send(self, request: Request) -> None:
        request.sent.append(self.clock.now())
        request.lives.append(self.lives)
        request.rules.add(self.rules)
        self._on_the_way += 1
        self._wires[request.gateway.name, request.port].sendto(request.octets)
        new = len(request.sent) == 1 and request.sealed and request.password == self.rules[0]
        for older in self._of_one_identifier(request):
            if older is not request and older.lives[-1:] == [self.lives]:
                older.has_rivals = True
                if new and not older.heard:
                    older.superseded = older.superseded or (self.lives, request.sent[-1])
        await asyncio.sleep(MOMENT)

    def _of_one_identifier(self, request: Request) -> list[Request]:
        return self._waits[request.gateway.name, request.port, request.octets[1]]

    def _arrives(self, name: str, port: int, reply: bytes) -> None:
        self._on_the_way -= 1
        for request in self._waits[name, port, reply[1]]:
            with contextlib.suppress(NotAuthentic):
                code, texts = read_reply(
                    reply,
                    identifier=reply[1],
                    authenticator=request.octets[4:20],
                    secret=SECRET,
                    dictionary=load_dictionary(),
                )
                request.heard.append(
                    Heard(self.clock.now(), code, texts.get("Session-Timeout", ()), self.lives, reply)
                )
                return
        raise AssertionError("a reply to nothing that was asked")

    def _hear(self, at: float, event: events.Event) -> None:
        self.told.append((at, event))

    # --- phones ---------------------------------------------------------------------------------------

    async def cards(self, phone: SoftwarePhone) -> list[Card]:
        """What it shows now; nothing, if the server dies meanwhile by a write of its own."""
        looking = asyncio.ensure_future(self._cards(phone))
        first: set[asyncio.Future[Any]] = {looking, self._death}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if looking.done():
            return looking.result()
        looking.cancel()
        return []

    async def _cards(self, phone: SoftwarePhone) -> list[Card]:
        store, now = self.server.store, self.clock.now()
        device = await store.device(phone.enrolled.device)
        assert device is not None
        shown = state(device, await store.questions_of(device.person, closed_since=now), now=now)
        return cast("list[Card]", shown["questions"])

    async def tap(self, phone: SoftwarePhone, card: Card, *, approve: bool) -> str:
        """What the phone is told; nothing, if the server died meanwhile."""
        assert self.server._phones is not None
        assert self.server._phones._side is not None
        posted = _Posted(json.dumps(phone.signed_answer(card, approve=approve)).encode())
        asking = asyncio.ensure_future(self.server._phones._side._api.answer(posted))  # type: ignore[arg-type]
        await asyncio.sleep(MOMENT)
        if not asking.done():
            asking.cancel()
            return ""
        try:
            said: str = json.loads(asking.result().body)["outcome"]  # type: ignore[attr-defined]
        except Refusal as no:
            said = no.word
        except AnswerRefused as no:
            said = f"refused {no.field}"
        return said

    async def remove(self, phone: SoftwarePhone) -> None:
        device, at = phone.enrolled.device, self.clock.now()
        removed = events.DeviceRemoved(str(phone.enrolled.person), device, "test")
        work = self.server.store.remove_device(device, at=at, event=removed)
        asking = asyncio.ensure_future(work)
        await asyncio.sleep(MOMENT)
        if not asking.done():
            asking.cancel()


async def _gone(*_: Any, **__: Any) -> Any:
    raise StoreDown("the process has ended")
