"""`doctor` against the fakes of Apple's and Google's push services: the real doors, the real dry runs."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from radius_push.doctor import Finding, Patient, examine
from radius_push.doctor.doors import open_doors
from radius_push.events import PushChanged
from radius_push.model import Secret
from radius_push.push_shapes import Push
from radius_push.server import LoopClock
from radius_push.settings import Checked, load_with_places
from radius_push.waking import AppAddress
from tests.cli.enrolling import open_again, write_settings
from tests.directory.certificates import Authority
from tests.push import apple_doors, fcm_house
from tests.push.apple import Apple, apple_service, tls_for
from tests.push.google import Google, google
from tests.store.making import NOW, add_phone


@asynccontextmanager
async def both(folder: Path) -> AsyncIterator[tuple[Apple, Google, Push]]:
    async with google(folder) as fcm:
        authority: Authority = fcm.authority
        async with apple_service(tls_for(authority)) as apple:
            push = fcm_house.settings(fcm)
            apns = apple_doors.settings_for(apple, authority.file).apns
            yield apple, fcm, replace(push, apns=apns)


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


async def told(good: Checked, patient: Patient | None = None) -> list[Finding]:
    async with open_doors(good.settings.push, clock=LoopClock()) as doors:
        found = await examine(
            good, clock=LoopClock(), doors=doors, patient=patient or Patient(), look_up=only_here
        )
    return [each for each in found if each.about in {"apns", "fcm"}]


async def test_all_is_well_where_all_is_right(tmp_path: Path) -> None:
    async with both(tmp_path) as (apple, fcm, push):
        token, app = apple.device(), fcm.app()
        good = await checked(tmp_path, push, AppAddress("d1", "apns", Secret(token)), app)
        found = await told(good, Patient("d1"))
    assert [each.what for each in found] == ["ok"] * len(found)
    assert len(found) == 5  # three lines of the network, and a try of each service
    assert len(apple.pushed) == 1
    assert (len(fcm.validated), fcm.sent) == (1, [])
    assert app.where not in str(found)


async def test_an_app_that_was_removed_is_to_be_looked_at(tmp_path: Path) -> None:
    async with both(tmp_path) as (_, fcm, push):
        app = fcm.app()
        fcm.removed.add(app.where)
        found = await told(await checked(tmp_path, push, app), Patient("d1"))
    (tried,) = [each for each in found if each.about == "fcm" and each.what != "ok"]
    assert tried.what == "warning"
    assert "Google knows us" in tried.mend


async def test_without_a_phone_google_is_tried_and_apple_is_not(tmp_path: Path) -> None:
    async with both(tmp_path) as (apple, fcm, push):
        found = await told(await checked(tmp_path, push))
    assert [(each.about, each.what) for each in found if "tried" in each.says] == [("apns", "warning")]
    assert apple.pushed == []
    assert len(fcm.validated) == 1


async def test_a_key_that_google_does_not_know_is_told(tmp_path: Path) -> None:
    async with both(tmp_path) as (_, fcm, push):
        fcm.keys.clear()
        found = await told(await checked(tmp_path, push))
    (wrong,) = [each for each in found if each.what == "wrong"]
    assert wrong.about == "fcm"
    assert wrong.mend


async def test_a_token_of_nobody_is_told_and_not_shown(tmp_path: Path) -> None:
    token = secrets.token_hex(32)
    async with both(tmp_path) as (_, _, push):
        found = await told(await checked(tmp_path, push), Patient(apns_token=Secret(token)))
    (tried,) = [each for each in found if each.about == "apns" and each.what != "ok"]
    assert tried.what in {"wrong", "warning"}
    assert token not in str(found)
