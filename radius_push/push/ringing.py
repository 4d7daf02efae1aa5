"""Rings a person's closed phones beside the login: it holds nobody up, and ends with the login's time."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Protocol

from radius_push import events
from radius_push.model import Device, PushAddress, Question, QuestionState, Secret, Trial
from radius_push.notices import Notice
from radius_push.portal_store import PortalSignIn
from radius_push.ports import Clock, Store, StoreDown
from radius_push.push.endpoints import EndpointRefused, Endpoints
from radius_push.push.message import Message, of_notice, of_question, of_sign_in, of_trial
from radius_push.push.webpush import Delivered, Gone, Outcome, Refused, Unreachable
from radius_push.shapes import WebPush

logger = logging.getLogger("radius_push.push")

MOST_RINGING = 2000
"""Logins that ring at once; beyond that nobody is rung, and the open app still shows all."""
MOST_TRIES = 3


class Channel(Protocol):
    """One kind of push service."""

    channel: str
    public_key: str
    endpoints: Endpoints

    async def send(self, address: PushAddress, payload: bytes, *, topic: str, seconds: float) -> Outcome: ...

    def use(self, settings: WebPush) -> None: ...

    async def close(self) -> None: ...


class PushRinger:
    """`ports.Ringer` over one channel. It owns every task that it starts."""

    def __init__(
        self,
        channel: Channel,
        *,
        store: Store,
        clock: Clock,
        counters: Counter[str],
        tag_key: Secret,
        url: str,
    ) -> None:
        self._channel = channel
        self._store = store
        self._clock = clock
        self._counters = counters
        self._tag_key = tag_key
        self._url = url
        self._ringing: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def public_key(self) -> str:
        return self._channel.public_key

    def admits(self, endpoint: str) -> bool:
        try:
            self._channel.endpoints.check(endpoint)
        except EndpointRefused:
            return False
        return True

    def ring(self, question: Question) -> None:
        self._begin(of_question(question, key=self._tag_key, url=self._url))

    def ring_trial(self, trial: Trial, device: Device) -> None:
        self._begin(of_trial(trial, device, key=self._tag_key, url=self._url))

    def ring_notice(self, notice: Notice) -> None:
        self._begin(of_notice(notice, key=self._tag_key, url=self._url))

    def ring_sign_in(self, sign_in: PortalSignIn) -> None:
        self._begin(of_sign_in(sign_in, key=self._tag_key, url=self._url))

    def use(self, settings: WebPush) -> None:
        """After a reload: other settings."""
        self._channel.use(settings)

    async def close(self) -> None:
        """Ring no more, and let go of what is ringing."""
        self._closed = True
        for task in tuple(self._ringing):
            task.cancel()
        await asyncio.gather(*self._ringing, return_exceptions=True)
        await self._channel.close()

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
        else:
            await asyncio.gather(*(self._ring_one(message, address) for address in addresses))

    async def _ring_one(self, message: Message, address: PushAddress) -> None:
        try:
            await self._try(message, address)
        except StoreDown as problem:
            logger.error("login=%s rang, and that could not be noted: %s", message.login, problem)
        except Exception as fault:  # noqa: BLE001  a ring that fails is a missing ring, never a failed login
            self._counters["push_crashed"] += 1
            logger.error("login=%s ringing crashed: %s", message.login, type(fault).__name__)

    async def _try(self, message: Message, address: PushAddress) -> None:
        began, tries = self._clock.monotonic(), 0
        while True:
            tries += 1
            seconds = message.expires_at - self._clock.now()
            outcome = await self._channel.send(
                address, message.payload, topic=message.topic, seconds=max(0.0, seconds)
            )
            pause = outcome.retry_after if isinstance(outcome, Unreachable) else None
            if pause is None or tries == MOST_TRIES or self._clock.now() + pause + 1 > message.expires_at:
                break
            await asyncio.sleep(pause)
            if not await self._still_asked(message):
                break
        await self._note(message, address, outcome, tries=tries, seconds=self._clock.monotonic() - began)

    async def _still_asked(self, message: Message) -> bool:
        if message.login is None:
            return True
        question = await self._store.question(message.about)
        return question is not None and question.state is QuestionState.PENDING

    async def _note(
        self, message: Message, address: PushAddress, outcome: Outcome, *, tries: int, seconds: float
    ) -> None:
        word, detail = _in_words(outcome)
        self._counters[f"push_{word}"] += 1
        if word == "gone":
            gone = events.PushChanged(str(message.person), address.device, None, by="push service")
            await self._store.forget_push_address(
                address.device, endpoint=address.endpoint, at=self._clock.now(), event=gone
            )
        await self._store.record(
            events.Rang(
                login=message.login,
                question=message.about,
                person=str(message.person),
                device=address.device,
                channel=self._channel.channel,
                outcome=word,
                detail=detail,
                tries=tries,
                milliseconds=round(seconds * 1000),
            )
        )


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
