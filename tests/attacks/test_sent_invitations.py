"""A link that was sent, in other hands: nothing without the password, which is not guessed by it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from radius_push.enrollment import PASSWORD_TRIES
from radius_push.model import Down, PersonKey, Proved, Right, Secret, Wrong
from radius_push.test_phone import PhoneRefused, SoftwarePhone
from tests.factors.signing import Pen
from tests.web.house import ALICE, House, open_house, until
from tests.web.phone_api_plays import enrolling


class Directory:
    """Knows one password, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.answer = asyncio.Event()
        self.answer.set()
        self.down = False

    async def prove(self, person: PersonKey, username: str, password: Secret) -> Proved:
        assert (person, username) == (ALICE.key, ALICE.username)
        self.asked.append(password.reveal())
        await self.answer.wait()
        if self.down:
            return Down("not now")
        return Right() if password.reveal() == b"right" else Wrong()


async def post(house: House, body: dict[str, str]) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{house.origin}/api/enrol", json=body) as got,
    ):
        return got.status, await got.json()


async def words(house: House, secret: dict[str, str], **more: str) -> str:
    body = await enrolling(house, Pen(), **more)
    del body["token"]
    status, told = await post(house, {**body, **secret})
    return str(told["state"] if status == 200 else told["error"])


async def test_a_stolen_link_adds_no_phone_without_the_password(tmp_path: Path) -> None:
    directory = Directory()
    async with open_house(tmp_path, prove=directory.prove) as house:
        shown = await house.invite(sent=True)
        for secret in ({"token": shown.token}, {"code": shown.code}):
            assert await words(house, secret) == "password_needed"
        assert directory.asked == []
        assert await house.store.devices() == []
        assert await words(house, {"code": shown.code}, password="right") == "pending"
        assert await words(house, {"token": shown.token}, password="right") == "invitation"
        assert directory.asked == [b"right"]


async def test_five_wrong_passwords_close_it_also_when_they_come_at_once(tmp_path: Path) -> None:
    directory = Directory()
    async with open_house(tmp_path, prove=directory.prove) as house:
        shown = await house.invite(sent=True)
        directory.answer.clear()
        guesses = [
            asyncio.create_task(words(house, {"token": shown.token}, password=f"guess {number}"))
            for number in range(9)
        ]
        async with asyncio.timeout(10):
            await until(lambda: len(directory.asked) == PASSWORD_TRIES)
        done, _ = await asyncio.wait(guesses, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        assert done
        directory.answer.set()
        said = await asyncio.gather(*guesses)
        assert len(directory.asked) == PASSWORD_TRIES
        assert set(said) <= {"wrong_password", "invitation"}
        assert await words(house, {"token": shown.token}, password="right") in (
            "invitation",
            "too_many_tries",
        )
        assert await house.store.devices() == []
        assert len(directory.asked) == PASSWORD_TRIES


async def test_many_stolen_links_are_bounded_by_where_they_are_tried_from(tmp_path: Path) -> None:
    directory = Directory()
    async with open_house(tmp_path, prove=directory.prove) as house:
        said = []
        for number in range(12):
            shown = await house.invite(sent=True)  # the earlier ones are closed by it
            said.append(await words(house, {"token": shown.token}, password=f"guess {number}"))
        assert said.count("wrong_password") == 10
        assert said[-1] == "too_many_tries"
        assert len(directory.asked) == 10


async def test_right_passwords_of_a_whole_office_are_no_wrong_tries(tmp_path: Path) -> None:
    directory = Directory()
    async with open_house(tmp_path, prove=directory.prove, devices_per_user=20) as house:
        for _ in range(12):
            shown = await house.invite(sent=True, asks_code=False)
            assert await words(house, {"token": shown.token}, password="right") == "active"


@pytest.mark.parametrize("secret", ["shown", "unknown", "expired"])
async def test_no_directory_is_asked_for_a_link_that_was_not_sent(tmp_path: Path, secret: str) -> None:
    directory = Directory()
    async with open_house(tmp_path, prove=directory.prove) as house:
        shown = await house.invite(sent=secret == "expired")
        if secret == "expired":
            house.clock.turned = 601.0
        token = {"shown": shown.token, "unknown": "A" * 22, "expired": shown.token}[secret]
        said = await words(house, {"token": token}, password="guess")
        assert said == ("pending" if secret == "shown" else "invitation")
        assert directory.asked == []


async def test_a_directory_that_is_down_uses_nothing_up(tmp_path: Path) -> None:
    directory = Directory()
    directory.down = True
    async with open_house(tmp_path, prove=directory.prove) as house:
        shown = await house.invite(sent=True)
        for _ in range(PASSWORD_TRIES + 1):
            assert await words(house, {"token": shown.token}, password="right") == "directory_down"
        directory.down = False
        assert await words(house, {"token": shown.token}, password="right") == "pending"


async def test_others_come_in_while_one_password_waits_for_a_slow_directory(tmp_path: Path) -> None:
    directory = Directory()
    async with open_house(tmp_path, prove=directory.prove, devices_per_user=5) as house:
        bob = replace(ALICE, key=replace(ALICE.key, id="bob"))
        sent = await house.invite(sent=True)
        directory.answer.clear()
        waiting = asyncio.create_task(words(house, {"token": sent.token}, password="right"))
        async with asyncio.timeout(10):
            await until(lambda: bool(directory.asked))
        async with await SoftwarePhone.enrol(await house.link(bob)) as phone:
            assert phone.enrolled.device
        directory.answer.set()
        assert await waiting == "pending"


async def test_the_password_is_in_no_event_and_no_refusal(tmp_path: Path) -> None:
    directory = Directory()
    async with open_house(tmp_path, prove=directory.prove) as house:
        link = await house.link(sent=True)
        with pytest.raises(PhoneRefused) as refused:
            await SoftwarePhone.enrol(link, password="hunter2-canary")
        assert "hunter2" not in str(refused.value) + repr(house.events)
        assert any("PasswordWrong" in repr(event) for event in house.events)
        for name in ("state.db", "state.db-wal"):
            assert b"hunter2" not in await asyncio.to_thread((tmp_path / name).read_bytes)


async def test_a_notice_removes_no_other_phone_than_the_one_it_tells_of(tmp_path: Path) -> None:
    async with open_house(tmp_path, devices_per_user=5) as house:
        phones = [await house.phone(name=f"phone {number}") for number in range(3)]
        first, second, third = phones
        notices = await house.store.notices_of(first.enrolled.device)
        assert [notice.name for notice in notices] == ["phone 1", "phone 2"]
        with pytest.raises(PhoneRefused, match="not known here"):
            await second.says("/api/notice", "notice", notice=notices[0].id, answer="remove")
        told = await first.says("/api/notice", "notice", notice=notices[1].id, answer="remove")
        assert told == {"outcome": "removed"}
        left = {device.id for device in await house.store.devices()}
        assert left == {first.enrolled.device, second.enrolled.device}
        with pytest.raises(PhoneRefused, match="was removed"):
            await third.says("/api/notice", "notice", notice=notices[0].id, answer="seen")
        for phone in phones:
            await phone.close()
