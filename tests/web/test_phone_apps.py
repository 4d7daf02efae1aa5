"""What an app of one's own may say of where it is reached, and what any phone says of a push that came."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from radius_push import events
from radius_push.model import PersonKey
from radius_push.shapes import Enrollment
from radius_push.test_phone import PhoneRefused, SoftwarePhone, State
from radius_push.waking import LONGEST_TOKEN, AppAddress, AppChannel, Channel, Ring
from radius_push.web.phone_api import ADDRESSES_IN_A_MINUTE
from tests.web.house import ALICE, APPS, BOB, House, open_house
from tests.web.test_phone import WAIT, nonce, post

TOKEN = "dPx9:APA91b_of-alices-app"
HEX = "0aff" * 16


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, push=APPS) as house:
        yield house


async def tells(phone: SoftwarePhone, channel: str = "fcm", token: str | None = TOKEN) -> str:
    told = await phone.says("/api/push-token", "push_token", channel=channel, token=token)
    return str(told["outcome"])


async def tokens(house: House, person: PersonKey = ALICE.key) -> list[tuple[Channel, str]]:
    found = await house.store.push_addresses_of(person)
    return [(each.channel, each.where) for each in found]


async def rung(house: House, phone: SoftwarePhone, about: str = "q1", *, ago: float = 0.5) -> None:
    at = house.clock.now() - ago
    await house.store.begin_rings(Ring(phone.enrolled.device, "fcm", "request", about, "L1", at, 300))


async def receipt(phone: SoftwarePhone, about: str = "q1", **changes: str) -> str:
    said = {"channel": "fcm", "kind": "request", "id": about, "what": "received", **changes}
    return str((await phone.says("/api/receipt", "receipt", **said))["outcome"])


def received(house: House) -> list[events.PushReceived]:
    return [event for event in house.events if isinstance(event, events.PushReceived)]


# --- where an app is reached ---------------------------------------------------------------------------


async def test_an_app_says_where_it_is_reached_and_takes_it_back(house: House) -> None:
    async with await house.phone() as phone:
        assert await tells(phone) == "kept"
        assert await tells(phone) == "known"
        assert await tells(phone, token="another:one") == "kept"
        assert await tells(phone, "apns", HEX) == "kept"
        assert await tells(phone, "apns", HEX.upper()) == "known"
        assert await tokens(house) == [("apns", HEX), ("fcm", "another:one")]
        assert await tells(phone, token=None) == "removed"
        assert await tells(phone, token=None) == "removed"
        assert await tokens(house) == [("apns", HEX)]
        told = [each for each in house.events if isinstance(each, events.PushChanged)]
        assert [(each.channel, each.service, each.by) for each in told] == [
            ("fcm", "fcm", "phone"),
            ("fcm", "fcm", "phone"),
            ("apns", "apns", "phone"),
            ("fcm", None, "phone"),
        ]


async def test_a_phone_that_says_ever_new_addresses_fills_no_disk(house: House) -> None:
    """Each is evidence for as long as evidence is kept."""
    async with await house.phone() as phone, await house.phone() as other:
        for number in range(ADDRESSES_IN_A_MINUTE):
            assert await tells(phone, token=f"token:{number}") == "kept"
        for token in ("one:more", None):
            with pytest.raises(PhoneRefused) as refused:
                await tells(phone, token=token)
            assert refused.value.word == "nonce"
        assert await tells(other, token="of-another:phone") == "kept"
        told = [each for each in house.events if isinstance(each, events.PushChanged)]
        assert len(told) == ADDRESSES_IN_A_MINUTE + 1
        assert ("fcm", f"token:{ADDRESSES_IN_A_MINUTE - 1}") in await tokens(house)


async def test_an_app_is_told_by_which_channels_this_server_rings_and_nothing_secret(house: House) -> None:
    told = await config(house)
    assert told["apns"] == {"topic": "com.example.app", "environment": "sandbox"}
    assert told["fcm"] == {"project": "example-project"}
    house.side.use(Enrollment(), (), None)
    told = await config(house)
    assert told["apns"] is told["fcm"] is None


async def config(house: House) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{house.origin}/api/config") as response:
        told: dict[str, Any] = await response.json()
        return told


async def test_an_app_of_a_channel_without_settings_is_refused_and_may_still_be_forgotten(
    house: House,
) -> None:
    async with await house.phone() as phone:
        await tells(phone)
        house.side.use(Enrollment(), (), None)
        for channel, token in (("fcm", TOKEN), ("apns", HEX)):
            with pytest.raises(PhoneRefused) as refused:
                await tells(phone, channel, token)
            assert refused.value.word == "push_service"
        assert await tells(phone, token=None) == "removed"
        assert await tokens(house) == []


@pytest.mark.parametrize(
    ("channel", "token"),
    [
        ("web_push", TOKEN),
        ("sms", TOKEN),
        ("", TOKEN),
        ("fcm", ""),
        ("fcm", "x" * (LONGEST_TOKEN + 1)),
        ("fcm", "a/../b"),
        ("fcm", "two words"),
        ("fcm", "line\nend"),
        ("fcm", f"{TOKEN}\n"),
        ("fcm", "ünïcode"),
        ("apns", ""),
        ("apns", "0af"),
        ("apns", "0ag0"),
        ("apns", f"{HEX}\n"),
        ("apns", "../" * 4),
        ("apns", "00" * (LONGEST_TOKEN // 2 + 1)),
    ],
)
async def test_what_is_no_token_is_refused(house: House, channel: str, token: str) -> None:
    async with await house.phone() as phone:
        with pytest.raises(PhoneRefused) as refused:
            await tells(phone, channel, token)
        assert refused.value.word == "malformed"
        assert await tokens(house) == []


async def test_the_longest_token_is_taken(house: House) -> None:
    async with await house.phone() as phone:
        assert await tells(phone, token="x" * LONGEST_TOKEN) == "kept"
        assert await tells(phone, "apns", "0f" * (LONGEST_TOKEN // 2)) == "kept"


async def pushed(phone: SoftwarePhone, states: AsyncIterator[State]) -> dict[str, Any]:
    """Once the stream has something new to tell."""
    async with asyncio.timeout(WAIT):
        await anext(states)
    told: dict[str, Any] = (await phone.says("/api/questions", "questions"))["push"]
    return told


async def test_a_deleted_app_is_seen_on_the_stream_until_it_gives_a_new_token(house: House) -> None:
    async with await house.phone() as phone, aclosing(phone.questions()) as states:
        assert (await pushed(phone, states))["channels"] == dict.fromkeys(("web_push", "apns", "fcm"), "off")
        await tells(phone)
        assert (await pushed(phone, states))["channels"]["fcm"] == "on"
        gone = events.PushChanged(str(ALICE.key), phone.enrolled.device, "fcm", None, by="push service")
        assert await house.store.forget_push_address(
            phone.enrolled.device, "fcm", only=TOKEN, at=house.clock.now(), event=gone
        )
        push = await pushed(phone, states)
        assert (push["state"], push["channels"]["fcm"]) == ("gone", "gone")
        await tells(phone, "apns", HEX)
        push = await pushed(phone, states)
        assert (push["state"], push["channels"]) == ("on", {"web_push": "off", "apns": "on", "fcm": "gone"})
        await tells(phone)
        assert (await pushed(phone, states))["channels"]["fcm"] == "on"


# --- what it says of a push ----------------------------------------------------------------------------


async def test_a_receipt_is_timed_by_the_server_and_told_what_waits(house: House) -> None:
    async with await house.phone() as phone:
        await rung(house, phone)
        asked = await house.ask()
        said = {"channel": "fcm", "kind": "request", "id": "q1", "what": "received"}
        told = await phone.says("/api/receipt", "receipt", **said)
        assert told["outcome"] == "counted"
        assert [card["id"] for card in told["state"]["questions"]] == [asked.id]
        assert told["state"]["push"]["seen_at"] > 0
        assert await receipt(phone) == "not_counted"
        assert await receipt(phone, what="opened") == "counted"
        first, opened = received(house)
        assert (first.login, first.question, first.channel, first.what) == ("L1", "q1", "fcm", "received")
        assert 500 <= first.milliseconds <= opened.milliseconds < 30_000
        speed = (await house.store.push_speed(phone.enrolled.device))[phone.enrolled.device]["fcm"]
        assert speed.receipt == first.milliseconds


async def test_woken_is_as_it_was_for_apps_that_know_no_receipts(house: House) -> None:
    async with await house.phone() as phone:
        told = await phone.says("/api/woken", "woken")
        assert told["push"]["seen_at"] > 0
        assert received(house) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"channel": "sms"},
        {"kind": "approve"},
        {"what": "approved"},
        {"id": "x" * 97},
    ],
)
async def test_what_is_no_receipt_is_refused(house: House, changes: dict[str, str]) -> None:
    async with await house.phone() as phone:
        await rung(house, phone)
        with pytest.raises(PhoneRefused) as refused:
            await receipt(phone, **changes)
        assert refused.value.word == "malformed"
        assert received(house) == []


# --- attacks -------------------------------------------------------------------------------------------


async def test_another_persons_token_silences_nobody(house: House) -> None:
    async with await house.phone() as alices, await house.phone(BOB) as bobs:
        await tells(alices)
        await tells(bobs)
        assert await tokens(house) == await tokens(house, BOB.key) == [("fcm", TOKEN)]
        await tells(bobs, token=None)
        assert await tokens(house) == [("fcm", TOKEN)]


async def test_nobody_speaks_for_another_phone_and_nothing_is_said_twice(house: House) -> None:
    async with await house.phone() as mine, await house.phone(BOB) as his:
        await rung(house, his)
        for path, purpose, more in (
            ("/api/push-token", "push_token", {"channel": "fcm", "token": TOKEN}),
            (
                "/api/receipt",
                "receipt",
                {"channel": "fcm", "kind": "request", "id": "q1", "what": "received"},
            ),
        ):
            said: dict[str, Any] = {
                "version": 1,
                "purpose": purpose,
                "origin": house.origin,
                "device": his.enrolled.device,
                **more,
            }
            body = mine.sign({**said, "nonce": await nonce(house)})
            assert (await post(house, path, body))[1]["error"] == "unknown_device"
            body = his.sign({**said, "nonce": await nonce(house)})
            assert (await post(house, path, body))[0] == 200
            assert (await post(house, path, body))[1]["error"] == "nonce"
            body = his.sign({**said, "purpose": "woken", "nonce": await nonce(house)})
            assert (await post(house, path, body))[1]["error"] == "refused"
        assert await tokens(house) == []
        assert len(received(house)) == 1


async def test_a_receipt_for_anothers_question_counts_for_nothing_and_tells_nothing(house: House) -> None:
    async with (
        await house.phone() as alices,
        await house.phone() as her_other,
        await house.phone(BOB) as bobs,
    ):
        asked = await house.ask()
        await rung(house, alices, asked.id)
        for phone in (her_other, bobs):
            assert await receipt(phone, asked.id) == "not_counted"
            assert await receipt(phone, "of nobody") == "not_counted"
        assert received(house) == []
        assert await house.store.question(asked.id) == asked
        assert await receipt(alices, asked.id) == "counted"
        assert await house.store.question(asked.id) == asked


async def test_a_token_is_in_no_log_event_or_repr(house: House, caplog: pytest.LogCaptureFixture) -> None:
    channel: AppChannel = "fcm"
    with caplog.at_level(logging.DEBUG):
        async with await house.phone() as phone:
            await tells(phone)
            with pytest.raises(PhoneRefused):
                await tells(phone, token="bad token of-alices-app")
    addresses = await house.store.push_addresses_of(ALICE.key)
    assert isinstance(addresses[0], AppAddress)
    assert addresses[0].channel == channel
    seen = caplog.text + repr(addresses) + repr(house.events)
    assert "of-alices-app" not in seen
