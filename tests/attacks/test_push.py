"""Push, attacked: by a phone that names an address inside, and by whoever reads what is left lying about."""

from __future__ import annotations

import asyncio
import base64
import logging
from pathlib import Path

import pytest
from aiohttp import web

from radius_push import events
from radius_push.test_phone import PhoneRefused
from tests.attacks.test_no_secret_is_seen import seen
from tests.push.service import Answer, Browser, push_service
from tests.push.vapid import unpadded
from tests.scenarios.house import SETTINGS, house
from tests.scenarios.test_ringing import approved, subscribe
from tests.scenarios.turned import run


def test_no_phone_makes_the_server_ask_inside_the_network(tmp_path: Path) -> None:
    """A server that listens on this machine never hears of it, whatever a phone names."""

    async def story() -> None:
        heard: list[bytes] = []

        async def inside(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(1))
            writer.close()

        listening = await asyncio.start_server(inside, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        async with house(tmp_path) as h:
            phone = await h.phone()
            for endpoint in (
                f"http://127.0.0.1:{port}/",
                f"https://127.0.0.1:{port}/",
                f"http://localhost:{port}/",
                f"https://fcm.googleapis.com:{port}/",
                f"https://fcm.googleapis.com@127.0.0.1:{port}/",
                f"https://[::ffff:127.0.0.1]:{port}/",
            ):
                with pytest.raises(PhoneRefused) as refused:
                    await subscribe(phone, Browser(endpoint))
                assert refused.value.word == "push_service"
            await approved(h, phone)
        listening.close()
        await listening.wait_closed()
        assert heard == []

    run(story())


def test_an_address_that_came_into_the_store_another_way_is_checked_again_when_it_is_asked(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with push_service() as service, house(tmp_path) as h:
            phone = await h.phone()
            address = service.subscribe().address(phone.enrolled.device)
            planted = events.PushChanged("", phone.enrolled.device, "web_push", None, by="attacker")
            assert await h.server.store.keep_push_address(address, at=0.0, event=planted)
            await approved(h, phone)
            await h.until(events.Rang)
            (rang,) = h.of(events.Rang)
            assert (rang.outcome, service.asked) == ("refused", 0)

    run(story())


def test_where_a_phone_is_reached_and_how_it_is_reached_is_seen_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    logging.getLogger("radius_push").propagate = True

    async def story() -> None:
        async with push_service() as service:
            named = f"methods: {{{{push: {{{{allow_endpoints: [{service.origin}]}}}}}}}}"
            async with house(tmp_path, settings=SETTINGS.replace("methods: {{push: {{}}}}", named)) as h:
                phone, browser = await h.phone(), service.subscribe()
                await subscribe(phone, browser)
                for status in (201, 403, 410):
                    if status == 403:
                        service.answers = [forbidding(browser.endpoint)]
                    if status == 410:
                        service.subscriptions.clear()
                    await approved(h, phone)
                await h.until(events.Rang, 3)
                assert [e.outcome for e in h.of(events.Rang)] == ["delivered", "refused", "gone"]
                places = seen(caplog, h, tmp_path)
                vapid = h.server.keys.vapid.reveal()
                canaries = [
                    browser.endpoint.rpartition("/")[2],
                    unpadded(browser.auth),
                    browser.auth.hex(),
                    vapid.hex(),
                    unpadded(vapid),
                    base64.b64encode(vapid).decode(),
                    h.server.keys.tag.reveal().hex(),
                ]
                for where in ("log", "evidence", "repr"):
                    text = places[where]
                    found = [canary for canary in canaries if canary in text]
                    assert not found, f"{where} shows {found}"

    run(story())


def forbidding(endpoint: str) -> Answer:
    return lambda _: web.json_response({"reason": endpoint, "message": endpoint}, status=403)
