"""What a phone may ask: a nonce, to be enrolled, to be told, to answer. Everything that counts is signed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import TypeVar

from aiohttp import web

from radius_push import events
from radius_push.factors.answer import (
    Approve,
    TooLate,
    read_answer,
    read_object,
    read_payload,
    read_request,
    text_field,
    verify_signature,
)
from radius_push.factors.facts import address_in, same_network
from radius_push.factors.question import Value, is_late, is_open, milliseconds, outcome
from radius_push.model import Address, Device, DeviceState, Question, QuestionState
from radius_push.ports import Clock, Store
from radius_push.web.assertions import ASSERTION, NONE_USED, Assertions
from radius_push.web.doorway import address_of
from radius_push.web.nonces import PER_SIGNER, Nonces
from radius_push.web.octets import octets_of
from radius_push.web.phone_stream import Streams
from radius_push.web.proxies import Proxies
from radius_push.web.refusal import Refusal
from radius_push.web.wrong_tries import neighbourhood

T = TypeVar("T")

LONGEST_BODY = 8192
ADDRESSES_IN_A_MINUTE = 10
"""That one phone may say where it is reached. Beyond that it is told what it is told of a stale nonce."""
_ANSWERED = {QuestionState.APPROVED, QuestionState.SPENT, QuestionState.DENIED, QuestionState.TICKET}


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed request that is no answer."""

    device: Device
    said: dict[str, str]
    payload: str
    signature: str
    body: dict[str, str] = field(repr=False)
    """With what an authenticator says beside them, if it came."""


