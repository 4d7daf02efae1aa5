"""One message to Google: what it is told, and what becomes of every way in which it answers."""

from __future__ import annotations

import asyncio
import logging
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from aiohttp import web

from radius_push.model import Secret
from radius_push.push import fcm as fcm_door
from radius_push.push import service_account
from radius_push.push.fcm import FcmDoor
from radius_push.push.message import Kind
from radius_push.push.outside import Found
from radius_push.push_shapes import Fcm, Push
from radius_push.waking import (
    AppAddress,
    BrowserAddress,
    Delivered,
    Gone,
    Refused,
    Unreachable,
)
from tests.push.fcm_house import TOPIC, Clock, a_message, changed, detail, renewed, send, settings
from tests.push.fcm_house import clock as clock
from tests.push.fcm_house import door as door
from tests.push.fcm_house import fake as fake
from tests.push.google import (
    EMAIL,
    KEY_ID,
    NO_TOKEN,
    PROJECT,
    Google,
    drip,
    error,
    flood,
    google,
    pem,
    reset,
    says,
    silence,
)

# --- what it is told -------------------------------------------------------------------------------


async def test_an_app_is_told_what_waits_and_no_more(fake: Google, door: FcmDoor) -> None:
    address = fake.app()
    assert await send(door, address, seconds=29.0) == Delivered()
    (sent,) = fake.sent
    assert sent["token"] == address.where
    assert sent["data"] == {"kind": "request", "id": "q1"}
    assert (sent["android"]["priority"], sent["android"]["collapse_key"]) == ("HIGH", TOPIC)
    assert 28.0 < float(sent["android"]["ttl"].removesuffix("s")) <= 29.0
    assert "notification" not in sent
    assert "canary" not in str(sent)


@pytest.mark.parametrize("kind", ["request", "test", "sign_in", "device_added", "device_removed"])
async def test_an_iphone_behind_firebase_is_alerted_in_the_words_of_its_app(
    fake: Google, door: FcmDoor, kind: Kind
) -> None:
    message = a_message(kind)
    assert await door.send(fake.app(), message, seconds=30.0) == Delivered()
    apns = fake.sent[0]["apns"]
    assert apns["headers"] == {
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(int(message.expires_at)),
        "apns-collapse-id": TOPIC,
    }
    words = f"RADIUS_PUSH_{kind.upper()}"
    assert apns["payload"]["aps"] == {
        "alert": {"title-loc-key": f"{words}_TITLE", "loc-key": f"{words}_BODY"},
        "category": words,
        "sound": "default",
        "mutable-content": 1,
    }


async def test_no_token_is_asked_for_twice_while_one_is_good(
    fake: Google, door: FcmDoor, clock: Clock
) -> None:
    address = fake.app()
    for _ in range(3):
        assert await send(door, address) == Delivered()
    assert len(fake.tokens_given) == 1
    (claims,) = fake.claims
    assert claims["aud"] == f"{fake.origin}/token"
    assert len(fake.connections) == 1, "the connection is kept"
    clock.later = 3400.0  # near its end: the old one is used while a new one is fetched
    assert await send(door, address) == Delivered()
    await renewed(door)
    assert len(fake.tokens_given) == 2
    clock.later = 7200.0
    assert await send(door, address) == Delivered()
    assert len(fake.tokens_given) == 3


async def test_one_exchange_serves_all_that_wait_for_it(fake: Google, door: FcmDoor) -> None:
    addresses = [fake.app() for _ in range(100)]
    outcomes = await asyncio.gather(*(send(door, address) for address in addresses))
    assert outcomes == [Delivered()] * 100
    assert len(fake.tokens_given) == 1
    assert len(fake.connections) <= 64
    assert {each["token"] for each in fake.sent} == {address.where for address in addresses}


async def test_without_settings_it_says_what_is_missing(clock: Clock) -> None:
    door = FcmDoor(Push(), clock=clock)
    door.open()
    outcome = await send(door, AppAddress("d1", "fcm", Secret("t")))
    assert outcome == Refused(fcm_door.NOT_SET_UP)
    assert await door.try_out(None) == Refused(fcm_door.NOT_SET_UP)
    assert door.wants() == ()
    await door.close()


