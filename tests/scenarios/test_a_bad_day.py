"""Somebody cannot sign in and calls: after what docs/how-to/bad-day.md says, they are in."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from radius_push import enrollment, events
from radius_push.model import DeviceState, Person
from radius_push.settings import load
from radius_push.test_phone import PhoneRefused, SoftwarePhone
from tests.scenarios.house import ACCEPT, REJECT, SETTINGS, House, house
from tests.scenarios.turned import run

HOME = (("Calling-Station-Id", "203.0.113.7"),)
ELSEWHERE = (("Calling-Station-Id", "198.51.100.9"),)


async def is_in(h: House, phone: SoftwarePhone) -> bool:
    """A whole sign-in of alice, approved on this phone."""
    asking = asyncio.ensure_future(h.ask())
    await phone.answer_next(approve=True, seconds=40)
    reply = await asking
    return reply is not None and reply.code == ACCEPT


async def told_by_phone(h: House, *, name: str) -> SoftwarePhone:
    """`enroll` at the helpdesk, which reads its typed code aloud, hears six digits, and types those."""
    found = await h.server.directories["staff"].find("alice")
    assert isinstance(found, Person)
    store, now = h.server.store, h.server.clock.now()
    shown = await enrollment.invite(
        store,
        person=found,
        lifetime=600,
        pepper=h.server.keys.pepper,
        by="helpdesk",
        now=now,
        token=secrets.token_bytes(16),
        code_octets=secrets.token_bytes(5),
    )
    phone = await SoftwarePhone.enrol((h.url, shown.code.lower().replace("-", " ")), name=name)
    h.phones.append(phone)
    digits = phone.confirmation_code
    word = await enrollment.confirm(store, shown.invitation, digits, by="helpdesk", now=now)
    assert word == "confirmed"
    return phone


async def remove(h: House, phone: SoftwarePhone) -> None:
    """`devices remove ID`"""
    id = phone.enrolled.device
    event = events.DeviceRemoved(phone.enrolled.person, id, by="helpdesk")
    assert await h.server.store.remove_device(id, at=h.server.clock.now(), event=event)


def test_a_new_phone_needs_nobody_while_the_old_one_works(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            old = await h.phone()
            invited = await old.says("/api/invite", "invite")
            new = await SoftwarePhone.enrol(invited["link"], name="new")
            h.phones.append(new)
            told = await old.says(
                "/api/confirm", "confirm", invitation=invited["invitation"], code=new.confirmation_code
            )
            assert told["outcome"] == "confirmed"
            await remove(h, old)
            assert await is_in(h, new)

    run(story())


def test_a_lost_phone_answers_nothing_more_and_a_new_one_is_added_by_voice(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            lost = await h.phone()
            other = await h.phone()
            asking = asyncio.ensure_future(h.ask())
            card = await lost.next_question(seconds=30)
            await remove(h, lost)
            with pytest.raises(PhoneRefused) as refused:  # nor for a sign-in that waits already
                await lost.answer(card, approve=True)
            assert refused.value.word == "removed"
            await other.answer(card, approve=True)
            reply = await asking
            assert reply is not None
            assert reply.code == ACCEPT
            await asyncio.sleep(60)
            assert await is_in(h, await told_by_phone(h, name="new"))

    run(story())


def test_after_a_deleted_icon_the_old_entry_makes_room_for_the_same_phone(tmp_path: Path) -> None:
    one_phone = SETTINGS.replace("devices_per_user: 3", "devices_per_user: 1")

    async def story() -> None:
        async with house(tmp_path, settings=one_phone) as h:
            before = await h.phone()  # its key went with its icon
            with pytest.raises(PhoneRefused) as refused:
                await told_by_phone(h, name="the same phone")
            assert refused.value.word == "too_many_devices"
            await remove(h, before)
            assert await is_in(h, await told_by_phone(h, name="the same phone"))

    run(story())


def test_after_a_restore_a_phone_is_asked_once_it_is_confirmed(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            id, store = phone.enrolled.device, h.server.store
            with sqlite3.connect(h.server.settings.store) as rows:  # what a restore does to each phone
                rows.execute("UPDATE devices SET state = 'restored'")
            rows.close()
            reply = await h.ask()
            assert reply is not None
            assert reply.code == REJECT
            assert (await phone.says("/api/questions", "questions"))["device"]["state"] == "restored"
            assert await store.confirm_restored(id, by="helpdesk", at=h.server.clock.now())
            assert await is_in(h, phone)

    run(story())


def test_a_phone_that_had_no_signal_says_yes_to_the_next_try(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            reply = await h.ask()  # nobody hears of it in time
            assert reply is not None
            assert reply.code == REJECT
            assert await phone.answer_next(approve=True, seconds=10) == "approved_late"
            reply = await h.ask()
            assert reply is not None
            assert reply.code == ACCEPT
            assert len(h.of(events.Asked)) == 1  # without another request

    run(story())


def test_with_muted_notifications_the_app_opened_by_hand_shows_the_request(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask())
            await asyncio.sleep(20)  # no push came; nobody listened
            assert not h.of(events.Shown)
            assert await phone.answer_next(approve=True, seconds=10) == "approved"
            reply = await asking
            assert reply is not None
            assert reply.code == ACCEPT

    run(story())


def test_at_home_with_a_broken_phone_any_browser_is_added_by_voice(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            await h.phone()  # broken
            tablet = await told_by_phone(h, name="tablet of the family")
            assert await is_in(h, tablet)
            await remove(h, tablet)
            device = await h.server.store.device(tablet.enrolled.device)
            assert device is not None
            assert device.state is DeviceState.REMOVED

    run(story())


A_DAY = """\
policies:
  - name: alice without a phone
    profile: lab-alone
    authentication_profile: staff
    when:
      - {attribute: username, values: [alice]}
      - {user_address: [203.0.113.7]}
    until: UNTIL
"""


def test_a_day_with_the_password_alone_is_for_one_person_at_one_address_on_that_day(tmp_path: Path) -> None:
    listed = SETTINGS.replace("profiles: [staff-push],", "profiles: [staff-push, lab-alone],")

    async def code(h: House, username: str, attributes: tuple[tuple[str, str], ...]) -> int | None:
        reply = await h.ask(username, attributes=attributes)
        return None if reply is None else reply.code

    async def story() -> None:
        async with house(tmp_path, people=("alice", "carol"), settings=listed) as h:
            settings = tmp_path / "radius-push.yaml"
            before = settings.read_text()
            assert await code(h, "alice", HOME) == REJECT
            today = datetime.fromtimestamp(h.server.clock.now(), UTC).date()
            for day, expected in ((today, ACCEPT), (today - timedelta(days=1), REJECT)):
                head, _, rest = before.partition("policies:\n")
                body = A_DAY.replace("UNTIL", str(day))
                settings.write_text(head + body + rest)
                await h.server.reload(load(settings, environ={}))
                assert await code(h, "alice", HOME) == expected
                assert await code(h, "alice", ELSEWHERE) == REJECT
                assert await code(h, "carol", HOME) == REJECT

    run(story())
