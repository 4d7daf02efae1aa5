"""A phone's yes or no to a sign-in to the page for phones."""

from __future__ import annotations

from collections import Counter

from aiohttp import web

from radius_push import events
from radius_push.factors.answer import text_field
from radius_push.factors.portal_sign_in import read_sign_in_answer
from radius_push.portal_store import SignInState
from radius_push.ports import Clock, Store
from radius_push.web.assertions import ASSERTION, NONE_USED
from radius_push.web.phone_api import PhoneApi, expect_active
from radius_push.web.phone_guard import Guard
from radius_push.web.refusal import Refusal


class SignInApi:
    """The one request about it, beside those of PhoneApi, which reads it."""

    def __init__(
        self, api: PhoneApi, *, origin: str, store: Store, clock: Clock, counters: Counter[str], guard: Guard
    ) -> None:
        self._api = api
        self._guard = guard
        self._origin = origin
        self._store = store
        self._clock = clock
        self._counters = counters

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Signed for purposes of its own, and written where no login looks."""
        device, fields, body = await self._api.signed_by(request, or_all_of=ASSERTION)
        expect_active(device)
        sign_in = await self._store.sign_in(text_field(fields, "sign_in"))
        if sign_in is None or sign_in.person != device.person:
            raise Refusal(404, "unknown_question", "This request is not known here.")
        approve = read_sign_in_answer(body["payload"], sign_in=sign_in, device=device, origin=self._origin)
        now = self._clock.now()
        waits = sign_in.state is SignInState.PENDING and now < sign_in.expires_at
        used = await self._guard.used(body, device, waits=waits) if approve else NONE_USED
        event = events.PortalAnswered(
            person=str(sign_in.person),
            sign_in=sign_in.id,
            device=device.id,
            answer="approve" if approve else "deny",
            payload=body["payload"],
            signature=body["signature"],
            biometrics=used.key,
            assertion=used.octets,
        )
        written = await self._store.answer_sign_in(
            sign_in.id, device=device.id, approve=approve, assertion=used.assertion, at=now, event=event
        )
        if written is None and not await self._was_said(sign_in.id, device.id, approve=approve):
            self._counters["phone_answer_too_late"] += 1
            raise Refusal(409, "too_late", "Too late: this request is over. Nothing was answered.")
        return web.json_response({"outcome": "approved" if approve else "denied"})

    async def _was_said(self, id: str, device: str, *, approve: bool) -> bool:
        """By this very phone, which did not hear that it was written."""
        row = await self._store.sign_in(id)
        states = {SignInState.APPROVED, SignInState.SPENT} if approve else {SignInState.DENIED}
        return row is not None and row.device == device and row.state in states
