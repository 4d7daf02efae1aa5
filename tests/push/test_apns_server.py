"""A whole server rings an app by Apple: from the settings file to the accept, and by other settings."""

from __future__ import annotations

import asyncio
from pathlib import Path

from radius_push import enrollment, events
from radius_push.model import Secret
from radius_push.settings import load
from radius_push.test_phone import SoftwarePhone
from radius_push.waking import AppAddress
from tests.directory.certificates import Authority
from tests.push.apple import KEY_ID, TEAM_ID, TOPIC, Apple, apple_service, tls_for
from tests.push.site import ACCEPT, Site, open_site


def settings_for(apple: Apple) -> str:
    """What of `methods.push` is Apple's."""
    return (
        f", apns: {{topic: {TOPIC}, key: {{file: apns.p8}}, key_id: {KEY_ID}, team_id: {TEAM_ID}, "
        f"url: 'https://localhost:{apple.port}', ca_file: authority.pem}}"
    )


def write_key(folder: Path, apple: Apple) -> None:
    (folder / "apns.p8").write_bytes(apple.p8)
    (folder / "apns.p8").chmod(0o600)


async def a_phone(site: Site, token: str) -> SoftwarePhone:
    """Enrolled and confirmed, and its app is reached at `token`."""
    shown = await site.invite()
    phone = await SoftwarePhone.enrol(enrollment.link(site.url, shown), name="phone")
    device = await site.confirm(shown)
    kept = await site.server.store.keep_push_address(
        AppAddress(device.id, "apns", Secret(token)), at=site.server.clock.now(), event=events.Sent("kept")
    )
    assert kept
    return phone


async def approved(site: Site, phone: SoftwarePhone) -> events.Rang:
    rang_before = len(rings(site))
    asking = asyncio.create_task(site.log_in())
    await phone.answer_next(approve=True, seconds=30)
    reply = await asking
    assert reply is not None
    assert reply.code == ACCEPT
    while len(rings(site)) == rang_before:
        await asyncio.wait(site.server._phones._ringer._ringing, timeout=10)  # type: ignore[union-attr]
    return rings(site)[-1]


def rings(site: Site) -> list[events.Rang]:
    return [event for event in site.told if isinstance(event, events.Rang)]


async def test_an_app_is_woken_and_a_reload_exchanges_key_and_place(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = tls_for(authority)
    async with apple_service(tls) as first, apple_service(tls) as second:
        write_key(tmp_path, first)
        async with open_site(tmp_path, apps=settings_for(first)) as site:
            await first.until(lambda: first.connected == 1)  # before anybody logs in
            token = first.device()
            second.tokens.add(token)
            async with await a_phone(site, token) as phone:
                rang = await approved(site, phone)
                assert (rang.channel, rang.outcome, rang.tries) == ("apns", "delivered", 1)
                told = [pushed.payload["radius_push"] for pushed in first.pushed]
                assert {"kind": "request", "id": rang.question} in told

                write_key(tmp_path, second)
                file = tmp_path / "radius-push.yaml"
                file.write_text(file.read_text().replace(str(first.port), str(second.port)))
                changes = await site.server.reload(load(file, environ={}))
                assert changes == ("methods.push: changed (apns)",)
                await second.until(lambda: second.connected == 1)
                await first.until(lambda: not first.connections)
                assert (await approved(site, phone)).outcome == "delivered"
                assert second.pushed

                second.gone.add(token)
                rang = await approved(site, phone)
                assert rang.outcome == "gone"
                assert "registers when opened" in rang.detail
        await second.until(lambda: not second.connections)


async def test_a_server_without_it_says_so_and_the_login_goes_its_way(tmp_path: Path) -> None:
    async with (
        open_site(tmp_path, push_service="http://localhost:9") as site,
        await a_phone(site, "ab" * 32) as phone,
    ):
        rang = await approved(site, phone)
    assert (rang.channel, rang.outcome) == ("apns", "refused")
    assert "methods.push.apns is not set up" in rang.detail
