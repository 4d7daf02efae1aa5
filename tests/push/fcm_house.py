"""A door to the false Google, as the tests of FCM have it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from radius_push.model import PersonKey, Secret
from radius_push.push.fcm import FcmDoor
from radius_push.push.message import Kind, Message
from radius_push.push_shapes import Fcm, Push
from radius_push.waking import Delivered, Outcome, PushAddress
from tests.push.google import EMAIL, KEY_ID, PROJECT, Google, google, pem

TOPIC = "t" * 32


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0
        self.later = 0.0

    def now(self) -> float:
        return time.time() + self.ahead

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self.later


def settings(fake: Google) -> Push:
    return Push(
        fcm=Fcm(
            project=PROJECT,
            client_email=EMAIL,
            key=Secret(pem()),
            key_id=KEY_ID,
            token_uri=f"{fake.origin}/token",
            url=fake.origin,
            ca=fake.authority.file.read_text(),
        )
    )


def changed(settings: Push, **fields: str | None) -> Push:
    assert settings.fcm is not None
    return replace(settings, fcm=replace(settings.fcm, **fields))  # type: ignore[arg-type]


def a_message(kind: Kind = "request") -> Message:
    now = time.time()
    return Message(
        kind=kind,
        login="l1",
        about="q1",
        person=PersonKey("corp", "zoe"),
        device=None,
        began_at=now,
        expires_at=now + 30,
        topic=TOPIC,
        url="https://mfa.example.com",
        title="title-canary",
        body="body-canary",
        names={"client": "name-canary"},
    )


async def send(door: FcmDoor, address: PushAddress, *, seconds: float = 30.0) -> Outcome:
    return await door.send(address, a_message(), seconds=seconds)


async def renewed(door: FcmDoor) -> None:
    assert door._project is not None
    renewal = door._project._account._renewal
    assert renewal is not None
    await asyncio.wait({renewal})


def detail(outcome: Outcome) -> str:
    assert not isinstance(outcome, Delivered)
    return outcome.detail


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[Google]:
    async with google(tmp_path) as fake:
        yield fake


@pytest.fixture
async def door(fake: Google, clock: Clock) -> AsyncIterator[FcmDoor]:
    door = FcmDoor(settings(fake), clock=clock)
    yield door
    await door.close()
