"""`doctor` against the fake of Google's push service: the real door, the real dry run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from radius_push.doctor import Finding, Patient, examine
from radius_push.doctor.doors import open_doors
from radius_push.events import PushChanged
from radius_push.push_shapes import Push
from radius_push.server import LoopClock
from radius_push.settings import Checked, load_with_places
from radius_push.waking import AppAddress
from tests.cli.enrolling import open_again, write_settings
from tests.push import fcm_house
from tests.push.google import google
from tests.store.making import NOW, add_phone


async def checked(folder: Path, push: Push, *addresses: AppAddress) -> Checked:
    config = write_settings(folder)
    store = open_again(config)
    await add_phone(store, "d1")
    for address in addresses:
        event = PushChanged("corp-ldap:uuid-of-alice", "d1", address.channel, address.channel, by="phone")
        await store.keep_push_address(address, at=NOW, event=event)
    await store.close()
    found = load_with_places(config, environ={})
    found.settings = replace(found.settings, push=push, authentication_profiles={})
    return found


def only_here(host: str, port: int) -> list[str]:
    if host != "localhost":
        raise OSError("not on this machine")
    return ["127.0.0.1"]


async def told(good: Checked, device: str | None = None) -> list[Finding]:
    patient = Patient(device)
    async with open_doors(good.settings.push, clock=LoopClock()) as doors:
        found = await examine(good, clock=LoopClock(), doors=doors, patient=patient, look_up=only_here)
    return [each for each in found if each.about == "fcm"]


async def test_a_phones_token_is_looked_at_and_no_phone_rings(tmp_path: Path) -> None:
    async with google(tmp_path) as fcm:
        app = fcm.app()
        found = await told(await checked(tmp_path, fcm_house.settings(fcm), app), "d1")
        assert (len(fcm.validated), fcm.sent) == (1, [])
    assert [each.what for each in found] == ["ok"] * 3  # two lines of the network, and the dry run
    assert app.token.reveal().decode() not in str(found)


async def test_without_a_phone_the_settings_alone_are_tried(tmp_path: Path) -> None:
    async with google(tmp_path) as fcm:
        found = await told(await checked(tmp_path, fcm_house.settings(fcm)))
        assert (len(fcm.validated), fcm.sent) == (1, [])
    assert found[-1].what == "ok"
    assert "for no phone in particular" in found[-1].says


async def test_an_app_that_was_removed_is_to_be_looked_at(tmp_path: Path) -> None:
    async with google(tmp_path) as fcm:
        app = fcm.app()
        fcm.removed.add(app.token.reveal().decode())
        found = await told(await checked(tmp_path, fcm_house.settings(fcm), app), "d1")
    assert found[-1].what == "warning"
    assert "Google knows us" in found[-1].mend


async def test_a_key_that_google_does_not_know_is_wrong(tmp_path: Path) -> None:
    async with google(tmp_path) as fcm:
        fcm.keys.clear()
        found = await told(await checked(tmp_path, fcm_house.settings(fcm)))
    assert found[-1].what == "wrong"
    assert found[-1].mend
