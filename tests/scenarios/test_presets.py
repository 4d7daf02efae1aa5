"""A gateway's kind is one word in its settings: what it is told, and what its word is worth."""

from __future__ import annotations

import asyncio
from pathlib import Path

from radius_push import events
from radius_push.model import Reason
from tests.scenarios.house import ACCEPT, REJECT, SETTINGS, house
from tests.scenarios.turned import run

HOME, AWAY = "203.0.113.7", "198.51.100.7"
SITE = (
    SETTINGS.replace(
        "clients:\n",
        """clients:
  gp:
    addresses: [127.0.0.4]
    secret: "a-secret-of-22-octets!"
    profiles: [staff-push]
    preset: globalprotect
  sea: {{addresses: [127.0.0.5], secret: "a-secret-of-22-octets!", profiles: [sea-push], preset: softether}}
  many:
    addresses: [127.0.0.16/28]
    secret: "a-secret-of-22-octets!"
    profiles: [staff-push]
    groups_in: {{attribute: Filter-Id, form: "g={{groups}}"}}
""",
    )
    .replace("patience: 60s}}", "preset: fortigate}}")
    .replace(
        "profiles:\n  staff-push:",
        "profiles:\n"
        "  sea-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 45s}}\n"
        "  staff-push:",
    )
    .replace(
        "    attribute: department\n",
        f"    when: [{{{{user_address: [{HOME}]}}}}]\n"
        '    groups: [staff, "dept-{{department}}"]\n'
        "    attribute: department\n",
    )
    + "  - {{name: sea, profile: sea-push, authentication_profile: staff}}\n"
)


def test_groups_are_told_as_each_gateway_reads_them(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone = await h.phone()
            for source, sent, name in (
                ("127.0.0.1", "Calling-Station-Id", "Fortinet-Group-Name"),
                ("127.0.0.4", "PaloAlto-Client-Source-IP", "PaloAlto-User-Group"),
            ):
                asking = asyncio.ensure_future(h.ask(source=source, attributes=[(sent, HOME)]))
                card = await phone.next_question(seconds=30)
                assert card["address"] == HOME
                await phone.answer(card, approve=True)
                reply = await asking
                assert reply is not None
                assert reply.code == ACCEPT
                assert reply.attributes[name] == ("staff", "dept-IT")
                assert reply.attributes["Filter-Id"] == ("IT",)

    run(story())


def test_an_address_opens_nothing_where_its_gateway_does_not_put_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            await h.phone()
            for source, attributes in (
                ("127.0.0.4", [("Calling-Station-Id", HOME)]),
                ("127.0.0.4", [("PaloAlto-Client-Source-IP", AWAY), ("Calling-Station-Id", HOME)]),
                ("127.0.0.17", [("Calling-Station-Id", HOME)]),
            ):
                reply = await h.ask(source=source, attributes=attributes)
                assert reply is not None
                assert reply.code == REJECT
            assert not h.of(events.Asked)
            assert {event.reason for event in h.of(events.Rejected)} == {Reason.NO_POLICY}
            assert [event.address for event in h.of(events.Rejected)] == [HOME, AWAY, HOME]

    run(story())


def test_a_phone_has_what_an_impatient_gateway_leaves(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            await h.phone()
            loop = asyncio.get_running_loop()
            began = loop.time()
            reply = await h.ask(source="127.0.0.5")
            assert reply is not None
            assert reply.code == REJECT
            assert 9.5 < loop.time() - began < 10.5  # 15 s of SoftEther's, less 5 s

    run(story())
