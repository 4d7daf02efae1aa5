"""Live streams to open phone apps: the whole state at once, and again whenever it changed."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, replace

from aiohttp import web

from radius_push.factors import contest, portal_sign_in
from radius_push.factors import question as asked
from radius_push.model import Address, Device, DeviceState, Question
from radius_push.ports import Clock, Store, StoreDown
from radius_push.web.inviting import Inviting
from radius_push.web.phone_facts import FactsOf
from radius_push.web.phone_guard import Guard
from radius_push.web.push_reach import shown
from radius_push.web.refusal import Refusal
from radius_push.web.shown import Shown

PING_SECONDS = 15.0
WRITE_SECONDS = 10.0
"""A phone that takes no octets for so long is gone."""
SHORTEST_WAIT = 0.02
"""The wall clock and the timer's may differ by a little: better one more look than a hundred."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the store says of one phone at one moment."""

    now: float
    state: dict[str, object]
    next_change: float | None
    removed: bool
    open: tuple[Question, ...] = ()
    """What it is asked."""


class OneStream:
    def __init__(self, task: asyncio.Task[object]) -> None:
        self.task = task
        self.replaced = False


class Streams:
    """Who listens. Bounded per device (the oldest gives way) and in all (the newest is refused)."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        per_device: int,
        in_all: int,
        counters: Counter[str],
        facts: FactsOf,
        inviting: Inviting,
        guard: Guard,
    ) -> None:
        self._store = store
        self._clock = clock
        self._per_device = per_device
        self._in_all = in_all
        self._facts = facts
        self._inviting = inviting
        self._guard = guard
        self._counters = counters
        self._by_device: dict[str, list[OneStream]] = {}
        self._shown = Shown(store, clock, counters)

    async def close(self) -> None:
        """End them all."""
        for streams in list(self._by_device.values()):
            for stream in streams:
                stream.task.cancel()
        await self._shown.close()

    def __len__(self) -> int:
        return sum(len(streams) for streams in self._by_device.values())

    async def serve(
        self, request: web.Request, device: Device, *, phone: Address | None
    ) -> web.StreamResponse:
        """Tell this device until it leaves, is removed, or opens too many others. `phone`: where it comes
        from."""
        stream = self._enter(device.id)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        try:
            await response.prepare(request)
            await self._tell(response, device, phone)
        except asyncio.CancelledError:
            if not stream.replaced:
                raise
            stream.task.uncancel()
            await self._write(response, "event: replaced\ndata: {}\n\n")
        except (ConnectionError, TimeoutError, StoreDown):
            self._counters["phone_stream_broken"] += 1
            response.force_close()
        finally:
            self._leave(device.id, stream)
        return response

    def _enter(self, device: str) -> OneStream:
        streams = self._by_device.setdefault(device, [])
        if len(streams) < self._per_device and len(self) >= self._in_all:
            if not streams:
                del self._by_device[device]
            raise Refusal(503, "busy", "Too many phones are connected. Try again in a moment.")
        while len(streams) >= self._per_device:
            oldest = streams.pop(0)
            oldest.replaced = True
            oldest.task.cancel()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a handler runs in a task
        stream = OneStream(task)
        streams.append(stream)
        self._counters["phone_streams_opened"] += 1
        return stream

    def _leave(self, device: str, stream: OneStream) -> None:
        streams = self._by_device.get(device, [])
        if stream in streams:
            streams.remove(stream)
        if not streams:
            self._by_device.pop(device, None)

    async def _tell(self, response: web.StreamResponse, device: Device, phone: Address | None) -> None:
        told: dict[str, object] | None = None
        written_at = self._clock.monotonic()
        # Listen first, read then: what happens between the two rings.
        async with self._store.bell(device.person) as bell:
            while True:
                seen = await self._look(device, phone)
                state, now = seen.state, seen.now
                if state != told:
                    told, written_at = state, self._clock.monotonic()
                    text = json.dumps({"now": asked.milliseconds(now), **state})
                    await self._write(response, f"event: state\ndata: {text}\n\n")
                    self._shown.note(device, seen.open, by="app")
                elif self._clock.monotonic() - written_at >= PING_SECONDS:
                    written_at = self._clock.monotonic()
                    await self._write(response, ": ping\n\n")
                if seen.removed:
                    return
                seconds = PING_SECONDS - (self._clock.monotonic() - written_at)
                if seen.next_change is not None:
                    seconds = min(seconds, seen.next_change - now)
                await bell.wait(max(seconds, SHORTEST_WAIT))

    async def now(self, device: Device, *, phone: Address | None) -> dict[str, object]:
        """The state once, for who asks without listening on."""
        seen = await self._look(device, phone)
        self._shown.note(device, seen.open, by="service_worker")
        return {"now": asked.milliseconds(seen.now), **seen.state}

    async def _look(self, device: Device, phone: Address | None) -> Look:
        row = await self._store.device(device.id) or replace(device, state=DeviceState.REMOVED)
        biometrics = await self._store.biometrics_of(device.id)
        now = self._clock.now()
        if row.state is not DeviceState.ACTIVE:
            state = {
                **asked.state(row, (), now=now, biometrics=biometrics),
                "recent": [],
                "adding": None,
                "push": shown(None),
                "sign_ins": [],
            }
            return Look(now, state, None, removed=row.state is DeviceState.REMOVED)
        questions = await self._store.questions_of(device.person, closed_since=now - contest.CONTEST_SECONDS)
        trials = await self._store.trials_of(device.id, now=now)
        sign_ins = await self._store.sign_ins_of(device.person, now=now)
        facts = await self._facts.each(questions, phone=phone)
        notices = await self._store.notices_of(device.id)
        state = asked.state(
            row,
            questions,
            trials,
            now=now,
            notices=notices,
            facts=facts,
            biometrics=biometrics,
            guarded=await self._guard.asks(row.person),
        )
        state["sign_ins"] = portal_sign_in.cards(row, sign_ins, now=now)
        state["recent"] = contest.recent(questions, device=row, now=now)
        pending = tuple(question for question in questions if asked.is_open(question, now))
        state["push"] = shown((await self._store.push_reach(device.id)).get(device.id))
        state["adding"], over = await self._inviting.state(row, now=now)
        changes = (
            asked.next_change(questions, trials, now=now),
            contest.next_change(questions, now=now),
            over,
            *(each.expires_at for each in sign_ins),
        )
        change = min((each for each in changes if each is not None), default=None)
        return Look(now, state, change, removed=False, open=pending)

    async def _write(self, response: web.StreamResponse, text: str) -> None:
        async with asyncio.timeout(WRITE_SECONDS):
            await response.write(text.encode())
