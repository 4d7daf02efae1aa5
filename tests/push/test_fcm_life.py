"""The door's life: warm before the first login, changed by a reload, through a proxy, and beside a login."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from pyfcm import FCMNotification

from radius_push import events
from radius_push.model import Secret
from radius_push.push.fcm import FcmDoor
from radius_push.push.ringing import PushRinger
from radius_push.push_shapes import Push
from radius_push.waking import AppAddress, Delivered, Gone, Refused, Unreachable
from tests.push.fcm_house import Clock, changed, detail, send, settings
from tests.push.fcm_house import clock as clock
from tests.push.fcm_house import door as door
from tests.push.fcm_house import fake as fake
from tests.push.google import PROJECT, Google, error, google, says, silence
from tests.push.test_ringing import Fake
from tests.store.making import NOW, Log, SetClock, a_question, add_phone, open_store


class Said:
    """What is logged, to be waited for."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str] = asyncio.Queue()

    @contextmanager
    def by(self, name: str) -> Iterator[None]:
        handler = logging.Handler()
        handler.emit = lambda record: self._lines.put_nowait(record.getMessage())  # type: ignore[method-assign]
        logger = logging.getLogger(name)
        level = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)

    async def next(self) -> str:
        return await self._lines.get()

    @property
    def waiting(self) -> int:
        return self._lines.qsize()


