"""The fingerprint or face that comes with a yes: by this phone's own credential, for this very text."""

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
from radius_push.web.wrong_tries import WrongTries

ASSERTION = frozenset({"credential", "client_data", "authenticator_data", "assertion"})
"""The fields beside `payload` and `signature`: all of them, or none."""
LONGEST_PART = 2048
"""Octets of client data, of authenticator data, and of an authenticator's signature."""
MOST_TOLD = 5
"""Rows of evidence about one device's counter in ten minutes, beside those of logins: the same octets may be
sent again and again."""
_NEEDED = "This needs your fingerprint or face"
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


@dataclass(frozen=True, slots=True)
class About:
    """What it is a yes to."""

    required: bool
    waits: bool = True
    """Nothing was said to it yet. Else it was sent twice, and is told what it came to."""
    login: str | None = None
    """None: it is no login's."""
    question: str | None = None


class Assertions:
    """Reads and judges them."""

    def __init__(self, store: Store, clock: Clock, *, origin: str, counters: Counter[str]) -> None:
        self._store = store
        self._clock = clock
        self._origin = origin
        self._counters = counters
        self._told = WrongTries(per_neighbourhood=MOST_TOLD)

    async def used(self, body: dict[str, str], device: Device, question: Question) -> Used:
        """What came with a yes of this device to a login.

        Raises Refusal `biometrics_missing` (needed, and this phone has none that counts), `biometrics_needed`
        or `biometrics_failed`. What is sent is judged whether it is needed or not.
        """
        about = About(
            required=question.biometrics == "required",
            waits=is_open(question, self._clock.now()) or is_late(question),
            login=question.login,
            question=question.id,
        )
        return await self.judge(body, device, about)

    async def judge(self, body: dict[str, str], device: Device, about: About) -> Used:
        """The same for whatever a yes is to."""
        credential = (await self._store.biometrics_of(device.id)).active
        if about.required and credential is None:
            self._counters["phone_biometrics_missing"] += 1
            raise Refusal(403, "biometrics_missing", f"{_NEEDED}: this phone has none that is confirmed.")
        if "assertion" in body:
            return await self._judge(body, credential, device, about)
        if about.required:
            self._counters["phone_biometrics_needed"] += 1
            raise Refusal(403, "biometrics_needed", f"{_NEEDED}.")
        return NONE_USED

    def failed(self) -> Refusal:
        self._counters["phone_biometrics_failed"] += 1
        return Refusal(403, "biometrics_failed", "The fingerprint or face could not be verified.")

    async def _judge(
        self, body: dict[str, str], credential: Credential | None, device: Device, about: About
    ) -> Used:
        id = some_octets(body["credential"], most=LONGEST_ID)
        client_data, authenticator_data, signature = (
            some_octets(body[name], most=LONGEST_PART) for name in _PARTS
        )
        if credential is None or credential.id != id:
            raise self.failed()
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
            raise self.failed() from None
        await self._expect_goes_on(counter, credential, device, about)
        return Used(
            Assertion(credential.id, counter),
            key=_key(credential),
            octets=".".join(body[name] for name in _PARTS),
        )

    async def _expect_goes_on(
        self, counter: int, credential: Credential, device: Device, about: About
    ) -> None:
        if goes_on(counter, after=credential.counter) or not about.waits:
            return
        back = events.CounterWentBack(
            login=about.login,
            question=about.question,
            person=str(device.person),
            device=device.id,
            key=_key(credential),
            counter=counter,
            before=credential.counter,
        )
        if about.login is not None:
            await self._store.add((self._clock.now(), back))
        elif self._told.admits(device.id, self._clock.monotonic()):
            self._told.note(device.id, self._clock.monotonic())
            await self._store.record(back)
        raise self.failed()


def _key(credential: Credential) -> str:
    return sha256(credential.public_key).hexdigest()
