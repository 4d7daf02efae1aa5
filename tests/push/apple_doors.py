"""A door to the Apple of a test, and what it is asked to send."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from radius_push.model import Secret
from radius_push.push.apns import ApnsDoor
from radius_push.push.message import Message, of_question
from radius_push.push_shapes import Apns, Certificate, Push, Token
from radius_push.waking import AppAddress, Outcome
from tests.directory.certificates import Authority
from tests.directory.certificates import Certificate as Files
from tests.push.apple import KEY_ID, TEAM_ID, TOPIC, Apple, apple_service, tls_for
from tests.store.making import NOW, a_question

TAG_KEY = Secret(b"k" * 32)


class RealClock:
    """Both clocks can be put ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.set_ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead + self.set_ahead

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead


def settings_for(
    apple: Apple, ca: Path | None, *, certificate: Files | None = None, host: str = "localhost"
) -> Push:
    identity: Token | Certificate = Token(Secret(apple.p8), KEY_ID, TEAM_ID)
    if certificate is not None:
        identity = Certificate(certificate.certificate.read_text(), Secret(certificate.key.read_bytes()))
    pem = None if ca is None else ca.read_text()
    return Push(apns=Apns(TOPIC, identity, url=f"https://{host}:{apple.port}", ca=pem))


@asynccontextmanager
async def open_door(settings: Push, *, clock: RealClock | None = None) -> AsyncIterator[ApnsDoor]:
    door = ApnsDoor(settings, clock=clock or RealClock())
    try:
        yield door
    finally:
        await door.close()


def a_message(id: str = "q1", *, topic: str | None = None) -> Message:
    made = of_question(a_question(id), requested_at=NOW, key=TAG_KEY, url="https://mfa.example.com")
    return made if topic is None else replace(made, topic=topic)


async def send(
    door: ApnsDoor, token: str, message: Message | None = None, *, seconds: float = 30.0
) -> Outcome:
    address = AppAddress("d1", "apns", Secret(token))
    return await door.send(address, message or a_message(), seconds=seconds)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def apple(authority: Authority) -> AsyncIterator[Apple]:
    async with apple_service(tls_for(authority, clients=authority.file)) as apple:
        yield apple


@pytest.fixture
def clock() -> RealClock:
    return RealClock()


@pytest.fixture
async def door(apple: Apple, authority: Authority, clock: RealClock) -> AsyncIterator[ApnsDoor]:
    async with open_door(settings_for(apple, authority.file), clock=clock) as door:
        yield door
