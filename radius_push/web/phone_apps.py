"""What an app of one's own says: its token at Apple or Google; and what phones say of a push that came."""

from __future__ import annotations

import re
from collections import Counter
from typing import TypeVar

from aiohttp import web

from radius_push import events
from radius_push.model import Device, Secret
from radius_push.ports import Clock, Store
from radius_push.push_shapes import Push
from radius_push.waking import CHANNELS, KINDS, RECEIPTS, TOKENS, AppAddress, AppChannel, Receipt
from radius_push.web.phone_api import PhoneApi, expect_active
from radius_push.web.refusal import Refusal

LONGEST_ID = 96

Word = TypeVar("Word", bound=str)


class AppPushApi:
    """The requests about pushes to apps, beside those of PhoneApi, which reads them."""

    def __init__(
        self, api: PhoneApi, *, store: Store, clock: Clock, counters: Counter[str], settings: Push
    ) -> None:
        self.settings = settings
        """Exchanged by a reload."""
        self._api = api
        self._store = store
        self._clock = clock
        self._counters = counters

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Not guarded by a finger, as `/api/push` is not: whoever has the phone's key can silence this phone
        and have the id of a request told elsewhere, but neither adds a phone nor answers as another."""
        device, said = await self._api.signed(
            request,
            purpose="push_token",
            names=frozenset({"channel", "token"}),
            may_be_null=frozenset({"token"}),
        )
        expect_active(device)
        self._api.expect_few_addresses(said)
        channel = _one_of(said["channel"], tuple(TOKENS))
        if "token" not in said:
            return web.json_response({"outcome": await self._forget(device, channel)})
        address = AppAddress(device.id, channel, _token(channel, said["token"]))
        if getattr(self.settings, channel) is None:
            self._counters["phone_push_channel_refused"] += 1
            raise Refusal(403, "push_service", f"This server rings no app by {channel}.")
        event = events.PushChanged(str(device.person), device.id, channel, channel, by="phone")
        kept = await self._store.keep_push_address(address, at=self._clock.now(), event=event)
        return web.json_response({"outcome": "kept" if kept else "known"})

    async def _forget(self, device: Device, channel: AppChannel) -> str:
        """Also of a channel that has no settings any more."""
        event = events.PushChanged(str(device.person), device.id, channel, None, by="phone")
        at = self._clock.now()
        await self._store.forget_push_address(device.id, channel, only=None, at=at, event=event)
        return "removed"

    async def receipt(self, request: web.Request) -> web.StreamResponse:
        """When it came is when we hear of it: a phone's own clock may say anything."""
        device, said = await self._api.signed(
            request, purpose="receipt", names=frozenset({"channel", "kind", "id", "what"})
        )
        expect_active(device)
        if len(said["id"]) > LONGEST_ID:
            raise _malformed()
        receipt = Receipt(
            device=device.id,
            channel=_one_of(said["channel"], CHANNELS),
            kind=_one_of(said["kind"], KINDS),
            about=said["id"],
            what=_one_of(said["what"], RECEIPTS),
        )
        counts = await self._api.finish(self._store.receive(receipt, at=self._clock.now()))
        self._counters["phone_receipts" if counts else "phone_receipts_not_counted"] += 1
        state = await self._api.state_of(request, device)
        return web.json_response({"outcome": "counted" if counts else "not_counted", "state": state})


def _token(channel: AppChannel, said: str) -> Secret:
    if re.fullmatch(TOKENS[channel], said) is None:
        raise _malformed()
    # However its digits are written, it is the same one.
    return Secret((said.lower() if channel == "apns" else said).encode())


def _one_of(said: str, words: tuple[Word, ...]) -> Word:
    for word in words:
        if word == said:
            return word
    raise _malformed()


def _malformed() -> Refusal:
    return Refusal(400, "malformed", "A field does not hold what it should.")
