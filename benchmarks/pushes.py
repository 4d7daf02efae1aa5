"""Many phones rung at once by Apple's and Google's services: from the ring to the service's receipt, next to
the libraries alone, and how long the event loop stood still meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.measures import NotAsItMustBe, Row
from benchmarks.push_services import Kind, Service, Told, service
from benchmarks.raw_pushes import begun_by_library
from radius_push import events
from radius_push.model import PersonKey, Question, Secret
from radius_push.push.apns import ApnsDoor
from radius_push.push.fcm import FcmDoor
from radius_push.push.ringing import PushRinger
from radius_push.push.webpush import WebPushDoor
from radius_push.push_shapes import Apns, Fcm, Push, Token
from radius_push.server import LoopClock
from radius_push.store.sqlite import SqliteStore
from radius_push.waking import AppAddress
from tests.push.apple import KEY_ID, TEAM_ID, TOPIC
from tests.store.making import NOW, a_question, add_phone, open_store

ROUNDS = 3
URL = "https://mfa.example.com"
WARM_UP = 1.0
"""Seconds for the doors to connect, as they do when a server starts."""
LIBRARY: Mapping[Kind, str] = {"apns": "aioapns", "fcm": "pyfcm"}
NAMES: Mapping[Kind, str] = {"apns": "APNs", "fcm": "FCM"}


async def pushes(folder: Path, *, count: int) -> AsyncIterator[Row]:
    for kind in LIBRARY:
        place = folder / kind
        place.mkdir(parents=True)
        async with service(kind, place, apps=count) as there:
            ours, theirs, stalls = list[float](), list[float](), list[float]()
            for turn in range(ROUNDS):
                begun = await begun_by_library(kind, there.told)
                theirs += _seconds(begun, await there.until_all_came())
                taken, stall = await _ring_all(place / f"{turn}.db", kind, there)
                ours += taken
                stalls.append(stall)
        what = f"{count} pushes at once by {NAMES[kind]}"
        yield Row(
            f"{what}: radius-push",
            _figure(ours),
            f"ring to receipt, and the store read and written; longest stall {max(stalls) * 1000:.0f} ms",
        )
        yield Row(f"{what}: {LIBRARY[kind]} alone", _figure(theirs), "call to receipt, nothing kept or noted")


def _figure(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99))
    return f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms"


def _seconds(begun: Mapping[str, float], came: Mapping[str, float]) -> list[float]:
    return [came[token] - began for token, began in begun.items()]


async def _ring_all(path: Path, kind: Kind, there: Service) -> tuple[list[float], float]:
    """From each ring to its receipt, and the loop's longest stall meanwhile."""
    clock, outcomes, all_over = LoopClock(), Counter[str](), asyncio.Event()
    loop = asyncio.get_running_loop()

    def heard(_: float, event: events.Event) -> None:
        if isinstance(event, events.Rang):
            outcomes[event.outcome] += 1
            if outcomes.total() == len(there.told.tokens):
                loop.call_soon_threadsafe(all_over.set)

    people = await _people(path, kind, there.told.tokens)
    store = SqliteStore.open(path, clock=clock, on_event=heard)
    try:
        async with _ringer(store, clock, there.told, kind) as ringer:
            await asyncio.sleep(WARM_UP)
            begun, watch = dict[str, float](), asyncio.create_task(_longest_stall())
            for question, token in people:
                begun[token] = time.monotonic()
                ringer.ring(question, question.opened_at)
            came = await there.until_all_came()
            await all_over.wait()
            watch.cancel()
    finally:
        await store.close()
    if outcomes != {"delivered": len(people)}:
        raise NotAsItMustBe(f"of {len(people)} rings by {NAMES[kind]} {dict(outcomes)}")
    stall = (await asyncio.gather(watch))[0]
    return _seconds(begun, came), stall


async def _longest_stall() -> float:
    longest = 0.0
    try:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(0.001)
    except asyncio.CancelledError:
        return longest


async def _people(path: Path, kind: Kind, tokens: Sequence[str]) -> list[tuple[Question, str]]:
    """Each with one phone that only this channel reaches, and what it is asked."""
    store, now = open_store(path), time.time()
    found = []
    for number, token in enumerate(tokens):
        person = PersonKey("staff", f"uuid-{number}")
        await add_phone(store, f"d{number}", person)
        address = AppAddress(f"d{number}", kind, Secret(token.encode()))
        kept = events.PushChanged(str(person), address.device, kind, kind, by="phone")
        await store.keep_push_address(address, at=NOW, event=kept)
        asked = a_question(f"q{number}", person, opened_at=now, expires_at=now + 45, closes_at=now + 195)
        found.append((asked, token))
    await store.close()
    return found


@asynccontextmanager
async def _ringer(store: SqliteStore, clock: LoopClock, told: Told, kind: Kind) -> AsyncIterator[PushRinger]:
    settings = _settings(told, kind)
    browsers = WebPushDoor(settings, key=Secret(b"\0" * 31 + b"\7"), url=URL, clock=clock)
    apps = (ApnsDoor(settings, clock=clock), FcmDoor(settings, clock=clock))
    counters, key = Counter[str](), Secret(b"k" * 32)
    ringer = PushRinger(browsers, apps, store=store, clock=clock, counters=counters, tag_key=key, url=URL)
    ringer.open()
    try:
        yield ringer
    finally:
        await ringer.close()


def _settings(told: Told, kind: Kind) -> Push:
    ca = told.ca.read_text()
    if kind == "apns":
        identity = Token(Secret(told.secret["p8"]), KEY_ID, TEAM_ID)
        return Push(apns=Apns(TOPIC, identity, url=told.url, ca=ca))
    account = told.secret
    return Push(
        fcm=Fcm(
            project=account["project_id"],
            client_email=account["client_email"],
            key=Secret(account["private_key"]),
            key_id=account["private_key_id"],
            token_uri=account["token_uri"],
            url=told.url,
            ca=ca,
        )
    )
