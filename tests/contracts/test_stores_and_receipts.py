"""What every store must keep to about how fast devices are rung, and what they say of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import Secret
from radius_push.ports import Store
from radius_push.waking import LAST_RINGS, AppAddress, AppChannel, Channel, Receipt, ReceiptWord, Ring, Speed
from tests.store.making import ALICE, BOB, NOW, Log, add_phone, invite, kinds, open_store, redeem


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture(params=["sqlite"])
async def store(tmp_path: Path, log: Log) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "state.db", log=log)
    await add_phone(store)
    yield store
    await store.close()


def a_ring(
    about: str = "q1", *, device: str = "d1", channel: Channel = "fcm", since_request: int = 300
) -> Ring:
    return Ring(device, channel, "request", about, f"login-of-{about}", NOW, since_request)


def a_receipt(
    about: str = "q1", *, device: str = "d1", channel: Channel = "fcm", what: ReceiptWord = "received"
) -> Receipt:
    return Receipt(device, channel, "request", about, what)


async def over(store: Store, outcome: str, about: str = "q1", *, channel: Channel = "fcm") -> None:
    rang = events.Rang(
        f"login-of-{about}", about, str(ALICE), "d1", channel, outcome, "", tries=1, since_request=300,
        milliseconds=80,
    )  # fmt: skip
    await store.ring_over(rang, at=NOW + 0.08)


async def speed(store: Store, channel: Channel = "fcm") -> Speed:
    return (await store.push_speed("d1"))["d1"][channel]


async def test_a_receipt_counts_once_for_each_word_and_says_how_long_it_took(store: Store, log: Log) -> None:
    await store.begin_rings(a_ring())
    before = len(log.events)
    assert await store.receive(a_receipt(), at=NOW + 1.2)
    assert not await store.receive(a_receipt(), at=NOW + 1.3)
    assert await store.receive(a_receipt(what="opened"), at=NOW + 4)
    assert not await store.receive(a_receipt(what="opened"), at=NOW + 5)
    received = events.PushReceived(
        "login-of-q1", "q1", str(ALICE), "d1", "fcm", "request", "received", milliseconds=1200
    )
    assert log.events[before:] == [received, replace(received, what="opened", milliseconds=4000)]
    assert (await store.push_reach("d1"))["d1"].seen_at == NOW + 4


@pytest.mark.parametrize(
    "receipt",
    [
        a_receipt("q2"),
        a_receipt(device="d2"),
        a_receipt(device="nobody"),
        a_receipt(channel="apns"),
        replace(a_receipt(), kind="test"),
    ],
)
async def test_a_receipt_for_what_was_not_rung_so_counts_for_nothing(store: Store, receipt: Receipt) -> None:
    await add_phone(store, "d2", BOB)
    await store.begin_rings(a_ring())
    before = await kinds(store)
    assert not await store.receive(receipt, at=NOW + 1)
    assert await kinds(store) == before
    assert [each.seen_at for each in (await store.push_reach()).values()] == [None, None]


async def test_a_phone_that_speaks_before_its_push_service_does_counts(store: Store) -> None:
    await store.begin_rings(a_ring())
    assert await store.receive(a_receipt(), at=NOW + 0.05)
    await over(store, "delivered")
    assert await speed(store) == Speed(ring=300, rings=1, receipt=50, receipts=1)


async def test_what_no_push_service_took_is_no_ring_unless_the_phone_says_that_it_came(store: Store) -> None:
    """One that was cut off behind the handing over may have come all the same."""
    for number, outcome in enumerate(("refused", "gone", "unreachable")):
        await store.begin_rings(a_ring(f"q{number}"))
        await over(store, outcome, f"q{number}")
    assert await speed(store) == Speed(ring=None, rings=0, receipt=None, receipts=0)
    assert await store.receive(a_receipt("q2"), at=NOW + 9)
    assert await speed(store) == Speed(ring=300, rings=1, receipt=9000, receipts=1)


async def test_the_last_rings_of_each_channel_are_kept_and_no_more(store: Store) -> None:
    await store.begin_rings(a_ring("other", channel="apns", since_request=7))
    await over(store, "delivered", "other", channel="apns")
    for number in range(LAST_RINGS + 5):
        await store.begin_rings(a_ring(f"q{number}", since_request=number * 10))
        await over(store, "delivered", f"q{number}")
    kept = [number * 10 for number in range(5, LAST_RINGS + 5)]
    assert await speed(store) == Speed(sum(kept) // len(kept), LAST_RINGS, None, 0)
    assert await speed(store, "apns") == Speed(7, 1, None, 0)
    assert not await store.receive(a_receipt("q4"), at=NOW + 1)
    assert await store.receive(a_receipt("q5"), at=NOW + 1)


async def test_a_clock_that_was_set_back_makes_no_time_negative(store: Store) -> None:
    await store.begin_rings(a_ring())
    assert await store.receive(a_receipt(), at=NOW - 5)
    assert (await speed(store)).receipt == 0


async def test_the_same_is_rung_once(store: Store) -> None:
    await store.begin_rings(a_ring(), a_ring())
    await store.begin_rings(a_ring(since_request=9))
    await over(store, "delivered")
    assert await speed(store) == Speed(300, 1, None, 0)


async def test_only_an_active_device_is_rung(store: Store) -> None:
    await invite(store)
    await redeem(store, "d2")
    await store.begin_rings(a_ring(device="nobody"), a_ring(device="d2"))
    assert await store.push_speed() == {}


async def test_a_removed_device_leaves_no_rings_and_says_nothing_any_more(store: Store) -> None:
    await store.begin_rings(a_ring())
    await store.remove_device("d1", at=NOW, event=events.Sent("removed"))
    assert await store.push_speed() == {}
    assert not await store.receive(a_receipt(), at=NOW + 1)
    await store.begin_rings(a_ring("q2"))
    assert await store.push_speed() == {}


# --- where an app is reached ---------------------------------------------------------------------------


def an_app(device: str = "d1", channel: AppChannel = "fcm") -> AppAddress:
    return AppAddress(device, channel, Secret(b"t0ken"))


async def test_an_app_that_is_gone_is_not_the_browser(store: Store) -> None:
    for channel in ("fcm", "apns"):
        kept = events.Sent("kept")
        assert await store.keep_push_address(an_app(channel=channel), at=NOW, event=kept)
    gone = events.Sent("gone")
    assert await store.forget_push_address("d1", "fcm", only="t0ken", at=NOW + 1, event=gone)
    reach = (await store.push_reach("d1"))["d1"]
    assert (reach.services, reach.channels, reach.gone, reach.gone_at) == (
        ("apns",), ("apns",), ("fcm",), NOW + 1,
    )  # fmt: skip
    assert await store.keep_push_address(an_app(), at=NOW + 2, event=events.Sent("kept"))
    reach = (await store.push_reach("d1"))["d1"]
    assert (reach.channels, reach.gone, reach.gone_at) == (("fcm", "apns"), (), None)


async def test_a_token_takes_nobodys_away_but_its_own_persons(store: Store) -> None:
    """One app with the accounts of two people has one token: it is rung for both. Whoever copied another's
    token silences nobody."""
    await add_phone(store, "d2", BOB)
    for device in ("d1", "d2"):
        assert await store.keep_push_address(an_app(device), at=NOW, event=events.Sent("kept"))
    assert list(await store.push_addresses_of(ALICE)) == [an_app("d1")]
    assert list(await store.push_addresses_of(BOB)) == [an_app("d2")]
