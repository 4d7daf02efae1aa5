"""Logins that came by a connection: answered on it, and over when it is closed."""

from __future__ import annotations

import asyncio
import hmac
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from radius_push import events
from radius_push.attempts import Met, Rider, Standing
from radius_push.client_table import RADSEC_SECRET
from radius_push.model import Question, QuestionState, Reason
from radius_push.server import NeedsRestart, Server
from radius_push.settings import load
from radius_push.test_phone import PhoneRefused
from radius_push.tls import NoTls
from tests.interop.radsec_client import Caller, calling, tls
from tests.listen.lines import GATEWAY, Papers
from tests.radius.packets import packet
from tests.radius.reports import report
from tests.scenarios.house import ACCEPT, REJECT, SETTINGS, House, house
from tests.scenarios.test_odd_packets import write_login
from tests.scenarios.test_reload import change
from tests.scenarios.turned import TurnedLoop, run

BY_TCP = SETTINGS.replace(
    'authentication: ["127.0.0.1:0"]', 'authentication: ["127.0.0.1:0"]\n    tcp: ["127.0.0.1:0"]'
)
LOGIN = write_login(identifier=9, authenticator=b"9" * 16)


def play(folder: Path, tell: Callable[[House, Caller], Coroutine[Any, Any, None]]) -> None:
    async def story() -> None:
        async with house(folder, settings=BY_TCP) as h, calling(h.server.tcp[0]) as caller:
            await tell(h, caller)

    run(story())


async def states(h: House) -> list[str]:
    """Of the question that was asked."""
    found = [await h.server.store.question(asked.question) for asked in h.of(events.Asked)]
    return [question.state for question in found if question is not None]


def reasons(h: House) -> list[Reason]:
    return [event.reason for event in h.of(events.Unanswered)]


def hang_up(caller: Caller) -> None:
    caller.writer.transport.abort()


def test_an_approved_login_is_accepted_on_its_connection(tmp_path: Path) -> None:
    async def tell(h: House, caller: Caller) -> None:
        phone = await h.phone()
        caller.send(LOGIN)
        await phone.answer_next(approve=True, seconds=30)
        assert (await caller.reply())[0] == ACCEPT
        await h.until(events.Sent)

    play(tmp_path, tell)


def test_a_closed_connection_ends_its_questions_and_the_phone_shows_it(tmp_path: Path) -> None:
    async def tell(h: House, caller: Caller) -> None:
        phone = await h.phone()
        caller.send(LOGIN)
        card = await phone.next_question(seconds=30)
        hang_up(caller)
        await h.until(events.Unanswered)
        assert reasons(h) == [Reason.CONNECTION_CLOSED]
        assert await states(h) == [QuestionState.TIMED_OUT]
        with pytest.raises(PhoneRefused):
            await phone.answer(card, approve=True)
        assert (h.of(events.Accepted), h.of(events.Rejected)) == ([], [])
        assert h.of(events.Unanswered)[0].question == h.of(events.Asked)[0].question

    play(tmp_path, tell)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_closed_in_the_middle_of_opening_the_question(tmp_path: Path, moment: str) -> None:
    """The row may be there or not yet: in the end it is there, and over."""

    async def tell(h: House, caller: Caller) -> None:
        await h.phone()
        store = h.server.store
        original = store.open_or_join

        async def slow(question: Question, rider: Rider, **more: Any) -> Met:
            if moment == "before":
                hang_up(caller)
                await gone(h)
            opened = await original(question, rider, **more)
            if moment == "after":
                hang_up(caller)
                await gone(h)
            return opened

        store.open_or_join = slow  # type: ignore[method-assign]
        caller.send(LOGIN)
        await h.until(events.Unanswered)
        assert reasons(h) == [Reason.CONNECTION_CLOSED]
        assert await states(h) == [QuestionState.TIMED_OUT]

    play(tmp_path, tell)


def test_by_password_alone_nobody_is_accepted_on_a_closed_connection(tmp_path: Path) -> None:
    """And the same packet on the next connection is no replay: the gateway gets its answer there."""
    alone = BY_TCP.replace("fw1: {{addresses: [127.0.0.1]", "fw1: {{addresses: [127.0.0.9]")
    alone = alone.replace("addresses: [127.0.0.3]", "addresses: [127.0.0.1]")

    async def story() -> None:
        async with house(tmp_path, settings=alone) as h:
            async with calling(h.server.tcp[0]) as first:
                staff = h.server.directories["staff"]
                original = staff.find

                async def slow(username: str) -> Any:
                    hang_up(first)
                    await gone(h)
                    return await original(username)

                staff.find = slow  # type: ignore[method-assign]
                first.send(LOGIN)
                await h.until(events.Unanswered)
                staff.find = original  # type: ignore[method-assign]
            assert reasons(h) == [Reason.CONNECTION_CLOSED]
            assert h.of(events.Accepted) == []
            async with calling(h.server.tcp[0]) as second:
                second.send(LOGIN)
                assert (await second.reply())[0] == ACCEPT

    run(story())


