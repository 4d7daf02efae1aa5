"""Ringing is bounded, and it ends: however many are asked, and however ill a channel behaves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import Secret
from radius_push.push import ringing
from radius_push.push.endpoints import Endpoints
from radius_push.push.message import LONGEST_TEXT, Message, of_question
from radius_push.push.ringing import PushRinger
from radius_push.push.webpush import LONGEST_PAYLOAD
from radius_push.push_shapes import Push
from radius_push.store.sqlite import SqliteStore
from radius_push.waking import BrowserAddress, Channel, Delivered, Outcome, PushAddress, Receipt, Speed
from tests.store.making import NOW, Log, SetClock, a_question, add_phone, open_store

KEY = Secret(b"k" * 32)


@dataclass
class Fake:
    """Does what a test says."""

    channel: Channel = "web_push"
    public_key: str = ""
    endpoints: Endpoints = field(default_factory=Endpoints)
    sent: list[PushAddress] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    waits: bool = False
    fault: Exception | None = None
    meanwhile: Callable[[Message], Awaitable[None]] | None = None
    """What happens before the push service has said anything."""

    async def send(self, address: PushAddress, message: Message, *, seconds: float) -> Outcome:
        self.sent.append(address)
        self.begun.set()
        if self.waits:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault
        if self.meanwhile is not None:
            await self.meanwhile(message)
        return Delivered()

    def open(self) -> None: ...

    def use(self, settings: Push) -> None: ...

    async def close(self) -> None: ...


@dataclass
class House:
    store: SqliteStore
    log: Log
    channel: Fake
    ringer: PushRinger
    counters: Counter[str]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock, log, channel, counters = SetClock(), Log(), Fake(), Counter[str]()
    store = open_store(tmp_path / "state.db", clock, log)
    await add_phone(store)
    address = BrowserAddress("d1", "https://web.push.apple.com/x", b"\x04" + bytes(64), Secret(bytes(16)))
    assert await store.keep_push_address(address, at=NOW, event=events.Sent("kept"))
    url = "https://mfa.example.com"
    ringer = PushRinger(channel, store=store, clock=clock, counters=counters, tag_key=KEY, url=url)
    yield House(store, log, channel, ringer, counters)
    await ringer.close()
    await store.close()


async def test_a_phone_that_speaks_before_its_push_service_has_answered_is_heard(house: House) -> None:
    heard: list[bool] = []

    async def speaks(message: Message) -> None:
        said = Receipt("d1", "web_push", message.kind, message.about, "received")
        heard.append(await house.store.receive(said, at=NOW + 0.4))

    house.channel.meanwhile = speaks
    house.ringer.ring(a_question(), NOW)
    await asyncio.wait(house.ringer._ringing, timeout=10)
    assert heard == [True]
    beside = [each for each in house.log.events if isinstance(each, events.PushReceived | events.Rang)]
    assert [events.kind(each) for each in beside] == ["push_received", "rang"]
    assert (await house.store.push_speed())["d1"]["web_push"] == Speed(0, 1, 400, 1)


async def test_no_more_are_rung_at_once_than_there_is_room_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ringing, "MOST_RINGING", 4)
    house.channel.waits = True
    for number in range(50):
        house.ringer.ring(a_question(f"q{number}"), NOW)
    assert house.counters["push_not_rung"] == 46
    await house.channel.begun.wait()
    assert len(house.ringer._ringing) == 4


async def test_a_fault_in_a_channel_reaches_nobody(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.channel.fault = RuntimeError("canary-in-a-message")
    house.ringer.ring(a_question(), NOW)
    await asyncio.wait(house.ringer._ringing, timeout=10)
    assert house.counters["push_crashed"] == 1
    assert "canary" not in caplog.text


async def test_a_store_that_is_down_reaches_nobody(house: House, caplog: pytest.LogCaptureFixture) -> None:
    await house.store.close()
    house.ringer.ring(a_question(), NOW)
    await asyncio.wait(house.ringer._ringing, timeout=10)
    assert "could not ring" in caplog.text


async def test_after_the_end_nobody_is_rung(house: House) -> None:
    house.channel.waits = True
    house.ringer.ring(a_question(), NOW)
    await house.channel.begun.wait()
    house.ringer.ring(a_question("q2"), NOW)  # cancelled before its first step
    await house.ringer.close()
    house.ringer.ring(a_question("q3"), NOW)
    assert house.counters["push_not_rung"] == 1
    assert not house.ringer._ringing
    assert len(house.channel.sent) == 1


def test_a_message_fits_whatever_people_and_gateways_are_called() -> None:
    long = a_question(account="\N{PILE OF POO}" * 5000, client='"' * 64)
    message = of_question(long, requested_at=NOW, key=KEY, url="https://" + "x" * 250)
    assert len(message.for_browser()) <= LONGEST_PAYLOAD
    assert "\N{PILE OF POO}" * LONGEST_TEXT not in message.for_browser().decode()


def test_a_message_holds_no_address_nonce_or_login() -> None:
    message = of_question(a_question(), requested_at=NOW, key=KEY, url="https://mfa.example.com")
    for secret in ("198.51.100.7", "n" * 22, "login-of-q1", "uuid-of-alice"):
        assert secret not in message.for_browser().decode() + message.topic


def test_the_topic_is_of_this_server_alone() -> None:
    one = of_question(a_question(), requested_at=NOW, key=KEY, url="https://mfa.example.com")
    other = of_question(a_question(), requested_at=NOW, key=Secret(b"x" * 32), url="https://mfa.example.com")
    assert len(one.topic) == len(other.topic) == 32
    assert one.topic != other.topic
