"""Rings a person's closed phones beside the login: it holds nobody up, and ends with the login's time."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from radius_push import events
from radius_push.model import Device, Question, QuestionState, Secret, Trial
from radius_push.notices import Notice
from radius_push.portal_store import PortalSignIn
from radius_push.ports import Clock, Store, StoreDown
from radius_push.push.endpoints import EndpointRefused, Endpoints
from radius_push.push.message import Message, of_notice, of_question, of_sign_in, of_trial
from radius_push.push_shapes import Push
from radius_push.waking import Channel, Delivered, Gone, Outcome, PushAddress, Refused, Ring, Unreachable

logger = logging.getLogger("radius_push.push")

MOST_RINGING = 2000
"""Logins that ring at once; beyond that nobody is rung, and the open app still shows all."""
MOST_TRIES = 3
BACKOFF = 1.0
"""Seconds at least until the second try."""


class Door(Protocol):
    """One kind of push service."""

    channel: Channel

    def open(self) -> None:
        """Begin to keep a connection, beside whoever calls."""

    async def send(self, address: PushAddress, message: Message, *, seconds: float) -> Outcome:
        """Hand it over within the door's own time, or `seconds` if they are less: so long its push service
        may keep it. Never raises but when it is cancelled, and then hurts nobody else's."""

    def use(self, settings: Push) -> None:
        """After a reload: other settings, at once."""

    async def close(self) -> None: ...


class BrowserDoor(Door, Protocol):
    """The push services of browsers, which phones name."""

    public_key: str
    endpoints: Endpoints


class PushRinger:
    """`ports.Ringer` over all channels. It owns every task that it starts."""

    def __init__(
        self,
        browsers: BrowserDoor,
        apps: Sequence[Door] = (),
        *,
        store: Store,
        clock: Clock,
        counters: Counter[str],
        tag_key: Secret,
        url: str,
    ) -> None:
        self._browsers = browsers
        self._doors: dict[Channel, Door] = {door.channel: door for door in (browsers, *apps)}
        self._store = store
        self._clock = clock
        self._counters = counters
        self._tag_key = tag_key
        self._url = url
        self._ringing: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def public_key(self) -> str:
        return self._browsers.public_key

    def admits(self, endpoint: str) -> bool:
        try:
            self._browsers.endpoints.check(endpoint)
        except EndpointRefused:
            return False
        return True

    def ring(self, question: Question, requested_at: float) -> None:
        message = of_question(question, requested_at=requested_at, key=self._tag_key, url=self._url)
        self._begin(message)

    def ring_trial(self, trial: Trial, device: Device) -> None:
        self._begin(of_trial(trial, device, key=self._tag_key, url=self._url))

    def ring_notice(self, notice: Notice) -> None:
        self._begin(of_notice(notice, key=self._tag_key, url=self._url))

    def ring_sign_in(self, sign_in: PortalSignIn) -> None:
        self._begin(of_sign_in(sign_in, key=self._tag_key, url=self._url))

    def open(self) -> None:
        """Begin to keep connections."""
        for door in self._doors.values():
            door.open()

    def use(self, settings: Push) -> None:
        """After a reload: other settings."""
        for door in self._doors.values():
            door.use(settings)

    async def close(self) -> None:
        """Ring no more, and let go of what is ringing."""
        self._closed = True
        for task in tuple(self._ringing):
            task.cancel()
        await asyncio.gather(*self._ringing, return_exceptions=True)
        for door in self._doors.values():
            await door.close()

    def _begin(self, message: Message) -> None:
        if self._closed or len(self._ringing) >= MOST_RINGING:
            self._counters["push_not_rung"] += 1
            return
        name = f"ring for {message.login or message.about}"
        task = asyncio.create_task(self._ring_all(message), name=name)
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)

    async def _ring_all(self, message: Message) -> None:
        try:
            addresses = [
                address
                for address in await self._store.push_addresses_of(message.person)
                if message.device in (None, address.device)
            ]
        except StoreDown as problem:
            logger.error("login=%s could not ring: %s", message.login, problem)
            return
        if addresses:
            waited = max(0, round((self._clock.now() - message.began_at) * 1000))
            rings = [self._ring_one(message, address, waited) for address in addresses]
            await asyncio.gather(self._note_beginning(message, addresses, waited), *rings)

    async def _note_beginning(
        self, message: Message, addresses: Sequence[PushAddress], since_request: int
    ) -> None:
        """Handed to the store before any push service is asked, and nobody waits until it is on disk."""
        at = self._clock.now()
        rings = [
            Ring(each.device, each.channel, message.kind, message.about, message.login, at, since_request)
            for each in addresses
        ]
        try:
            await self._store.begin_rings(*rings)
        except StoreDown as problem:
            logger.error("login=%s rings, and no receipt of it will count: %s", message.login, problem)

    async def _ring_one(self, message: Message, address: PushAddress, since_request: int) -> None:
        try:
            await self._try(message, address, since_request)
        except StoreDown as problem:
            logger.error("login=%s rang, and that could not be noted: %s", message.login, problem)
        except Exception as fault:  # noqa: BLE001  a ring that fails is a missing ring, never a failed login
            self._counters["push_crashed"] += 1
            logger.error("login=%s ringing crashed: %s", message.login, type(fault).__name__)

    async def _try(self, message: Message, address: PushAddress, since_request: int) -> None:
        door = self._doors[address.channel]
        began, tries = self._clock.monotonic(), 0
        while True:
            tries += 1
            seconds = message.expires_at - self._clock.now()
            outcome = await door.send(address, message, seconds=max(0.0, seconds))
            pause = _pause(outcome, tries)
            if pause is None or self._clock.now() + pause + 1 > message.expires_at:
                break
            await asyncio.sleep(pause)
            if not await self._still_asked(message):
                break
        word, detail = _in_words(outcome)
        rang = events.Rang(
            login=message.login,
            question=message.about,
            person=str(message.person),
            device=address.device,
            channel=address.channel,
            outcome=word,
            detail=detail,
            tries=tries,
            since_request=since_request,
            milliseconds=round((self._clock.monotonic() - began) * 1000),
        )
        await self._note(address, rang)

    async def _still_asked(self, message: Message) -> bool:
        if message.login is None:
            return True
        question = await self._store.question(message.about)
        return question is not None and question.state is QuestionState.PENDING

    async def _note(self, address: PushAddress, rang: events.Rang) -> None:
        self._counters[f"push_{rang.outcome}"] += 1
        if rang.outcome == "gone":
            gone = events.PushChanged(rang.person, address.device, address.channel, None, by="push service")
            await self._store.forget_push_address(
                address.device, address.channel, only=address.where, at=self._clock.now(), event=gone
            )
        await self._store.ring_over(rang, at=self._clock.now())


def _pause(outcome: Outcome, tries: int) -> float | None:
    """Seconds until the next try, at least twice as long each time; None: there is none."""
    if not isinstance(outcome, Unreachable) or outcome.retry_after is None or tries >= MOST_TRIES:
        return None
    return max(outcome.retry_after, BACKOFF * (1 << tries - 1))


def _in_words(outcome: Outcome) -> tuple[str, str]:
    match outcome:
        case Delivered():
            return "delivered", ""
        case Gone(detail):
            return "gone", detail
        case Unreachable(detail):
            return "unreachable", detail
        case Refused(detail):
            return "refused", detail
