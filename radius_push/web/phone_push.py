"""What a phone says about being woken: where its browser is reached, and that a test request shall come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web

from radius_push import events
from radius_push.factors.answer import is_public_key
from radius_push.model import BiometricsMode, Device, Secret, Trial
from radius_push.ports import Clock, Ringer, Store
from radius_push.push_shapes import Push
from radius_push.waking import BrowserAddress
from radius_push.web.authenticator import relying_party
from radius_push.web.octets import octets_of
from radius_push.web.phone_api import PhoneApi, expect_active
from radius_push.web.push_reach import apps
from radius_push.web.refusal import Refusal

TRIAL_SECONDS = 60.0
TRIALS_IN_A_MINUTE = 3
"""Of one device."""
_ADDRESS = frozenset({"endpoint", "p256dh", "auth"})


class PushApi:
    """The requests about notifications, beside those of PhoneApi, which reads them."""

    def __init__(
        self,
        api: PhoneApi,
        *,
        ringer: Ringer,
        store: Store,
        clock: Clock,
        counters: Counter[str],
        fresh: Callable[[int], bytes],
        origin: str,
        biometrics: BiometricsMode,
        settings: Push,
    ) -> None:
        self.settings = settings
        """Exchanged by a reload."""
        self._origin = origin
        self.biometrics: BiometricsMode = biometrics
        """The most that any profile asks for."""
        self._api = api
        self._ringer = ringer
        self._store = store
        self._clock = clock
        self._counters = counters
        self._fresh = fresh

    async def config(self, request: web.Request) -> web.StreamResponse:
        """What an app has to know before it can subscribe."""
        host = relying_party(self._origin)
        return web.json_response(
            {
                "web_push": {"public_key": self._ringer.public_key},
                **apps(self.settings),
                "biometrics": {"relying_party": host, "asked": "off" if host is None else self.biometrics},
            }
        )

    # --- where it is reached ---------------------------------------------------------------------------

    async def push(self, request: web.Request) -> web.StreamResponse:
        device, said = await self._api.signed(request, purpose="push", names=_ADDRESS, may_be_null=_ADDRESS)
        expect_active(device)
        self._api.expect_few_addresses(said)
        if not said.keys() & _ADDRESS:
            return web.json_response({"outcome": await self._forget(device)})
        if not said.keys() >= _ADDRESS:
            raise Refusal(400, "malformed", "endpoint, p256dh and auth are there together, or null together.")
        return web.json_response({"outcome": await self._keep(device, said)})

    async def _keep(self, device: Device, said: dict[str, str]) -> str:
        """`kept`, or `known` if nothing is new."""
        address = BrowserAddress(
            device=device.id,
            endpoint=said["endpoint"],
            p256dh=octets_of(said["p256dh"], 65),
            auth=Secret(octets_of(said["auth"], 16)),
        )
        if not is_public_key(address.p256dh):
            raise Refusal(400, "malformed", "A field does not hold what it should.")
        if not self._ringer.admits(address.endpoint):
            self._counters["phone_push_service_refused"] += 1
            raise Refusal(403, "push_service", "This browser's push service is not allowed here.")
        event = events.PushChanged(
            str(device.person),
            device.id,
            "web_push",
            urlsplit(address.endpoint).hostname,
            by="phone",
        )
        kept = await self._store.keep_push_address(address, at=self._clock.now(), event=event)
        return "kept" if kept else "known"

    async def _forget(self, device: Device) -> str:
        event = events.PushChanged(str(device.person), device.id, "web_push", None, by="phone")
        await self._store.forget_push_address(
            device.id, "web_push", only=None, at=self._clock.now(), event=event
        )
        return "removed"

    # --- test requests ---------------------------------------------------------------------------------

    async def test(self, request: web.Request) -> web.StreamResponse:
        device, _ = await self._api.signed(request, purpose="test")
        expect_active(device)
        now = self._clock.now()
        trial = Trial(self._fresh(16).hex(), device.id, opened_at=now, expires_at=now + TRIAL_SECONDS)
        asked = events.TrialAsked(str(device.person), device.id, trial.id)
        if not await self._store.open_trial(trial, most=TRIALS_IN_A_MINUTE, since=now - 60, event=asked):
            self._counters["phone_too_many_tests"] += 1
            raise Refusal(429, "too_many_tests", "Three test requests in a minute are enough. Wait a moment.")
        self._ringer.ring_trial(trial, device)
        return web.json_response({"outcome": "asked", "test": trial.id})

    async def test_answer(self, request: web.Request) -> web.StreamResponse:
        """Signed for a purpose of its own: no question can be answered by it, and no test by an answer."""
        device, said = await self._api.signed(request, purpose="test_answer", names=frozenset({"test"}))
        expect_active(device)
        event = events.TrialAnswered(str(device.person), device.id, said["test"])
        if not await self._store.answer_trial(
            said["test"], device=device.id, at=self._clock.now(), event=event
        ):
            raise Refusal(409, "too_late", "Too late: this test is over.")
        return web.json_response({"outcome": "answered"})
