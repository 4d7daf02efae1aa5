"""*Told to your administrator*: it is true. From a tap on a phone to a mail server that takes the mail."""

from __future__ import annotations

import asyncio
from pathlib import Path

from radius_push import events
from radius_push.test_phone import SoftwarePhone
from tests.notify.peer import mail_peer
from tests.web.house import until
from tests.web.portal_house import SETTINGS, PortalHouse, portal_house

TO = ["helpdesk@corp.example", "security@corp.example"]


def mailing(port: int, alerts: str = f", alerts: [{', '.join(TO)}]") -> str:
    mail = f"  mail: {{{{host: 127.0.0.1, port: {port}, security: none, from: vpn@corp.example{alerts}}}}}\n"
    return SETTINGS.replace("methods:", mail + "methods:", 1)


async def let_in_and_contest(house: PortalHouse, phone: SoftwarePhone) -> str:
    """The sign-in's code."""
    login = asyncio.create_task(house.vpn())
    await phone.answer_next(approve=True, seconds=20)
    await login
    (row,) = (await phone.says("/api/questions", "questions"))["recent"]
    about = {"question": row["id"], **{name: row[name] for name in ("person", "client", "address")}}
    for _ in range(2):  # said twice, told once
        assert (await phone.says("/api/contest", "contest", **about))["outcome"] == "contested"
    return str(row["login"])


async def test_a_yes_that_was_taken_back_is_mailed_to_each_of_them_once(tmp_path: Path) -> None:
    async with mail_peer() as peer, portal_house(tmp_path, settings=mailing(peer.port)) as house:
        code = await let_in_and_contest(house, await house.phone())
        await until(lambda: len(house.of(events.Mailed)) == 2)
    assert sorted(peer.recipients) == TO
    text = peer.mails[0].get_content()
    for fact in ("alice", code, "fw1", "203.0.113.7"):
        assert fact in text
    assert {(each.what, each.about) for each in house.of(events.Mailed)} == {("contested", code)}


async def test_a_phone_that_was_not_its_persons_is_mailed_to_them_too(tmp_path: Path) -> None:
    async with mail_peer() as peer, portal_house(tmp_path, settings=mailing(peer.port)) as house:
        phone, strange = await house.phone(), await house.phone()
        (notice,) = (await phone.says("/api/questions", "questions"))["notices"]
        said = {"notice": notice["id"], "answer": "remove"}
        assert (await phone.says("/api/notice", "notice", **said))["outcome"] == "removed"
        await until(lambda: len(house.of(events.Mailed)) == 2)
        told = {(each.what, each.about) for each in house.of(events.Mailed)}
        assert told == {("removed_by_notice", strange.enrolled.device)}
    assert sorted(peer.recipients) == TO
    assert "Pixel 7" in peer.mails[0].get_content()


async def test_a_phone_that_goes_in_another_way_alarms_nobody(tmp_path: Path) -> None:
    async with mail_peer() as peer, portal_house(tmp_path, settings=mailing(peer.port)) as house:
        phone = await house.phone()
        gone = events.DeviceRemoved("staff:alice", phone.enrolled.device, "root")
        at = house.clock.now()
        assert await house.server.store.remove_device(phone.enrolled.device, at=at, event=gone)
        assert await house.server.store.mails_to_send(at=at + 9, until=at, most=9) == []


async def test_without_addresses_the_log_and_the_evidence_alone_say_it(tmp_path: Path) -> None:
    async with mail_peer() as peer, portal_house(tmp_path, settings=mailing(peer.port, "")) as house:
        await let_in_and_contest(house, await house.phone())
        assert house.of(events.Contested)
        at = house.clock.now() + 9
        assert await house.server.store.mails_to_send(at=at, until=at, most=9) == []
