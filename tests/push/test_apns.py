"""One push to Apple: what it is told, and what becomes of every way in which it answers."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import aioapns
import pytest
from aioapns.connection import APNsTLSClientProtocol

from radius_push.model import Secret
from radius_push.push.apns import DATA_KEY, NOT_SET_UP, ApnsDoor, payload_of
from radius_push.push.apns_streams import LONGEST_PAYLOAD
from radius_push.push.message import Kind
from radius_push.push_shapes import APPLE, Apns, Certificate, Push, Token
from radius_push.waking import AppAddress, BrowserAddress, Delivered, Gone, Refused, Unreachable
from tests.directory.certificates import Authority
from tests.push.apple import (
    KEY_ID,
    STATUS_OF,
    TEAM_ID,
    TOPIC,
    Answer,
    Apple,
    error,
)
from tests.push.apple_doors import RealClock, a_message, open_door, send, settings_for
from tests.push.apple_doors import apple as apple
from tests.push.apple_doors import authority as authority
from tests.push.apple_doors import clock as clock
from tests.push.apple_doors import door as door


async def test_the_real_library_alone_gets_through(apple: Apple, authority: Authority) -> None:
    """So the service of these tests is no mirror of our own code."""

    class Here(APNsTLSClientProtocol):
        APNS_SERVER = "localhost"
        APNS_PORT = apple.port

    context = __import__("ssl").create_default_context(cafile=str(authority.file))
    client = aioapns.APNs(
        key=apple.p8.decode(), key_id=KEY_ID, team_id=TEAM_ID, topic=TOPIC, ssl_context=context
    )
    client.pool.protocol_class = Here
    message = {"aps": {"alert": "x"}}
    good = aioapns.NotificationRequest(apple.device(), message, push_type=aioapns.PushType.ALERT)
    assert (await client.send_notification(good)).is_successful
    bad = aioapns.NotificationRequest("00" * 32, message, push_type=aioapns.PushType.ALERT)
    said = await client.send_notification(bad)
    assert (said.status, said.description) == ("400", "BadDeviceToken")
    client.pool.close()
    await apple.until(lambda: not apple.connections)


# --- what it is told -------------------------------------------------------------------------------


async def test_the_app_is_woken_and_apple_reads_no_more_than_kind_and_id(
    apple: Apple, door: ApnsDoor
) -> None:
    token = apple.device()
    before = int(time.time())
    assert await send(door, token, seconds=29.9) == Delivered()
    (pushed,) = apple.pushed
    assert pushed.payload == {
        "aps": {
            "alert": {
                "title-loc-key": "RADIUS_PUSH_REQUEST_TITLE",
                "loc-key": "RADIUS_PUSH_REQUEST_BODY",
            },
            "category": "RADIUS_PUSH_REQUEST",
            "mutable-content": 1,
            "sound": "default",
        },
        "radius_push": {"kind": "request", "id": "q1"},
    }
    assert pushed.headers["apns-topic"] == TOPIC
    assert pushed.headers["apns-push-type"] == "alert"
    assert pushed.headers["apns-priority"] == "10"
    assert pushed.headers["apns-collapse-id"] == a_message().topic
    assert before + 29 <= int(pushed.headers["apns-expiration"]) <= int(time.time()) + 29


@pytest.mark.parametrize("kind", ["request", "test", "sign_in", "device_added", "credential_added"])
def test_each_kind_has_words_and_buttons_of_its_own(kind: Kind) -> None:
    aps = payload_of(kind, {"kind": kind, "id": "i" * 64})["aps"]
    assert isinstance(aps, dict)
    assert aps["category"] == f"RADIUS_PUSH_{kind.upper()}"
    assert aps["alert"]["loc-key"] == f"RADIUS_PUSH_{kind.upper()}_BODY"
    assert len(json.dumps(payload_of(kind, {"kind": kind, "id": "i" * 64}))) <= LONGEST_PAYLOAD


async def test_a_certificate_does_instead_of_a_key(apple: Apple, authority: Authority) -> None:
    ours = authority.issue(common_name="Apple Push Services", user_id=TOPIC)
    async with open_door(settings_for(apple, authority.file, certificate=ours)) as door:
        assert await send(door, apple.device()) == Delivered()
    assert "authorization" not in apple.pushed[0].headers


async def test_a_certificate_that_apple_does_not_take_is_named(apple: Apple, authority: Authority) -> None:
    ours = authority.issue(common_name="x", user_id="com.example.other")
    async with open_door(settings_for(apple, authority.file, certificate=ours)) as door:
        outcome = await send(door, apple.device())
    assert isinstance(outcome, Refused)
    assert "methods.push.apns.certificate" in outcome.detail


async def test_a_certificate_that_ended_is_named_and_apple_is_not_asked(
    apple: Apple, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    ours = authority.issue(common_name="x", user_id=TOPIC)
    settings = settings_for(apple, authority.file, certificate=ours)
    assert settings.apns is not None
    assert isinstance(settings.apns.identity, Certificate)
    ended = replace(settings.apns.identity, ends_at=0.0)
    async with open_door(replace(settings, apns=replace(settings.apns, identity=ended))) as door:
        door.open()
        assert await send(door, apple.device()) == Refused(
            "methods.push.apns.certificate expired on 1970-01-01: make a new one on Apple's developer page, "
            "and run `radius-push reload`"
        )
        for _ in range(10):
            await asyncio.sleep(0)
        assert caplog.messages[0].startswith("APNs: methods.push.apns.certificate expired on 1970-01-01")
        assert apple.connected == 0
        door.use(settings)
        assert await send(door, apple.device()) == Delivered()


async def test_no_file_of_the_key_is_left(apple: Apple, authority: Authority) -> None:
    ours = authority.issue(common_name="x", user_id=TOPIC)
    settings = settings_for(apple, authority.file, certificate=ours)
    ours.key.unlink()
    async with open_door(settings) as door:
        assert not [each for each in open_files() if "memfd" in each]
        assert await send(door, apple.device()) == Delivered()


def open_files() -> list[str]:
    return [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]


async def test_a_trial_is_a_real_push_to_one_device(apple: Apple, door: ApnsDoor) -> None:
    assert await door.try_out(Secret(apple.device())) == Delivered()
    assert apple.pushed[0].payload[DATA_KEY] == {"kind": "test", "id": "doctor"}
    assert isinstance(await door.try_out(Secret("ab" * 32)), Refused)


async def test_one_jwt_is_for_all_and_is_made_anew_in_time(
    apple: Apple, door: ApnsDoor, clock: RealClock
) -> None:
    token, used = apple.device(), []
    for ahead in (0, 20 * 60, 39 * 60, 41 * 60, 60 * 60):
        clock.ahead = ahead
        assert await send(door, token) == Delivered()
        used.append(apple.pushed[-1].headers["authorization"])
    assert used[0] == used[1] == used[2]
    assert used[2] != used[3] == used[4]


async def test_after_the_clock_was_set_there_is_a_new_jwt(
    apple: Apple, door: ApnsDoor, clock: RealClock
) -> None:
    token = apple.device()
    assert await send(door, token) == Delivered()
    clock.set_ahead = -7200.0
    assert await send(door, token) == Delivered()
    assert apple.pushed[0].headers["authorization"] != apple.pushed[1].headers["authorization"]


# --- what it answers -------------------------------------------------------------------------------

NOT_NOW = {"IdleTimeout", "TooManyRequests", "InternalServerError", "ServiceUnavailable", "Shutdown"}
GONE = {"Unregistered", "ExpiredToken"}
MENDS = {
    "BadDeviceToken": "methods.push.apns.environment",
    "DeviceTokenNotForTopic": "methods.push.apns.topic",
    "BadTopic": "bundle id",
    "MissingTopic": "bundle id",
    "TopicDisallowed": "may not push to com.example.mfa",
    "BadCertificate": "methods.push.apns.certificate",
    "BadCertificateEnvironment": "is not for production",
    "ExpiredProviderToken": "this machine's clock",
    "InvalidProviderToken": "key id 8XFAKEKEY1 is not of team TEAMFAKE01",
    "Forbidden": "APNs switched on",
    "MissingProviderToken": "who we are",
    "UnrelatedKeyIdInToken": "a relay",
    "BadEnvironmentKeyIdInToken": "is not for production",
    "TooManyProviderTokenUpdates": "every 20 minutes",
    "BadPath": "methods.push.apns.url",
    "MethodNotAllowed": "methods.push.apns.url",
}
FAULTS = set(STATUS_OF) - NOT_NOW - GONE - set(MENDS)


@pytest.mark.parametrize("reason", sorted(STATUS_OF))
async def test_every_reason_of_apples_table(apple: Apple, door: ApnsDoor, reason: str) -> None:
    apple.always = lambda connection, stream: error(reason)
    outcome = await send(door, apple.device())
    said = f"localhost answered {STATUS_OF[reason]} ({reason})"
    if reason in NOT_NOW:
        assert outcome == Unreachable(said, 1.0)
    elif reason in GONE:
        assert isinstance(outcome, Gone)
    else:
        assert isinstance(outcome, Refused)
        assert MENDS.get(reason, "a fault of ours") in outcome.detail
    assert outcome.detail.startswith(said)
    assert apple.asked == 1, "and it is not asked twice"


async def test_a_wrong_environment_forgets_no_phone(apple: Apple, door: ApnsDoor) -> None:
    """One wrong line of the settings must not take the phones of everybody."""
    assert isinstance(await send(door, "ab" * 32), Refused)


async def test_a_token_that_apple_cannot_have_given_is_not_asked_for(apple: Apple, door: ApnsDoor) -> None:
    for token in ("", "../../x", "zz" * 32, "ab" * 513, "ab" * 32 + "?x", "a" * 33, "ab" * 32 + "\n"):
        assert isinstance(await send(door, token), Gone)
    assert apple.connected == 0


async def test_what_is_for_another_channel_is_not_asked(door: ApnsDoor) -> None:
    for address in (
        AppAddress("d1", "fcm", Secret("ab" * 32)),
        BrowserAddress("d1", "https://web.push.apple.com/x", b"", Secret(b"")),
    ):
        outcome = await door.send(address, a_message(), seconds=30)
        assert isinstance(outcome, Refused)


async def test_without_settings_it_says_so(clock: RealClock) -> None:
    async with open_door(Push(), clock=clock) as door:
        door.open()
        assert await send(door, "ab" * 32) == Refused(NOT_SET_UP)
        assert door.wants() is None


def test_where_it_wants_to_go() -> None:
    async def wants(url: str) -> tuple[str, int] | None:
        token = Token(Secret("x"), KEY_ID, TEAM_ID)
        async with open_door(Push(apns=Apns(TOPIC, token, url=url))) as door:
            return door.wants()

    assert asyncio.run(wants(APPLE["production"])) == ("api.push.apple.com", 443)
    assert asyncio.run(wants("https://relay.example:2197")) == ("relay.example", 2197)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 1.0), ("soon", 1.0), ("99999999999", 1.0), (formatdate(time.time() + 300), None)],
    ids=["seconds", "at once", "a word", "for ever", "a date"],
)
async def test_it_is_asked_again_when_it_says(
    apple: Apple, door: ApnsDoor, header: str, seconds: float | None
) -> None:
    apple.always = lambda connection, stream: error("ServiceUnavailable", headers=(("retry-after", header),))
    outcome = await send(door, apple.device())
    assert isinstance(outcome, Unreachable)
    assert outcome.retry_after is not None
    assert outcome.retry_after == seconds if seconds else 200 < outcome.retry_after < 301


ODD = {
    "in pieces": Answer(410, "Unregistered", pieces=7),
    "by what stands before Apple": Answer(503, bare=True, body=b"<html>busy</html>"),
    "without a body": Answer(500),
    "gone, and not by Apple's word": Answer(410, body=b"Gone"),
    "not JSON": Answer(403, body=b"\xff\xfe"),
    "another JSON": Answer(400, body=b"[1]"),
    "a reason that is none": Answer(400, body=b'{"reason": "no\\nword of Apple"}'),
    "too long": Answer(400, body=b'{"reason": "BadTopic", "x": "' + b"x" * 9000 + b'"}'),
    "a redirect": Answer(302, headers=(("location", "https://evil.example"),)),
    "no number": Answer(999),
}


@pytest.mark.parametrize("said", ODD.values(), ids=ODD.keys())
async def test_an_odd_answer_ends_this_push_alone(apple: Apple, door: ApnsDoor, said: Answer) -> None:
    token = apple.device()
    apple.acts = [lambda connection, stream: said]
    first = await send(door, token)
    match said.status:
        case 410 if said.reason:
            assert isinstance(first, Gone)
        case status if status >= 500:
            assert isinstance(first, Unreachable)
        case _:
            assert isinstance(first, Refused)
            assert "\n" not in first.detail
    assert await send(door, token) == Delivered()
    assert apple.connected == 1


async def test_a_jwt_that_expired_is_made_anew_and_tried_once_more(
    apple: Apple, door: ApnsDoor, clock: RealClock
) -> None:
    token = apple.device()
    assert await send(door, token) == Delivered()
    clock.ahead = 21 * 60
    apple.acts = [lambda connection, stream: error("ExpiredProviderToken")]
    assert await send(door, token) == Delivered()
    assert apple.pushed[0].headers["authorization"] != apple.pushed[1].headers["authorization"]
    apple.always = lambda connection, stream: error("ExpiredProviderToken")
    assert isinstance(await send(door, token), Refused)
    assert apple.asked == 4, "a new one is not made again at once: Apple counts them"


@pytest.mark.parametrize("ahead", [3700.0, -300.0])
async def test_a_wrong_clock_is_named(apple: Apple, door: ApnsDoor, ahead: float) -> None:
    apple.ahead = ahead
    outcome = await send(door, apple.device())
    assert isinstance(outcome, Refused)
    assert "this machine's clock" in outcome.detail


async def test_another_key_is_named_and_never_shown(
    apple: Apple, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = settings_for(apple, authority.file)
    other = Apple()
    async with open_door(settings_for(other, authority.file)) as wrong:
        wrong.use(Push(apns=_at(settings, other)))
        outcome = await send(wrong, apple.device())
    assert isinstance(outcome, Refused)
    assert "key id 8XFAKEKEY1 is not of team TEAMFAKE01" in outcome.detail
    for text in (outcome.detail, caplog.text, repr(settings)):
        assert "PRIVATE KEY" not in text
        assert other.p8.decode().splitlines()[1] not in text
        assert "bearer" not in text
        assert "0000000000000001" not in text, "the device's token"


def _at(settings: Push, other: Apple) -> Apns:
    """The place of one, the key of another."""
    assert settings.apns is not None
    return Apns(TOPIC, Token(Secret(other.p8), KEY_ID, TEAM_ID), url=settings.apns.url, ca=settings.apns.ca)
