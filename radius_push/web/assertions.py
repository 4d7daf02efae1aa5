"""The fingerprint or face that comes with a yes: by this phone's own credential, for this very answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256

from radius_push import events
from radius_push.factors.question import is_late, is_open
from radius_push.model import Assertion, Credential, Device, Question
from radius_push.ports import Clock, Store
from radius_push.web.authenticator import LONGEST_ID, NotVerified, answer_challenge, goes_on, verify_used
from radius_push.web.octets import some_octets
from radius_push.web.refusal import Refusal

ASSERTION = frozenset({"credential", "client_data", "authenticator_data", "assertion"})
"""The fields beside `payload` and `signature`: all of them, or none."""
LONGEST_PART = 2048
"""Octets of client data, of authenticator data, and of an authenticator's signature."""
_NEEDED = "This sign-in needs your fingerprint or face"
_PARTS = ("client_data", "authenticator_data", "assertion")


@dataclass(frozen=True, slots=True)
class Used:
    """Everything about it is right, but the counter, which the store compares once more."""

    assertion: Assertion | None = None
    """None: none was used, and none is needed."""
    key: str | None = None
    """As the evidence calls the credential."""
    octets: str | None = None
    """As `events.Answered.assertion`."""


NONE_USED = Used()


class Assertions:
    """Reads and judges them."""

    def __init__(self, store: Store, clock: Clock, *, origin: str, counters: Counter[str]) -> None:
        self._store = store
        self._clock = clock
        self._origin = origin
        self._counters = counters

    async def used(self, body: dict[str, str], device: Device, question: Question) -> Used:
        """What came with a yes of this device.

        Raises Refusal `biometrics_missing` (needed, and this phone has none that counts), `biometrics_needed`
        or `biometrics_failed`. What is sent is judged whether it is needed or not.
        """
        credential = (await self._store.biometrics_of(device.id)).active
        if question.biometrics == "required" and credential is None:
            self._counters["phone_biometrics_missing"] += 1
            raise Refusal(403, "biometrics_missing", f"{_NEEDED}: this phone has none that is confirmed.")
        if "assertion" in body:
            return await self._judge(body, credential, device, question)
        if question.biometrics == "required":
            self._counters["phone_biometrics_needed"] += 1
            raise Refusal(403, "biometrics_needed", f"{_NEEDED}.")
        return NONE_USED

    async def _judge(
        self, body: dict[str, str], credential: Credential | None, device: Device, question: Question
    ) -> Used:
        id = some_octets(body["credential"], most=LONGEST_ID)
        client_data, authenticator_data, signature = (
            some_octets(body[name], most=LONGEST_PART) for name in _PARTS
        )
        if credential is None or credential.id != id:
            raise self._failed()
        try:
            counter = verify_used(
                credential,
                client_data,
                authenticator_data,
                signature,
                challenge=answer_challenge(body["payload"]),
                origin=self._origin,
            )
        except NotVerified:
            raise self._failed() from None
        await self._expect_goes_on(counter, credential, device, question)
        return Used(
            Assertion(credential.id, counter),
            key=_key(credential),
            octets=".".join(body[name] for name in _PARTS),
        )

    async def _expect_goes_on(
        self, counter: int, credential: Credential, device: Device, question: Question
    ) -> None:
        waits = is_open(question, self._clock.now()) or is_late(question)
        if goes_on(counter, after=credential.counter) or not waits:  # sent twice: it is told what it came to
            return
        back = events.CounterWentBack(
            login=question.login,
            question=question.id,
            person=str(question.person),
            device=device.id,
            key=_key(credential),
            counter=counter,
            before=credential.counter,
        )
        await self._store.add((self._clock.now(), back))
        raise self._failed()

    def _failed(self) -> Refusal:
        self._counters["phone_biometrics_failed"] += 1
        return Refusal(403, "biometrics_failed", "The fingerprint or face could not be verified.")


def _key(credential: Credential) -> str:
    return sha256(credential.public_key).hexdigest()
