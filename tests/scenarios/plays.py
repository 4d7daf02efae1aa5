"""Every preset as it is, played against a house: each behaviour of a person is a user of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from radius_push import events
from radius_push.client import Login, Speaker
from radius_push.model import Client, Secret
from radius_push.radius.packet import load_dictionary
from radius_push.radius.presets import PRESETS
from radius_push.settings.scalars import in_words
from radius_push.simulate.gateway import Gateway, attributes, like
from radius_push.simulate.person import Person, signs_in
from radius_push.simulation import Told, play
from radius_push.test_phone import SoftwarePhone
from tests.scenarios.house import PASSWORD, SECRET, House, house

SPARE = 5.0
"""What the phone's bar leaves of the gateway's patience."""
RECORD = Path(__file__).with_name("plays.json")
VERDICTS = {"accepted": "let in", "rejected": "refused", None: "no answer"}
Row = tuple[int, str, int]
"""Rings, verdict, whole seconds until the last verdict of the last sign-in."""
Plays = dict[str, dict[str, Row]]
"""Preset -> behaviour -> what it came to."""


@dataclass(frozen=True)
class Setup:
    """How the gateways are set up, and how many servers they know."""

    factory: bool
    servers: int

    def __str__(self) -> str:
        how = "as shipped" if self.factory else "as set"
        return f"{how}, {self.servers} server{'' if self.servers == 1 else 's'}"


SETUPS = tuple(Setup(factory, servers) for factory in (False, True) for servers in (1, 2))


def behaviours(client: Client, gateway: Gateway) -> dict[str, Person]:
    """What people do, measured by how long somebody waits for them: the phone's bar, or less if the gateway
    gives up before."""
    waits = min(client.patience - SPARE, gateway.timers.patience())
    last = max(waits - 1, waits / 2)
    return {
        "approves after 3 s": Person(),
        "in the last second": Person(after=last),
        "5 s too late": Person(after=waits + 5),
        "5 s too late, signs in again": Person(
            after=waits + 5, afterwards=min(3.0, last), again=1, pause=10.0
        ),
        "denies": Person(False, min(3.0, last)),
        "ignores": Person(None),
    }


NAMES = tuple(behaviours(Client("", (), (), ()), Gateway(PRESETS["generic"].timers, ("pap",))))


def username(preset: str, behaviour: str) -> str:
    return f"{preset}-{NAMES.index(behaviour)}"


def address(preset: str) -> str:
    return f"127.84.0.{list(PRESETS).index(preset) + 1}"


def settings(servers: int) -> str:
    """A house with a client of each preset, which says nothing but that, and a user for each play."""
    clients = "\n".join(
        f'  {name}: {{{{addresses: [{address(name)}], secret: "{SECRET.reveal().decode()}", '
        f"profiles: [push], preset: {name}}}}}"
        for name in PRESETS
    )
    users = "\n".join(
        f"      {username(preset, behaviour)}: {{{{clear_password: {PASSWORD}}}}}"
        for preset in PRESETS
        for behaviour in NAMES
    )
    also = '  more_servers: {{b: {{authentication: ["127.0.0.1:0"]}}}}' if servers == 2 else ""
    longest = in_words(max(preset.patience for preset in PRESETS.values()))
    return f"""\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["127.0.0.1:0"]
    phone: {{{{address: "127.0.0.1:{{phone}}", url: "http://localhost:{{phone}}"}}}}
{also}
methods: {{{{push: {{{{}}}}}}}}
clients:
{clients}
authentication_profiles:
  staff:
    type: local
    users:
{users}
profiles:
  push: {{{{methods: [push], fallback_auth_profiles: [staff], timeout: {longest}}}}}
"""


async def play_all(folder: Path, setup: Setup) -> Plays:
    """All presets and behaviours at once; a preset of which nobody knows how it is shipped is left out."""
    async with house(folder, people=(), settings=settings(setup.servers)) as h:
        parts = [(preset, behaviour) for preset in PRESETS for behaviour in NAMES if _gateway(preset, setup)]
        phones = [await h.phone(username(*part)) for part in parts]
        told = await asyncio.gather(
            *(_play(h, setup, *part, phone) for part, phone in zip(parts, phones, strict=True))
        )
        for part, each in zip(parts, told, strict=True):
            _nobody_gets_in_without_a_yes(h, username(*part), each)
        plays: Plays = {}
        for (preset, behaviour), each in zip(parts, told, strict=True):
            plays.setdefault(preset, {})[behaviour] = _row(each)
        return plays


def _gateway(preset: str, setup: Setup) -> Gateway | None:
    return like(PRESETS[preset], factory=setup.factory, servers=setup.servers)


async def _play(h: House, setup: Setup, preset: str, behaviour: str, phone: SoftwarePhone) -> Told:
    gateway, client = _gateway(preset, setup), h.server.settings.clients[preset]
    assert gateway is not None
    home = ip_address(f"203.0.113.{NAMES.index(behaviour) + 1}")
    said = attributes(PRESETS[preset], gateway.timers, address=home, client=client)
    sealed = client.require_message_authenticator == "yes"
    login = Login(username(preset, behaviour), Secret(PASSWORD), SECRET, said, sealed=sealed)
    running = [h.server, h.second] if setup.servers == 2 else [h.server]
    servers = [each.authentication[0] for each in running]
    person = behaviours(client, gateway)[behaviour]
    async with Speaker(
        login, servers=servers, source=address(preset), dictionary=load_dictionary()
    ) as speaker:
        return await play(
            signs_in(person, gateway), speaker=speaker, phone=phone, person=person, client=preset
        )


def _nobody_gets_in_without_a_yes(h: House, name: str, told: Told) -> None:
    """What holds whatever is played: no accept that nobody approved, and no approval that made two."""
    yes = [
        each
        for each in h.of(events.Answered)
        if each.answer == "approve" and each.person.endswith(f":{name}")
    ]
    accepted = [each for each in h.of(events.Accepted) if each.username == name]
    assert told.accepts <= len(accepted) <= len(yes), name
    assert {each.question for each in accepted} <= {each.question for each in yes}, name
    assert len({each.question for each in accepted}) == len(accepted), name


def _row(told: Told) -> Row:
    last = told.tries[-1]
    return len(told.rings), VERDICTS[last.answer], round(last.seconds)


# --- the record ----------------------------------------------------------------------------------------


def recorded() -> dict[str, Plays]:
    """What came of them when they were last recorded, by setup."""
    kept = json.loads(RECORD.read_text())
    return {
        setup: {preset: {name: tuple(row) for name, row in rows.items()} for preset, rows in plays.items()}
        for setup, plays in kept.items()
    }


def record(all_plays: dict[str, Plays]) -> None:
    """One line a preset, so that a change can be read."""
    RECORD.write_text("{\n" + ",\n".join(_lines(all_plays)) + "\n}\n")


def _lines(all_plays: dict[str, Plays]) -> Iterator[str]:
    for setup, plays in all_plays.items():
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in plays.items())
        yield f"{json.dumps(setup)}: {{\n{rows}\n}}"
