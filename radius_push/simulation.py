"""One play: a gateway's script on real sockets, a person's on a phone, and what the person has seen of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from radius_push.client import Speaker
from radius_push.simulate.gateway import Send
from radius_push.simulate.person import Person, Script, Try
from radius_push.test_phone import RETRY_SECONDS, Card, PhoneRefused, SoftwarePhone, State, Unreachable

FIRST_LOOK = 10.0
"""Seconds in which a phone must have shown what there is before the play."""
ECHO = 1.0
"""Seconds in which the server has said what the last tap makes it say, to a gateway that listens no more."""


@dataclass(slots=True)
class Ring:
    """The phone showed something new."""

    at: float
    """Seconds after the play began."""
    login: str
    """Its trace code."""
    address: str | None
    """From where, as the phone says."""
    answer: str | None = None
    """What the server said to the tap: `approved`, `denied`, `too_late`...; None: nobody tapped."""
    answered_at: float | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What the person has seen, and what went over the wire."""

    tries: tuple[Try, ...]
    rings: tuple[Ring, ...]
    packets: int
    """How many different Access-Requests."""
    accepts: int
    """How many of them were answered by an Access-Accept, in time or late."""

    @property
    def let_in(self) -> bool:
        return self.tries[-1].answer == "accepted"


async def play(
    script: Script,
    *,
    speaker: Speaker,
    phone: SoftwarePhone,
    person: Person,
    client: str,
    on_ring: Callable[[Ring], None] = lambda _ring: None,
) -> Told:
    """Play it to its end: until the last sign-in is over, and every tap that it led to was made. `client`:
    the one that the gateway speaks as; what others ask meanwhile is somebody's real login, and left alone.
    `on_ring` is told of each ring, and once more when it was answered.

    Raises PhoneRefused or Unreachable if the phone is none, ValueError or OSError if nothing can be sent.
    """
    async with aclosing(phone.questions()) as states:
        screen = _Screen(phone, person, client, on_ring)
        await screen.first_look(states)
        watching = asyncio.create_task(screen.watch(states), name="the phone's screen")
        try:
            tries = await _run(script, speaker)
            await screen.last_taps()
            if screen.rings and speaker.is_owed:
                await asyncio.sleep(ECHO)
            if watching.done():
                watching.result()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await screen.look_away()
    return Told(tries, tuple(screen.rings), speaker.packets, speaker.accepts)


async def _run(script: Script, speaker: Speaker) -> tuple[Try, ...]:
    step = next(script)
    try:
        while True:
            if isinstance(step, Send):
                step = script.send(await speaker.send(step))
            else:
                await asyncio.sleep(step.seconds)
                step = next(script)
    except StopIteration as end:
        tries: tuple[Try, ...] = end.value
        return tries


class _Screen:
    """The person's eye and thumb. What is not of the play is not theirs to answer."""

    def __init__(
        self, phone: SoftwarePhone, person: Person, client: str, on_ring: Callable[[Ring], None]
    ) -> None:
        self._phone = phone
        self._person = person
        self._client = client
        self._on_ring = on_ring
        self._before = set[str]()
        self._cards: dict[str, Card] = {}
        self._by_card: dict[str, Ring] = {}
        self._taps = set[asyncio.Task[None]]()
        self._began = 0.0
        self.rings: list[Ring] = []

    async def first_look(self, states: AsyncGenerator[State, None]) -> None:
        try:
            async with asyncio.timeout(FIRST_LOOK):
                state = await anext(states)
        except (TimeoutError, StopAsyncIteration):
            raise Unreachable(f"{self._phone.enrolled.origin} shows this phone nothing") from None
        self._before |= {str(card["id"]) for card in state.questions}
        self._began = asyncio.get_running_loop().time()

    async def watch(self, states: AsyncGenerator[State, None]) -> None:
        """For ever; a server that is away for a moment is waited for."""
        while True:
            try:
                async for state in states:
                    self._show(state)
            except Unreachable:
                pass
            await asyncio.sleep(RETRY_SECONDS)
            states = self._phone.questions()

    def _show(self, state: State) -> None:
        for card in state.questions:
            id = str(card["id"])
            if id in self._before or card["client"] != self._client:
                continue
            self._cards[id] = card
            ring = self._by_card.get(id)
            if ring is None:
                self._rung(id, card)
            elif ring.answer == "late" and card["late"] == "no":
                # The gateway asks again, and the card takes a yes once more.
                ring.answer = ring.answered_at = None
                self._taps_after(self._person.hesitates(1), id, ring)

    def _rung(self, id: str, card: Card) -> None:
        ring = Ring(self._now(), card["login"], card["address"])
        self.rings.append(ring)
        self._by_card[id] = ring
        self._on_ring(ring)
        if self._person.approves is not None:
            self._taps_after(self._person.hesitates(len(self.rings) - 1), id, ring)

    def _taps_after(self, seconds: float, id: str, ring: Ring) -> None:
        tap = asyncio.create_task(self._tap(id, ring, after=seconds), name="a tap")
        self._taps.add(tap)
        tap.add_done_callback(self._taps.discard)

    async def _tap(self, id: str, ring: Ring, *, after: float) -> None:
        await asyncio.sleep(after)
        card = self._cards[id]  # as it looks by now
        try:
            ring.answer = await self._phone.answer(card, approve=self._person.approves is True)
        except PhoneRefused as no:
            ring.answer = no.word
        except Unreachable:
            ring.answer = "unreachable"
        ring.answered_at = self._now()
        self._on_ring(ring)

    async def last_taps(self) -> None:
        """Wait for those that are still to come, and for what the server says to them."""
        while self._taps:
            await asyncio.gather(*self._taps)

    async def look_away(self) -> None:
        for tap in self._taps:
            tap.cancel()
        await asyncio.gather(*self._taps, return_exceptions=True)

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self._began
