"""False push services in a process of their own, which note when each push came."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from tests.directory.certificates import Authority
from tests.push.apple import apple_service, tls_for
from tests.push.google import google

Kind = Literal["apns", "fcm"]
TIMES, END = "times", "end"


@dataclass(frozen=True, slots=True)
class Told:
    """What the service gives out to whoever wants to push."""

    url: str
    ca: Path
    secret: Mapping[str, Any]
    """Apple's: `p8`. Google's: the service account's file."""
    tokens: tuple[str, ...]
    """Of as many apps as were asked for."""


class Stamped(list[Any]):
    """Pushes as they come, with the machine's clock."""

    def __init__(self, token_of: Callable[[Any], str]) -> None:
        super().__init__()
        self._token_of = token_of
        self.times: dict[str, float] = {}
        self._news = asyncio.Event()

    def append(self, pushed: Any) -> None:
        self.times[self._token_of(pushed)] = time.monotonic()
        self._news.set()

    async def until(self, many: int) -> None:
        while len(self.times) < many:
            self._news.clear()
            await self._news.wait()


@asynccontextmanager
async def service(kind: Kind, folder: Path, *, apps: int) -> AsyncIterator[Service]:
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_run, args=(kind, folder, apps, theirs))
    child.start()
    theirs.close()
    try:
        yield Service(ours, await asyncio.to_thread(ours.recv))
        await asyncio.to_thread(ours.send, END)
        await asyncio.to_thread(child.join)
    finally:
        child.kill()
        ours.close()


class Service:
    """The other end of its pipe."""

    def __init__(self, pipe: Connection, told: Told) -> None:
        self._pipe = pipe
        self.told = told

    async def until_all_came(self) -> dict[str, float]:
        """When, by token: `time.monotonic()`, which is one clock for all processes. Then it begins anew."""
        await asyncio.to_thread(self._pipe.send, TIMES)
        times: dict[str, float] = await asyncio.to_thread(self._pipe.recv)
        return times


def _run(kind: Kind, folder: Path, apps: int, pipe: Connection) -> None:
    asyncio.run(_apple(folder, apps, pipe) if kind == "apns" else _google(folder, apps, pipe))


async def _apple(folder: Path, apps: int, pipe: Connection) -> None:
    authority = Authority(folder)
    async with apple_service(tls_for(authority)) as apple:
        apple.pushed = pushed = Stamped(lambda one: str(one.token))
        tokens = tuple(apple.device() for _ in range(apps))
        url = f"https://localhost:{apple.port}"
        pipe.send(Told(url, authority.file, {"p8": apple.p8}, tokens))
        await _answer(pipe, pushed, apps)


async def _google(folder: Path, apps: int, pipe: Connection) -> None:
    async with google(folder) as fake:
        fake.sent = sent = Stamped(lambda message: str(message["token"]))
        tokens = tuple(fake.app().where for _ in range(apps))
        pipe.send(Told(fake.origin, fake.authority.file, fake.account(), tokens))
        await _answer(pipe, sent, apps)


async def _answer(pipe: Connection, came: Stamped, apps: int) -> None:
    while await asyncio.to_thread(pipe.recv) != END:
        await came.until(apps)
        pipe.send(dict(came.times))
        came.times.clear()
