"""How a phone comes in: an invitation is spent for its key, and one that was sent asks for the password too.

The only place where the phone side takes a password.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from aiohttp import web

from radius_push import enrollment
from radius_push.enrollment import Prove
from radius_push.factors.answer import read_payload, read_request, verify_signature
from radius_push.model import Secret
from radius_push.ports import Clock, Store
from radius_push.shapes import Enrollment
from radius_push.web.nonces import PER_NEIGHBOURHOOD
from radius_push.web.octets import octets_of
from radius_push.web.phone_api import PhoneApi
from radius_push.web.refusal import Refusal
from radius_push.web.wrong_tries import WrongTries


class EnrolApi:
    """One request, beside those of PhoneApi, which reads it."""

    def __init__(
        self,
        api: PhoneApi,
        *,
        origin: str,
        store: Store,
        clock: Clock,
        pepper: Secret,
        enrollment: Enrollment,
        counters: Counter[str],
        fresh: Callable[[int], bytes],
        prove: Prove,
    ) -> None:
        self._api = api
        self._origin = origin
        self._store = store
        self._clock = clock
        self._pepper = pepper
        self.enrollment = enrollment
        self._counters = counters
        self._fresh = fresh
        self._prove = prove
        self._tries = WrongTries()
        self._one_try = asyncio.Lock()

    async def enrol(self, request: web.Request) -> web.StreamResponse:
        body = await self._api.body(
            request, {"payload", "signature"}, one_of={"token", "code"}, may_hold={"password"}
        )
        fields = read_payload(body["payload"])
        said = read_request(
            fields, purpose="enrol", origin=self._origin, names=frozenset({"public_key", "name"})
        )
        self._api.expect_our_nonce(said["nonce"])
        key = octets_of(said["public_key"], 65)
        if not verify_signature(key, body["payload"], octets_of(body["signature"], 64)):
            raise Refusal(400, "signature", "This phone could not prove that it holds its key.")
        who = self._api.neighbourhood(request)
        # To the end: who hangs up in the middle of a guess has guessed.
        secret = body.get("token") or body["code"]
        # Before anything else is done with it: it is in no log, no error and no event.
        password = Secret(body.pop("password")) if "password" in body else None
        redeemed = await self._api.finish(self._enrol(who, secret, key, said, password))
        device = redeemed.device
        return web.json_response(
            {
                "device": device.id,
                "person": str(device.person),
                "account": device.username,
                "name": device.name,
                "invitation": redeemed.invitation,
                "state": device.state.value,
            }
        )

    async def _enrol(
        self, who: str, secret: str, key: bytes, said: dict[str, str], password: Secret | None
    ) -> enrollment.Redeemed:
        redeemed = await self._redeem(who, secret, key, said)
        if redeemed is not None:
            return redeemed
        # Nothing but the password is wanting: no directory is asked for anybody who guesses at links.
        if password is None:
            raise Refusal(403, "password_needed", "This was sent to you: your password is needed, too.")
        await self._expect_password(who, secret, password)
        redeemed = await self._redeem(who, secret, key, said, proved=True)
        if redeemed is None:
            raise Refusal(500, "fault", "The server failed.")
        return redeemed

    async def _expect_password(self, who: str, secret: str, password: Secret) -> None:
        """Counted for the address before the directory is asked: it may be asked for long."""
        now = self._clock.monotonic()
        if not self._tries.admits(who, now):
            raise self._too_many_tries()
        self._tries.note(who, now)
        word = await enrollment.prove_password(
            self._store,
            token_or_code=secret,
            password=password,
            pepper=self._pepper,
            prove=self._prove,
            now=self._clock.now(),
        )
        match word:
            case None:
                self._tries.take_back(who)
            case enrollment.Refused("password_not_proved"):
                raise Refusal(503, "directory_down", "Your password can't be checked at the moment.")
            case enrollment.Refused("wrong_password"):
                self._counters["phone_enrol_wrong_password"] += 1
                raise Refusal(403, "wrong_password", "That is not your password.")
            case enrollment.Refused():
                self._counters["phone_enrol_wrong_password"] += 1
                raise self._not_valid()

    async def _redeem(
        self, who: str, token_or_code: str, key: bytes, said: dict[str, str], *, proved: bool = False
    ) -> enrollment.Redeemed | None:
        """None: the invitation was sent, and the password is not `proved`."""
        # One after the other: a hundred guesses at once must not pass a count that none has raised yet.
        async with self._one_try:
            if not proved:
                if not self._tries.admits(who, self._clock.monotonic()):
                    raise self._too_many_tries()
                # Not under the key: keys cost a stranger nothing.
                self._api.spend(said["nonce"], signer=f"neighbourhood {who}", most=PER_NEIGHBOURHOOD)
            outcome = await enrollment.redeem(
                self._store,
                token_or_code=token_or_code,
                public_key=key,
                name=said["name"],
                device_id=self._fresh(16).hex(),  # typed at a terminal: it must not begin with a dash
                pepper=self._pepper,
                devices_per_user=self.enrollment.devices_per_user,
                origin=self._origin,
                now=self._clock.now(),
                proved=proved,
            )
            match outcome:
                case enrollment.Redeemed():
                    return outcome
                case enrollment.Refused("password_needed"):
                    return None
                case enrollment.Refused("too_many_devices"):  # the secret was right, so this may be said
                    raise Refusal(
                        409, "too_many_devices", "You have as many phones as you may. Remove one first."
                    )
                case enrollment.Refused():
                    self._tries.note(who, self._clock.monotonic())
                    self._counters["phone_enrol_refused"] += 1
                    raise self._not_valid()

    def _too_many_tries(self) -> Refusal:
        self._counters["phone_enrol_too_many_tries"] += 1
        return Refusal(429, "too_many_tries", "Too many wrong tries. Wait ten minutes.")

    def _not_valid(self) -> Refusal:
        return Refusal(403, "invitation", "This link or code is not valid, or no longer. Ask for a new one.")