async def test_addresses_of_others_are_not_asked_for(fake: Google, door: FcmDoor) -> None:
    browser = BrowserAddress("d1", "https://push.example/x", b"", Secret(b""))
    for address in (browser, AppAddress("d1", "apns", Secret("00"))):
        assert "no address of FCM" in detail(await send(door, address))
    assert not fake.asked


async def test_what_the_firewall_has_to_let_through(fake: Google, door: FcmDoor) -> None:
    assert door.wants() == (("localhost", int(fake.origin.rpartition(":")[2])),)
    fcm = Fcm("p", EMAIL, Secret(pem()), KEY_ID)
    door.use(Push(fcm=fcm))
    assert door.wants() == (("fcm.googleapis.com", 443), ("oauth2.googleapis.com", 443))


# --- what it answers -------------------------------------------------------------------------------


async def test_an_app_that_is_gone_is_forgotten(fake: Google, door: FcmDoor) -> None:
    address = fake.app()
    fake.removed.add(address.where)
    outcome = await send(door, address)
    assert isinstance(outcome, Gone)
    assert "UNREGISTERED" in outcome.detail


async def test_what_is_no_token_is_forgotten(fake: Google, door: FcmDoor) -> None:
    outcome = await send(door, AppAddress("d1", "fcm", Secret("never-a-token")))
    assert isinstance(outcome, Gone)
    assert "never-a-token" not in outcome.detail
    old = error(400, "INVALID_ARGUMENT", code="INVALID_ARGUMENT", fields=["message.token"])
    fake.answers.append(says(lambda: old))
    assert isinstance(await send(door, fake.app()), Gone)


@pytest.mark.parametrize(
    "answer",
    [
        error(
            400, "INVALID_ARGUMENT", code="INVALID_ARGUMENT", fields=["message.token", "message.data"]
        ).text,
        error(400, "INVALID_ARGUMENT", code="INVALID_ARGUMENT", fields=["message.android.ttl"]).text,
        error(400, "INVALID_ARGUMENT", code="INVALID_ARGUMENT").text,
        error(400, "INVALID_ARGUMENT", fields=["message.token"], text=NO_TOKEN).text,
        error(400, "INVALID_ARGUMENT", code="INVALID_ARGUMENT", fields=["message.data"], text=NO_TOKEN).text,
        error(404, "NOT_FOUND").text,
        "<html>404",
        "[]",
        '{"error": "UNREGISTERED"}',
        '{"error": {"details": "UNREGISTERED"}}',
    ],
)
@pytest.mark.parametrize("status", [400, 404])
async def test_no_fault_of_ours_or_on_the_way_forgets_a_phone(
    fake: Google, door: FcmDoor, answer: str, status: int
) -> None:
    fake.answers.append(says(lambda: web.Response(status=status, text=answer)))
    assert isinstance(await send(door, fake.app()), Refused)


async def test_an_app_of_another_project_is_refused_and_kept(fake: Google, door: FcmDoor) -> None:
    outcome = await send(door, fake.app(project="another"))
    assert isinstance(outcome, Refused)
    assert "SENDER_ID_MISMATCH" in outcome.detail
    assert f"google-services.json of {PROJECT}" in outcome.detail