class PhoneApi:
    """The requests, each answered with JSON or with a Refusal."""

    def __init__(
        self,
        *,
        origin: str,
        store: Store,
        clock: Clock,
        counters: Counter[str],
        fresh: Callable[[int], bytes],
        streams: Streams,
        body_seconds: float,
        proxies: Proxies,
    ) -> None:
        self.origin = origin
        self._store = store
        self._clock = clock
        self._counters = counters
        self._streams = streams
        self._body_seconds = body_seconds
        self._proxies = proxies
        self._biometrics = Assertions(store, clock, origin=origin, counters=counters)
        self._nonces = Nonces(fresh)
        self._unfinished: set[asyncio.Task[object]] = set()

    async def close(self) -> None:
        """Wait for what phones began and did not wait for."""
        await asyncio.gather(*self._unfinished, return_exceptions=True)

    # --- a nonce -------------------------------------------------------------------------------------

    async def nonce(self, request: web.Request) -> web.StreamResponse:
        await self.body(request, set())
        nonce = self._nonces.make(self._clock.monotonic())
        return web.json_response({"nonce": nonce, "now": milliseconds(self._clock.now())})

    # --- the stream ----------------------------------------------------------------------------------

    async def stream(self, request: web.Request) -> web.StreamResponse:
        device, _ = await self.signed(request, purpose="stream")
        return await self._streams.serve(request, device, phone=self._caller(request))

    async def questions(self, request: web.Request) -> web.StreamResponse:
        """The same once: for a service worker, which lives too shortly to listen."""
        device, _ = await self.signed(request, purpose="questions")
        return web.json_response(await self.state_of(request, device))

    async def woken(self, request: web.Request) -> web.StreamResponse:
        """A push has reached this phone: the same, and when that was is kept."""
        device, _ = await self.signed(request, purpose="woken")
        expect_active(device)
        await self.finish(self._store.push_seen(device.id, at=self._clock.now()))
        return web.json_response(await self.state_of(request, device))

    async def state_of(self, request: web.Request, device: Device) -> dict[str, object]:
        """What its stream would show now."""
        return await self._streams.now(device, phone=self._caller(request))

    # --- the answer ----------------------------------------------------------------------------------

    async def answer(self, request: web.Request) -> web.StreamResponse:
        device, fields, body = await self.signed_by(request, or_all_of=ASSERTION)
        expect_active(device)
        question = await self._store.question(text_field(fields, "question"))
        if question is None or question.person != device.person:
            raise Refusal(404, "unknown_question", "This request is not known here.")
        try:
            answer = read_answer(body["payload"], question=question, device=device, origin=self.origin)
        except TooLate:
            self._counters["phone_answer_late"] += 1
            raise Refusal(
                409, "late", "Your VPN has given up this try. You can approve the next one."
            ) from None
        approve = isinstance(answer, Approve)
        shared = same_network(address_in(question.address), self._caller(request))
        if approve and shared and question.not_from_login_address:
            self._counters["phone_on_login_address"] += 1
            raise Refusal(
                409,
                "login_address",
                "This phone is on the same network as the computer that signs in: that is not allowed here.",
            )
        late = isinstance(answer, Approve) and answer.late
        used = await self._biometrics.used(body, device, question) if approve else NONE_USED
        at = self._clock.now()
        written = await self.finish(
            self._store.answer(
                question.id,
                device=device.id,
                approve=approve,
                late=late,
                nonce=question.nonce,
                assertion=used.assertion,
                at=at,
                event=events.Answered(
                    login=question.login,
                    question=question.id,
                    person=str(question.person),
                    device=device.id,
                    answer="approve" if approve else "deny",
                    late=late and is_late(question),
                    payload=body["payload"],
                    signature=body["signature"],
                    device_on_login_address=shared,
                    biometrics=used.key,
                    assertion=used.octets,
                ),
            )
        )
        said = "approved" if approve else "denied"
        if written is None:
            said = await self._say_why_not(question, device, said)
        else:
            said = outcome(replace(question, state=written))
        self._counters[f"phone_{said}"] += 1
        return web.json_response({"outcome": said})

    async def _say_why_not(self, question: Question, device: Device, said: str) -> str:
        """What this very answer came to if it was written before (the phone did not hear so); else raise why
        not."""
        self._counters["phone_answer_too_late"] += 1
        expect_active(await self._store.device(device.id) or device)
        now = await self._store.question(question.id) or question
        if is_late(now) and is_open(now, self._clock.now()):
            raise _gave_up()
        if now.state not in _ANSWERED or is_open(now, self._clock.now()):
            raise Refusal(409, "too_late", "Too late: this request is over. Nothing was answered.")
        if now.device != device.id:
            raise Refusal(409, f"{outcome(now)}_elsewhere", f"Another phone was faster: {outcome(now)}.")
        if outcome(now).partition("_")[0] != said:
            raise Refusal(409, f"{outcome(now)}_before", f"This phone answered before: {outcome(now)}.")
        return outcome(now)

    async def signed_by(
        self, request: web.Request, *, or_all_of: frozenset[str] = frozenset()
    ) -> tuple[Device, dict[str, Value], dict[str, str]]:
        """Who signed an answer, its fields, none of them believed yet, and the body. Its nonce is that of
        what it answers."""
        body = await self.body(request, {"payload", "signature"}, or_all_of=or_all_of)
        fields = read_payload(body["payload"])
        return await self._signer(text_field(fields, "device"), body), fields, body

    async def signed(
        self,
        request: web.Request,
        *,
        purpose: str,
        names: frozenset[str] = frozenset(),
        may_be_null: frozenset[str] = frozenset(),
    ) -> tuple[Device, dict[str, str]]:
        """Who signed a request that is no answer, and its fields. Its nonce is used up."""
        signed = await self.signed_text(request, purpose=purpose, names=names, may_be_null=may_be_null)
        return signed.device, signed.said

    async def signed_text(
        self,
        request: web.Request,
        *,
        purpose: str,
        names: frozenset[str] = frozenset(),
        may_be_null: frozenset[str] = frozenset(),
        or_all_of: frozenset[str] = frozenset(),
    ) -> Signed:
        """The same with the text itself, for what is kept as evidence, and with what came beside it."""
        body = await self.body(request, {"payload", "signature"}, or_all_of=or_all_of)
        said = read_request(
            read_payload(body["payload"]),
            purpose=purpose,
            origin=self.origin,
            names=names | {"device"},
            may_be_null=may_be_null,
        )
        self.expect_our_nonce(said["nonce"])
        device = await self._signer(said["device"], body)
        self.spend(said["nonce"], signer=device.id)
        return Signed(device, said, body["payload"], body["signature"], body)

    # --- what all of them need -----------------------------------------------------------------------

    async def body(
        self,
        request: web.Request,
        names: set[str],
        one_of: set[str] | None = None,
        may_hold: frozenset[str] | set[str] = frozenset(),
        or_all_of: frozenset[str] = frozenset(),
    ) -> dict[str, str]:
        """The JSON object that was sent: exactly these texts, one of `one_of`, and perhaps of `may_hold`; or
        those of `or_all_of`, too."""
        if request.content_type != "application/json":
            raise Refusal(415, "content_type", "Only application/json is read here.")
        if (request.content_length or 0) > LONGEST_BODY:
            raise _too_large()
        try:
            async with asyncio.timeout(self._body_seconds):
                octets = await request.read()
            fields: dict[str, Value] = read_object(octets.decode(), most=LONGEST_BODY)
        except TimeoutError:
            raise Refusal(408, "too_slow", "The request took too long.") from None
        except web.HTTPRequestEntityTooLarge:  # it came in chunks, and had not said how long it is
            raise _too_large() from None
        except UnicodeDecodeError:
            raise Refusal(400, "malformed", "This is not UTF-8.") from None
        extra = fields.keys() - names - may_hold
        if or_all_of and extra == or_all_of:
            extra = set()
        if not names <= fields.keys() or (len(extra) != 1 or not extra <= one_of if one_of else extra):
            raise Refusal(400, "malformed", "A field is missing or unknown.")
        return {name: text_field(fields, name) for name in fields}

    def neighbourhood(self, request: web.Request) -> str:
        """Whose tries are counted together."""
        return neighbourhood(self._caller(request))

    def _caller(self, request: web.Request) -> Address | None:
        """Where the phone comes from, as far as the proxies before us are believed."""
        peer = request.transport.get_extra_info("peername") if request.transport else None
        forwarded = request.headers.getall("X-Forwarded-For", [])
        return self._proxies.caller(address_of(peer), forwarded)

    async def _signer(self, device: str, body: dict[str, str]) -> Device:
        """The device that signed. One row is read for it, and nothing is written."""
        found = await self._store.device(device)
        signature = octets_of(body["signature"], 64)
        if found is None or not verify_signature(found.public_key, body["payload"], signature):
            self._counters["phone_unknown_device"] += 1
            raise Refusal(401, "unknown_device", "This phone is not known here. It must be added again.")
        return found

    def expect_our_nonce(self, nonce: str) -> None:
        if not self._nonces.is_ours(nonce, self._clock.monotonic()):
            raise _stale_nonce()

    def spend(self, nonce: str, *, signer: str, most: int = PER_SIGNER) -> None:
        if not self._nonces.spend(nonce, signer=signer, now=self._clock.monotonic(), most=most):
            raise _stale_nonce()

    def expect_few_addresses(self, said: dict[str, str]) -> None:
        """Each change of where a phone is reached is evidence that is kept: one that is stolen must not fill
        the disk with them. `said`: by whom, with its nonce."""
        self.spend(said["nonce"], signer=f"address of {said['device']}", most=ADDRESSES_IN_A_MINUTE)

    async def finish(self, work: Coroutine[None, None, T]) -> T:
        """Do it to the end, also when the phone hangs up in the middle."""
        task = asyncio.get_running_loop().create_task(work)
        self._unfinished.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[object]) -> None:
        self._unfinished.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, because nobody else does when the phone hung up


def expect_active(device: Device) -> None:
    match device.state:
        case DeviceState.REMOVED:
            raise Refusal(403, "removed", "This phone was removed. It must be added again.")
        case DeviceState.PENDING:
            raise Refusal(403, "pending", "This phone is not confirmed yet.")
        case DeviceState.RESTORED:
            raise Refusal(403, "restored", "This phone must be confirmed by your administrator first.")
        case DeviceState.ACTIVE:
            return


def _too_large() -> Refusal:
    return Refusal(413, "too_large", "This is more than a phone has to say.")


def _gave_up() -> Refusal:
    return Refusal(409, "late", "Your VPN has given up this try. You can approve the next one.")


def _stale_nonce() -> Refusal:
    return Refusal(401, "nonce", "This took too long, or came twice. Try again.")
