"""What every store must keep to about closed phones: where they are reached, and their test requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import Secret, Trial
from radius_push.ports import Store
from radius_push.waking import AppAddress, AppChannel, BrowserAddress, Channel, PushAddress
from tests.store.making import ALICE, BOB, NOW, add_phone, invite, kinds, open_store, redeem


@pytest.fixture(params=["sqlite"])
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "state.db")
    yield store
    await store.close()


def an_address(device: str = "d1", endpoint: str = "https://push.example/1", auth: int = 1) -> BrowserAddress:
    return BrowserAddress(device, endpoint, b"\x04" + bytes(64), Secret(bytes([auth]) * 16))


async def keep(store: Store, address: PushAddress) -> bool:
    return await store.keep_push_address(address, at=NOW, event=events.Sent("kept"))


async def forget(
    store: Store, device: str = "d1", endpoint: str | None = None, *, channel: Channel = "web_push"
) -> bool:
    gone = events.Sent("forgotten")
    return await store.forget_push_address(device, channel, only=endpoint, at=NOW, event=gone)


async def trial(store: Store, id: str = "t1", *, device: str = "d1", at: float = NOW) -> bool:
    asked = Trial(id, device, opened_at=at, expires_at=at + 60)
    return await store.open_trial(asked, most=3, since=at - 60, event=events.Sent(id))


async def answered(store: Store, id: str = "t1", *, device: str = "d1", at: float = NOW) -> bool:
    return await store.answer_trial(id, device=device, at=at, event=events.Sent("answered"))


async def test_an_address_is_read_as_it_was_written_and_replaced(store: Store) -> None:
    await add_phone(store)
    assert await keep(store, an_address())
    assert await store.push_addresses_of(ALICE) == [an_address()]
    before = await kinds(store)
    assert not await keep(store, an_address())
    assert await kinds(store) == before
    assert await keep(store, an_address(endpoint="https://push.example/2"))
    assert await store.push_addresses_of(ALICE) == [an_address(endpoint="https://push.example/2")]
    assert await store.push_addresses_of(BOB) == []


async def test_only_an_active_device_has_an_address(store: Store) -> None:
    assert not await keep(store, an_address("nobody"))
    await invite(store)
    await redeem(store)
    assert not await keep(store, an_address())
    assert await store.push_addresses_of(ALICE) == []


@pytest.mark.parametrize("way", ["removed", "all forgotten"])
async def test_however_a_device_goes_its_address_goes_too(store: Store, way: str) -> None:
    await add_phone(store)
    await keep(store, an_address())
    if way == "removed":
        await store.remove_device("d1", at=NOW, event=events.Sent("removed"))
    else:
        await store.forget_phones(by="root", at=NOW)
    assert await store.push_addresses_of(ALICE) == []
    assert not await forget(store)


async def test_one_browser_is_one_address_and_a_stolen_url_takes_nobodys_away(store: Store) -> None:
    await add_phone(store, "d1")
    await add_phone(store, "d2", BOB)
    assert await keep(store, an_address("d1"))
    assert await keep(store, an_address("d2", auth=2))  # who only knows the URL
    assert [address.device for address in await store.push_addresses_of(ALICE)] == ["d1"]
    assert await keep(store, an_address("d2"))  # the same browser
    assert await store.push_addresses_of(ALICE) == []


async def test_a_newer_address_is_not_forgotten_in_place_of_the_one_that_is_gone(store: Store) -> None:
    await add_phone(store)
    await keep(store, an_address(endpoint="https://push.example/new"))
    assert not await forget(store, endpoint="https://push.example/old")
    assert await store.push_addresses_of(ALICE) == [an_address(endpoint="https://push.example/new")]
    assert await forget(store, endpoint="https://push.example/new")
    assert not await forget(store)


async def test_test_requests_are_bounded_answered_once_and_end(store: Store) -> None:
    await add_phone(store)
    assert [await trial(store, f"t{n}", at=NOW + n) for n in range(4)] == [True, True, True, False]
    assert [each.id for each in await store.trials_of("d1", now=NOW + 3)] == ["t0", "t1", "t2"]
    assert await answered(store, "t1", at=NOW + 3)
    assert not await answered(store, "t1", at=NOW + 3)
    assert not await answered(store, "t2", device="d2", at=NOW + 3)
    assert not await answered(store, "t0", at=NOW + 60)
    assert [each.id for each in await store.trials_of("d1", now=NOW + 60)] == ["t2"]
    assert await trial(store, "t4", at=NOW + 61)


async def test_a_test_request_of_no_active_device_is_none(store: Store) -> None:
    before = await kinds(store)
    assert not await trial(store, device="nobody")
    assert await kinds(store) == before


async def test_a_test_request_opens_no_question_and_no_accept_can_spend_it(store: Store) -> None:
    await add_phone(store)
    await trial(store)
    assert await store.question("t1") is None
    assert not await store.answer("t1", device="d1", approve=True, at=NOW, event=events.Sent("x"))
    assert not await store.accept("t1", at=NOW, event=events.Sent("x"))


async def test_how_a_device_is_reached_is_known(store: Store) -> None:
    await add_phone(store)
    reach = (await store.push_reach("d1"))["d1"]
    assert (reach.services, reach.gone_at, reach.seen_at) == ((), None, None)
    await keep(store, an_address())
    await store.push_seen("d1", at=NOW + 1)
    reach = (await store.push_reach())["d1"]
    assert (reach.services, reach.gone_at, reach.seen_at) == (("push.example",), None, NOW + 1)


async def test_a_push_address_that_is_gone_is_remembered_until_there_is_a_new_one(store: Store) -> None:
    """What the phone itself forgets is not gone: nobody has to be told."""
    await add_phone(store)
    await keep(store, an_address())
    await forget(store, endpoint="https://push.example/1")
    assert (await store.push_reach("d1"))["d1"].gone_at == NOW
    await keep(store, an_address(endpoint="https://push.example/2"))
    assert (await store.push_reach("d1"))["d1"].gone_at is None
    await forget(store)
    assert (await store.push_reach("d1"))["d1"].gone_at is None


# --- apps of one's own -----------------------------------------------------------------------------


def an_app(device: str = "d1", token: bytes = b"t0ken", channel: AppChannel = "fcm") -> AppAddress:
    return AppAddress(device, channel, Secret(token))


async def test_a_device_has_one_address_of_each_channel(store: Store) -> None:
    await add_phone(store)
    for address in (an_address(), an_app(), an_app(channel="apns"), an_app(token=b"newer")):
        assert await keep(store, address)
    assert not await keep(store, an_app(token=b"newer"))
    assert list(await store.push_addresses_of(ALICE)) == [
        an_app(channel="apns"),
        an_app(token=b"newer"),
        an_address(),
    ]
    assert (await store.push_reach())["d1"].services == ("push.example", "fcm", "apns")
    assert not await forget(store, endpoint="t0ken", channel="fcm")
    assert await forget(store, channel="fcm")
    assert (await store.push_reach())["d1"].services == ("push.example", "apns")


async def test_an_app_that_was_added_a_second_time_is_rung_once(store: Store) -> None:
    await add_phone(store)
    await add_phone(store, "d2")
    assert await keep(store, an_app())
    assert await keep(store, an_app(channel="apns"))
    assert await keep(store, an_app("d2"))
    assert list(await store.push_addresses_of(ALICE)) == [an_app(channel="apns"), an_app("d2")]


async def test_a_removed_devices_apps_are_forgotten(store: Store) -> None:
    await add_phone(store)
    await keep(store, an_app())
    await store.remove_device("d1", at=NOW, event=events.Sent("removed"))
    assert not await store.push_addresses_of(ALICE)