@pytest.mark.parametrize(
    ("status", "word", "code", "reason", "mend"),
    [
        (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", "", "Apple app configuration"),
        (403, "PERMISSION_DENIED", "", "CONSUMER_INVALID", "there is no project"),
        (403, "PERMISSION_DENIED", "", "USER_PROJECT_DENIED", "there is no project"),
        (403, "PERMISSION_DENIED", "", "CONSUMER_SUSPENDED", "suspended"),
        (403, "PERMISSION_DENIED", "", "BILLING_DISABLED", "billing"),
        (403, "PERMISSION_DENIED", "", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "token_uri"),
        (403, "PERMISSION_DENIED", "", "SECURITY_POLICY_VIOLATED", "perimeter"),
        (403, "PERMISSION_DENIED", "", "ORG_RESTRICTION_VIOLATION", "policy"),
        (403, "PERMISSION_DENIED", "", "", "has the account the role"),
        (404, "NOT_FOUND", "", "", "knows no project"),
        (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "", "fault of ours"),
        (418, "TEAPOT", "", "", "methods.push.fcm.url"),
        (302, "", "", "", "never followed"),
    ],
)
async def test_a_refusal_says_what_to_mend(
    fake: Google, door: FcmDoor, status: int, word: str, code: str, reason: str, mend: str
) -> None:
    answer = says(lambda: error(status, word, code=code, reason=reason, headers={"Location": "/token"}))
    fake.answers.append(answer)
    outcome = await send(door, fake.app())
    assert isinstance(outcome, Refused)
    assert f"localhost answered {status}" in outcome.detail
    assert (code or reason or word) in outcome.detail
    assert mend in outcome.detail
    assert "canary" not in outcome.detail
    assert fake.asked == 1


async def test_the_api_the_role_and_the_project_each_have_their_mend(fake: Google, door: FcmDoor) -> None:
    fake.enabled = False
    assert "enable fcm.googleapis.com" in detail(await send(door, fake.app()))
    fake.permitted = False
    assert "cloudmessaging.messages.create" in detail(await send(door, fake.app()))
    fake.enabled = fake.permitted = True
    door.use(changed(settings(fake), project="not-there"))
    assert "is not-there its own project" in detail(await send(door, fake.app()))


@pytest.mark.parametrize(
    ("status", "word", "code", "header", "least", "most"),
    [
        (503, "UNAVAILABLE", "UNAVAILABLE", "30", 30, 30),
        (503, "UNAVAILABLE", "UNAVAILABLE", "date", 25, 31),
        (503, "UNAVAILABLE", "UNAVAILABLE", None, 1, 1),
        (503, "UNAVAILABLE", "UNAVAILABLE", "soon", 1, 1),
        (503, "UNAVAILABLE", "UNAVAILABLE", "99999999999999999999", 1, 1),
        (500, "INTERNAL", "INTERNAL", None, 1, 1),
        (502, "", "", None, 1, 1),
        (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "7", 7, 7),
        (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", None, 60, 60),
    ],
)
async def test_who_is_busy_says_when_to_come_again(
    fake: Google,
    door: FcmDoor,
    status: int,
    word: str,
    code: str,
    header: str | None,
    least: float,
    most: float,
) -> None:
    said = formatdate(time.time() + 30, usegmt=True) if header == "date" else header
    headers = None if said is None else {"Retry-After": said}
    fake.answers.append(says(lambda: error(status, word, code=code, headers=headers)))
    outcome = await send(door, fake.app())
    assert isinstance(outcome, Unreachable)
    assert outcome.retry_after is not None
    assert least <= outcome.retry_after <= most
    assert fake.asked == 1, "when to try again is not the door's to decide"


async def test_an_access_token_that_is_refused_is_exchanged_once(fake: Google, door: FcmDoor) -> None:
    address = fake.app()
    assert await send(door, address) == Delivered()
    fake.good_tokens.clear()  # as if the key had been exchanged at Google
    assert await asyncio.gather(*(send(door, address) for _ in range(8))) == [Delivered()] * 8
    assert len(fake.tokens_given) == 2, "all eight use the same new one"


async def test_a_late_refusal_of_the_old_access_token_costs_not_the_new_one(
    fake: Google, door: FcmDoor
) -> None:
    assert await send(door, fake.app()) == Delivered()
    let_go = asyncio.Event()

    async def late(_: web.Request) -> web.StreamResponse:
        await let_go.wait()
        return error(401, "UNAUTHENTICATED")

    fake.answers.append(late)
    slow = asyncio.create_task(send(door, fake.app()))
    await fake.until(lambda: fake.asked == 2)
    fake.good_tokens.clear()
    assert await send(door, fake.app()) == Delivered()
    let_go.set()
    assert await slow == Delivered()
    assert len(fake.tokens_given) == 2


async def test_who_refuses_new_access_tokens_too_is_not_asked_for_ever(fake: Google, door: FcmDoor) -> None:
    fake.answers += [says(lambda: error(401, "UNAUTHENTICATED"))] * 5
    outcome = await send(door, fake.app())
    assert isinstance(outcome, Refused)
    assert "not even a new one" in outcome.detail
    assert fake.asked == 2


async def test_what_answers_for_google_has_rung_nobody(fake: Google, door: FcmDoor) -> None:
    for text in ("<html>Welcome to the hotel", "{}", "[" * 10000, '{"name": 3}'):
        fake.answers.append(says(lambda text=text: web.Response(text=text)))  # type: ignore[misc]
        assert isinstance(await send(door, fake.app()), Refused)


# --- who we are -----------------------------------------------------------------------------------


async def test_a_deleted_key_says_so(fake: Google, door: FcmDoor) -> None:
    fake.keys.clear()
    outcome = await send(door, fake.app())
    assert isinstance(outcome, Refused)
    assert "invalid_grant" in outcome.detail
    assert "make a new key" in outcome.detail
    assert fake.asked == 0


@pytest.mark.parametrize(("ahead", "side"), [(7200.0, "behind"), (-7200.0, "ahead of")])
async def test_a_clock_that_is_wrong_is_named(fake: Google, door: FcmDoor, ahead: float, side: str) -> None:
    fake.ahead = ahead
    outcome = await send(door, fake.app())
    assert isinstance(outcome, Refused)
    assert f"s {side} Google's" in outcome.detail


async def test_a_clock_that_is_a_little_off_hurts_nobody(fake: Google, door: FcmDoor, clock: Clock) -> None:
    clock.ahead = 30.0
    assert await send(door, fake.app()) == Delivered()


@pytest.mark.parametrize(
    ("status", "error", "mend"),
    [
        (400, "unauthorized_client", "make a new key"),
        (401, "invalid_client", "make a new key"),
        (403, "access_denied", "organisation policy"),
        (400, "invalid_scope", "token_uri"),
        (404, "", "token_uri"),
        (302, "", "never followed"),
        (400, "line\nbreak", "token_uri"),
    ],
)
async def test_who_gets_no_access_token_is_told_why(
    fake: Google, door: FcmDoor, status: int, error: str, mend: str
) -> None:
    fake.token_answers.append(says(lambda: fake.oauth_error(error, "canary", status=status)))
    outcome = await send(door, fake.app())
    assert isinstance(outcome, Refused)
    assert mend in outcome.detail
    assert "canary" not in outcome.detail
    assert "\n" not in outcome.detail


async def test_who_is_busy_with_tokens_says_when_to_come_again(fake: Google, door: FcmDoor) -> None:
    fake.token_answers.append(says(lambda: error(503, "", headers={"Retry-After": "9"})))
    outcome = await send(door, fake.app())
    assert isinstance(outcome, Unreachable)
    assert outcome.retry_after == 9.0
    assert await send(door, fake.app()) == Delivered()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"access_token": "x", "token_type": "Bearer"},
        {"access_token": "x y", "expires_in": 3599, "token_type": "Bearer"},
        {"access_token": "x\r\nX-Evil: 1", "expires_in": 3599, "token_type": "Bearer"},
        {"access_token": "x" * 9000, "expires_in": 3599, "token_type": "Bearer"},
        {"access_token": "x", "expires_in": -1, "token_type": "Bearer"},
        {"access_token": "x", "expires_in": True, "token_type": "Bearer"},
        {"access_token": "x", "expires_in": 3599, "token_type": "mac"},
        {"access_token": ["x"], "expires_in": 3599, "token_type": "Bearer"},
    ],
)
async def test_what_is_no_access_token_is_not_used(
    fake: Google, door: FcmDoor, said: dict[str, object]
) -> None:
    fake.token_answers.append(says(lambda: web.json_response(said)))
    outcome = await send(door, fake.app())
    assert isinstance(outcome, Refused)
    assert "without an access token" in outcome.detail
    assert fake.asked == 0


