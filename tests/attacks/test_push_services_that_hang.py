"""Apple and Google take every connection and say nothing: logins go on beside them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from radius_push import enrollment, events
from radius_push.model import Secret
from radius_push.ports import Store
from radius_push.push.ringing import PushRinger
from radius_push.test_phone import SoftwarePhone
from radius_push.waking import AppAddress
from tests.directory.certificates import Authority
from tests.push.apple import KEY_ID, TEAM_ID, TOPIC, Apple
from tests.push.google import Google
from tests.push.site import ACCEPT, Site, open_site
from tests.store.making import a_question

CROWD = 500


@dataclass
class Mute:
    """A listener that hears everything and answers nothing."""

    port: int
    visits: int = 0


@asynccontextmanager
async def mute() -> AsyncIterator[Mute]:
    writers: list[asyncio.StreamWriter] = []

    async def hear(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.visits += 1
        writers.append(writer)

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    found = Mute(server.sockets[0].getsockname()[1])
    try:
        yield found
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


def settings_for(folder: Path, service: Mute) -> str:
    """Both channels, at the mute one."""
    origin = f"https://localhost:{service.port}"
    for name, content in (
        ("apns.p8", Apple().p8),
        ("fcm.json", json.dumps(Google(Authority(folder), origin=origin).account()).encode()),
    ):
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    apple = f"topic: {TOPIC}, key: {{file: apns.p8}}, key_id: {KEY_ID}, team_id: {TEAM_ID}, url: '{origin}'"
    return f", apns: {{{apple}}}, fcm: {{service_account: {{file: fcm.json}}, url: '{origin}'}}"


async def a_phone(site: Site) -> SoftwarePhone:
    """Its app is reached by both."""
    shown = await site.invite()
    phone = await SoftwarePhone.enrol(enrollment.link(site.url, shown), name="phone")
    device = await site.confirm(shown)
    for channel, token in (("apns", b"ab" * 32), ("fcm", b"a-registration-token")):
        address = AppAddress(device.id, channel, Secret(token))  # type: ignore[arg-type]
        await keep(site.server.store, address, at=site.server.clock.now())
    return phone


async def keep(store: Store, address: AppAddress, *, at: float) -> None:
    assert await store.keep_push_address(address, at=at, event=events.Sent("kept"))


def ringer_of(site: Site) -> PushRinger:
    assert site.server._phones is not None
    ringer = site.server._phones._ringer
    assert ringer is not None
    return ringer


async def test_a_login_is_accepted_while_five_hundred_rings_hang_and_a_reload_and_the_end_wait_for_none(
    tmp_path: Path,
) -> None:
    async with (
        mute() as service,
        open_site(tmp_path, apps=settings_for(tmp_path, service)) as site,
        await a_phone(site) as phone,
    ):
        ringer = ringer_of(site)
        (device,) = await site.server.store.devices()
        now = site.server.clock.now()
        for number in range(CROWD):
            ringer.ring(a_question(f"q{number}", device.person, opened_at=now, expires_at=now + 40), now)
        asking = asyncio.create_task(site.log_in())
        await phone.answer_next(approve=True, seconds=30)
        reply = await asking
        assert reply is not None
        assert reply.code == ACCEPT
        assert len(ringer._ringing) > CROWD - 5
        assert service.visits < 200
        await site.server.reload(site.server.settings)
    assert not ringer._ringing
