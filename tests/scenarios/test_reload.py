"""Other settings while logins are held: nobody is dropped, and everybody is decided again."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import ProofName, Reason
from radius_push.server import NeedsRestart
from radius_push.settings import load
from tests.scenarios.house import ACCEPT, PASSWORD, REJECT, SETTINGS, House, house
from tests.scenarios.turned import run


async def change(h: House, folder: Path, *pairs: tuple[str, str]) -> tuple[str, ...]:
    """Edit the settings file as an admin does, and reload."""
    file = folder / "radius-push.yaml"
    text = file.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    return await h.server.reload(load(file, environ={}))


MEANWHILE = {
    "another time-out": (
        [("timeout: 45s", "timeout: 40s")],
        ACCEPT,
    ),
    "another reply": ([("Session-Timeout: 3600", "Session-Timeout: 60")], REJECT),
    "the policy is gone": ([("values: [IT]", "values: [Finance]")], REJECT),
    "the profile changed its name": ([("staff-push", "other-push")], REJECT),
    "its secret was taken away": (
        [
            (
                'fw1: {addresses: [127.0.0.1], secret: "a-secret',
                'fw1: {addresses: [127.0.0.1], secret: "another',
            )
        ],
        REJECT,
    ),
    "its secret is one of two now": (
        [
            (
                'fw1: {addresses: [127.0.0.1], secret: "a-secret-of-22-octets!"',
                'fw1: {addresses: [127.0.0.1], secret: ["new-secret-of-22-octets", "a-secret-of-22-octets!"]',
            )
        ],
        ACCEPT,
    ),
    "the client is another one": ([("fw1:", "fw2:")], REJECT),
    "the client lists it no more": (
        [
            ("profiles: [lab-alone]", "profiles: [staff-push, lab-alone]"),
            ("profiles: [staff-push], patience", "profiles: [lab-alone], patience"),
        ],
        REJECT,
    ),
}


@pytest.mark.parametrize(("pairs", "code"), MEANWHILE.values(), ids=MEANWHILE)
def test_a_held_login_is_decided_again_at_its_approval(
    tmp_path: Path, pairs: list[tuple[str, str]], code: int
) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask())
            card = await phone.next_question(seconds=10)
            await change(h, tmp_path, *pairs)
            await phone.answer(card, approve=True)
            reply = await asking
            assert reply is not None
            assert reply.code == code
            assert [e.reason for e in h.of(events.Rejected)] == (
                [] if code == ACCEPT else [Reason.DECIDED_OTHERWISE]
            )

    run(story())


def test_new_logins_are_decided_by_the_new_settings_and_the_change_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone("bob")
            refused = await h.ask("bob")
            assert refused is not None
            assert refused.code == REJECT
            changes = await change(h, tmp_path, ("values: [IT]", "values: [IT, Sales]"))
            assert changes == ("policies.staff may: changed (conditions)",)
            assert h.of(events.SettingsLoaded) == [events.SettingsLoaded(changes)]
            asking = asyncio.ensure_future(h.ask("bob"))
            await phone.answer_next(approve=True, seconds=30)
            reply = await asking
            assert reply is not None
            assert reply.code == ACCEPT

    run(story())


def test_a_changed_secret_is_right_at_once_and_never_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            changes = await change(h, tmp_path, ("a-secret-of-22-octets!", "other-secret-22-octets"))
            assert changes == ("clients.fw1: changed (secrets)", "clients.lab: changed (secrets)")
            assert await h.ask("nobody", timeout=30) is None
            assert h.server.counters["not_authentic"] == 1

    run(story())


def test_what_only_a_restart_can_change_changes_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            before = h.server.settings
            with pytest.raises(NeedsRestart, match=r"server\.store"):
                await change(h, tmp_path, ("state/", "elsewhere/"), ("values: [IT]", "values: [Sales]"))
            assert h.server.settings is before
            assert h.of(events.SettingsLoaded) == []

    run(story())


def test_a_directory_that_changed_is_closed_when_nobody_can_be_asking_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            old = h.server.directories["staff"]
            await change(h, tmp_path, ("department: Sales", "department: IT"))
            assert h.server.directories["staff"] is not old
            await asyncio.sleep(61)
            reply = await h.ask("bob")
            assert reply is not None
            assert [e.reason for e in h.of(events.Rejected)] == [Reason.NOT_ENROLLED]

    run(story())


def test_a_trusted_proxy_is_named_while_the_server_runs(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            changes = await change(
                h, tmp_path, ("  enrollment:", "  trusted_proxies: [10.0.1.0/28]\n  enrollment:")
            )
            assert changes == ("server.trusted_proxies: changed",)
            assert h.server._phones is not None
            assert h.server._phones._side is not None
            assert h.server._phones._side._proxies.trusts(ip_address("10.0.1.1"))

    run(story())


ACME = "VENDOR Acme 4242\nBEGIN-VENDOR Acme\nATTRIBUTE Acme-Role 1 string\nEND-VENDOR Acme\n"


def test_a_dictionary_file_is_read_at_start_and_again_at_each_reload(tmp_path: Path) -> None:
    (tmp_path / "dictionary.acme").write_text(ACME)
    text = SETTINGS.replace("server:\n", "server:\n  dictionaries: [dictionary.acme]\n", 1)
    text = text.replace("Session-Timeout: 3600", "Acme-Role: staff", 1)

    async def story() -> None:
        async with house(tmp_path, settings=text) as h:
            phone = await h.phone()
            for number in (1, 7):
                asking = asyncio.ensure_future(h.ask())
                await phone.answer_next(approve=True, seconds=30)
                reply = await asking
                assert reply is not None
                assert (reply.code, reply.attributes.get(f"Attr-26.4242.{number}")) == (ACCEPT, (STAFF,))
                # The file changes, and the settings that name it stay as they were.
                (tmp_path / "dictionary.acme").write_text(ACME.replace("Acme-Role 1", "Acme-Role 7"))
                changes = await change(h, tmp_path)
                assert changes == (("server.dictionaries: changed",) if number == 1 else ())

    run(story())


STAFF = "0x" + b"staff".hex()


@pytest.mark.parametrize(
    ("pair", "proof", "sealed"),
    [
        (("accepts: [pap, chap]", "accepts: [pap]"), "chap", True),
        (("require_message_authenticator: no", "require_message_authenticator: yes"), "pap", False),
    ],
)
def test_a_held_login_must_still_be_one_that_its_client_may_send(
    tmp_path: Path, pair: tuple[str, str], proof: ProofName, sealed: bool
) -> None:
    async def story() -> None:
        settings = SETTINGS.replace(
            "patience: 60s", "patience: 60s, accepts: [pap, chap], require_message_authenticator: no"
        ).replace(
            "{users}\n", f"{{users}}\n      carol: {{{{clear_password: {PASSWORD}, department: IT}}}}\n"
        )
        async with house(tmp_path, settings=settings) as h:
            phone = await h.phone("carol")
            asking = asyncio.ensure_future(h.ask("carol", proof=proof, message_authenticator=sealed))
            card = await phone.next_question(seconds=10)
            await change(h, tmp_path, pair)
            await phone.answer(card, approve=True)
            reply = await asking
            assert reply is not None
            assert reply.code == REJECT
            assert [e.reason for e in h.of(events.Rejected)] == [Reason.DECIDED_OTHERWISE]

    run(story())


def test_a_password_that_was_wrong_is_right_as_soon_as_the_settings_say_so(tmp_path: Path) -> None:
    async def story() -> None:
        users = "{users}\n      carol: {{clear_password: the first one, department: IT}}\n"
        async with house(tmp_path, settings=SETTINGS.replace("{users}\n", users)) as h:
            before = await h.ask("carol", "the second one", source="127.0.0.3")
            await change(h, tmp_path, ("the first one", "the second one"))
            after = await h.ask("carol", "the second one", source="127.0.0.3")
            assert before is not None
            assert after is not None
            assert (before.code, after.code) == (REJECT, ACCEPT)

    run(story())
