"""The code that the person reads, on the phone and at the gateway, and what an admin makes of it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from radius_push import events
from radius_push.client import Reply
from radius_push.model import PROOFS, ProofName, Reason
from radius_push.observe.logins import of_code
from tests.scenarios.house import ACCEPT, REJECT, SETTINGS, House, house
from tests.scenarios.test_after_a_restart import site
from tests.scenarios.turned import run

SPOKEN = SETTINGS.replace("reply: {{", "reply: {{Reply-Message: Hello., ")
UNSEALED = SETTINGS.replace(
    "patience: 60s}",
    "patience: 60s, accepts: [pap, chap, ms-chapv2], require_message_authenticator: no}",
).replace("{users}\n", "{users}\n      carol: {{clear_password: correct horse, department: Sales}}\n")
SHAPE = re.compile(r"(.*) \(([0-9AC-HJKMNPQRTVWXY]{6})\)")


def said(reply: Reply | None) -> tuple[int, str, str]:
    """Code of the packet, text, trace code."""
    assert reply is not None
    (text,) = reply.attributes["Reply-Message"]
    found = SHAPE.fullmatch(text)
    assert found is not None, text
    return reply.code, found[1], found[2]


async def answered(h: House, *, approve: bool) -> tuple[str, Reply]:
    """The code on the phone, and what the gateway was told."""
    phone = h.phones[0] if h.phones else await h.phone()
    asking = asyncio.ensure_future(h.ask())
    card = await phone.next_question(seconds=30)
    await phone.answer(card, approve=approve)
    reply = await asking
    assert reply is not None
    return card["login"], reply


def test_the_phone_and_the_gateway_are_told_the_same_code(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SPOKEN, trace_codes=True) as h:
            code, reply = await answered(h, approve=True)
            assert said(reply) == (ACCEPT, "Hello.", code)
            code, reply = await answered(h, approve=False)
            assert said(reply) == (REJECT, "You said no.", code)
            assert (await of_code(h.server.store, code))[0].reason is Reason.DENIED

    run(story())


def test_an_accept_whose_policy_says_nothing_to_the_person_says_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, trace_codes=True) as h:
            _, reply = await answered(h, approve=True)
            assert (reply.code, set(reply.attributes)) == (ACCEPT, {"Filter-Id", "Session-Timeout"})

    run(story())


def test_where_groups_are_read_out_of_it_it_holds_the_groups_alone(tmp_path: Path) -> None:
    grouped = SETTINGS.replace("patience: 60s}", "patience: 60s, groups_in: {{attribute: Reply-Message}}}")
    grouped = grouped.replace("    reply: {{", "    groups: [staff]\n    reply: {{")

    async def story() -> None:
        async with house(tmp_path, settings=grouped, trace_codes=True) as h:
            _, reply = await answered(h, approve=True)
            assert reply.attributes["Reply-Message"] == ("staff",)
            code, reply = await answered(h, approve=False)
            assert said(reply) == (REJECT, "You said no.", code)

    run(story())


def test_a_client_can_do_without(tmp_path: Path) -> None:
    silent = SPOKEN.replace("patience: 60s}", "patience: 60s, trace_code: no}")

    async def story() -> None:
        async with house(tmp_path, settings=silent, trace_codes=True) as h:
            _, reply = await answered(h, approve=True)
            assert reply.attributes["Reply-Message"] == ("Hello.",)
            wrong = await h.ask("alice", "wrong")
            assert wrong is not None
            assert wrong.attributes["Reply-Message"] == ("Sign-in refused.",)

    run(story())


@pytest.mark.parametrize("proof", PROOFS)
def test_a_refusal_looks_the_same_whether_it_left_evidence_or_was_only_counted(
    tmp_path: Path, proof: ProofName
) -> None:
    """Else its look told an unsealed guesser which password was right, and whom no policy admits."""

    async def story() -> None:
        async with house(tmp_path, settings=UNSEALED, trace_codes=True) as h:
            replies = [
                await h.ask(name, password, proof=proof, message_authenticator=False)
                for name, password in (("carol", "correct horse"), ("carol", "wrong"), ("nobody", "wrong"))
            ]
            assert {said(reply)[:2] for reply in replies} == {(REJECT, "Sign-in refused.")}
            codes = [said(reply)[2] for reply in replies]
            assert len(set(codes)) == 3
            found = [bool(await of_code(h.server.store, code)) for code in codes]
            assert found == ([True] * 3 if proof == "pap" else [True, False, False])

    run(story())


def test_a_packet_that_comes_back_after_a_restart_is_told_the_code_of_its_question(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await s.restart(("trace_code: no", "trace_code: yes"))
            await gateway.send()
            card = await phone.next_question(seconds=10)
            await s.restart()
            await phone.answer(card, approve=False)
            assert await gateway.send(seconds=1) == [REJECT]
            assert b"You said no. (%s)" % card["login"].encode() in gateway.wire.heard[-1]

    run(story())


# --- what else the timeline is told ----------------------------------------------------------------------


def test_packets_that_came_again_while_it_was_held_are_one_row(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask(timeout=5, tries=5))
            await h.until(events.Asked)
            await asyncio.sleep(12)
            await phone.answer_next(approve=True, seconds=30)
            assert await asking is not None
            await h.until(events.Repeated)
            (repeated,) = h.of(events.Repeated)
            asked = h.of(events.Asked)[0]
            assert (repeated.login, repeated.times) == (asked.login, 2)
            assert repeated.last_at == pytest.approx(asked.arrived_at + 10, abs=0.1)

    run(story())


def test_repeats_of_what_is_only_counted_are_only_counted(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=UNSEALED) as h:
            before = len(h.told)
            reply = await h.ask(
                "nobody", "x", proof="chap", message_authenticator=False, timeout=0.4, tries=5
            )
            assert reply is not None
            assert h.server.counters["duplicate"] == 2
            assert h.told[before:] == []

    run(story())


def test_each_device_that_was_given_the_question_is_one_row(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            one, other = await h.phone(), await h.phone()
            asking = asyncio.ensure_future(h.ask())
            card = await one.next_question(seconds=30)
            await one.next_question(seconds=30)
            woken = await other.says("/api/questions", "questions")
            assert [each["id"] for each in woken["questions"]] == [card["id"]]
            await one.answer(card, approve=True)
            assert await asking is not None
            await h.until(events.Shown, 2)
            await h.until(events.Sent)
            shown = {(each.device, each.by) for each in h.of(events.Shown)}
            assert shown == {
                (one.enrolled.device, "app"),
                (other.enrolled.device, "service_worker"),
            }
            assert len(h.of(events.Shown)) == 2
            assert {each.login for each in h.of(events.Shown)} == {card["login"]}

    run(story())


def test_the_evidence_says_which_packet_it_was(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            await h.ask("nobody")
            (rejected,) = h.of(events.Rejected)
            assert re.fullmatch(
                r"pap, from 127\.0\.0\.1 port \d+ by UDP, Identifier \d+, sealed", rejected.packet
            )

    run(story())
