"""Who only ever uses the portal is written to, too: it remembers where."""

from __future__ import annotations

from pathlib import Path

from radius_push.model import Down, Person
from radius_push.portal_doors import PortalDoors
from radius_push.test_phone import SoftwarePhone
from tests.notify.peer import mail_peer
from tests.web.house import until
from tests.web.portal_house import SETTINGS, Desk, PortalHouse, portal_house


def mailing(port: int, attribute: str = "mail") -> str:
    mail = (
        f"  mail: {{{{host: 127.0.0.1, port: {port}, security: none, from: vpn@corp.example,"
        f" attribute: {attribute}}}}}\n"
    )
    people = SETTINGS.replace("methods:", mail + "methods:", 1)
    return people.replace(
        "{users}", "{users}\n      dora: {{password_hash: {hash!r}, mail: dora@corp.example}}"
    )


async def pair(house: PortalHouse, desk: Desk) -> SoftwarePhone:
    page = await desk.post("/pair", {"form": (await desk.get("/pair")).form})
    phone = await house.added(page.link)
    page = await desk.get("/pair/code")
    page = await desk.post("/pair/code", {"form": page.form, "code": phone.confirmation_code})
    assert page.heading == "Your phones"
    return phone


async def test_a_phone_that_was_added_at_the_portal_is_told_by_mail_and_so_is_one_that_it_adds(
    tmp_path: Path,
) -> None:
    async with mail_peer() as peer, portal_house(tmp_path, settings=mailing(peer.port)) as house:
        desk = house.desk()
        await desk.is_in("dora")
        phone = await pair(house, desk)
        await until(lambda: len(peer.mails) == 1)
        invited = await phone.says("/api/invite", "invite")
        new = await house.added(invited["link"], name="Pixel 9")
        about = {"invitation": invited["invitation"], "code": new.confirmation_code}
        assert (await phone.says("/api/confirm", "confirm", **about))["outcome"] == "confirmed"
        await until(lambda: len(peer.mails) == 2)
    assert peer.recipients == ["dora@corp.example"] * 2
    assert "Pixel 9" in peer.mails[1].get_content()


async def test_a_directory_that_cannot_be_asked_keeps_nobody_from_adding_a_phone(tmp_path: Path) -> None:
    async with mail_peer() as peer, portal_house(tmp_path, settings=mailing(peer.port)) as house:
        desk = house.desk()
        await desk.is_in("dora")
        directory = house.server.directories["staff"]

        async def down(_: str) -> Down:
            return Down("not now")

        directory.find = down  # type: ignore[method-assign,assignment]
        await pair(house, desk)
        assert await house.server.store.mails_to_send(at=house.clock.now() + 9, until=0, most=9) == []


async def test_a_name_that_is_somebody_elses_by_now_turns_no_mails_to_them(tmp_path: Path) -> None:
    async with mail_peer() as peer, portal_house(tmp_path, settings=mailing(peer.port)) as house:
        doors = house.server._portal
        assert isinstance(doors, PortalDoors)
        dora, alice = await house.person("dora"), await house.person("alice")
        assert isinstance(dora, Person)
        assert await doors._address_of(dora.key, "dora") == "dora@corp.example"
        assert await doors._address_of(alice.key, "dora") is None
        assert await doors._address_of(alice.key, "alice") is None
