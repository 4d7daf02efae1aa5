"""What a phone says about its person's fingerprint or face: that one was set up, or is to be used no more."""

from __future__ import annotations

from collections import Counter

from aiohttp import web

from radius_push.model import Credential, Device, DeviceState
from radius_push.ports import Clock, Store
from radius_push.web.assertions import LONGEST_PART
from radius_push.web.authenticator import NotVerified, adding_challenge, verify_made
from radius_push.web.octets import some_octets
from radius_push.web.phone_api import PhoneApi, expect_active
from radius_push.web.refusal import Refusal

_MADE = frozenset({"client_data", "attestation"})


class BiometricsApi:
    """The request about credentials, beside those of PhoneApi, which reads it."""

    def __init__(
        self, api: PhoneApi, *, store: Store, clock: Clock, origin: str, counters: Counter[str]
    ) -> None:
        self._api = api
        self._store = store
        self._clock = clock
        self._origin = origin
        self._counters = counters

    async def biometric(self, request: web.Request) -> web.StreamResponse:
        """Signed by the phone's own key, so that no credential comes to it from elsewhere."""
        device, said = await self._api.signed(request, purpose="biometric", names=_MADE, may_be_null=_MADE)
        if device.state is not DeviceState.PENDING:  # while it waits for its six digits, they cover this too
            expect_active(device)
        if not said.keys() & _MADE:
            await self._store.forget_credentials(device.id, by="phone", at=self._clock.now(), missed=True)
            return web.json_response({"outcome": "removed"})
        if not said.keys() >= _MADE:
            raise Refusal(
                400, "malformed", "client_data and attestation are there together, or null together."
            )
        await self._keep(device, said)
        return web.json_response({"outcome": "waiting"})

    async def _keep(self, device: Device, said: dict[str, str]) -> None:
        now = self._clock.now()
        try:
            made = verify_made(
                some_octets(said["client_data"], most=LONGEST_PART),
                some_octets(said["attestation"], most=LONGEST_PART),
                challenge=adding_challenge(device.id, said["nonce"]),
                origin=self._origin,
            )
        except NotVerified:
            raise self._failed() from None
        credential = Credential(
            device.id,
            id=made.id,
            public_key=made.public_key,
            counter=made.counter,
            mark=made.mark,
            synced=made.synced,
            since=now,
        )
        if not await self._store.keep_credential(credential, at=now):
            expect_active(await self._store.device(device.id) or device)
            raise self._failed()

    def _failed(self) -> Refusal:
        self._counters["phone_biometrics_failed"] += 1
        return Refusal(403, "biometrics_failed", "The fingerprint or face could not be verified.")
