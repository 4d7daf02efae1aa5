"""One no is enough: what rings a phone again after it, and what does not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from radius_push import events
from radius_push.client import Reply
from radius_push.model import ProofName, Reason
from radius_push.test_phone import SoftwarePhone
from tests.scenarios.house import ACCEPT, PASSWORD, REJECT, House, house
from tests.scenarios.test_after_a_restart import site
from tests.scenarios.test_proofs import OPEN, USERS
from tests.scenarios.turned import run

SAID_NO, NOBODY_TAPPED, REFUSED = "You said no.", "Nobody tapped in 45 s.", "Sign-in refused."
AUTO: tuple[ProofName, ...] = ("pap", "ms-chapv2", "chap")
"""What a FortiGate set to `auto` tries, one after the other, each after a reject."""
HOME, AWAY = "203.0.113.7", "198.51.100.9"
FW1, FW2 = "127.0.0.1", "127.0.0.5"

# carol can be proved by all three, and both gateways serve the same profile.
SITE = OPEN.replace("  lenient:", "  fw2:").replace("{users}\n", "{users}\n" + USERS)


async def tries(
    h: House,
    username: str = "carol",
    *,
    proof: ProofName = "pap",
    address: str | None = HOME,
    source: str = FW1,
) -> Reply:
    attributes: Sequence[tuple[str, str]] = [("Calling-Station-Id", address)] if address else []
    reply = await h.ask(username, proof=proof, attributes=attributes, source=source)
    assert reply is not None
    return reply


async def denied(h: House, phone: SoftwarePhone, **how: str | None) -> None:
    asking = asyncio.ensure_future(tries(h, **how))  # type: ignore[arg-type]
    await phone.answer_next(approve=False, seconds=30)
    assert told(await asking) == (REJECT, SAID_NO)


async def asked(h: House, phone: SoftwarePhone, **how: str | None) -> None:
    """The phone rings, and a yes lets them in."""
    asking = asyncio.ensure_future(tries(h, **how))  # type: ignore[arg-type]
    await phone.answer_next(approve=True, seconds=30)
    assert (await asking).code == ACCEPT


def told(reply: Reply) -> tuple[int, str]:
    return reply.code, reply.attributes["Reply-Message"][0]


def rings(h: House) -> int:
    return sum(asked.rings for asked in h.of(events.Asked))


def reasons(h: House) -> list[Reason]:
    return [event.reason for event in h.of(events.Rejected)]


# --- a deny ----------------------------------------------------------------------------------------------


def test_a_gateway_that_tries_three_protocols_rings_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone = await h.phone("carol")
            asking = asyncio.ensure_future(tries(h, proof=AUTO[0]))
            await phone.answer_next(approve=False, seconds=30)
            replies = [await asking, *[await tries(h, proof=proof) for proof in AUTO[1:]]]
            assert [told(reply) for reply in replies] == [(REJECT, SAID_NO)] * 3
            # The later ones at the moment of every refusal before the question.
            assert [round(reply.seconds, 1) for reply in replies[1:]] == [1.0, 1.0]
            assert len(h.of(events.Asked)) == 1
            assert reasons(h) == [Reason.DENIED, Reason.DENIED_BEFORE, Reason.DENIED_BEFORE]

    run(story())


def test_so_it_does_when_nobody_answers(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            await h.phone("carol")
            replies = [await tries(h, proof=proof) for proof in AUTO]
            assert [told(reply) for reply in replies] == [(REJECT, NOBODY_TAPPED)] * 3
            assert len(h.of(events.Asked)) == 1
            assert [joined.proof for joined in h.of(events.Joined)] == ["ms-chapv2", "chap"]
            assert reasons(h) == [Reason.TIMED_OUT] * 3
            await asyncio.sleep(31)
            assert told(await tries(h)) == (REJECT, NOBODY_TAPPED)
            assert reasons(h)[-1] is Reason.NOT_ANSWERED_BEFORE

    run(story())


def test_a_minute_after_the_no_the_phone_rings_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone = await h.phone("carol")
            await denied(h, phone)
            await asyncio.sleep(50)
            assert told(await tries(h)) == (REJECT, SAID_NO)
            await asyncio.sleep(10)
            # The muted try has made it no longer.
            await asked(h, phone)

    run(story())


def test_another_address_gateway_or_person_is_not_muted(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone, hers = await h.phone("carol"), await h.phone("alice")
            await denied(h, phone)
            await asked(h, phone, address=AWAY)
            await asked(h, phone, source=FW2)
            await asked(h, hers, username="alice")
            assert told(await tries(h)) == (REJECT, SAID_NO)

    run(story())


def test_another_password_is_another_attempt(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone = await s.h.phone("alice")
            await denied(s.h, phone, username="alice")
            file = tmp_path / "radius-push.yaml"
            line = next(each for each in file.read_text().splitlines() if each.startswith("      alice:"))
            await s.restart((line, "      alice: {clear_password: a new one of mine, department: IT}"))
            asking = asyncio.ensure_future(s.h.ask("alice", "a new one of mine"))
            await phone.answer_next(approve=True, seconds=30)
            reply = await asking
            assert reply is not None
            assert reply.code == ACCEPT

    run(story())


def test_without_an_address_a_no_counts_for_its_own_try_alone(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone = await h.phone("carol")
            await denied(h, phone, address=None)
            await asked(h, phone, address=None)

    run(story())


def test_a_wrong_password_is_refused_as_ever_and_learns_nothing_of_the_no(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone = await h.phone("carol")
            await denied(h, phone)
            reply = await h.ask("carol", "not it")
            assert reply is not None
            assert told(reply) == (REJECT, REFUSED)

    run(story())


@pytest.mark.parametrize("reason", [Reason.DENIED_BEFORE, Reason.NOT_ANSWERED_BEFORE])
def test_a_restart_keeps_the_mute(tmp_path: Path, reason: Reason) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone = await s.h.phone("alice")
            if reason is Reason.DENIED_BEFORE:
                await denied(s.h, phone, username="alice")
            else:
                await tries(s.h, "alice")
                await asyncio.sleep(31)
            await s.restart()
            text = SAID_NO if reason is Reason.DENIED_BEFORE else NOBODY_TAPPED
            assert told(await tries(s.h, "alice")) == (REJECT, text)
            assert len(s.h.of(events.Asked)) == 1
            assert reasons(s.h)[-1] is reason

    run(story())


# --- a laptop with a saved password ----------------------------------------------------------------------


@pytest.mark.slow
def test_a_laptop_that_reconnects_by_itself_rings_five_times_in_ten_minutes(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            await h.phone("carol")
            loop = asyncio.get_running_loop()
            end, rang_at = loop.time() + 3600, []
            while loop.time() < end:
                before, at = rings(h), loop.time()
                await tries(h)
                rang_at += [at] * (rings(h) - before)
                await asyncio.sleep(10)
            pauses = [later - sooner for sooner, later in pairwise(rang_at)]
            # Ever later: what is asked between two rings is in the open app alone.
            assert pauses == sorted(pauses)
            assert pauses[-1] > 600
            assert 4 <= len(rang_at) <= 6
            assert {Reason.TIMED_OUT, Reason.NOT_ANSWERED_BEFORE} == set(reasons(h))

    run(story())


def test_it_locks_its_owner_out_of_no_place_where_they_were_let_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone = await h.phone("carol")
            await asked(h, phone, address=HOME)
            for number in range(5):
                await tries(h, address=f"198.51.100.{number}")
            assert told(await tries(h, address=AWAY)) == (REJECT, REFUSED)
            assert reasons(h)[-1] is Reason.RUNG_TOO_OFTEN
            await asked(h, phone, address=HOME)
            # Nobody is rung for it: the person opens the app.
            assert [each.rings for each in h.of(events.Asked)] == [True] * 6 + [False]

    run(story())


def test_who_rings_from_everywhere_at_once_rings_five_times(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            await h.phone("carol")
            replies = await asyncio.gather(*(tries(h, address=f"198.51.100.{n}") for n in range(12)))
            assert len(h.of(events.Asked)) == 5
            assert sorted(told(reply)[1] for reply in replies) == [NOBODY_TAPPED] * 5 + [REFUSED] * 7

    run(story())


def test_another_person_behind_the_same_address_still_rings(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            await h.phone("carol")
            hers = await h.phone("alice")
            for number in range(6):
                await tries(h, address=f"198.51.100.{number}")
            assert reasons(h)[-1] is Reason.RUNG_TOO_OFTEN
            await asked(h, hers, username="alice", address="198.51.100.0")

    run(story())


def test_the_phone_is_told_how_many_tries_before_were_not_answered(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone = await h.phone("carol")
            for _ in range(2):
                await tries(h)
                await asyncio.sleep(61)
            asking = asyncio.ensure_future(tries(h))
            await h.until(events.Asked, 3)
            card = await phone.next_question(seconds=30)
            assert card["unanswered"] == 2
            await phone.answer(card, approve=True)
            assert (await asking).code == ACCEPT

    run(story())


def test_the_limit_is_a_setting(tmp_path: Path) -> None:
    async def story() -> None:
        one = SITE.replace("  enrollment:", "  ring_limit: {{unanswered: 1, within: 2m}}\n  enrollment:")
        async with house(tmp_path, settings=one) as h:
            phone = await h.phone("carol")
            await tries(h)
            assert told(await tries(h, address=AWAY)) == (REJECT, REFUSED)
            await asyncio.sleep(120)
            await asked(h, phone, address=AWAY)

    run(story())


# --- probes ----------------------------------------------------------------------------------------------

PROBED = SITE.replace("patience: 60s, accepts", "probe_users: [radius-test, carol], patience: 60s, accepts")


@pytest.mark.parametrize("proof", AUTO)
@pytest.mark.parametrize("name", ["radius-test", "RADIUS-Test", "carol"])
def test_a_probe_is_refused_asks_no_directory_rings_nobody_and_is_not_stored(
    tmp_path: Path, proof: ProofName, name: str
) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=PROBED) as h:
            await h.phone("carol")
            before = len(h.told)
            for _ in range(3):
                reply = await tries(h, name, proof=proof)
                assert (*told(reply), round(reply.seconds, 1)) == (REJECT, REFUSED, 1.0)
            assert h.told[before:] == []
            assert h.server.counters["probe_user"] == 3

    run(story())


def test_a_probe_user_of_one_gateway_is_a_person_at_another(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=PROBED) as h:
            phone = await h.phone("carol")
            await asked(h, phone, source=FW2)

    run(story())


def test_the_tag_of_a_password_is_not_in_the_evidence(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone = await h.phone("carol")
            await denied(h, phone)
            asked_of = h.of(events.Asked)[0]
            question = await h.server.store.question(asked_of.question)
            assert question is not None
            assert question.attempt is not None
            assert question.attempt.hex() not in repr(h.told)
            assert repr(question.attempt) not in repr(question)
            assert PASSWORD not in repr(question)

    run(story())
