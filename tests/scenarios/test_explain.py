# ruff: noqa: E501 - settings have long lines
"""What `explain` says of a login is what the login comes to: a table of people and gateways, both asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from radius_push import events, explanation
from radius_push.directory.local import LocalDirectory
from radius_push.model import Ambiguous, Down, Found, Person, PersonKey, Secret
from radius_push.radius.packet import load_dictionary
from radius_push.shapes import LocalProfile
from tests.scenarios.house import PASSWORD, SETTINGS, House, house
from tests.scenarios.test_first_factor import put
from tests.scenarios.turned import run

SITE = (
    SETTINGS[: SETTINGS.index("  enrollment:")]
    + "  ring_limit: {{unanswered: 100}}\n"
    + SETTINGS[SETTINGS.index("  enrollment:") : SETTINGS.index("clients:")]
    + """\
clients:
  fw1:
    addresses: [127.0.0.1]
    secret: "a-secret-of-22-octets!"
    profiles: [staff-push, alone]
    patience: 60s
    otherwise: refuse
  lab: {{addresses: [127.0.0.3], secret: "a-secret-of-22-octets!", profiles: [alone], otherwise: alone}}
  guests: {{addresses: [127.0.0.4], secret: "a-secret-of-22-octets!", profiles: [guest-push]}}
  narrow: {{addresses: [127.0.0.5], secret: "a-secret-of-22-octets!", profiles: [wide, alone], otherwise: alone}}
authentication_profiles:
  staff:
    type: local
    users:
{users}
  second:
    type: local
    users:
      zoe: {{password_hash: "{hash}", department: Ops}}
      alice: {{password_hash: "{hash}"}}
  admins: {{type: local, emergency: yes, users: {{root: {{password_hash: "{hash}"}}}}}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff, second, admins]}}
  guest-push: {{methods: [push], fallback_auth_profiles: [staff, second], timeout: 15s}}
  wide: {{methods: [push], fallback_auth_profiles: [staff, second, admins]}}
  alone: {{methods: [none], fallback_auth_profiles: [staff]}}
policies:
  - {{name: carol never, profile: refuse, authentication_profile: staff, attribute: username, values: [carol]}}
  - {{name: gone, profile: alone, authentication_profile: staff, until: 2020-01-01}}
  - name: dave cannot be computed
    profile: staff-push
    authentication_profile: staff
    attribute: username
    values: [dave]
    reply: {{Filter-Id: "{{absent}}"}}
  - name: erin from afar
    profile: alone
    authentication_profile: staff
    attribute: username
    values: [erin]
    when: [{{user_address: [203.0.113.0/24]}}]
    request: {{NAS-Identifier: "vpn-*"}}
    reply: {{Session-Timeout: 60, Reply-Message: "hello {{matched}}"}}
  - name: IT
    profile: staff-push
    authentication_profile: staff
    attribute: department
    values: [IT]
    reply: {{Filter-Id: "{{department}}"}}
  - {{name: Ops, profile: staff-push, authentication_profile: second, attribute: department, values: [Ops]}}
  - {{name: admins, profile: staff-push, authentication_profile: admins}}
