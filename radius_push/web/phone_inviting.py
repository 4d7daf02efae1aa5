"""A phone that is trusted adds another one of the same person: it invites, and types the new phone's code."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable

from aiohttp import web

from radius_push import enrollment
from radius_push.factors.question import milliseconds
from radius_push.model import Device, Person, Secret
from radius_push.ports import Clock, ClockBehind, Store
from radius_push.shapes import Enrollment
from radius_push.web import qr
from radius_push.web.assertions import ASSERTION
from radius_push.web.phone_api import PhoneApi, expect_active
from radius_push.web.phone_guard import Guard
from radius_push.web.refusal import Refusal
from radius_push.web.wrong_tries import WrongTries

INVITATIONS = 5
"""Of one phone, in ten minutes."""


class InvitingApi:
    """The requests, beside those of PhoneApi, which reads them."""

    def __init__(
        self,
        api: PhoneApi,
        *,
        store: Store,
        clock: Clock,
        pepper: Secret,
        allowed: Enrollment,
        counters: Counter[str],
        fresh: Callable[[int], bytes],
        guard: Guard,
    ) -> None:
        self._api = api
        self._guard = guard
        self._store = store
        self._clock = clock
        self._pepper = pepper
        self.enrollment = allowed
        self.mails = False
        """Are people told of their phones by mail, too?"""
        self._counters = counters
        self._fresh = fresh
        self._made = WrongTries(per_neighbourhood=INVITATIONS)

    async def invite(self, request: web.Request) -> web.StreamResponse:
        device = await self._signer(request)
        self._expect_few(device)
        person = Person(device.person, device.username, "", {})
        try:
            shown = await self._api.finish(
                enrollment.invite(
                    self._store,
                    person=person,
                    lifetime=self.enrollment.shown_code,
                    pepper=self._pepper,
                    by=f"phone {device.id}",
                    now=self._clock.now(),
                    token=self._fresh(16),
                    code_octets=self._fresh(5),
                    by_device=device.id,
                )
            )
        except ClockBehind:
            raise Refusal(503, "store_down", "The server cannot work at the moment.") from None
        link = enrollment.link(self._api.origin, shown)
        return web.json_response(
            {
                "invitation": shown.invitation,
                "link": link,
                "qr": f"data:image/svg+xml;base64,{base64.b64encode(qr.svg(link)).decode()}",
                "code": shown.code,
                "expires_at": milliseconds(shown.expires_at),
            }
        )

    async def _signer(self, request: web.Request) -> Device:
        """A phone that may add one more."""
        signed = await self._api.signed_text(request, purpose="invite", or_all_of=ASSERTION)
        device = signed.device
        expect_active(device)
        if not self.enrollment.by_phone:
            raise Refusal(403, "issuer_only", "Here your administrator adds phones: ask there.")
        if len(await self._store.devices_of(device.person)) >= self.enrollment.devices_per_user:
            raise Refusal(409, "too_many_devices", "You have as many phones as you may. Remove one first.")
        await self._guard.expect(signed.body, device)
        return device

    def _expect_few(self, device: Device) -> None:
        now = self._clock.monotonic()
        if not self._made.admits(device.id, now):
            self._counters["phone_too_many_invitations"] += 1
            raise Refusal(429, "too_many_tries", "That was often. Wait ten minutes.")
        self._made.note(device.id, now)

    async def confirm(self, request: web.Request) -> web.StreamResponse:
        """The person typed what the new phone shows.

        This is where it becomes trusted: so the finger is asked for again. An invitation that a phone has
        used waits without an end, and may be of a day when none was needed.
        """
        signed = await self._api.signed_text(
            request, purpose="confirm", names=frozenset({"invitation", "code"}), or_all_of=ASSERTION
        )
        device, said = signed.device, signed.said
        expect_active(device)
        row = await self._store.invitation(said["invitation"])
        if row is None or row.by_device != device.id or not self.enrollment.by_phone:
            raise Refusal(409, "too_late", "Too late: begin again.")
        await self._guard.expect(signed.body, device)
        word = await self._api.finish(
            enrollment.confirm(
                self._store,
                row.id,
                said["code"],
                by=f"phone {device.id}",
                now=self._clock.now(),
                on=device.id if self.mails else None,  # else nobody else may be told of it
            )
        )
        if word == "not_pending":
            raise Refusal(409, "too_late", "Too late: begin again.")
        self._counters[f"phone_confirm_{word}"] += 1
        return web.json_response({"outcome": word})
