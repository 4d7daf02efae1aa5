"""What is kept of gateways: bounded, without a secret, and back after a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from radius_push.gateways import MOST_STRANGERS, Gateways, secret_tag
from radius_push.meter import MOST_SOURCES, PatienceMeter
from radius_push.model import Secret
from radius_push.ports import StoreDown
from radius_push.radius.patience import Repeats
from radius_push.shapes import Limits
from tests.radius.packets import HIDDEN, LENIENT, SECRET, STRICT, packet, read, signed
from tests.store.making import NOW, SetClock, open_store

KEY = Secret(bytes(32))
SEALED = read(signed((1, b"alice"), (2, HIDDEN)))
PATIENT = replace(STRICT, patience=60.0)
OPEN = read(packet((1, b"alice"), (2, HIDDEN)), LENIENT)


def made(clock: SetClock, limits: Limits | None = None) -> Gateways:
    return Gateways(clock, key=KEY, limits=limits or Limits())


async def test_what_was_heard_is_kept_and_added_to(tmp_path: Path) -> None:
    clock = SetClock()
    store, gateways = open_store(tmp_path / "state.db", clock), made(clock)
    gateways.heard(STRICT, "10.0.0.1", SEALED)
    gateways.count("fw1", "duplicate", 3)
    await gateways.keep(store)
    clock.time += 60
    gateways.heard(LENIENT, "10.0.0.1", OPEN)
    await gateways.keep(store)
    (seen,) = await store.sightings()
    assert (seen.client, seen.source, seen.first_at, seen.last_at) == ("fw1", "10.0.0.1", NOW, NOW + 60)
    assert (seen.sealed_at, seen.unsealed_at) == (NOW, NOW + 60)
    assert seen.secret == secret_tag(SECRET, KEY)
    assert await store.tallies() == {("fw1", "duplicate"): 3}
    await store.close()


async def test_which_secret_was_used_is_told_without_the_secret(tmp_path: Path) -> None:
    newer = Secret("the newer secret of the gateway")
    rolled = replace(STRICT, secrets=(newer, SECRET))
    clock = SetClock()
    store, gateways = open_store(tmp_path / "state.db", clock), made(clock)
    gateways.heard(rolled, "10.0.0.1", read(signed((1, b"alice"), (2, HIDDEN)), rolled))
    gateways.heard(rolled, "10.0.0.2", read(signed((1, b"alice"), (2, HIDDEN), secret=newer), rolled))
    await gateways.keep(store)
    old, new = await store.sightings()
    assert (old.secret, new.secret) == (secret_tag(SECRET, KEY), secret_tag(newer, KEY))
    await store.close()
    octets = (tmp_path / "state.db").read_bytes()
    assert SECRET.reveal() not in octets


async def test_strangers_are_noted_so_many_a_second_and_so_many_in_all(tmp_path: Path) -> None:
    clock = SetClock()
    gateways = made(clock, Limits(unknown_per_second=5))
    assert [gateways.stranger("192.0.2.1") for _ in range(7)] == [True] * 5 + [False] * 2
    gateways.use(Limits(unknown_per_second=10_000))
    for number in range(500):
        gateways.stranger(f"2001:db8::{number:x}")
    store = open_store(tmp_path / "state.db", clock)
    await gateways.keep(store)
    strangers = await store.strangers()
    assert len(strangers) == MOST_STRANGERS
    assert {each.source: each.packets for each in strangers}["192.0.2.1"] >= 5
    await store.close()


async def test_a_latch_that_the_store_could_not_take_is_kept_the_next_time(tmp_path: Path) -> None:
    auto = replace(STRICT, require_message_authenticator="auto")
    clock = SetClock()
    gateways = made(clock)
    gateways.heard(auto, "10.0.0.1", SEALED)
    assert gateways.must_seal(auto, "10.0.0.1")
    store = open_store(tmp_path / "state.db", clock)
    await gateways.keep(store)
    await gateways.keep(store)
    assert await store.latches() == [("fw1", "10.0.0.1")]
    again = made(clock)
    assert not again.must_seal(auto, "10.0.0.1")
    await again.load(store)
    assert again.must_seal(auto, "10.0.0.1")
    await store.close()


def asked_in_vain(meter: PatienceMeter, source: str = "10.0.0.1", name: str = "alice") -> None:
    """A login that came at 0, 4 and 8 s, and was held for 55."""
    repeats = Repeats(0.0)
    for at in (4.0, 8.0):
        repeats.again(at)
    meter.over(repeats, PATIENT, source, name, ended=55.0, now=NOW)


async def test_what_was_learned_of_patience_is_there_after_a_restart(tmp_path: Path) -> None:
    clock = SetClock()
    store, gateways = open_store(tmp_path / "state.db", clock), made(clock)
    gateways.heard(PATIENT, "10.0.0.1", SEALED)
    for name in ("alice", "bob", "alice"):
        asked_in_vain(gateways.meter, name=name)
    await gateways.keep(store)
    assert gateways.meter.news() == {}
    again = made(clock)
    assert again.patient(PATIENT, "10.0.0.1", SEALED).patience == 60.0
    await again.load(store)
    assert again.patient(PATIENT, "10.0.0.1", SEALED).patience == 12.0
    assert again.patient(PATIENT, "10.0.0.2", SEALED).patience == 60.0
    assert again.patient(replace(PATIENT, patience_said=True), "10.0.0.1", SEALED).patience == 60.0
    await store.close()
    octets = (tmp_path / "state.db").read_bytes()
    assert b"alice" not in octets


async def test_a_store_that_was_down_gets_what_was_learned_the_next_time(tmp_path: Path) -> None:
    clock = SetClock()
    gateways = made(clock)
    gateways.heard(PATIENT, "10.0.0.1", SEALED)
    asked_in_vain(gateways.meter)
    store = open_store(tmp_path / "state.db", clock)
    await store.close()
    with pytest.raises(StoreDown):
        await gateways.keep(store)
    assert list(gateways.meter.news()) == [("fw1", "10.0.0.1")]


def test_many_sources_fill_no_memory() -> None:
    meter = PatienceMeter(key=KEY)
    for number in range(MOST_SOURCES + 500):
        asked_in_vain(meter, f"10.0.{number // 256}.{number % 256}")
    assert len(meter.news()) == MOST_SOURCES
    assert meter.learned("fw1", "10.0.0.1", NOW) is None


def test_different_spellings_of_one_name_are_one_person() -> None:
    meter = PatienceMeter(key=KEY)
    for name in ("alice", "ALICE", "CORP\\alice", "alice@corp.example", " alice "):
        asked_in_vain(meter, name=name)
    learned = meter.learned("fw1", "10.0.0.1", NOW)
    assert learned is not None
    assert not learned.of_many
