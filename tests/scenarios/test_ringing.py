"""Closed phones are rung beside the login: whatever the push service does, the login goes its own way."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from radius_push import events
from radius_push.cli.timeline import told
from radius_push.client import Reply
from radius_push.model import Found
from radius_push.observe.timeline import tell
from radius_push.push_shapes import Push
from radius_push.test_phone import SoftwarePhone
from tests.push.service import Browser, PushService, push_service
from tests.push.vapid import unpadded
from tests.scenarios.house import ACCEPT, REJECT, SETTINGS, House, house
from tests.scenarios.turned import run

Story = Callable[[House, PushService], Awaitable[None]]


def play(folder: Path, story: Story) -> None:
    """With a push service that the settings name."""

    async def whole() -> None:
        async with push_service() as service:
            named = f"methods: {{{{push: {{{{allow_endpoints: [{service.origin}]}}}}}}}}"
            settings = SETTINGS.replace("methods: {{push: {{}}}}", named)
            assert named in settings
            async with house(folder, settings=settings) as h:
                await story(h, service)

    run(whole())


async def subscribe(phone: SoftwarePhone, browser: Browser) -> str:
    told = await phone.says(
        "/api/push",
        "push",
        endpoint=browser.endpoint,
        p256dh=unpadded(browser.p256dh),
        auth=unpadded(browser.auth),
    )
    return str(told["outcome"])


async def two_phones(h: House) -> list[SoftwarePhone]:
    """That the first was told of the second is over, before either can be rung."""
    phones = [await h.phone(), await h.phone()]
    doors = h.server._phones
    assert doors is not None
    assert doors._ringer is not None
    waiting = "SELECT count(*) AS many FROM notices WHERE rung = 0"
    while await h.server.store._read(lambda rows: int(rows.execute(waiting).fetchone()["many"])):
        pass
    await asyncio.gather(*doors._ringer._ringing)
    return phones


@asynccontextmanager
async def a_login(h: House) -> AsyncIterator[asyncio.Task[Reply | None]]:
    asking = asyncio.ensure_future(h.ask())
    yield asking
    await asking


async def approved(h: House, phone: SoftwarePhone) -> float:
    """A login to its accept; how many (turned) seconds it took."""
    began = h.server.clock.monotonic()
    async with a_login(h) as asking:
        await phone.answer_next(approve=True, seconds=30)
    reply = asking.result()
    assert reply is not None
    assert reply.code == ACCEPT
    return h.server.clock.monotonic() - began


def test_a_login_rings_every_phone_with_gateway_and_account_and_nothing_else(tmp_path: Path) -> None:
    async def story(h: House, service: PushService) -> None:
        phones = await two_phones(h)
        for phone in phones:
            assert await subscribe(phone, service.subscribe()) == "kept"
        async with a_login(h) as asking:
            one, other = await service.until(2)
            card = await phones[0].next_question(seconds=30)
            await phones[0].answer(card, approve=False)
        reply = asking.result()
        assert reply is not None
        assert reply.code == REJECT
        assert (
            one.message
            == other.message
            == {
                "web_push": 8030,
                "notification": {
                    "title": "Sign-in request",
                    "body": "fw1 asks for alice",
                    "tag": one.headers["Topic"],
                    "navigate": f"{h.url}/",
                    "data": {
                        "question": card["id"],
                        "client": "fw1",
                        "account": "alice",
                        "kind": "request",
                        "id": card["id"],
                    },
                },
            }
        )
        assert len(one.headers["Topic"]) == 32
        assert int(one.headers["TTL"]) in (44, 45)
        await h.until(events.Rang, 2)
        rang = h.of(events.Rang)
        assert {(e.login, e.outcome, e.tries) for e in rang} == {(card["login"], "delivered", 1)}
        assert {e.device for e in rang} == {phone.enrolled.device for phone in phones}
        assert h.server.counters["push_delivered"] == 2

    play(tmp_path, story)


def test_a_second_try_of_the_same_login_replaces_the_first_ring(tmp_path: Path) -> None:
    async def story(h: House, service: PushService) -> None:
        phone = await h.phone()
        await subscribe(phone, service.subscribe())
        for _ in range(2):
            await approved(h, phone)
        async with a_login(h):
            await phone.answer_next(approve=False, seconds=30)
        await h.ask("alice", attributes=[("Calling-Station-Id", "203.0.113.8")])
        await h.ask("alice", attributes=[])
        await h.ask("alice", attributes=[])
        await service.until(6)
        topics = [pushed.headers["Topic"] for pushed in service.pushed]
        assert topics[0] == topics[1] == topics[2]
        assert len(set(topics)) == 4  # another address is another login; an unknown one equals nothing

    play(tmp_path, story)


def test_the_timeline_tells_who_answered_and_not_who_was_rung_last(tmp_path: Path) -> None:
    async def story(h: House, service: PushService) -> None:
        answering, other = await two_phones(h)
        await subscribe(other, service.subscribe())
        service.hangs = True
        await approved(h, answering)
        await h.until(events.Rang)
        code = h.of(events.Rang)[0].login
        (login,) = tell([row async for row in h.server.store.evidence() if row[3].get("login") == code])
        assert login.text("device") == answering.enrolled.device
        step = login.step("rang")
        assert step is not None
        assert told(step, {})[0].startswith(f"web_push to {other.enrolled.device}: unreachable, after")

    play(tmp_path, story)


def test_a_wrong_password_never_rings_the_phone(tmp_path: Path) -> None:
    async def story(h: House, service: PushService) -> None:
        await subscribe(await h.phone(), service.subscribe())
        await h.ask("alice", "not it")
        await h.ask("bob")
        assert service.asked == 0
        assert h.of(events.Rang) == []

    play(tmp_path, story)


def test_a_removed_phone_is_not_rung(tmp_path: Path) -> None:
    async def story(h: House, service: PushService) -> None:
        kept, removed = await two_phones(h)
        await subscribe(kept, service.subscribe())
        await subscribe(removed, service.subscribe())
        gone = events.DeviceRemoved("", removed.enrolled.device, "test")
        await h.server.store.remove_device(removed.enrolled.device, at=h.server.clock.now(), event=gone)
        await approved(h, kept)
        await h.until(events.Rang)
        assert [e.device for e in h.of(events.Rang)] == [kept.enrolled.device]

    play(tmp_path, story)


# --- a push service that does not do its part ----------------------------------------------------------


def test_a_push_service_that_hangs_delays_no_login(tmp_path: Path) -> None:
    async def story(h: House, service: PushService) -> None:
        phone = await h.phone()
        alone = await approved(h, phone)
        await subscribe(phone, service.subscribe())
        service.hangs = True
        assert await approved(h, phone) <= alone + 0.1
        await h.until(events.Rang)
        (rang,) = h.of(events.Rang)
        assert rang.outcome == "unreachable"
        assert 10_000 <= rang.milliseconds <= 12_000
        assert rang.tries == 1  # answered meanwhile: nobody asks again

    play(tmp_path, story)


def test_a_push_service_that_resets_delays_no_login(tmp_path: Path) -> None:
    async def story(h: House, service: PushService) -> None:
        def reset(request: web.Request) -> web.Response:
            assert request.transport is not None
            request.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            request.transport.close()
            return web.Response()

        phone = await h.phone()
        alone = await approved(h, phone)
        await subscribe(phone, service.subscribe())
        service.answers = [reset] * 9
        assert await approved(h, phone) <= alone + 0.1
        await h.until(events.Rang)
        assert [e.outcome for e in h.of(events.Rang)] == ["unreachable"]

    play(tmp_path, story)


def test_stopping_lets_go_of_what_is_ringing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(h: House, service: PushService) -> None:
        await subscribe(await h.phone(), service.subscribe())
        service.hangs = True
        asking = asyncio.ensure_future(h.ask(timeout=100))
        await service.until_asked(1)
        began = h.server.clock.monotonic()
        assert await h.server.stop() == 1
        assert h.server.clock.monotonic() - began < 1
        assert await asking is None
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("ring")]

    caplog.set_level(logging.WARNING)
    play(tmp_path, story)
    assert "crashed" not in caplog.text


def test_a_subscription_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    async def story(h: House, service: PushService) -> None:
        phone = await h.phone()
        browser = service.subscribe()
        await subscribe(phone, browser)
        service.subscriptions.clear()
        await approved(h, phone)
        await h.until(events.Rang)
        assert [e.outcome for e in h.of(events.Rang)] == ["gone"]
        assert h.of(events.PushChanged)[-1].by == "push service"
        await approved(h, phone)
        assert service.asked == 1
        assert await subscribe(phone, service.subscribe()) == "kept"

    play(tmp_path, story)


def test_how_long_a_ring_took_is_counted_from_the_gateways_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(h: House, service: PushService) -> None:
        phone = await h.phone()
        await subscribe(phone, service.subscribe())
        directory = h.server.directories["staff"]
        find = directory.find

        async def slow(username: str) -> Found:
            await asyncio.sleep(2)  # of the turned clock
            return await find(username)

        monkeypatch.setattr(directory, "find", slow)
        await approved(h, phone)
        await h.until(events.Rang)
        (rang,) = h.of(events.Rang)
        assert 2000 <= rang.since_request <= 2100
        assert rang.milliseconds <= 100

    play(tmp_path, story)


def test_a_busy_push_service_is_asked_again_within_the_logins_life(tmp_path: Path) -> None:
    async def story(h: House, service: PushService) -> None:
        await subscribe(await h.phone(), service.subscribe())
        service.answers = [
            lambda _: web.Response(status=429, headers={"Retry-After": "5"}),
            lambda _: web.Response(status=503),
        ]
        async with a_login(h):
            (pushed,) = await service.until(1)
            assert int(pushed.headers["TTL"]) in (38, 39)
            await h.until(events.Rang)
        (rang,) = h.of(events.Rang)
        assert (rang.outcome, rang.tries) == ("delivered", 3)
        assert 7000 <= rang.milliseconds <= 7100  # five it was told, and twice the first pause

    play(tmp_path, story)


@pytest.mark.parametrize(("after", "tries"), [("300", 1), ("45", 1), ("1", 3)])
def test_a_push_service_that_stays_busy_is_given_up(tmp_path: Path, after: str, tries: int) -> None:
    async def story(h: House, service: PushService) -> None:
        await subscribe(await h.phone(), service.subscribe())
        service.answers = [lambda _: web.Response(status=429, headers={"Retry-After": after})] * 99
        async with a_login(h):
            await h.until(events.Rang)
        (rang,) = h.of(events.Rang)
        assert (rang.outcome, rang.tries) == ("unreachable", tries)
        assert service.asked == tries

    play(tmp_path, story)


def test_a_refusal_is_told_to_the_admin_with_its_mend(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(h: House, service: PushService) -> None:
        phone = await h.phone()
        await subscribe(phone, service.subscribe())
        service.answers = [lambda _: web.json_response({"reason": "BadJwtToken"}, status=403)]
        await approved(h, phone)
        await h.until(events.Rang)
        (rang,) = h.of(events.Rang)
        assert rang.outcome == "refused"
        assert "methods.push.contact" in rang.detail

    play(tmp_path, story)


def test_a_reload_takes_an_address_away(tmp_path: Path) -> None:
    async def story(h: House, service: PushService) -> None:
        phone = await h.phone()
        await subscribe(phone, service.subscribe())
        changes = await h.server.reload(replace(h.server.settings, push=Push()))
        assert changes == ("methods.push: changed (allow_endpoints)",)
        await approved(h, phone)
        await h.until(events.Rang)
        assert [e.outcome for e in h.of(events.Rang)] == ["refused"]
        assert service.asked == 0

    play(tmp_path, story)


# --- test requests -------------------------------------------------------------------------------------


def test_a_test_request_rings_this_phone_alone_and_says_what_it_is(tmp_path: Path) -> None:
    async def story(h: House, service: PushService) -> None:
        mine, other = await two_phones(h)
        await subscribe(mine, service.subscribe())
        await subscribe(other, service.subscribe())
        told = await mine.says("/api/test", "test")
        (pushed,) = await service.until(1)
        assert pushed.message["notification"]["title"] == "Test request"
        data = pushed.message["notification"]["data"]
        assert data == {"test": told["test"], "kind": "test", "id": told["test"]}
        await h.until(events.Rang)
        (rang,) = h.of(events.Rang)
        assert (rang.login, rang.question, rang.device) == (None, told["test"], mine.enrolled.device)
        assert [e.trial for e in h.of(events.TrialAsked)] == [told["test"]]
        await mine.says("/api/test-answer", "test_answer", test=told["test"])
        assert [e.trial for e in h.of(events.TrialAnswered)] == [told["test"]]
        assert h.of(events.Accepted) == []

    play(tmp_path, story)
