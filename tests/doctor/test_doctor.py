"""`radius-push doctor`, as an admin runs it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from radius_push.cli.doctor import doctor, in_words
from radius_push.doctor import Doors, Finding, Line, Patient, apps, at_home, examine
from radius_push.doctor.apps import NAME_ONE
from radius_push.doctor.reaching import try_line
from radius_push.events import PushChanged
from radius_push.model import Secret
from radius_push.ports import Clock
from radius_push.push_shapes import NO_APPS, Push
from radius_push.server import LoopClock
from radius_push.settings import Checked, load_with_places
from radius_push.waking import AppAddress, Delivered, Gone, Outcome, Refused, Unreachable
from tests.cli.enrolling import open_again, write_settings
from tests.doctor.everything import APNS, FCM
from tests.push.site import open_site
from tests.store.making import NOW, add_phone

PUSH = Push(apns=APNS, fcm=FCM)
CANARY = "device-token-canary"


class Service:
    """Both doors in one: says what it is told to."""

    def __init__(self, outcome: Outcome, *, hangs: bool = False) -> None:
        self.outcome = outcome
        self.hangs = hangs
        self.asked: list[Secret | None] = []

    async def try_out(self, token: Secret | None) -> Outcome:
        self.asked.append(token)
        if self.hangs:
            await asyncio.Event().wait()
        return self.outcome

    async def close(self) -> None:
        pass


def nowhere(host: str, port: int) -> list[str]:
    raise OSError("no name server in a test")


def found_of(found: list[Finding], about: str) -> list[Finding]:
    return [each for each in found if each.about == about]


async def run(config: Path, *words: str, typed: str = "") -> tuple[int, str]:
    arguments = ["--config", str(config), *words]
    ended = await asyncio.to_thread(CliRunner().invoke, doctor, arguments, input=typed)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended.exit_code, ended.output


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_most_here(line: Line, host: str, **how: object) -> Finding:
        if host != "localhost":
            return Finding("ok", line.channel, f"{host}: not tried in a test")
        return await try_line(line, host, proxy=None, matters=bool(how["matters"]))

    monkeypatch.setattr("radius_push.doctor.try_line", at_most_here)


async def test_a_server_that_is_well_is_well(tmp_path: Path) -> None:
    async with open_site(tmp_path, push_service="http://localhost:1") as site:
        exit_code, said = await run(Path(site.server.settings.file), "--json")
    found = [Finding(**json.loads(line)) for line in said.splitlines()]
    assert [each.what for about in ("store", "keys", "clock", "disk", "server", "phones")
            for each in found_of(found, about)] == ["ok"] * 6  # fmt: skip
    # The push service of the site, where nothing listens: no phone depends on it.
    assert [each.says for each in found if each.what == "warning" and "localhost:1" in each.says]
    assert exit_code == 0


async def test_mistakes_in_the_settings_are_wrong(tmp_path: Path) -> None:
    config = write_settings(tmp_path)
    config.write_text(config.read_text().replace("staff-push]", "nope]"))
    exit_code, said = await run(config)
    assert exit_code == 1
    assert "no profile is called nope" in said
    assert await run(tmp_path / "none.yaml") == (2, f"{tmp_path / 'none.yaml'}: there is no such file\n")


async def test_a_line_in_words_has_its_mend() -> None:
    assert in_words(Finding("wrong", "mail", "refused", "start it")) == (
        "WRONG  mail: refused\n       -> start it"
    )
    assert in_words(Finding("ok", "mail", "fine", "")) == "ok     mail: fine"


# --- at home ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def checked(folder: Path, push: Push = NO_APPS) -> AsyncIterator[Checked]:
    """Settings whose store is there, with a phone in it."""
    config = write_settings(folder)
    store = open_again(config)
    await add_phone(store, "d1")
    for channel in ("apns", "fcm"):
        address = AppAddress(
            "d1", "apns" if channel == "apns" else "fcm", Secret(f"{channel}-{CANARY}".encode())
        )
        event = PushChanged("corp-ldap:uuid-of-alice", "d1", channel, channel, by="phone")
        await store.keep_push_address(address, at=NOW, event=event)
    await store.close()
    found = load_with_places(config, environ={})
    found.settings = replace(found.settings, push=push, authentication_profiles={})
    yield found


async def test_a_server_that_was_killed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(process: int, signal: int) -> None:
        raise ProcessLookupError

    async with open_site(tmp_path, push_service="http://localhost:1") as site:
        monkeypatch.setattr("radius_push.doctor.at_home.os.kill", gone)
        (found,) = await at_home.look_at_servers(site.server.store, site.server.settings)
    assert (found.what, "ended without a word" in found.says) == ("wrong", True)


async def test_a_key_that_others_may_read_is_told(tmp_path: Path) -> None:
    async with open_site(tmp_path, push_service="http://localhost:1") as site:
        settings = site.server.settings
        key = Path(settings.store).parent / "keys" / "pepper"
        await asyncio.to_thread(key.chmod, 0o644)
        found = at_home.look_at_keys(settings)
    assert (found.what, "chmod 600" in found.says) == ("wrong", True)


async def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with checked(tmp_path) as good:
        for limit, what in (("TOO_LITTLE", "wrong"), ("LITTLE", "warning")):
            with monkeypatch.context() as m:
                m.setattr(at_home, limit, 2**70)
                assert at_home.look_at_disk(good.settings).what == what


async def test_a_clock_behind_the_evidence_is_told(tmp_path: Path) -> None:
    async with checked(tmp_path) as good:
        assert not [each for each in await told(good) if each.about == "clock" and each.what != "ok"]

        class Behind(LoopClock):
            def now(self) -> float:
                return NOW - 86400

        (found,) = found_of(await told(good, clock=Behind()), "clock")
    assert (found.what, "--trust-clock" in found.mend) == ("wrong", True)


async def test_without_a_store_nothing_is_made(tmp_path: Path) -> None:
    config = write_settings(tmp_path)
    before = await asyncio.to_thread(os.listdir, tmp_path)
    found = load_with_places(config, environ={})
    found.settings = replace(found.settings, authentication_profiles={})
    (store,) = found_of(await told(found), "store")
    assert (store.what, "is not there yet" in store.says) == ("warning", True)
    assert await asyncio.to_thread(os.listdir, tmp_path) == before


# --- apps ------------------------------------------------------------------------------------------------


async def told(
    good: Checked,
    doors: Doors = Doors(),  # noqa: B008  # frozen
    patient: Patient = Patient(),  # noqa: B008  # frozen
    clock: Clock | None = None,
) -> list[Finding]:
    return await examine(good, clock=clock or LoopClock(), doors=doors, patient=patient, look_up=nowhere)


async def test_apple_is_tried_only_with_a_phone_of_the_admins_choice(tmp_path: Path) -> None:
    apple, google = Service(Delivered()), Service(Delivered())
    async with checked(tmp_path, PUSH) as good:
        found = await told(good, Doors(apple, google))
    assert apple.asked == []
    assert google.asked == [None]
    assert Finding("warning", "apns", "no push was tried: Apple has no dry run", NAME_ONE) in found
    assert any(each.what == "ok" and "dry run of example-app" in each.says for each in found)


async def test_a_phones_kept_addresses_are_used_and_never_shown(tmp_path: Path) -> None:
    apple, google = Service(Delivered()), Service(Gone("Unregistered"))
    async with checked(tmp_path, PUSH) as good:
        found = await told(good, Doors(apple, google), Patient("d1"))
    assert [token and token.reveal() for token in (*apple.asked, *google.asked)] == [
        f"apns-{CANARY}".encode(),
        f"fcm-{CANARY}".encode(),
    ]
    assert CANARY not in str(found)
    assert [(each.what, each.about) for each in found if "knows us" in each.mend] == [("warning", "fcm")]


async def test_a_typed_token_takes_the_place_of_a_kept_one(tmp_path: Path) -> None:
    apple = Service(Delivered())
    async with checked(tmp_path, PUSH) as good:
        await told(good, Doors(apple, None), Patient("d1", Secret(b"typed")))
    assert [token and token.reveal() for token in apple.asked] == [b"typed"]


@pytest.mark.parametrize(
    "outcome", [Refused("APNs: key id ABCDEFGHIJ is not of team KLMNOPQRST"), Unreachable("no way", None)]
)
async def test_what_a_push_service_says_against_us_is_wrong(tmp_path: Path, outcome: Outcome) -> None:
    async with checked(tmp_path, PUSH) as good:
        found = await told(good, Doors(Service(outcome), Service(outcome)), Patient("d1"))
    wrong = [each for each in found if each.what == "wrong" and each.says == getattr(outcome, "detail", "")]
    assert [each.about for each in wrong] == ["apns", "fcm"]
    assert all(each.mend for each in wrong)


async def test_a_push_service_that_hangs_ends_with_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps, "SECONDS", 0.05)
    hanging = Service(Delivered(), hangs=True)
    async with checked(tmp_path, PUSH) as good:
        found = await told(good, Doors(hanging, hanging), Patient("d1"))
    assert [each.about for each in found if each.says.startswith("no answer within")] == ["apns", "fcm"]


async def test_a_token_comes_by_standard_input_alone(tmp_path: Path) -> None:
    config = write_settings(tmp_path)
    assert (await run(config, "--apns-token", CANARY))[0] == 2
    assert await run(config, "--apns-token", "-") == (2, "no device token on standard input\n")


async def test_a_phone_that_is_not_there_is_said(tmp_path: Path) -> None:
    exit_code, said = await run(write_settings(tmp_path), "--device", "nope")
    assert (exit_code, "there is no phone with the id nope" in said) == (2, True)
