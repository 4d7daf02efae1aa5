"""`radius-push enroll --mail` for one and for many: real people in slapd, a real mail server, real mails."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from radius_push import enrollment, events
from radius_push.cli.enroll import enroll
from radius_push.settings import load
from radius_push.store.keys import keys_folder, load_keys
from radius_push.store.sqlite import SqliteStore
from tests.cli.enrolling import HASH, KEY, URL, Verb, open_again
from tests.directory.conftest import slapd as slapd
from tests.directory.slapd import GROUPS, PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd, group
from tests.notify.peer import MailPeer, mail_peer

SETTINGS = """\
server:
  store: sqlite://state/state.db
  listen:
    authentication: ["127.0.0.1:0"]
    phone: {{address: "127.0.0.1:8443", url: "{page}"}}
  mail: {{host: 127.0.0.1, port: {port}, security: none, from: vpn@example.test}}
methods: {{push: {{}}}}
clients: {{fw: {{addresses: [127.0.0.1], secret: testing123, profiles: [staff-push]}}}}
authentication_profiles:
  corp: {{type: ldap, urls: ["{url}"], base_dn: "{people}", bind_dn: "{service}", bind_password: "{password}",
    group_base_dn: "{groups}", ca_file: "{ca}", start_tls: yes}}
  local:
    type: local
    users:
      lea: {{password_hash: "{hash}", email: lea@example.test, group_name: [helpdesk, vpn-admins]}}
      leo: {{password_hash: "{hash}", email: "leo@example.test, eve@example.test", group_name: helpdesk}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [corp, local], timeout: 20s}}