"""
)
PEOPLE = ("alice", "bob", "carol", "dave", "erin", "frank")
WITH_PHONE = ("alice", "bob", "erin")
GATEWAYS = {"fw1": "127.0.0.1", "lab": "127.0.0.3", "guests": "127.0.0.4", "narrow": "127.0.0.5"}
REQUEST = (("Calling-Station-Id", "203.0.113.7"), ("NAS-Identifier", "vpn-1"))
FIRST = events.Asked | events.Accepted | events.Rejected | events.Unanswered


async def explained(h: House, name: str, client: str, password: str | None) -> explanation.Explanation:
    doors = h.server._doors
    arrival = explanation.imagine(
        name,
        client=h.server.settings.clients[client],
        attributes=REQUEST,
        password=None if password is None else Secret(password),
        at=doors.clock.now(),
        dictionary=load_dictionary(),
    )

    async def phones_of(person: PersonKey) -> explanation.Phones:
        return explanation.Phones(len(await h.server.store.devices_of(person)))

    return await explanation.explain(arrival, doors, phones_of=phones_of)


async def happened(h: House, name: str, client: str, password: str) -> FIRST:
    """The first event of a real login."""
    before = len(h.told)
    await h.ask(name, password, source=GATEWAYS[client], attributes=REQUEST)
    first = next(event for event in h.told[before:] if isinstance(event, FIRST))
    if isinstance(first, events.Asked):
        await asyncio.sleep(61)  # that nobody answered counts no more
    return first


def same(told: explanation.Explanation, event: FIRST) -> None:
    assert told.verdict == type(event).__name__.lower()
    assert told.story.directories == event.directories
    assert told.story.trace == event.trace
    assert (str(told.person.key) if told.person else None) == event.person
    match event:
        case events.Asked() | events.Accepted():
            assert told.choice is not None
            assert (told.profile, told.choice.policy) == (event.profile, event.policy)
        case events.Rejected() | events.Unanswered():
            assert told.end is not None
            assert (told.end.reason, told.end.detail) == (event.reason, event.detail)
    if isinstance(event, events.Accepted):
        assert told.choice is not None
        assert told.choice.reply == event.reply
    if isinstance(event, events.Asked):
        assert told.phones == explanation.Phones(event.devices)
        assert told.story.address == event.address


async def compare(h: House, people: tuple[str, ...], password: str = PASSWORD) -> set[str]:
    """Every person at every gateway; which verdicts there were."""
    seen: set[str] = set()
    for client in GATEWAYS:
        for name in people:
            told = await explained(h, name, client, password)
            same(told, await happened(h, name, client, password))
            seen.add(told.verdict)
    return seen


def test_explain_says_what_a_login_comes_to(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, people=PEOPLE, settings=SITE) as h:
            for name in WITH_PHONE:
                await h.phone(name)
            people = (*PEOPLE, "zoe", "root", "ALICE", "nobody", "mal'lory", "x" * 253)
            assert await compare(h, people) == {"asked", "accepted", "rejected"}

    run(story())


def test_so_it_does_with_a_wrong_password(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, people=PEOPLE, settings=SITE) as h:
            # Of one gateway: at the next one the same wrong password is not asked again.
            for name in ("alice", "bob", "zoe", "nobody"):
                told = await explained(h, name, "guests", "not it")
                same(told, await happened(h, name, "guests", "not it"))

    run(story())


@pytest.mark.parametrize("password", ["", "pass\0word", "gr\x01nz\x02"])
def test_so_it_does_with_a_password_that_is_none(tmp_path: Path, password: str) -> None:
    async def story() -> None:
        async with house(tmp_path, people=PEOPLE, settings=SITE) as h:
            same(
                await explained(h, "alice", "fw1", password),
                await happened(h, "alice", "fw1", password),
            )

    run(story())


def test_so_it_does_while_a_directory_is_down_or_says_nothing_certain(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, people=PEOPLE, settings=SITE) as h:
            people = ("alice", "zoe", "root", "nobody")
            real = put(h, "staff", Down("no route"))
            assert await compare(h, people) == {"unanswered", "rejected"}
            put(h, "staff", Ambiguous())
            assert await compare(h, ("alice",)) == {"rejected"}
            await real.close()

    run(story())


def test_so_it_does_with_an_attribute_that_could_not_be_read(tmp_path: Path) -> None:
    class HalfRead(LocalDirectory):
        async def find(self, username: str) -> Found:
            found = await super().find(username)
            assert isinstance(found, Person)
            return replace(found, attributes={}, unread=frozenset({"department"}))

    async def story() -> None:
        async with house(tmp_path, people=PEOPLE, settings=SITE) as h:
            staff = h.server.settings.authentication_profiles["staff"]
            assert isinstance(staff, LocalProfile)
            await h.server.directories["staff"].close()
            h.server.directories["staff"] = HalfRead(staff)
            assert "unanswered" in await compare(h, ("frank",))

    run(story())


def test_without_a_password_it_is_taken_as_right(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, people=PEOPLE, settings=SITE) as h:
            for client in GATEWAYS:
                for name in PEOPLE:
                    with_it = await explained(h, name, client, PASSWORD)
                    without = await explained(h, name, client, None)
                    assert (without.sentence, without.story.trace) == (with_it.sentence, with_it.story.trace)
            assert without.story.directories == ("staff: knows frank, the password is taken as right",)

    run(story())


def test_it_writes_nothing_and_rings_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, people=PEOPLE, settings=SITE) as h:
            await h.phone("alice")
            before = len(h.told)
            assert (await explained(h, "alice", "fw1", PASSWORD)).verdict == "asked"
            assert (await explained(h, "alice", "fw1", "not it")).verdict == "rejected"
            # The wrong one is not remembered either: a login with it is asked of the directory.
            event = await happened(h, "alice", "fw1", "not it")
            assert event.directories == ("staff: knows alice, the password is wrong",)
            assert len(h.told) == before + 1

    run(story())
