"""A login rings by every channel at once: one that hangs holds up no other, and none outlives the login."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import Secret
from radius_push.push import apns as door_of_apple
from radius_push.push import ringing
from radius_push.push.apns import ApnsDoor
from radius_push.push.ringing import PushRinger
from radius_push.store.sqlite import SqliteStore
from radius_push.waking import AppAddress, BrowserAddress
from tests.directory.certificates import Authority
from tests.push.apple import Apple, Connection, apple_service, error, tls_for
from tests.push.apple_doors import RealClock, open_door, settings_for
from tests.push.test_ringing import Fake
from tests.store.making import NOW, Log, SetClock, a_question, add_phone, ask, open_store


class Told(Log):
    def __init__(self) -> None:
        super().__init__()
        self.first_ring = asyncio.Event()

    def __call__(self, at: float, event: events.Event) -> None:
        super().__call__(at, event)
        if isinstance(event, events.Rang):
            self.first_ring.set()


class Rings:
    def __init__(self, store: SqliteStore, log: Told, ringer: PushRinger) -> None:
        self.store, self.log, self.ringer = store, log, ringer

    async def add(self, address: AppAddress | BrowserAddress) -> None:
        assert await self.store.keep_push_address(address, at=NOW, event=events.Sent("kept"))

    def told(self) -> list[events.Rang]:
        return [event for event in self.log.events if isinstance(event, events.Rang)]

    async def ended(self) -> None:
        await asyncio.wait(self.ringer._ringing, timeout=10)


@pytest.fixture
async def apple(tmp_path: Path) -> AsyncIterator[tuple[Apple, Authority]]:
    authority = Authority(tmp_path)
    async with apple_service(tls_for(authority)) as apple:
        yield apple, authority


@pytest.fixture
async def door(apple: tuple[Apple, Authority]) -> AsyncIterator[ApnsDoor]:
    async with open_door(settings_for(apple[0], apple[1].file), clock=RealClock()) as door:
        yield door


@pytest.fixture
async def rings(tmp_path: Path, door: ApnsDoor) -> AsyncIterator[Rings]:
    clock, log = SetClock(), Told()
    store = open_store(tmp_path / "state.db", clock, log)
    await add_phone(store)
    browsers = Fake()
    ringer = PushRinger(
        browsers,
        (door,),
        store=store,
        clock=clock,
        counters=Counter(),
        tag_key=Secret(b"k" * 32),
        url="https://mfa.example.com",
    )
    yield Rings(store, log, ringer)
    await ringer.close()
    await store.close()


BROWSER = BrowserAddress("d1", "https://web.push.apple.com/x", b"\x04" + bytes(64), Secret(bytes(16)))


async def test_a_channel_that_hangs_holds_up_no_other(apple: tuple[Apple, Authority], rings: Rings) -> None:
    held: list[tuple[Connection, int]] = []
    apple[0].always = lambda connection, stream: held.append((connection, stream))
    await rings.add(AppAddress("d1", "apns", Secret(apple[0].device())))
    await rings.add(BROWSER)
    rings.ringer.ring(a_question(), NOW)
    await apple[0].until(lambda: bool(held))
    await rings.log.first_ring.wait()
    assert [(rang.channel, rang.outcome) for rang in rings.told()] == [("web_push", "delivered")]
    ((connection, stream),) = held
    headers, _ = connection.requests[stream]
    connection.taken(stream)
    connection.answer(stream, error("Unregistered"), dict(headers))
    connection.flush()
    await rings.ended()
    assert [(rang.channel, rang.outcome) for rang in rings.told()][1:] == [("apns", "gone")]
    left = await rings.store.push_addresses_of(a_question().person)
    assert [address.channel for address in left] == ["web_push"], "the address that is gone is forgotten"


async def test_what_apple_wants_to_have_later_does_not_outlive_the_login(
    apple: tuple[Apple, Authority], rings: Rings
) -> None:
    apple[0].always = lambda connection, stream: error(
        "ServiceUnavailable", headers=(("retry-after", "3600"),)
    )
    await rings.add(AppAddress("d1", "apns", Secret(apple[0].device())))
    rings.ringer.ring(a_question(), NOW)
    await rings.ended()
    (rang,) = rings.told()
    assert (rang.outcome, rang.tries) == ("unreachable", 1)
    assert "answered 503 (ServiceUnavailable)" in rang.detail


async def test_a_connection_that_ends_under_a_ring_rings_the_phone_once(
    apple: tuple[Apple, Authority], rings: Rings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ringing, "BACKOFF", 0.0)
    monkeypatch.setattr(door_of_apple, "SOON", 0.0)

    def taken_and_gone(connection: Connection, stream: int) -> None:
        connection.taken(stream)
        connection.go_away(stream)
        connection.cut()

    service = apple[0]
    service.acts = [taken_and_gone]
    await rings.add(AppAddress("d1", "apns", Secret(service.device())))
    rings.ringer.ring(await ask(rings.store), NOW)
    await rings.ended()
    (rang,) = rings.told()
    assert (rang.outcome, rang.tries) == ("delivered", 2)
    assert len(service.pushed) == 2
    assert len(service.shown) == 1, "one alert: the second took the place of the first"