def test_closed_before_the_question_asks_nobody(tmp_path: Path) -> None:
    async def tell(h: House, caller: Caller) -> None:
        await h.phone()
        store = h.server.store
        original = store.devices_of

        async def slow(person: Any, **more: Any) -> Any:
            if caller.writer.transport.is_closing():
                return await original(person, **more)
            hang_up(caller)
            await gone(h)
            return await original(person, **more)

        store.devices_of = slow  # type: ignore[method-assign]
        caller.send(LOGIN)
        await h.until(events.Unanswered)
        assert reasons(h) == [Reason.CONNECTION_CLOSED]
        assert h.of(events.Asked) == []

    play(tmp_path, tell)


def test_closed_between_the_yes_and_the_accept_lets_nobody_in(tmp_path: Path) -> None:
    async def tell(h: House, caller: Caller) -> None:
        phone = await h.phone()
        store = h.server.store
        original = store.wait_for_answer

        async def slow(question: str, packet: bytes, *, seconds: float) -> Standing:
            answered = await original(question, packet, seconds=seconds)
            hang_up(caller)
            await gone(h)
            return answered

        store.wait_for_answer = slow  # type: ignore[method-assign]
        caller.send(LOGIN)
        await phone.answer_next(approve=True, seconds=30)
        await h.until(events.Unanswered)
        assert reasons(h) == [Reason.CONNECTION_CLOSED]
        assert await states(h) == [QuestionState.CLOSED]
        assert h.of(events.Accepted) == []

    play(tmp_path, tell)


def test_closed_after_the_accept_was_written_does_not_say_that_it_left(tmp_path: Path) -> None:
    async def tell(h: House, caller: Caller) -> None:
        phone = await h.phone()
        store = h.server.store
        original = store.accept

        async def slow(question: str | None, **more: Any) -> bool:
            written = await original(question, **more)
            hang_up(caller)
            await gone(h)
            return written

        store.accept = slow  # type: ignore[method-assign]
        caller.send(LOGIN)
        await phone.answer_next(approve=True, seconds=30)
        await h.until(events.Accepted)
        while h.server.counters["verdict_accepted"] == 0:  # noqa: ASYNC110  # what is not written rings nothing
            await asyncio.sleep(0.01)
        await asyncio.sleep(5)
        assert h.of(events.Sent) == []
        assert await states(h) == [QuestionState.SPENT]

    play(tmp_path, tell)


def test_a_malformed_packet_ends_the_logins_beside_it(tmp_path: Path) -> None:
    async def tell(h: House, caller: Caller) -> None:
        await h.phone()
        caller.send(LOGIN)
        await h.until(events.Asked)
        caller.send(bytes(20))
        await h.until(events.Unanswered)
        assert reasons(h) == [Reason.CONNECTION_CLOSED]
        assert await caller.closed()

    play(tmp_path, tell)


def test_a_reload_without_the_client_ends_its_logins(tmp_path: Path) -> None:
    async def tell(h: House, caller: Caller) -> None:
        await h.phone()
        caller.send(LOGIN)
        await h.until(events.Asked)
        await change(h, tmp_path, ("fw1:", "fw2:"))
        await h.until(events.Unanswered)
        assert reasons(h) == [Reason.CONNECTION_CLOSED]
        assert await caller.closed()

    play(tmp_path, tell)


def test_a_held_login_is_decided_again_for_the_same_client(tmp_path: Path) -> None:
    async def tell(h: House, caller: Caller) -> None:
        phone = await h.phone()
        caller.send(LOGIN)
        card = await phone.next_question(seconds=30)
        await change(h, tmp_path, ("timeout: 45s", "timeout: 40s"))
        await phone.answer(card, approve=True)
        assert (await caller.reply())[0] == ACCEPT

    play(tmp_path, tell)


def test_another_address_needs_a_restart(tmp_path: Path) -> None:
    async def tell(h: House, caller: Caller) -> None:
        with pytest.raises(NeedsRestart, match=r"server\.listen\.tcp"):
            await change(h, tmp_path, ('tcp: ["127.0.0.1:0"]', 'tcp: ["127.0.0.2:0"]'))

    play(tmp_path, tell)


def test_a_stop_leaves_the_question_and_another_connection_comes_back_for_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=BY_TCP) as h:
            async with calling(h.server.tcp[0]) as caller:
                phone = await h.phone()
                caller.send(LOGIN)
                await h.until(events.Asked)
                assert await h.server.stop() == 1
                assert await caller.closed()
            assert h.of(events.Unanswered) == []
            loop = asyncio.get_running_loop()
            assert isinstance(loop, TurnedLoop)
            settings = load(tmp_path / "radius-push.yaml", environ={})
            h.server = again = Server(settings, clock=h.server.clock, on_event=h.hear)
            loop.watched.append(lambda: again.store.busy() if hasattr(again, "store") else 0)
            await again.start()
            try:
                async with calling(again.tcp[0]) as caller:
                    caller.send(LOGIN)
                    await h.until(events.CameBack)
                    await phone.answer_next(approve=True, seconds=30)
                    assert (await caller.reply())[0] == ACCEPT
                assert len(h.of(events.Asked)) == 1
            finally:
                await again.stop()
                loop.watched.pop()

    run(story())