"""


def write(folder: Path, slapd: Slapd, port: int) -> Path:
    path = folder / "radius-push.yaml"
    text = SETTINGS.format(
        page=URL, port=port, url=slapd.url, people=PEOPLE, service=SERVICE_DN, password=SERVICE_PASSWORD,
        groups=GROUPS, ca=slapd.ca_file, hash=HASH,
    )  # fmt: skip
    path.write_text(text)
    return path


async def run(config: Path, *words: str, typed: str = "") -> tuple[int, str]:
    """In a thread, so that the mail server of this loop can answer."""

    def invoke() -> tuple[int, str]:
        ended = CliRunner().invoke(enroll, ["--config", str(config), *words], input=typed)
        return ended.exit_code, ended.output

    return await asyncio.to_thread(invoke)


async def results(config: Path, *words: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    exit_code, said = await run(config, *words, "--json")
    *people, last = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return exit_code, {each["user"]: each["result"] for each in people}, last


def link_in(peer: MailPeer, to: str) -> str:
    (mail,) = [mail for mail in peer.mails if mail["To"] == to]
    found = re.search(rf"{URL}/#enrol=([A-Za-z0-9_-]{{22}})\s", mail.get_content())
    assert found, mail.get_content()
    return found[1]


async def come(config: Path, store: SqliteStore, token: str, *, proved: bool = True) -> object:
    keys = load_keys(keys_folder(Path(load(config, environ={}).store)), create=False)
    return await enrollment.redeem(
        store, token_or_code=token, public_key=KEY, name="Pixel 7", device_id="d1", pepper=keys.pepper,
        devices_per_user=2, origin=URL, now=time.time(), proved=proved,
    )  # fmt: skip


async def test_a_mail_goes_out_the_phone_waits_and_the_code_is_typed_later(
    tmp_path: Path, slapd: Slapd
) -> None:
    async with mail_peer() as peer:
        config = write(tmp_path, slapd, peer.port)
        assert (await run(config, "--pending"))[0] == 2  # no store yet
        exit_code, said = await run(config, "ALICE", "--mail")
        assert exit_code == 0, said
        assert "alice: sent, until" in said
        token = link_in(peer, "alice@example.test")
    shown = json.loads((await run(config, "--pending", "--json"))[1])
    assert (shown["how"], shown["state"]) == ("mailed", "not_come")
    assert 3 * 86400 - 60 < shown["expires_at"] - time.time() <= 3 * 86400
    store = open_again(config)
    assert await come(config, store, token, proved=False) == enrollment.Refused("password_needed")
    redeemed = await come(config, store, token)
    assert isinstance(redeemed, enrollment.Redeemed)
    assert "'Pixel 7' waits for its code" in (await run(config, "--pending"))[1]
    code = enrollment.confirmation_code(redeemed.invitation, KEY)
    wrong = "000000" if code != "000000" else "000001"
    exit_code, said = await run(config, "--confirm", "alice", typed=f"{wrong}\n{code}\n")
    assert exit_code == 0, said
    assert "Tries left: 4" in said
    assert [device.id for device in await store.devices_of(redeemed.device.person)] == ["d1"]
    assert (await run(config, "--pending"))[1] == "Nobody is invited.\n"
    assert (await run(config, "--confirm", "alice"))[0] == 1
    await store.close()


async def test_a_group_is_invited_and_who_has_a_phone_or_an_invitation_is_left_in_peace(
    tmp_path: Path, slapd: Slapd
) -> None:
    admin = slapd.admin()
    inner, outer = group("inner", "zoe"), group("outer", "alice", "bob")
    outer[2]["member"] += [inner[0], f"uid=gone,{PEOPLE}"]
    for dn, classes, attributes in (inner, outer):
        assert admin.add(dn, classes, attributes), admin.result
    admin.unbind()
    async with mail_peer() as peer:
        config = write(tmp_path, slapd, peer.port)
        exit_code, people, last = await results(config, "--group", "outer", "--mail", "--dry-run")
        assert (exit_code, people) == (0, {"alice": "would_send", "bob": "would_send"})
        assert len(last["left_out"]) == 2
        assert peer.mails == []
        exit_code, people, _ = await results(config, "--group", f"cn=outer,{GROUPS}", "--mail")
        assert (exit_code, people) == (0, {"alice": "sent", "bob": "sent"})
        assert peer.sessions == 1
        store = open_again(config)
        assert isinstance(await come(config, store, link_in(peer, "bob@example.test")), enrollment.Redeemed)
        (device,) = await store.devices()
        await enrollment.confirm_unseen(store, device.invitation, by="test", now=time.time())
        await store.close()
        exit_code, people, _ = await results(config, "--group", "outer", "--mail")
        assert (exit_code, people) == (0, {"alice": "invited_before", "bob": "has_phone"})
        _, said = await run(config, "--group", "outer", "--mail")
        assert said.endswith("\n2 people: 1 invited before, 1 with a phone already\n")
        _, people, _ = await results(config, "--group", "outer", "--mail", "--again")
        assert people == {"alice": "sent", "bob": "sent"}


async def test_groups_that_are_not_one_group_are_named(tmp_path: Path, slapd: Slapd) -> None:
    config = write(tmp_path, slapd, 1)
    exit_code, said = await run(config, "--group", "twin", "--mail")
    assert exit_code == 1
    assert "two groups are called 'twin': cn=twin,ou=east" in said
    assert "Nothing was sent." in said
    exit_code, said = await run(config, "--group", "nobody", "--mail")
    assert "no group under group_base_dn is called 'nobody'" in said
    assert "no local user has group_name 'nobody'" in said


async def test_local_users_and_an_address_that_is_none(tmp_path: Path, slapd: Slapd) -> None:
    async with mail_peer() as peer:
        config = write(tmp_path, slapd, peer.port)
        exit_code, people, _ = await results(config, "--group", "HelpDesk", "--mail", "--no-confirm")
        assert (exit_code, people) == (1, {"lea": "sent", "leo": "no_address"})
        assert peer.recipients == ["lea@example.test"]
        store = open_again(config)
        redeemed = await come(config, store, link_in(peer, "lea@example.test"))
        assert isinstance(redeemed, enrollment.Redeemed)
        assert redeemed.device.state.value == "active"
        await store.close()


async def test_a_file_with_a_mistake_sends_nothing_and_names_the_line(tmp_path: Path, slapd: Slapd) -> None:
    names = tmp_path / "people.txt"
    names.write_text("# new people\n\nalice\nmallory # who?\nbob\nalice\n")
    file = ("--from-file", str(names), "--mail")
    async with mail_peer() as peer:
        config = write(tmp_path, slapd, peer.port)
        exit_code, said = await run(config, *file)
        assert exit_code == 1
        assert f"{names}:4: nobody knows 'mallory'" in said
        assert peer.mails == []
        exit_code, people, last = await results(config, *file, "--skip-unknown")
        assert (exit_code, people) == (1, {"alice": "sent", "bob": "sent"})
        assert last["left_out"] == [f"{names}:4: nobody knows 'mallory'"]


async def test_a_mail_that_is_not_taken_leaves_no_invitation_behind(tmp_path: Path, slapd: Slapd) -> None:
    async with mail_peer() as peer:
        config = write(tmp_path, slapd, peer.port)
    exit_code, people, _ = await results(config, "alice", "--mail")
    assert (exit_code, people) == (1, {"alice": "failed"})
    assert (await run(config, "--pending"))[1] == "Nobody is invited.\n"
    store = open_again(config)
    assert [kind async for _, _, kind, _ in store.evidence()] == ["invited", "invitation_withdrawn"]
    await store.close()


@pytest.mark.slow
async def test_a_shown_invitation_remembers_where_its_person_is_written_to(
    tmp_path: Path, slapd: Slapd
) -> None:
    config = write(tmp_path, slapd, 1)
    verb = await Verb.start(config, "alice", "--no-confirm")
    shown = await verb.value()
    store = open_again(config)
    await come(config, store, shown["code"])
    assert (await verb.value())["result"] == "confirmed"
    assert (await verb.end())[0] == 0
    (mail,) = await store.mails_to_send(at=time.time(), until=time.time(), most=9)
    assert (mail.address, mail.kind) == ("alice@example.test", "device_added")
    await store.mail_sent(mail, at=time.time(), event=events.Sent("x"))
    await store.close()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["alice", "--group", "x", "--mail"],
        ["--group", "x"],
        ["--from-file", "x"],
        ["alice", "--again"],
        ["alice", "--mail", "--skip-unknown"],
        ["--pending", "alice"],
        ["--pending", "--mail"],
        ["--confirm"],
        ["--pending", "--confirm", "alice"],
    ],
)
def test_words_that_do_not_go_together_are_said(tmp_path: Path, words: list[str]) -> None:
    ended = CliRunner().invoke(enroll, ["--config", str(tmp_path / "x.yaml"), *words])
    assert ended.exit_code == 2
    assert "Error:" in ended.output


async def test_links_to_this_machine_leave_it_to_nobody(tmp_path: Path) -> None:
    config = tmp_path / "radius-push.yaml"
    text = SETTINGS.format(
        page=URL, port=9, url="ldaps://127.0.0.1:9", people=PEOPLE, service=SERVICE_DN, groups=GROUPS,
        password=SERVICE_PASSWORD, ca="", hash=HASH,
    ).replace(', ca_file: "", start_tls: yes', "")  # fmt: skip
    config.write_text(
        text.replace("host: 127.0.0.1, port: 9", "host: mail.example.test, clear_text: accepted")
    )
    exit_code, said = await run(config, "--group", "helpdesk", "--mail")
    assert exit_code == 2
    assert f"server.listen.phone.url: {URL} is of this machine alone, and no phone can open a link" in said
    assert "name the https address that phones reach" in said
    assert said.endswith("Nothing was sent.\n")


async def test_who_tries_it_with_a_mail_server_on_this_machine_is_told(tmp_path: Path, slapd: Slapd) -> None:
    async with mail_peer() as peer:
        config = write(tmp_path, slapd, peer.port)
        exit_code, said = await run(config, "alice", "--mail")
        assert exit_code == 0
        assert f"server.listen.phone.url: {URL} is of this machine alone" in said
        assert len(peer.mails) == 1
        config.write_text(config.read_text().replace(URL, "https://mfa.example.test"))
        exit_code, said = await run(config, "bob", "--mail")
        assert "of this machine alone" not in said
