"""`radius-push enroll`: what the issuer sees, types and gets."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import click
import pytest
import segno
from click.testing import CliRunner

from radius_push import enrollment
from radius_push.cli.enroll import answers, enroll
from radius_push.cli.invitation import Card, plain, qr
from radius_push.model import Person, PersonKey
from radius_push.shapes import Endpoint
from radius_push.store.sqlite import SqliteStore
from tests.cli.enrolling import KEY, SETTINGS, URL, Verb, open_again, redeem, write_settings
from tests.store.making import add_phone


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_settings(tmp_path)


@asynccontextmanager
async def enrolling(config: Path, *words: str) -> AsyncIterator[tuple[Verb, SqliteStore]]:
    """The verb in a process of its own, and the store that it shares with us."""
    store = open_again(config)
    verb = await Verb.start(config, *words)
    try:
        yield verb, store
    finally:
        if verb.process.returncode is None:
            verb.process.kill()
            await verb.process.wait()
        await store.close()


async def test_the_code_of_the_phone_typed_here_makes_it_trusted(config: Path) -> None:
    async with enrolling(config, "ALICE") as (verb, store):
        shown = await verb.value()
        assert shown["page"] == URL
        assert shown["person"] == "staff:alice"
        assert 0 < shown["expires_at"] - time.time() <= 600
        token = shown["link"].removeprefix(f"{URL}/#enrol=")
        redeemed = await redeem(config, store, token, now=time.time())
        assert redeemed.invitation == shown["invitation"]
        code = enrollment.confirmation_code(redeemed.invitation, KEY)
        wrong = "000000" if code != "000000" else "000001"
        verb.type("12345", "what?", wrong, f"{code[:3]} {code[3:]}")
        assert await verb.value() == {"result": "confirmed", "device": "d1", "name": "Pixel 7"}
        exit_code, said = await verb.end()
        assert exit_code == 0
        assert said.count("Those are not six digits.") == 2
        assert "Tries left: 4" in said
        assert token not in said
        assert [device.id for device in await store.devices_of(redeemed.device.person)] == ["d1"]
        issuers = [fields["by"] async for *_, fields in store.evidence() if "by" in fields]
        assert issuers == ["carol", "carol"]


@pytest.mark.slow
async def test_five_wrong_codes_end_it_with_no(config: Path) -> None:
    async with enrolling(config, "alice") as (verb, store):
        shown = await verb.value()
        redeemed = await redeem(config, store, shown["code"], now=time.time())
        right = enrollment.confirmation_code(redeemed.invitation, KEY)
        verb.type(*["000000" if right != "000000" else "000001"] * 5)
        assert (await verb.value())["result"] == "given_up"
        exit_code, said = await verb.end()
        assert exit_code == 1
        assert "Too many wrong codes" in said
        assert await store.devices() == []


@pytest.mark.slow
async def test_without_confirming_the_phone_is_trusted_and_the_evidence_says_so(config: Path) -> None:
    async with enrolling(config, "alice", "--no-confirm") as (verb, store):
        await redeem(config, store, (await verb.value())["code"], now=time.time())
        assert (await verb.value())["result"] == "confirmed"
        assert (await verb.end())[0] == 0
        issuers = [fields["by"] async for *_, fields in store.evidence() if "by" in fields]
        assert issuers == ["carol", "carol, without a code"]


@pytest.mark.slow
async def test_leaving_withdraws_nothing_and_says_so(config: Path) -> None:
    async with enrolling(config, "alice") as (verb, store):
        shown = await verb.value()
        verb.process.send_signal(signal.SIGINT)
        assert (await verb.value())["result"] == "left"
        exit_code, said = await verb.end()
        assert exit_code == 2
        assert "Nothing was withdrawn" in said
        await redeem(config, store, shown["code"], now=time.time())


def test_whether_anybody_serves_phones_is_found_out_before_the_person_is_sent_there() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        here = Endpoint(ip_address("127.0.0.1"), listener.getsockname()[1])
        assert not answers(here)
        listener.listen()
        assert answers(here)


# --- what stops it before an invitation is made --------------------------------------------------------


def run(config: Path, *words: str) -> tuple[int, str]:
    ended = CliRunner().invoke(enroll, ["--config", str(config), *words])
    return ended.exit_code, ended.output


def test_whom_nobody_knows_gets_none(config: Path) -> None:
    assert run(config, "mallory") == (1, "nobody knows 'mallory'; asked: staff, admins\n")


def test_only_the_directory_named_is_asked(config: Path) -> None:
    words = ("zoe", "--authentication-profile", "staff")
    assert run(config, *words) == (1, "nobody knows 'zoe'; asked: staff\n")


def test_a_directory_that_is_not_there_cannot_be_named(config: Path) -> None:
    exit_code, said = run(config, "alice", "--authentication-profile", "corp")
    assert exit_code == 2
    assert "there is no authentication profile 'corp'" in said


def test_a_directory_that_is_down_is_not_passed_over(config: Path) -> None:
    ldap = (
        "authentication_profiles:\n  corp: {type: ldap, urls: ['ldap://127.0.0.1:1'], base_dn: dc=example, "
        "bind_dn: cn=x, bind_password: y, clear_text: accepted}"
    )
    config.write_text(SETTINGS.replace("authentication_profiles:", ldap, 1))
    exit_code, said = run(config, "alice")
    assert exit_code == 2
    assert said.startswith("corp could not be asked")


def test_mistakes_in_the_settings_are_said(config: Path) -> None:
    config.write_text(SETTINGS.replace("methods:", "metods:", 1))
    exit_code, said = run(config, "alice")
    assert exit_code == 2
    assert "metods" in said


def test_a_store_that_cannot_be_used_is_said(config: Path) -> None:
    (config.parent / "state").touch()
    exit_code, said = run(config, "alice")
    assert exit_code == 2
    assert "cannot be made" in said


async def test_phones_stay_with_the_address_they_were_enrolled_at(config: Path) -> None:
    store = open_again(config)
    await add_phone(store)
    await store.close()
    exit_code, said = await asyncio.to_thread(run, config, "alice")
    assert exit_code == 2
    assert said.startswith(f"phones were enrolled at https://mfa.example.com, and {config} now says {URL}")


async def test_who_has_as_many_phones_as_allowed_is_told_which_verb_helps(config: Path) -> None:
    store = open_again(config)
    alice = PersonKey("staff", "alice")
    await add_phone(store, "d1", alice)
    await add_phone(store, "d2", alice)
    await store._write(lambda rows: rows.execute("UPDATE meta SET value = ?", URL).rowcount)
    await store.close()
    exit_code, said = await asyncio.to_thread(run, config, "alice")
    assert exit_code == 1
    assert "alice has 2 phones already" in said
    assert "radius-push devices remove ID" in said


# --- how it looks --------------------------------------------------------------------------------------


def test_the_qr_code_on_the_terminal_is_the_link() -> None:
    link = f"{URL}/#enrol={'A' * 22}"
    light = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1), " ": (0, 0)}
    lines = [line.removeprefix("\x1b[97;40m").removesuffix("\x1b[0m") for line in qr(link).splitlines()]
    pairs = [[light[character] for character in line] for line in lines]
    modules = [[1 - pair[half] for pair in row] for row in pairs for half in (0, 1)]
    code = segno.make(link, error="m", micro=False)
    wanted = [list(row) for row in code.matrix_iter(border=2)]
    assert modules[: len(wanted)] == wanted


def card(page: str) -> str:
    """What a person reads."""
    shown = enrollment.Shown("i1", token="A" * 22, code="N4EK-AP0K", expires_at=0.0)
    person = Person(PersonKey("staff", "alice"), "alice", "alice", {})

    @click.command()
    def show() -> None:
        Card(as_json=False, page=page).show(person, shown, link=f"{page}/#enrol=A")

    return CliRunner().invoke(show).output


def test_a_page_that_only_this_machine_has_is_not_to_be_scanned() -> None:
    said = card("http://localhost:8443")
    assert "Scan" not in said
    assert "  Open it in a browser on this machine:  http://localhost:8443/#enrol=A\n" in said
    assert "`ssh -L 8443:localhost:8443 SERVER`" in said
    assert "`ssh -L 8443:[::1]:8443 SERVER`" in card("http://[::1]:8443")
    assert "Scan this with the phone" in card("https://mfa.example.com")


def test_what_comes_from_elsewhere_cannot_play_with_the_terminal() -> None:
    assert plain("\x1b[2Jzoë\u202e\n") == "?[2Jzoë??"