def test_a_slow_packet_and_a_refusal_on_one_connection(tmp_path: Path) -> None:
    async def tell(h: House, caller: Caller) -> None:
        caller.send(write_login(identifier=1, authenticator=b"1" * 16, password="not it"), LOGIN[:30])
        assert (await caller.reply())[:2] == bytes((REJECT, 1))
        assert await caller.closed(seconds=20)
        assert h.server.counters["packet_too_slow"] == 1

    play(tmp_path, tell)


def by_radsec(papers: Papers) -> str:
    """A client that is reached by its certificate alone."""
    return SETTINGS.replace(
        'authentication: ["127.0.0.1:0"]',
        f"""authentication: ["127.0.0.1:0"]
    radsec:
      address: "127.0.0.1:0"
      tls: {{{{certificate: {papers.server.certificate}, key: {papers.server.key}}}}}
      client_ca: {papers.authority.file}""",
    ).replace(
        'addresses: [127.0.0.1], secret: "a-secret-of-22-octets!"', f"certificate: {{{{name: {GATEWAY}}}}}"
    )


def test_a_whole_login_by_radsec_and_a_reload_of_certificates(tmp_path: Path) -> None:
    async def story() -> None:
        papers = Papers(tmp_path)
        login = write_login(identifier=9, authenticator=b"9" * 16, secret=RADSEC_SECRET)
        async with house(tmp_path, settings=by_radsec(papers)) as h:
            phone = await h.phone()
            context = tls(papers.authority.file, papers.gateway)
            async with calling(h.server.radsec[0], context) as caller:
                caller.send(login)
                card = await phone.next_question(seconds=30)
                assert card["client"] == "fw1"
                # Files that were exchanged under the same names count from the next reload on.
                newer = papers.authority.issue("radius.example.com")
                papers.server.key.write_bytes(newer.key.read_bytes())
                with pytest.raises(NoTls, match="does not belong to the certificate"):
                    await h.server.reload(load(tmp_path / "radius-push.yaml", environ={}))
                papers.server.certificate.write_bytes(newer.certificate.read_bytes())
                assert await h.server.reload(load(tmp_path / "radius-push.yaml", environ={})) == ()
                async with calling(h.server.radsec[0], context) as other:
                    shown = other.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
                    assert shown == ssl.PEM_cert_to_DER_cert(newer.certificate.read_text())
                await phone.answer(card, approve=True)
                assert (await caller.reply())[0] == ACCEPT
                assert await change(h, tmp_path, (GATEWAY, "fw7.example.com")) == (
                    "clients.fw1: changed (certificate)",
                )
                assert await caller.closed()
            # By UDP from anywhere it is nobody.
            assert await h.ask(timeout=1) is None

    run(story())


def test_radsec_has_one_port_for_accounting_and_the_watchdog_too(tmp_path: Path) -> None:
    """RFC 6614 2.5 and RFC 3539 3.4: Status-Server is answered while a login is held."""

    async def story() -> None:
        papers = Papers(tmp_path)
        async with house(tmp_path, settings=by_radsec(papers)) as h:
            await h.phone()
            context = tls(papers.authority.file, papers.gateway)
            async with calling(h.server.radsec[0], context) as caller:
                caller.send(write_login(identifier=9, authenticator=b"9" * 16, secret=RADSEC_SECRET))
                await h.until(events.Asked)
                watchdog = bytearray(packet((80, bytes(16)), code=12, identifier=1))
                watchdog[22:38] = hmac.digest(RADSEC_SECRET.reveal(), bytes(watchdog), "md5")
                caller.send(bytes(watchdog))
                assert (await caller.reply())[:2] == bytes((ACCEPT, 1))
                caller.send(report(1, identifier=2, secret=RADSEC_SECRET))
                assert (await caller.reply())[:2] == bytes((5, 2))

    run(story())


def test_what_is_repeated_inside_a_connection_tells_nothing_of_patience(tmp_path: Path) -> None:
    async def tell(h: House, caller: Caller) -> None:
        await h.phone()
        for _ in range(3):
            caller.send(LOGIN)
            await asyncio.sleep(4)
        await asyncio.sleep(45)
        assert (await caller.reply())[0] == REJECT
        assert h.server._gateways.meter.news() == {}

    play(tmp_path, tell)


async def gone(h: House) -> None:
    """Until the server has seen that the connection is closed."""
    assert h.server._listeners is not None
    [listener] = h.server._listeners._tcp
    async with asyncio.timeout(60):
        while listener.connections:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