# --- silence, and worse ---------------------------------------------------------------------------


async def test_who_is_silent_is_left_in_time(
    fake: Google, door: FcmDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcm_door, "DEADLINE", 0.2)
    for answer in (silence, drip):
        fake.answers.append(answer)
        outcome = await send(door, fake.app())
        assert isinstance(outcome, Unreachable)
        assert "no answer within" in outcome.detail
        assert outcome.retry_after is not None
    assert await send(door, fake.app()) == Delivered()


async def test_no_try_outlives_the_login(fake: Google, door: FcmDoor) -> None:
    assert await send(door, fake.app()) == Delivered()
    fake.answers.append(silence)
    assert isinstance(await send(door, fake.app(), seconds=0.1), Unreachable)
    assert isinstance(await send(door, fake.app(), seconds=0.0), Unreachable)
    assert fake.asked == 2


async def test_an_exchange_that_hangs_holds_nobody_beyond_their_time(
    fake: Google, door: FcmDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_account, "DEADLINE", 0.4)
    fake.token_answers.append(silence)
    patient = asyncio.create_task(send(door, fake.app()))
    impatient = await send(door, fake.app(), seconds=0.1)
    assert isinstance(impatient, Unreachable)
    assert not patient.done(), "who gives up ends the exchange for nobody else"
    ended = await patient
    assert isinstance(ended, Unreachable)
    assert "no access token within" in ended.detail
    assert await send(door, fake.app()) == Delivered(), "and the next one begins anew"


