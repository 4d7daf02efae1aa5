"""What a phone says about a yes that was not its person's."""

from __future__ import annotations

from collections import Counter

from aiohttp import web

from radius_push import events
from radius_push.factors.contest import CONTEST_SECONDS, FIELDS, compare
from radius_push.model import Device, Question
from radius_push.ports import Clock, Store
from radius_push.web.phone_api import PhoneApi, Signed, expect_active
from radius_push.web.refusal import Refusal


class ContestApi:
    """The request, beside those of PhoneApi, which reads it. Signed for a purpose of its own: no answer can
    be taken for it, nor it for an answer."""

    def __init__(self, api: PhoneApi, *, store: Store, clock: Clock, counters: Counter[str]) -> None:
        self.alerts: tuple[str, ...] = ()
        """Whom of the administrators it is mailed to."""
        self._api = api
        self._store = store
        self._clock = clock
        self._counters = counters

    async def contest(self, request: web.Request) -> web.StreamResponse:
        signed = await self._api.signed_text(
            request, purpose="contest", names=FIELDS, may_be_null=frozenset({"address"})
        )
        expect_active(signed.device)
        question = await self._store.question(signed.said["question"])
        if question is None or question.person != signed.device.person:
            raise Refusal(404, "unknown_question", "This request is not known here.")
        compare(signed.said, question)
        await self._api.finish(self._write(question, signed))
        return web.json_response({"outcome": "contested"})

    async def _write(self, question: Question, signed: Signed) -> None:
        if await self._store.contest(
            question.id,
            device=signed.device.id,
            within=CONTEST_SECONDS,
            at=self._clock.now(),
            event=_event(question, signed.device, signed),
            alerts=self.alerts,
        ):
            self._counters["phone_contested"] += 1
            return
        now = await self._store.question(question.id)
        expect_active(await self._store.device(signed.device.id) or signed.device)
        if (
            now is None or now.contested_at is None
        ):  # else it was said already, and this phone did not hear so
            raise Refusal(409, "too_late", "Too late: ask your administrator to look at this sign-in.")


def _event(question: Question, device: Device, signed: Signed) -> events.Contested:
    return events.Contested(
        login=question.login,
        question=question.id,
        person=str(question.person),
        device=device.id,
        answered_by=question.device,
        client=question.client,
        address=question.address,
        payload=signed.payload,
        signature=signed.signature,
    )