@asynccontextmanager
async def tunnel(*, status: str = "200 Connection established") -> AsyncIterator[tuple[str, list[str]]]:
    """An HTTP proxy that connects, or refuses to; its URL, and the request lines that it saw."""
    seen: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while octets := await reader.read(65536):
            writer.write(octets)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen.append(head.splitlines()[0])
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        if status.startswith("200"):
            host, _, port = head.split()[1].partition(":")
            there, to = await asyncio.open_connection(host, int(port))
            await asyncio.gather(pass_on(there, writer), pass_on(reader, to))
            await to.wait_closed()
        writer.close()
        await writer.wait_closed()

    def come_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(come_in, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
    finally:
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def ringing(fake: Google, folder: Path) -> AsyncIterator[tuple[PushRinger, AppAddress, Log]]:
    """A ringer with a store in which one phone has an address of FCM and no other."""
    clock, log = SetClock(), Log()
    store = open_store(folder / "state.db", clock, log)
    await add_phone(store)
    address = AppAddress("d1", "fcm", fake.app().token)
    assert await store.keep_push_address(address, at=NOW, event=events.Sent("kept"))
    door = FcmDoor(settings(fake), clock=Clock())
    ringer = PushRinger(
        Fake(), (door,), store=store, clock=clock, counters=Counter(), tag_key=Secret(b"k" * 32),
        url="https://mfa.example.com",
    )  # fmt: skip
    yield ringer, address, log
    await ringer.close()
    await store.close()


# --- the fake is as the real library has it ---------------------------------------------------------


async def test_googles_own_way_in_and_the_library_for_it_pass(
    fake: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyfcm and google-auth alone, nothing of ours: what the other tests rely on is no fancy of ours."""
    file = tmp_path / "account.json"
    file.write_text(json.dumps(fake.account()))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(fake.authority.file))
    monkeypatch.setattr(FCMNotification, "FCM_END_POINT_BASE", f"{fake.origin}/v1/projects")
    address = fake.app()

    def notify() -> str:
        library = FCMNotification(service_account_file=str(file), project_id=PROJECT)
        android = {"priority": "HIGH", "ttl": "30s", "collapse_key": "k"}
        said = library.notify(
            fcm_token=address.where, data_payload={"kind": "request"}, android_config=android, timeout=5
        )
        library.requests_session.close()
        return str(said["name"])

    assert (await asyncio.to_thread(notify)).startswith(f"projects/{PROJECT}/messages/")
    assert fake.sent[0]["data"] == {"kind": "request"}


# --- before the first login -------------------------------------------------------------------------


async def test_the_first_ring_waits_for_no_token_and_no_connection(fake: Google, door: FcmDoor) -> None:
    said = Said()
    with said.by("radius_push.push"):
        door.open()
        assert await said.next() == f"fcm: apps of {PROJECT} can be rung"
    assert fake.validated
    assert not fake.sent, "it was a dry run: nobody's phone rang"
    assert await send(door, fake.app()) == Delivered()
    assert (len(fake.tokens_given), len(fake.connections)) == (1, 1)


async def test_what_is_wrong_is_said_before_the_first_login(
    fake: Google, door: FcmDoor, caplog: pytest.LogCaptureFixture
) -> None:
    fake.enabled = False
    said = Said()
    with said.by("radius_push.push"):
        door.open()
        assert "enable fcm.googleapis.com" in await said.next()
    assert caplog.records[-1].levelno == logging.WARNING


async def test_it_looks_again_and_says_what_changed(
    fake: Google, door: FcmDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radius_push.push.fcm.FIRST_PAUSE", 0.001)
    monkeypatch.setattr("radius_push.push.fcm.KEPT_WARM", 0.01)
    said = Said()
    with said.by("radius_push.push"):
        fake.enabled = False
        door.open()
        assert "SERVICE_DISABLED" in await said.next()
        await fake.until(lambda: fake.asked >= 3)
        fake.enabled = True
        assert await said.next() == f"fcm: apps of {PROJECT} can be rung"
        looked = fake.looked
        await fake.until(lambda: fake.looked >= looked + 3)
    assert said.waiting == 0, "the same is not said twice"


# --- other settings ---------------------------------------------------------------------------------


async def test_a_reload_hurts_nothing_that_is_under_way(fake: Google, door: FcmDoor, tmp_path: Path) -> None:
    let_go = asyncio.Event()

    async def slowly(_: object) -> web.StreamResponse:
        await let_go.wait()
        return web.json_response({"name": "projects/x/messages/1"})

    fake.answers.append(slowly)
    under_way = asyncio.create_task(send(door, fake.app()))
    await fake.until(lambda: fake.asked == 1)
    (tmp_path / "next").mkdir()
    async with google(tmp_path / "next") as other:
        door.use(settings(other))
        assert await send(door, other.app()) == Delivered()
        let_go.set()
        assert await under_way == Delivered()
        assert len(other.sent) == 1
        door.use(Push())
        assert isinstance(await send(door, other.app()), Refused)
    await asyncio.gather(*door._retiring.values())


async def test_a_reload_that_changes_nothing_keeps_the_connection(fake: Google, door: FcmDoor) -> None:
    assert await send(door, fake.app()) == Delivered()
    door.use(settings(fake))
    assert await send(door, fake.app()) == Delivered()
    assert (len(fake.tokens_given), len(fake.connections)) == (1, 1)


async def test_other_settings_are_warmed_at_once(fake: Google, clock: Clock) -> None:
    door = FcmDoor(Push(), clock=clock)
    door.open()
    door.use(settings(fake))
    await fake.until(lambda: bool(fake.validated))
    await door.close()


async def test_closing_ends_what_is_under_way(fake: Google, clock: Clock) -> None:
    door = FcmDoor(settings(fake), clock=clock)
    door.open()
    fake.token_answers += [silence, silence]
    waiting = asyncio.create_task(send(door, fake.app()))
    await fake.until(lambda: fake.looked == 1)
    door.use(changed(settings(fake), project="another-project"))
    await door.close()
    assert isinstance(await waiting, Unreachable)
    assert isinstance(await send(door, fake.app()), Refused)


# --- a dry run --------------------------------------------------------------------------------------


async def test_a_dry_run_proves_the_account_the_project_and_the_api(fake: Google, door: FcmDoor) -> None:
    assert await door.try_out(None) == Delivered()
    assert not fake.sent
    fake.enabled = False
    assert "enable fcm.googleapis.com" in detail(await door.try_out(None))


async def test_a_dry_run_with_an_apps_token_proves_that_too(fake: Google, door: FcmDoor) -> None:
    address = fake.app()
    assert await door.try_out(address.token) == Delivered()
    assert not fake.sent
    fake.removed.add(address.where)
    assert isinstance(await door.try_out(address.token), Gone)
    assert "SENDER_ID_MISMATCH" in detail(await door.try_out(fake.app(project="another").token))


# --- through a proxy --------------------------------------------------------------------------------


async def test_a_proxy_is_asked_to_connect_and_sees_no_more(fake: Google, clock: Clock) -> None:
    async with tunnel() as (proxy, seen):
        door = FcmDoor(replace(settings(fake), proxy=proxy), clock=clock)
        assert await send(door, fake.app()) == Delivered()
        await door.close()
        assert {line.split()[0] for line in seen} == {"CONNECT"}
        assert fake.sent


async def test_a_proxy_that_refuses_or_is_not_there_is_named(fake: Google, clock: Clock) -> None:
    async with tunnel(status="407 Proxy Authentication Required") as (proxy, _):
        door = FcmDoor(replace(settings(fake), proxy=proxy), clock=clock)
        assert "the proxy answered 407" in detail(await send(door, fake.app()))
        await door.close()
    door = FcmDoor(replace(settings(fake), proxy=proxy), clock=clock)
    assert "look at server.outbound_proxy" in detail(await send(door, fake.app()))
    await door.close()


# --- beside a login ---------------------------------------------------------------------------------


async def test_who_is_busy_for_longer_than_the_login_is_asked_once(fake: Google, tmp_path: Path) -> None:
    fake.answers += [says(lambda: error(503, "UNAVAILABLE", headers={"Retry-After": "3600"}))] * 3
    async with ringing(fake, tmp_path) as (ringer, address, log):
        ringer.ring(a_question(), NOW)
        await asyncio.wait(ringer._ringing)
        (rang,) = [event for event in log.events if isinstance(event, events.Rang)]
    assert (rang.channel, rang.outcome, rang.tries) == ("fcm", "unreachable", 1)
    assert fake.asked == 1
    assert address.where not in repr(rang)


async def test_an_app_that_is_gone_is_not_rung_again(fake: Google, tmp_path: Path) -> None:
    async with ringing(fake, tmp_path) as (ringer, address, log):
        fake.removed.add(address.where)
        for number in range(2):
            ringer.ring(a_question(f"q{number}"), NOW)
            await asyncio.wait(ringer._ringing)
        rung = [event for event in log.events if isinstance(event, events.Rang)]
    assert [each.outcome for each in rung] == ["gone"]
    assert fake.asked == 1


async def test_who_waits_for_google_waits_alone(fake: Google, door: FcmDoor) -> None:
    """Neither a silence nor a Retry-After of an hour holds up the loop, or another push."""
    fake.answers += [silence, says(lambda: error(503, "UNAVAILABLE", headers={"Retry-After": "3600"}))]
    silent = asyncio.create_task(send(door, fake.app()))
    await fake.until(lambda: fake.asked == 1)
    assert isinstance(await send(door, fake.app()), Unreachable)
    assert await send(door, fake.app()) == Delivered()
    assert not silent.done()
    silent.cancel()
    await asyncio.gather(silent, return_exceptions=True)