async def test_a_push_that_is_given_up_hurts_no_other(fake: Google, door: FcmDoor) -> None:
    fake.answers.append(silence)
    hangs = asyncio.create_task(send(door, fake.app()))
    await fake.until(lambda: fake.asked == 1)
    others = [asyncio.create_task(send(door, fake.app())) for _ in range(10)]
    hangs.cancel()
    assert await asyncio.gather(*others) == [Delivered()] * 10


async def test_a_kept_connection_that_ends_is_no_missing_ring(fake: Google, door: FcmDoor) -> None:
    address = fake.app()
    assert await send(door, address) == Delivered()
    fake.answers.append(reset)
    assert await send(door, address) == Delivered()
    fake.answers += [reset, reset]
    outcome = await send(door, address)
    assert isinstance(outcome, Unreachable)
    assert "ended before the answer" in outcome.detail


async def test_no_more_is_read_than_anybody_needs(fake: Google, door: FcmDoor) -> None:
    fake.answers.append(flood)
    assert isinstance(await send(door, fake.app()), Refused)
    assert await send(door, fake.app()) == Delivered()


async def test_who_shows_another_name_or_is_not_vouched_for_is_told_nothing(
    tmp_path: Path, clock: Clock, fake: Google
) -> None:
    (tmp_path / "other").mkdir()
    async with google(tmp_path / "other", certified="fcm.example.com") as other:
        for asked, mend in (
            (settings(other), "Hostname mismatch"),
            (changed(settings(fake), ca=None), "unable to get local issuer"),
        ):
            door = FcmDoor(asked, clock=clock)
            outcome = await send(door, other.app())
            assert isinstance(outcome, Unreachable)
            assert mend in outcome.detail
            assert "methods.push.fcm.ca_file" in outcome.detail
            assert outcome.retry_after is None
            await door.close()
        assert not other.looked


async def test_nobody_there_and_no_name_are_told_apart(fake: Google, clock: Clock) -> None:
    def nowhere(host: str, port: int, family: int) -> Found:
        raise OSError("canary")

    door = FcmDoor(settings(fake), clock=clock, look_up=nowhere)
    assert "the name is not found" in detail(await send(door, fake.app()))
    await door.close()
    door = FcmDoor(changed(settings(fake), token_uri="https://localhost:1/token"), clock=clock)
    assert "is TCP to its port 1 allowed" in detail(await send(door, fake.app()))
    await door.close()


async def test_no_secret_is_in_what_is_said(
    fake: Google, door: FcmDoor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = fake.app()
    said = [repr(door), repr(settings(fake)), repr(address)]
    said.append(repr(await send(door, address)))
    for answer in (reset, says(lambda: error(403, "PERMISSION_DENIED", text=address.where))):
        fake.answers += [answer, answer]
        said.append(repr(await send(door, address)))
        fake.answers.clear()
    said.append(caplog.text)
    for secret in (address.where, fake.tokens_given[0], pem().splitlines()[3]):
        assert secret not in " ".join(said)
