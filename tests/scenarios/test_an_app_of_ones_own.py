"""A login by a device that only Google reaches, and by one that only Apple does: from enrolment by the
documented interface to Access-Accept. The phone is docs/examples/own_phone.py, which shares no code
with us."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from radius_push import enrollment, events
from tests.directory.certificates import Authority
from tests.push.apple import KEY_ID, TEAM_ID, TOPIC, apple_service, tls_for
from tests.push.google import google
from tests.push.site import ACCEPT, REJECT, Site, open_site
from tests.web.test_own_phone_pushed import own_phone

WAIT = 30.0


@dataclass
class Maker:
    """Who makes the phones' system: its push service, and what reaches an app there."""

    channel: str
    settings: str
    token: str
    next_push: Callable[[], Awaitable[dict[str, Any]]]


@asynccontextmanager
async def apple(folder: Path) -> AsyncIterator[Maker]:
    authority = Authority(folder)
    async with apple_service(tls_for(authority)) as service:
        key = folder / "AuthKey.p8"
        key.write_bytes(service.p8)
        key.chmod(0o600)

        async def next_push() -> dict[str, Any]:
            await service.until(lambda: bool(service.pushed))
            return service.pushed.pop().payload

        settings = (
            f', apns: {{topic: {TOPIC}, key: {{file: "{key}"}}, key_id: {KEY_ID}, team_id: {TEAM_ID},'
            f' url: "https://localhost:{service.port}", ca_file: "{authority.file}"}}'
        )
        yield Maker("apns", settings, service.device(), next_push)


@asynccontextmanager
async def android(folder: Path) -> AsyncIterator[Maker]:
    async with google(folder) as service:
        account = folder / "account.json"
        account.write_text(json.dumps(service.account()))
        account.chmod(0o600)

        async def next_push() -> dict[str, Any]:
            await service.until(lambda: bool(service.sent))
            data: dict[str, Any] = service.sent.pop()["data"]
            return data

        settings = (
            f', fcm: {{service_account: {{file: "{account}"}}, url: "{service.origin}",'
            f' ca_file: "{service.authority.file}"}}'
        )
        yield Maker("fcm", settings, service.app().where, next_push)


async def a_phone(site: Site, folder: Path, maker: Maker) -> str:
    shown = await site.invite()
    ended, said = await own_phone(folder, "add", enrollment.link(site.url, shown))
    assert ended == 0, said
    device = await site.confirm(shown)
    assert f"\n{enrollment.confirmation_code(device.invitation, device.public_key)}\n" in said
    assert await own_phone(folder, "register", "--channel", maker.channel, maker.token) == (0, "kept\n")
    return device.id


@pytest.mark.parametrize("made_by", [apple, android])
@pytest.mark.parametrize(("answer", "code"), [("approve", ACCEPT), ("deny", REJECT)])
async def test_an_app_that_only_its_maker_reaches_is_rung_and_answers(
    tmp_path: Path, made_by: Callable[[Path], Any], answer: str, code: int
) -> None:
    async with (
        asyncio.timeout(WAIT),
        made_by(tmp_path) as maker,
        open_site(tmp_path, apps=maker.settings) as site,
    ):
        device = await a_phone(site, tmp_path, maker)
        (address,) = await site.server.store.push_addresses_of((await site.server.store.devices())[0].person)
        assert address.channel == maker.channel

        asking = asyncio.ensure_future(site.log_in())
        pushed = json.dumps(await maker.next_push())
        assert "alice" not in pushed
        ended, said = await own_phone(
            tmp_path, "pushed", "--channel", maker.channel, pushed, "--answer", answer
        )
        assert ended == 0, said
        assert "alice at head-office" in said
        reply = await asking
        assert reply is not None
        assert reply.code == code
        (rang,) = [event for event in site.told if isinstance(event, events.Rang)]
        assert (rang.channel, rang.outcome, rang.device) == (maker.channel, "delivered", device)
        received = [event for event in site.told if isinstance(event, events.PushReceived)]
        assert [event.what for event in received] == ["received", "opened"][: 2 if answer == "approve" else 1]
        assert {event.login for event in received} == {rang.login}
        speed = (await site.server.store.push_speed(device))[device][address.channel]
        assert (speed.rings, speed.receipts) == (1, 1)
