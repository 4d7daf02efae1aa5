"""`radius-push push-test`: rings by way of the running server, and tells what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner

from radius_push import enrollment, events
from radius_push.cli.push_test import conclusion, push_test
from radius_push.model import Device, DeviceState, Trial
from radius_push.push_trial import News, Trying
from radius_push.test_phone import SoftwarePhone
from tests.cli.enrolling import open_again, write_settings
from tests.push.service import Browser, PushService, push_service
from tests.push.site import Site, open_site
from tests.push.vapid import unpadded
from tests.store.making import BOB, add_phone, kinds


@dataclass
class House:
    site: Site
    service: PushService
    phone: SoftwarePhone
    browser: Browser

    async def run(self, *words: str) -> tuple[int, str]:
        return await run(Path(self.site.server.settings.file), *words)

    async def shown(self) -> dict[str, Any]:
        """The test, as the phone is shown it once a push has woken it."""
        await self.service.until(1)
        state = await self.phone.says("/api/woken", "woken")
        (test,) = state["tests"]
        assert isinstance(test, dict)
        return test


async def run(config: Path, *words: str) -> tuple[int, str]:
    ended = await asyncio.to_thread(CliRunner().invoke, push_test, ["--config", str(config), *words])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended.exit_code, ended.output


@asynccontextmanager
async def house(folder: Path, *, subscribed: bool = True) -> AsyncIterator[House]:
    """Alice's phone, which may be rung by a push service on this machine."""
    async with push_service() as service, open_site(folder, push_service=service.origin) as site:
        shown = await site.invite()
        link = enrollment.link(site.url, shown)
        async with await SoftwarePhone.enrol(link, name="pixel") as phone:
            await site.confirm(shown)
            browser = service.subscribe()
            if subscribed:
                await phone.says(
                    "/api/push",
                    "push",
                    endpoint=browser.endpoint,
                    p256dh=unpadded(browser.p256dh),
                    auth=unpadded(browser.auth),
                )
            yield House(site, service, phone, browser)


async def test_a_phone_that_answers_was_reached(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        running = asyncio.create_task(h.run("alice"))
        test = await h.shown()
        await h.phone.says("/api/test-answer", "test_answer", test=test["id"])
        exit_code, said = await running
    assert exit_code == 0, said
    assert "web_push: the push service took it in" in said
    assert "the phone says that it got it" in said
    assert said.splitlines()[-1].endswith(": reached, and answered.")


async def test_it_is_rung_as_a_login_would_ring_it_and_that_is_evidence(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        running = asyncio.create_task(h.run("ALICE", "--json", "--wait", "1.5"))
        await h.shown()
        exit_code, said = await running
        (row,) = [json.loads(line) for line in said.splitlines()]
        (pushed,) = h.service.pushed
        (rang,) = [each for each in h.site.told if isinstance(each, events.Rang)]
        asked = [
            body
            async for _, _, kind, body in h.site.server.store.evidence()
            if kind == "trial_asked"
        ]  # fmt: skip
    assert exit_code == 0, said
    assert (row["reached"], row["answered"], row["services"]) == (True, False, ["localhost"])
    assert [each["what"] for each in row["news"]] == ["delivered", "received"]
    assert pushed.message["notification"]["title"] == "Test request"
    assert (rang.login, rang.outcome) == (None, "delivered")
    assert asked[0]["by"] != "phone"


async def test_a_phone_that_says_nothing_was_not_reached(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        exit_code, said = await h.run("alice", "--wait", "1")
    assert exit_code == 1
    assert "the phone did not say that it came" in said


async def test_what_a_push_service_refuses_is_told_with_its_mend_and_nobody_waits(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.service.answers.append(lambda _: web.Response(status=403))
        exit_code, said = await h.run("alice")
    assert exit_code == 1
    assert "web_push: REFUSED" in said
    assert said.splitlines()[-1].endswith(": not reached.")


async def test_a_phone_without_an_address_is_told_of(tmp_path: Path) -> None:
    async with house(tmp_path, subscribed=False) as h:
        device = (await h.site.server.store.devices())[0].id
        exit_code, said = await h.run("--device", device[:8], "--wait", "1")
        assert exit_code == 1
        assert "has no push address" in said
        now = h.site.server.clock.now()
        for id in ("t1", "t2"):
            trial = Trial(id, device, opened_at=now, expires_at=now + 60)
            await h.site.server.store.open_trial(trial, most=3, since=now - 60, event=events.Sent(id))
        exit_code, said = await h.run("alice", "--wait", "1")
    assert exit_code == 1
    assert "it had three tests within a minute" in said


async def test_it_says_so_when_no_server_runs(tmp_path: Path) -> None:
    config = write_settings(tmp_path)
    store = open_again(config)
    await add_phone(store, "d1")
    await add_phone(store, "d2", BOB)
    before = await kinds(store)
    await store.close()
    assert await run(config, "alice") == (2, "no server runs on this store: `radius-push serve`\n")
    store = open_again(config)
    assert await kinds(store) == before
    await store.close()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "whose phones? USER, or --device ID"),
        (("alice", "--device", "d1"), 2, "whose phones? USER, or --device ID"),
        (("zoe",), 1, "No trusted phone of zoe"),
        (("--device", "nope"), 1, "No trusted phone of nope"),
    ],
)
async def test_who_is_not_there_is_said(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    config = write_settings(tmp_path)
    store = open_again(config)
    await add_phone(store, "d1")
    await store.close()
    ended = await run(config, *words)
    assert ended[0] == code
    assert said in ended[1]


def test_a_channel_that_failed_leads_where_another_did_not() -> None:
    phone = Device("d1" * 16, BOB, "bob", "pixel", b"", DeviceState.ACTIVE, 0.0, "i1")
    asked = Trial("t1", phone.id, opened_at=0.0, expires_at=60.0)
    news = [News(phone, 0.1, "delivered", "apns", "", 90), News(phone, 0.2, "refused", "fcm", "why", 80)]
    said = conclusion(Trying(phone, asked, ("apns", "fcm"), news))
    assert said.endswith(": fcm refused, see above; and by the others the phone did not say that it came.")
