"""Attacks on the page for people's own phones by somebody who has the password, or only the name."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from radius_push import enrollment, events
from radius_push.directory.local import LocalDirectory
from radius_push.model import Down, Person, Proof, Proved, Reason, Wrong
from radius_push.proving import AT_ONCE
from radius_push.settings import load
from radius_push.test_phone import PhoneRefused, SoftwarePhone
from radius_push.web.portal import ACTS
from radius_push.web.portal_signing_in import TRIES_OF_A_NAME
from tests.web.house import until
from tests.web.portal_house import Page, PortalHouse, portal_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PortalHouse]:
    async with portal_house(tmp_path) as house:
        yield house


def digits(page: Page) -> str:
    (found,) = re.findall(r'<p class="code">([0-9]{4})</p>', page.text)
    return str(found)


async def test_who_is_first_with_a_sign_in_is_told_from_the_person_by_the_digits(house: PortalHouse) -> None:
    phone, thief, person = await house.phone(), house.desk(source="127.0.0.9"), house.desk()
    stolen = await thief.signs_in()
    refused = await person.signs_in()
    # Nothing of what the person sees asks for a yes to the card, which is the thief's.
    assert "Say No on the phone" in refused.said
    assert 'class="code"' not in refused.text
    (card,) = (await phone.says("/api/questions", "questions"))["sign_ins"]
    assert card["code"] == digits(stolen)
    assert await house.answer(phone, approve=False) == "denied"
    mine = await person.signs_in()
    (card,) = (await phone.says("/api/questions", "questions"))["sign_ins"]
    assert card["code"] == digits(mine) != digits(stolen)
    assert await house.answer(phone) == "approved"
    assert (await person.get("/wait")).heading == "Your phones"
    assert (await thief.get("/wait")).heading == "Denied"


# --- directories that are slow or down ---------------------------------------------------------------------


async def test_of_a_slow_directory_the_web_has_two_threads_and_logins_have_the_others(
    house: PortalHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.phone()
    store, keys = house.server.store, house.server.keys
    sent = await enrollment.invite(
        store,
        person=await house.person("bob"),
        lifetime=600,
        pepper=keys.pepper,
        by="test",
        now=house.clock.now(),
        token=secrets.token_bytes(16),
        code_octets=secrets.token_bytes(5),
        sent=True,
    )
    inside, most, slow = 0, 0, asyncio.Event()
    prove = LocalDirectory.prove

    async def hangs(self: LocalDirectory, person: Person, proof: Proof) -> Proved:
        nonlocal inside, most
        inside, most = inside + 1, max(most, inside + 1)
        try:
            await slow.wait()
            return await prove(self, person, proof)
        finally:
            inside -= 1

    monkeypatch.setattr(LocalDirectory, "prove", hangs)
    guesses = [
        asyncio.create_task(house.desk(source=f"127.0.2.{n + 1}").signs_in(name, "guess"))
        for n, name in enumerate(("alice", "bob", "carol"))
    ]
    link = enrollment.link(house.phones_open, sent)
    redeems = asyncio.create_task(SoftwarePhone.enrol(link, password="guess"))
    waiting = house.server._portal._turns  # type: ignore[union-attr]
    await until(lambda: inside + waiting._waiting == len(guesses) + 1)
    slow.set()
    assert [page.status for page in await asyncio.gather(*guesses)] == [403] * 3
    with pytest.raises(PhoneRefused) as refused:
        await redeems
    assert refused.value.word == "wrong_password"
    assert most == AT_ONCE


@pytest.mark.parametrize(
    "problem", [Down("not now"), Wrong(Reason.CROWDED_OUT)], ids=lambda each: type(each).__name__
)
async def test_a_try_that_no_directory_answered_is_none_of_the_three(
    house: PortalHouse, monkeypatch: pytest.MonkeyPatch, problem: Proved
) -> None:
    prove = LocalDirectory.prove
    down = True

    async def flaps(self: LocalDirectory, person: Person, proof: Proof) -> Proved:
        return problem if down and person.key.id == "bob" else await prove(self, person, proof)

    monkeypatch.setattr(LocalDirectory, "prove", flaps)
    tries = house.server._portal._portal._signing_in._of_people  # type: ignore[union-attr]
    key = (await house.person("bob")).key
    for _ in range(TRIES_OF_A_NAME):
        assert (await house.desk().signs_in("bob")).status == (503 if isinstance(problem, Down) else 403)
    assert all(tries.begin(key) for _ in range(TRIES_OF_A_NAME))
    for _ in range(TRIES_OF_A_NAME):
        tries.take_back(key)
    down = False
    if isinstance(problem, Down):
        assert (await house.desk().signs_in("bob")).heading == "Your phones"


async def test_whoever_hangs_up_in_a_guess_has_guessed_and_keeps_the_turn(
    house: PortalHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, slow = 0, asyncio.Event()
    prove = LocalDirectory.prove

    async def hangs(self: LocalDirectory, person: Person, proof: Proof) -> Proved:
        nonlocal inside
        inside += 1
        try:
            await slow.wait()
            return await prove(self, person, proof)
        finally:
            inside -= 1

    monkeypatch.setattr(LocalDirectory, "prove", hangs)
    desk = house.desk()
    form = (await desk.get("/")).form
    for name in ("alice", "bob"):
        said = {"form": form, "username": name, "password": "guess"}
        guess = asyncio.create_task(desk.post("/sign-in", said))
        await until(lambda name=name: inside == ("alice", "bob").index(name) + 1)  # type: ignore[misc]
        guess.cancel()
    # Answered on another connection after the first two were closed.
    assert (await desk.get("/")).status == 200
    assert inside == AT_ONCE
    slow.set()
    async with asyncio.timeout(20):
        await until(lambda: len(house.of(events.PortalRefused)) == AT_ONCE)


# --- a flood of what is written down ------------------------------------------------------------------------


async def test_whoever_is_signed_in_does_not_fill_the_evidence(house: PortalHouse) -> None:
    phone, desk, other = await house.phone(), house.desk(), house.desk()
    page = await desk.is_in(phone=phone)
    said = {"form": page.form, "phone": phone.enrolled.device}
    statuses = [(await desk.post("/rename", {**said, "name": f"name {n}"})).status for n in range(ACTS + 5)]
    assert statuses.count(429) >= 5
    assert len(house.of(events.DeviceRenamed)) == statuses.count(200) < ACTS
    assert (await other.signs_in()).status == 429
    # Others do not wait for it, and the door out stays open.
    assert (await house.desk().signs_in("bob")).heading == "Your phones"
    assert (await desk.post("/sign-out", said)).path == "/?said=in_out"


async def test_right_passwords_do_not_fill_it_either(house: PortalHouse) -> None:
    statuses = [(await house.desk().signs_in("carol")).status for _ in range(ACTS + 2)]
    assert statuses == [403] * ACTS + [429] * 2
    assert len(house.of(events.PortalRefused)) == ACTS


# --- from where ---------------------------------------------------------------------------------------------


async def test_whom_a_proxy_does_not_name_is_in_no_network(tmp_path: Path) -> None:
    async with portal_house(tmp_path, networks="127.0.0.0/24") as house:
        for said, status in (
            ({}, 403),
            ({"X_Forwarded_For": ""}, 403),
            ({"X_Forwarded_For": "127.0.0.7, unknown"}, 403),
            ({"X_Forwarded_For": "127.0.0.7, 203.0.113.9"}, 403),
            ({"X_Forwarded_For": "203.0.113.9, 127.0.0.7"}, 200),
        ):
            assert (await house.desk(source="127.0.0.2", **said).get("/")).status == status, said
        assert (await house.desk(source="127.0.0.1", X_Forwarded_For="203.0.113.9").get("/")).status == 200
        assert (await house.desk(source="127.0.1.1", X_Forwarded_For="127.0.0.7").get("/")).status == 403


async def test_who_came_in_without_a_phone_is_out_when_the_settings_want_an_invitation(
    tmp_path: Path,
) -> None:
    async with portal_house(tmp_path) as house:
        desk = house.desk()
        await desk.is_in()
        page = await desk.get("/pair")
        file = tmp_path / "radius-push.yaml"
        file.write_text(file.read_text().replace("self_service: [staff]", "self_service: [others]"))
        await house.server.reload(load(file, environ={}))
        assert (await desk.post("/pair", {"form": page.form})).path == "/?said=in_over"
