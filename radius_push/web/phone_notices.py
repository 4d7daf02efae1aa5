"""What a phone says about what it was told of the person's other phones: seen, or: remove that one."""

from __future__ import annotations

from aiohttp import web

from radius_push.events import DeviceRemoved
from radius_push.model import Device
from radius_push.notices import Notice
from radius_push.ports import Clock, Store
from radius_push.web.assertions import ASSERTION
from radius_push.web.phone_api import PhoneApi, Signed, expect_active
from radius_push.web.phone_guard import Guard
from radius_push.web.refusal import Refusal

SEEN, REMOVE = "seen", "remove"


class NoticeApi:
    """One request, beside those of PhoneApi, which reads it."""

    def __init__(self, api: PhoneApi, *, store: Store, clock: Clock, guard: Guard) -> None:
        self.alerts: tuple[str, ...] = ()
        """Whom of the administrators a removal is mailed to."""
        self._api = api
        self._guard = guard
        self._store = store
        self._clock = clock

    async def notice(self, request: web.Request) -> web.StreamResponse:
        signed = await self._api.signed_text(
            request, purpose="notice", names=frozenset({"notice", "answer"}), or_all_of=ASSERTION
        )
        device, said = signed.device, signed.said
        expect_active(device)
        if said["answer"] not in (SEEN, REMOVE):
            raise Refusal(400, "malformed", "A field does not hold what it should.")
        notice = await self._of(device, said["notice"])
        outcome = "seen" if said["answer"] == SEEN else await self._remove(signed, notice)
        await self._store.dismiss_notice(notice.id, device=device.id)
        return web.json_response({"outcome": outcome})

    async def _of(self, device: Device, id: str) -> Notice:
        for notice in await self._store.notices_of(device.id):
            if notice.id == id:
                return notice
        raise Refusal(404, "unknown_notice", "This is not known here, or was answered already.")

    async def _remove(self, signed: Signed, notice: Notice) -> str:
        """The phone that was added: only one that a notice tells this phone of, so never any other."""
        if notice.kind != "device_added":
            raise Refusal(400, "malformed", "A field does not hold what it should.")
        device = signed.device
        await self._guard.expect(signed.body, device)
        event = DeviceRemoved(str(device.person), notice.about, by=f"phone {device.id}")
        removed = await self._store.remove_device(
            notice.about, at=self._clock.now(), event=event, alerts=self.alerts
        )
        return "removed" if removed else "gone"
