"""The store's methods about questions: each is one transaction, which is written in `questions.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from radius_push.attempts import Lateness, Met, Rider, Standing
from radius_push.events import Asked, Event
from radius_push.model import Assertion, Earlier, PersonKey, Question, QuestionState
from radius_push.ports import Clock, StoreDown
from radius_push.shapes import DEFAULT_RING_LIMIT, RingLimit
from radius_push.store import abandoned, contested, questions
from radius_push.store.bells import question_topic
from radius_push.store.writer import Transaction, Work, Writer

T = TypeVar("T")

CLOCK_MAY_JUMP = 2.0
"""Seconds that a clock may be set back by, as time servers do."""


class Questions:
    """That part of `ports.Store`, over one writer."""

    _clock: Clock
    _writer: Writer
    _latest: float
    """When the newest event was written."""

    def clock_behind(self) -> float:
        behind = self._latest - self._clock.now()
        return behind if behind > CLOCK_MAY_JUMP else 0.0

    async def _write(self, work: Work[T], event: Event | None = None, *, client: str = "") -> T:
        """Whose turn it takes: `client`'s, or that of whose login `event` is about."""
        return await self._writer.run(work, writes=True, whose=client or getattr(event, "client", ""))

    async def _read(self, work: Work[T], *, client: str = "") -> T:
        return await self._writer.run(work, writes=False, whose=client)

    async def open_or_join(
        self,
        question: Question,
        rider: Rider,
        *,
        request: bytes,
        event: Asked,
        decision: bytes = b"",
        limit: RingLimit = DEFAULT_RING_LIMIT,
    ) -> Met:
        at = self._clock.now()
        if self.clock_behind():  # whoever is let in without a ring is so by the clock
            rider = replace(rider, may_skip=False)

        def work(rows: Transaction) -> Met:
            return questions.open_or_join(
                rows, question, rider, decision=decision, request=request, limit=limit, at=at, event=event
            )

        return await self._write(work, event)

    async def earlier(self, packet: bytes, *, client: str = "") -> Earlier | None:
        return await self._read(lambda rows: questions.earlier(rows, packet), client=client)

    async def sent(self, packet: bytes, *, login: str, at: float) -> None:
        await self._writer.run(
            lambda rows: questions.sent(rows, packet, login=login, at=at),
            writes=True,
            whose="whoever was accepted",
            urgent=False,
        )

    async def remember_request(self, request: bytes, at: float) -> bool:
        return await self._write(lambda rows: questions.remember_request(rows, request, at=at))

    async def question(self, id: str) -> Question | None:
        return await self._read(lambda rows: questions.read(rows, id))

    async def questions_of(self, person: PersonKey, *, closed_since: float) -> Sequence[Question]:
        return await self._read(lambda rows: questions.of_person(rows, person, closed_since=closed_since))

    async def answer(
        self,
        question: str,
        *,
        device: str,
        approve: bool,
        at: float,
        event: Event,
        late: bool = False,
        nonce: str | None = None,
        assertion: Assertion | None = None,
    ) -> QuestionState | None:
        late = late and not self.clock_behind()
        return await self._write(
            lambda rows: questions.answer(
                rows,
                question,
                device=device,
                approve=approve,
                late=late,
                nonce=nonce,
                assertion=assertion,
                at=at,
                event=event,
            )
        )

    async def contest(
        self,
        question: str,
        *,
        device: str,
        within: float,
        at: float,
        event: Event,
        alerts: Sequence[str] = (),
    ) -> bool:
        def work(rows: Transaction) -> bool:
            return contested.contest(
                rows, question, device=device, within=within, at=at, event=event, alerts=alerts
            )

        return await self._write(work)

    async def wait_for_answer(self, question: str, packet: bytes, *, seconds: float) -> Standing:
        end = self._clock.monotonic() + seconds
        # Listen first, read then: an answer between the two has rung already.
        async with self._writer.bells.listen(question_topic(question)) as bell:
            while True:
                standing = await self.standing(question, packet)
                left = end - self._clock.monotonic()
                state = standing.question.state
                waits = state is QuestionState.PENDING or (
                    state is QuestionState.APPROVED and not standing.newest
                )
                if not waits or left <= 0:
                    return standing
                await bell.wait(left)

    async def standing(self, question: str, packet: bytes) -> Standing:
        at = self._clock.now()
        standing = await self._read(lambda rows: questions.standing(rows, question, packet, at=at))
        if standing is None:
            raise StoreDown(f"question {question} is not in the store")
        return standing

    async def end_of_bar(
        self, question: str, packet: bytes, *, late: Lateness, at: float, event: Event
    ) -> bool:
        return await self._write(
            lambda rows: questions.end_of_bar(rows, question, packet, late=late, at=at, event=event),
            event,
        )

    async def leave(self, question: str, packet: bytes, *, late: Lateness, at: float, event: Event) -> None:
        await self._write(
            lambda rows: questions.leave(rows, question, packet, late=late, at=at, event=event),
            event,
        )

    async def close_question(
        self, question: str, *, expected: QuestionState, state: QuestionState, at: float, event: Event
    ) -> bool:
        return await self._write(
            lambda rows: questions.close_question(
                rows, question, expected=expected, state=state, at=at, event=event
            ),
            event,
        )

    async def accept(
        self,
        question: str | None,
        *,
        at: float,
        event: Event,
        packet: bytes | None = None,
        by: questions.By = "push",
        request: bytes | None = None,
    ) -> bool:
        return await self._write(
            lambda rows: questions.accept(
                rows, question, packet=packet, by=by, at=at, event=event, request=request
            ),
            event,
        )

    async def close_abandoned(self, at: float) -> int:
        return await self._write(lambda rows: abandoned.close_abandoned(rows, at=at))
