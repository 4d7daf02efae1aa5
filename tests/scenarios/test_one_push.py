"""One login, one push: what impatient gateways do, and what the person sees of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from radius_push import events
from radius_push.client import Reply
from radius_push.model import ProofName, QuestionState, Reason
from radius_push.test_phone import PhoneRefused, SoftwarePhone
from tests.scenarios.house import ACCEPT, PASSWORD, REJECT, House, house
from tests.scenarios.one_socket import OneSocket
from tests.scenarios.test_one_no import AWAY, FW1, FW2, HOME, NOBODY_TAPPED, SAID_NO, SITE
from tests.scenarios.turned import run

OTHER = "127.0.0.9"
# fw1 and fw2 serve the same logins, fw9 does not; the portal's logins come twice.
FW9 = """\
  fw9: {{addresses: 127.0.0.9, secret: "a-secret-of-22-octets!", profiles: [staff-push], patience: 60s}}
authentication_profiles:"""
GROUPED = (
    SITE.replace("patience: 60s, accepts", "patience: 60s, group: edge, accepts")
    .replace("  fw2:", "  fw2:\n    group: edge")
    .replace("authentication_profiles:", FW9, 1)
)
TWICE = SITE.replace("patience: 60s, accepts", "patience: 60s, follow_on: 30s, accepts")
AUTHORIZE = [("Service-Type", "Authorize-Only")]
LOOSE = "require_message_authenticator: no, patience: "
SHORT = SITE.replace("patience: 60s, accepts", "patience: 20s, accepts")
"""The phone has 15 s."""


class Gateway:
    """Asks, and goes on asking while the person does whatever they do. Each login from a socket of its own,
    unless it is told to use one for all."""

    def __init__(self, h: House) -> None:
        self.h = h
        self.asking: list[asyncio.Future[Reply | None]] = []
        self.sockets: dict[str, OneSocket] = {}

    async def begins(
        self,
        username: str = "carol",
        *,
        proof: ProofName = "pap",
        address: str | None = HOME,
        source: str = FW1,
        same_socket: bool = False,
        more: Sequence[tuple[str, str]] = (),
        sealed: bool = True,
        password: str | None = PASSWORD,
    ) -> asyncio.Future[Reply | None]:
        """One request; on return the server has read it and asked, joined or decided."""
        attributes = [*([("Calling-Station-Id", address)] if address else []), *more]
        if not same_socket or source not in self.sockets:
            self.sockets[source] = await self.h.socket(source)
        before = self.heard()
        asking = asyncio.ensure_future(
            self.sockets[source].ask(
                username, password, proof=proof, attributes=attributes, message_authenticator=sealed
            )
        )
        self.asking.append(asking)
        while self.heard() == before and not asking.done():
            self.h.news.clear()
            news = asyncio.ensure_future(self.h.news.wait())
            await asyncio.wait({asking, news}, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
        return asking

    async def authorizes(self, username: str, **how: Any) -> int | None:
        """It asks only what somebody may."""
        asking = await self.begins(username, password=None, more=[("Service-Type", "Authorize-Only")], **how)
        return code(await asking)

    def heard(self) -> int:
        kinds = (events.Asked, events.Joined, events.Accepted, events.Rejected, events.Unanswered)
        return sum(isinstance(event, kinds) for event in self.h.told)


def rings(h: House) -> int:
    return sum(asked.rings for asked in h.of(events.Asked))


def code(reply: Reply | None) -> int | None:
    return None if reply is None else reply.code


async def card_of(phone: SoftwarePhone, *, but: dict[str, Any] | None = None) -> dict[str, Any]:
    return await phone.next_question(seconds=60, but=[but["id"]] if but else [])


# --- (b) a new try with a new Identifier and Authenticator -------------------------------------------------


def test_a_new_try_from_the_same_socket_joins_and_only_the_newest_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            first = await gateway.begins(same_socket=True)
            await asyncio.sleep(10)
            second = await gateway.begins(same_socket=True)
            await phone.answer(await card_of(phone), approve=True)
            assert code(await second) == ACCEPT
            assert code(await first) is None
            assert (rings(h), len(h.of(events.Joined)), len(h.of(events.Accepted))) == (1, 1, 1)
            # One story under one code, the phone's.
            assert {each.login for each in h.of(events.Accepted)} == {h.of(events.Asked)[0].login}

    run(story())


def test_a_new_try_from_another_socket_joins_once_the_first_ones_patience_is_over(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            first = await gateway.begins()
            assert code(await first) == REJECT  # after 15 s, 5 s before its patience ends
            await asyncio.sleep(6)
            second = await gateway.begins()
            await phone.answer(await card_of(phone), approve=True)
            assert code(await second) == ACCEPT
            assert (rings(h), len(h.of(events.Accepted))) == (1, 1)

    run(story())


def test_two_at_once_are_two_sign_ins_each_with_its_code(tmp_path: Path) -> None:
    """A laptop and a tablet of one person, or somebody else with their password behind the same address."""

    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            first = await gateway.begins()
            await asyncio.sleep(1)
            second = await gateway.begins()
            assert rings(h) == 2
            assert [asked.lane for asked in h.of(events.Asked)] == [1, 2]
            mine = await card_of(phone)
            assert mine["login"] == h.of(events.Asked)[0].login
            await phone.answer(mine, approve=True)
            assert code(await first) == ACCEPT
            other = await card_of(phone)
            await phone.answer(other, approve=False)
            assert code(await second) == REJECT
            assert len(h.of(events.Accepted)) == 1

    run(story())


def test_of_one_attempt_three_wait_and_no_more(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            await h.phone("carol")
            gateway = Gateway(h)
            for _ in range(4):
                await gateway.begins()
            assert [asked.lane for asked in h.of(events.Asked)] == [1, 2, 3]
            assert [each.reason for each in h.of(events.Rejected)] == [Reason.TOO_MANY_WAITING]
            await asyncio.gather(*gateway.asking)

    run(story())


def test_a_no_goes_before_joining_another_sign_in(tmp_path: Path) -> None:
    """Two wait; one is denied. Its gateway goes on to the next protocol, from the socket of the other one."""

    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            theirs = await gateway.begins()
            await asyncio.sleep(1)
            mine = await gateway.begins()
            await phone.answer(await card_of(phone), approve=False)
            assert code(await theirs) == REJECT
            next_protocol = await gateway.begins(proof="chap", same_socket=True)
            assert code(await next_protocol) == REJECT
            assert h.of(events.Joined) == []
            await phone.answer(await card_of(phone), approve=True)
            assert code(await mine) == ACCEPT

    run(story())


def test_without_an_address_nothing_joins(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            await h.phone("carol")
            gateway = Gateway(h)
            await gateway.begins(address=None, same_socket=True)
            await gateway.begins(address=None, same_socket=True)
            assert (rings(h), h.of(events.Joined)) == (2, [])
            await asyncio.gather(*gateway.asking)

    run(story())


@pytest.mark.parametrize("other", ["person", "address", "gateway"])
def test_whatever_differs_never_rides_along(tmp_path: Path, other: str) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=GROUPED) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await h.phone("alice")
            mine = await gateway.begins(same_socket=True)
            await asyncio.sleep(1)
            match other:
                case "person":
                    theirs = await gateway.begins("alice", same_socket=True)
                case "address":
                    theirs = await gateway.begins(address=AWAY, same_socket=True)
                case _:
                    theirs = await gateway.begins(source=OTHER, same_socket=True)
            assert (rings(h), h.of(events.Joined)) == (2, [])
            await phone.answer(await card_of(phone), approve=True)
            assert code(await mine) == ACCEPT
            assert code(await theirs) == REJECT
            assert len(h.of(events.Accepted)) == 1

    run(story())


def test_an_address_that_anybody_can_write_joins_nothing(tmp_path: Path) -> None:
    """This gateway puts the user's address into Tunnel-Client-Endpoint; Calling-Station-Id is anybody's."""

    async def story() -> None:
        own = SITE.replace(
            "patience: 60s, accepts", "patience: 60s, user_address: [Tunnel-Client-Endpoint], accepts"
        )
        async with house(tmp_path, settings=own) as h:
            await h.phone("carol")
            gateway = Gateway(h)
            endpoint = [("Tunnel-Client-Endpoint", HOME)]
            await gateway.begins(address=None, more=endpoint, same_socket=True)
            await gateway.begins(address=HOME, same_socket=True)
            await gateway.begins(address=HOME, same_socket=True)
            assert (rings(h), h.of(events.Joined)) == (3, [])
            await gateway.begins(address=AWAY, more=endpoint, same_socket=True)
            assert len(h.of(events.Joined)) == 1
            await asyncio.gather(*gateway.asking)

    run(story())


# --- was it heard? ---------------------------------------------------------------------------------------


def test_a_new_try_soon_after_the_accept_tells_that_it_was_not_heard(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SITE) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await let_in(h, phone, gateway)
            await asyncio.sleep(5)
            await let_in(h, phone, gateway)
            told = [(each.login, each.what) for each in h.of(events.NotHeard)]
            assert told == [(h.of(events.Asked)[0].login, "new_try")]
            await asyncio.sleep(61)
            await let_in(h, phone, gateway)
            assert len(h.of(events.NotHeard)) == 1

    run(story())


# --- (c) the second gateway of a group ---------------------------------------------------------------------


def test_another_gateway_of_the_group_goes_on_where_the_first_gave_up(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=GROUPED) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            first = await gateway.begins()
            assert code(await first) == REJECT
            second = await gateway.begins(source=FW2)
            await phone.answer(await card_of(phone), approve=True)
            assert code(await second) == ACCEPT
            assert (rings(h), len(h.of(events.Accepted))) == (1, 1)

    run(story())


# --- (d) the next protocol after a reject ------------------------------------------------------------------


def test_a_yes_while_the_gateway_tries_the_next_protocol_rings_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            assert code(await (await gateway.begins(proof="pap"))) == REJECT
            assert code(await (await gateway.begins(proof="ms-chapv2"))) == REJECT
            third = await gateway.begins(proof="chap")
            card = await card_of(phone)
            assert card["late"] == "no"
            await phone.answer(card, approve=True)
            assert code(await third) == ACCEPT
            assert (rings(h), len(h.of(events.Accepted))) == (1, 1)

    run(story())


# --- (e), (f) portal and gateway, and authorize only --------------------------------------------------------


async def let_in(h: House, phone: SoftwarePhone, gateway: Gateway, **how: Any) -> None:
    asking = await gateway.begins(**how)
    await phone.answer(await card_of(phone), approve=True)
    assert code(await asking) == ACCEPT


def test_a_gateway_that_logs_in_twice_rings_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=TWICE) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await let_in(h, phone, gateway)
            assert code(await (await gateway.begins())) == ACCEPT
            assert [each.method for each in h.of(events.Accepted)] == ["push", "follow_on"]
            # Exactly one more.
            third = await gateway.begins()
            assert rings(h) == 2
            assert code(await third) == REJECT

    run(story())


@pytest.mark.parametrize("how", [{"address": AWAY}, {"address": None}, {"sealed": False}, {"source": FW2}])
def test_a_follow_on_is_the_same_attempts_and_sealed(tmp_path: Path, how: dict[str, Any]) -> None:
    async def story() -> None:
        loose = TWICE.replace(
            "patience: 60s, follow_on", "require_message_authenticator: no, patience: 60s, follow_on"
        )
        async with house(tmp_path, settings=loose) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await let_in(h, phone, gateway)
            await gateway.begins(**how)
            assert rings(h) == 2
            await asyncio.gather(*gateway.asking)

    run(story())


def test_a_follow_on_comes_soon_or_never(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=TWICE) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await let_in(h, phone, gateway)
            await asyncio.sleep(31)
            await gateway.begins()
            assert rings(h) == 2
            await asyncio.gather(*gateway.asking)

    run(story())


def test_authorize_only_is_answered_for_who_was_let_in_a_moment_ago(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=GROUPED) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            assert await gateway.authorizes("carol") == REJECT
            await let_in(h, phone, gateway)
            reply = await (await gateway.begins("carol", password=None, more=AUTHORIZE))
            assert reply is not None
            assert (reply.code, reply.attributes["Filter-Id"]) == (ACCEPT, ("IT",))
            assert await gateway.authorizes("carol", source=FW2) == ACCEPT
            assert await gateway.authorizes("carol", source=OTHER) == REJECT
            assert await gateway.authorizes("alice") == REJECT
            await asyncio.sleep(61)
            assert await gateway.authorizes("carol") == REJECT
            assert rings(h) == 1

    run(story())


def test_authorize_only_without_a_seal_is_a_request_without_a_password(tmp_path: Path) -> None:
    async def story() -> None:
        loose = SITE.replace(
            "patience: 60s, accepts", "require_message_authenticator: no, patience: 60s, accepts"
        )
        async with house(tmp_path, settings=loose) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await let_in(h, phone, gateway)
            assert await gateway.authorizes("carol", sealed=False) == REJECT
            assert len(h.of(events.Accepted)) == 1

    run(story())


# --- (i) the approval that comes just after the gateway gave up -----------------------------------------


async def too_late(h: House, phone: SoftwarePhone, gateway: Gateway, **how: Any) -> dict[str, Any]:
    """The gateway was told no. The card says so."""
    assert code(await (await gateway.begins(**how))) == REJECT
    card = await card_of(phone)
    assert card["late"] == "yes"
    return card


def test_a_late_yes_lets_the_next_try_in_without_a_ring_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            assert await phone.answer(await too_late(h, phone, gateway), approve=True) == "approved_late"
            await asyncio.sleep(40)
            again = await (await gateway.begins())
            assert code(again) == ACCEPT
            assert [each.method for each in h.of(events.Accepted)] == ["ticket"]
            assert rings(h) == 1
            another = await gateway.begins()
            assert rings(h) == 2
            await another

    run(story())


@pytest.mark.parametrize(
    "how", [{"address": AWAY}, {"address": None}, {"sealed": False}, {"proof": "chap"}, {"source": FW2}]
)
def test_a_ticket_is_for_its_attempt_and_protocol_and_sealed(tmp_path: Path, how: dict[str, Any]) -> None:
    async def story() -> None:
        loose = SHORT.replace(
            "patience: 20s, accepts", "require_message_authenticator: no, patience: 20s, accepts"
        )
        async with house(tmp_path, settings=loose) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await phone.answer(await too_late(h, phone, gateway), approve=True)
            before = rings(h)
            await gateway.begins(**how)
            assert h.of(events.Accepted) == []
            assert rings(h) == before + 1
            await asyncio.gather(*gateway.asking)

    run(story())


def test_a_ticket_that_two_tries_reach_for_at_once_is_one_trys(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await phone.answer(await too_late(h, phone, gateway), approve=True)
            accept, both, reached = h.server.store.accept, asyncio.Event(), 0

            async def together(*args: Any, **named: Any) -> bool:
                nonlocal reached
                reached += 1
                if reached == 2:
                    both.set()
                await both.wait()
                return await accept(*args, **named)

            h.server.store.accept = together  # type: ignore[method-assign]
            tries = await asyncio.gather(gateway.begins(), gateway.begins())
            assert sorted(filter(None, [code(await each) for each in tries])) == [ACCEPT, REJECT]
            assert [each.method for each in h.of(events.Accepted)] == ["ticket"]
            assert h.of(events.Rejected)[-1].reason is Reason.TICKET_VOID
            assert rings(h) == 1

    run(story())


def test_a_ticket_is_void_after_a_minute(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await phone.answer(await too_late(h, phone, gateway), approve=True)
            await asyncio.sleep(61)
            await (await gateway.begins())
            assert (rings(h), h.of(events.Accepted)) == (2, [])

    run(story())


def test_a_ticket_is_void_when_its_phone_is_removed(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await h.phone("carol")
            await phone.answer(await too_late(h, phone, gateway), approve=True)
            removed = events.DeviceRemoved(str(phone.enrolled.person), phone.enrolled.device, "test")
            await h.server.store.remove_device(phone.enrolled.device, at=h.server.clock.now(), event=removed)
            await (await gateway.begins())
            assert h.of(events.Accepted) == []
            assert rings(h) == 2  # the other phone is asked

    run(story())


def test_a_follow_on_is_asked_when_the_phone_of_the_yes_is_removed(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=TWICE) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await h.phone("carol")
            await let_in(h, phone, gateway)
            removed = events.DeviceRemoved(str(phone.enrolled.person), phone.enrolled.device, "test")
            await h.server.store.remove_device(phone.enrolled.device, at=h.server.clock.now(), event=removed)
            await gateway.begins()
            assert rings(h) == 2  # not refused: the other phone is asked
            await asyncio.gather(*gateway.asking)

    run(story())


def test_a_ticket_is_void_when_the_rules_say_something_else(tmp_path: Path) -> None:
    async def story() -> None:
        from radius_push.settings import load

        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            await phone.answer(await too_late(h, phone, gateway), approve=True)
            file = tmp_path / "radius-push.yaml"
            file.write_text(file.read_text().replace("Session-Timeout: 3600", "Session-Timeout: 60"))
            await h.server.reload(load(file, environ={}))
            await (await gateway.begins())
            assert (rings(h), h.of(events.Accepted)) == (2, [])

    run(story())


def test_a_late_no_is_a_no(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            assert await phone.answer(await too_late(h, phone, gateway), approve=False) == "denied"
            reply = await (await gateway.begins())
            assert reply is not None
            assert (reply.code, reply.attributes["Reply-Message"]) == (REJECT, (SAID_NO,))
            assert h.of(events.Rejected)[-1].reason is Reason.DENIED_BEFORE

    run(story())


def test_a_no_to_another_sign_in_of_the_attempt_voids_the_ticket(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            first = await gateway.begins()
            await asyncio.sleep(10)
            second = await gateway.begins()
            assert code(await first) == REJECT
            waits = await card_of(phone)
            late = await card_of(phone, but=waits)
            assert (waits["late"], late["late"]) == ("no", "yes")
            assert await phone.answer(late, approve=True) == "approved_late"
            assert await phone.answer(waits, approve=False) == "denied"
            assert code(await second) == REJECT
            assert code(await (await gateway.begins())) == REJECT
            assert h.of(events.Accepted) == []

    run(story())


def test_a_yes_signed_in_time_that_comes_late_asks_the_person_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            asking = await gateway.begins()
            card = await card_of(phone)
            assert code(await asking) == REJECT
            with pytest.raises(PhoneRefused) as refused:
                await phone.answer(card, approve=True)
            assert refused.value.word == "late"
            assert h.of(events.Answered) == []

    run(story())


def test_a_yes_to_the_next_try_lets_in_the_one_that_came_meanwhile(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            card = await too_late(h, phone, gateway)
            second = await gateway.begins()
            assert await phone.answer(card, approve=True) == "approved"
            assert code(await second) == ACCEPT
            assert rings(h) == 1

    run(story())


def test_where_no_try_can_be_let_in_without_a_ring_a_late_yes_is_refused(tmp_path: Path) -> None:
    """This gateway never seals. Its next try opens the question again, and then a yes counts."""

    async def story() -> None:
        loose = SHORT.replace("patience: 20s, accepts", f"{LOOSE}20s, accepts")
        async with house(tmp_path, settings=loose) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            assert code(await (await gateway.begins(sealed=False))) == REJECT
            card = await card_of(phone)
            assert card["late"] == "over"
            with pytest.raises(PhoneRefused) as refused:
                await phone.answer(card, approve=True)
            assert refused.value.word == "late"
            second = await gateway.begins(sealed=False)
            await phone.answer(await card_of(phone), approve=True)
            assert code(await second) == ACCEPT
            assert rings(h) == 1

    run(story())


def test_without_an_address_the_end_of_the_bar_is_the_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            await h.phone("carol")
            gateway = Gateway(h)
            assert code(await (await gateway.begins(address=None))) == REJECT
            question = await h.server.store.question(h.of(events.Asked)[0].question)
            assert question is not None
            assert question.state is QuestionState.TIMED_OUT

    run(story())


def test_after_the_window_a_yes_is_too_late_for_everything(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            card = await too_late(h, phone, gateway)
            await asyncio.sleep(31)
            with pytest.raises(PhoneRefused) as refused:
                await phone.answer(card, approve=True)
            assert refused.value.word == "too_late"
            reply = await (await gateway.begins())
            assert reply is not None
            assert (reply.code, reply.attributes["Reply-Message"]) == (REJECT, (NOBODY_TAPPED,))
            assert h.of(events.Rejected)[-1].reason is Reason.NOT_ANSWERED_BEFORE

    run(story())


def test_without_a_late_window_the_end_of_the_bar_is_the_end(tmp_path: Path) -> None:
    async def story() -> None:
        none = SHORT.replace("  enrollment:", "  late_window: 0s\n  enrollment:")
        async with house(tmp_path, settings=none) as h:
            phone, gateway = await h.phone("carol"), Gateway(h)
            asking = await gateway.begins()
            card = await card_of(phone)
            assert code(await asking) == REJECT
            question = await h.server.store.question(card["id"])
            assert question is not None
            assert question.state is QuestionState.TIMED_OUT
            with pytest.raises(PhoneRefused) as refused:
                await phone.answer(card, approve=True)
            assert refused.value.word == "too_late"
            assert code(await (await gateway.begins())) == REJECT
            assert h.of(events.Rejected)[-1].reason is Reason.NOT_ANSWERED_BEFORE

    run(story())


def test_later_tries_keep_a_question_open_for_two_minutes_more_and_not_for_ever(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=SHORT) as h:
            await h.phone("carol")
            gateway, loop = Gateway(h), asyncio.get_running_loop()
            began = loop.time()
            while not h.of(events.Rejected) or h.of(events.Rejected)[-1].reason is Reason.TIMED_OUT:
                await (await gateway.begins())
            # 15 s, the late window and 2 minutes.
            assert 15 + 120 <= loop.time() - began <= 15 + 30 + 120 + 2
            assert rings(h) == 1

    run(story())
