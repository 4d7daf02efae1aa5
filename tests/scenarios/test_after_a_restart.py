"""The server ends in the middle of a login and comes back: what the gateway's next packet meets."""

from __future__ import annotations

import asyncio
import logging
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from radius_push import events, login
from radius_push.model import Accepted, QuestionState, Reason
from radius_push.observe.logins import of_code
from radius_push.ports import ClockBehind, StoreDown
from radius_push.radius.packet import Arrival
from radius_push.server import Server
from radius_push.settings import load
from radius_push.test_phone import PhoneRefused
from tests.scenarios.house import ACCEPT, REJECT, SETTINGS, House, house
from tests.scenarios.test_odd_packets import write_login
from tests.scenarios.turned import TurnedClock, TurnedLoop, run

PACKET = write_login(identifier=9, authenticator=b"9" * 16)


class Wire(asyncio.DatagramProtocol):
    """A bare socket of a gateway: what it heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.first = asyncio.Event()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.heard.append(data)
        self.first.set()


@dataclass
class Gateway:
    """One socket that sends one packet, again and again."""

    wire: Wire
    transport: asyncio.DatagramTransport
    packet: bytes = PACKET

    @property
    def codes(self) -> list[int]:
        return [datagram[0] for datagram in self.wire.heard]

    async def send(self, seconds: float = 0.0) -> list[int]:
        """Send it, wait, and say what was answered since."""
        before = len(self.wire.heard)
        self.transport.sendto(self.packet)
        # In small steps first: the threads that check passwords have real time.
        for _ in range(30 if seconds else 0):
            await asyncio.sleep(min(seconds, 1.0) / 30)
        await asyncio.sleep(max(0.0, seconds - 1.0))
        return self.codes[before:]

    async def answered(self) -> None:
        await self.wire.first.wait()


@dataclass
class Site:
    """A house whose server can end and come back in its place."""

    h: House
    folder: Path
    servers: list[Server] = field(default_factory=list)
    sockets: list[asyncio.DatagramTransport] = field(default_factory=list)

    async def end(self) -> None:
        await self.h.server.stop()

    async def come_back(self, *changes: tuple[str, str]) -> None:
        file = self.folder / "radius-push.yaml"
        text = file.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file.write_text(text)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, TurnedLoop)
        self.h.server = Server(load(file, environ={}), clock=self.h.server.clock, on_event=self.h.hear)
        self.servers.append(self.h.server)
        await self.h.server.start()
        loop.watched.append(self.h.server.store.busy)

    async def restart(self, *changes: tuple[str, str]) -> None:
        await self.end()
        await self.come_back(*changes)

    async def gateway(self) -> Gateway:
        wire = Wire()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: wire, local_addr=("127.0.0.1", 0), remote_addr=self.h.server.authentication[0]
        )
        self.sockets.append(transport)
        return Gateway(wire, transport)

    def die_at_accept(self, *, written: bool) -> asyncio.Event:
        """This server gets as far as its next accept, written or not, and no farther."""
        reached, accept = asyncio.Event(), self.h.server.store.accept

        async def stuck(*args: Any, **named: Any) -> bool:
            if written:
                assert await accept(*args, **named)
            reached.set()
            await asyncio.Event().wait()
            return True

        self.h.server.store.accept = stuck  # type: ignore[method-assign]
        return reached


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = SETTINGS.replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"')
    async with house(folder, settings=settings) as h:
        made = Site(h, folder)
        try:
            yield made
        finally:
            for transport in made.sockets:
                transport.close()
            for server in made.servers:
                await server.stop()


async def until(moment: float) -> None:
    await asyncio.sleep(moment - asyncio.get_running_loop().time())


def test_a_held_login_goes_on_with_its_question_and_rings_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await gateway.send()
            card = await phone.next_question(seconds=10)
            await asyncio.sleep(5)
            await s.restart()
            assert await gateway.send(seconds=3) == []
            # The same card with the same end: nothing rang again.
            assert await phone.next_question(seconds=10) == card
            await phone.answer(card, approve=True)
            await gateway.answered()
            assert gateway.codes == [ACCEPT]
            await s.h.until(events.Sent)
            logins = [
                e.login for e in s.h.told if isinstance(e, events.Asked | events.Accepted | events.Sent)
            ]
            assert logins == [card["login"]] * 3
            assert [e.state for e in s.h.of(events.CameBack)] == ["pending"]

    run(story())


def test_the_bar_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            await s.h.phone()
            gateway = await s.gateway()
            await gateway.send(seconds=20)
            await s.restart()
            assert await gateway.send(seconds=24) == []
            await asyncio.sleep(2)
            assert gateway.codes == [REJECT]
            assert [e.reason for e in s.h.of(events.Rejected)] == [Reason.TIMED_OUT]

    run(story())


def test_a_later_try_that_joined_goes_on_for_as_long_as_its_own_patience(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            home = [("Calling-Station-Id", "203.0.113.7")]
            gateway.packet = write_login(identifier=1, authenticator=b"1" * 16, attributes=home)
            await gateway.send(seconds=40)
            gateway.packet = write_login(identifier=2, authenticator=b"2" * 16, attributes=home)
            await gateway.send(seconds=1)
            assert len(s.h.of(events.Joined)) == 1
            await s.restart()
            await asyncio.sleep(22)  # the first try's 60 s are over, the second one's are not
            await gateway.send(seconds=1)
            await phone.answer_next(approve=True, seconds=10)
            await asyncio.sleep(1)
            assert gateway.codes == [ACCEPT]
            assert (len(s.h.of(events.Asked)), len(s.h.of(events.Accepted))) == (1, 1)

    run(story())


def test_who_approved_while_nobody_held_the_login_is_let_in_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await gateway.send(seconds=1)
            await s.restart()
            # The phone is faster than the gateway's next packet.
            await phone.answer_next(approve=True, seconds=10)
            assert await gateway.send(seconds=1) == [ACCEPT]
            assert (len(s.h.of(events.Asked)), len(s.h.of(events.Accepted))) == (1, 1)

    run(story())


@pytest.mark.parametrize("written", [False, True])
def test_a_server_that_dies_around_its_accept_lets_in_once_with_the_same_reply(
    tmp_path: Path, written: bool
) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            reached = s.die_at_accept(written=written)
            await gateway.send()
            await phone.answer_next(approve=True, seconds=10)
            await reached.wait()
            await s.restart()
            assert await gateway.send(seconds=1) == [ACCEPT]
            assert b"\x0b\x04IT" in gateway.wire.heard[0]  # Filter-Id
            assert len(s.h.of(events.Accepted)) == 1
            assert [e.state for e in s.h.of(events.CameBack)] == ["spent" if written else "approved"]

    run(story())


def test_an_accept_that_was_sent_is_said_again_for_30_s_and_no_longer(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await gateway.send()
            await phone.answer_next(approve=True, seconds=10)
            await gateway.answered()
            await s.h.until(events.Sent)
            sent = asyncio.get_running_loop().time()
            await s.restart()
            await until(sent + 28)
            assert await gateway.send(seconds=1) == [ACCEPT]
            assert gateway.wire.heard[0] == gateway.wire.heard[1]
            await s.restart()
            await until(sent + 31)
            assert await gateway.send(seconds=1) == []
            assert [e.reason for e in s.h.of(events.Unanswered)] == [Reason.REPLAYED]
            assert (len(s.h.of(events.Asked)), len(s.h.of(events.Accepted))) == (1, 1)

    run(story())


def test_an_accept_that_never_left_is_said_while_the_gateway_may_wait_and_no_longer(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            reached = s.die_at_accept(written=True)
            await gateway.send()
            await phone.answer_next(approve=True, seconds=10)
            await reached.wait()
            await s.end()
            await asyncio.sleep(61)
            await s.come_back()
            assert await gateway.send(seconds=1) == []

    run(story())


@pytest.mark.slow
def test_an_approval_that_nobody_came_for_in_time_lets_nobody_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await gateway.send(seconds=1)
            await s.restart()
            await phone.answer_next(approve=True, seconds=10)
            await asyncio.sleep(60)
            assert await gateway.send(seconds=1) == []
            await asyncio.sleep(3600 + 60)
            assert [e.state for e in s.h.of(events.Abandoned)] == ["approved"]
            assert s.h.of(events.Accepted) == []

    run(story())


def test_a_no_stays_a_no(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await gateway.send(seconds=1)
            await s.restart()
            await phone.answer_next(approve=False, seconds=10)
            assert await gateway.send(seconds=1) == [REJECT]
            assert [e.reason for e in s.h.of(events.Rejected)] == [Reason.DENIED]

    run(story())


@pytest.mark.parametrize("approved", [False, True])
def test_rules_that_changed_over_the_restart_refuse_what_was_asked_under_others(
    tmp_path: Path, approved: bool
) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await gateway.send()
            card = await phone.next_question(seconds=10)
            if approved:
                reached = s.die_at_accept(written=False)
                await phone.answer(card, approve=True)
                await reached.wait()
            await s.restart(("Session-Timeout: 3600", "Session-Timeout: 36000"))
            assert await gateway.send(seconds=1) == [REJECT]
            assert [e.reason for e in s.h.of(events.Rejected)] == [Reason.DECIDED_OTHERWISE]
            row = await s.h.server.store.question(card["id"])
            assert row is not None
            assert row.state is QuestionState.CLOSED

    run(story())


def test_an_approval_counts_only_for_the_gateway_that_the_phone_showed(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await gateway.send(seconds=1)
            await s.restart(("fw1:", "other-gateway:"))
            await phone.answer_next(approve=True, seconds=10)
            assert await gateway.send(seconds=1) == []
            assert s.h.of(events.Accepted) == []

    run(story())


def test_what_was_accepted_under_other_rules_is_not_said_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            reached = s.die_at_accept(written=True)
            await gateway.send()
            await phone.answer_next(approve=True, seconds=10)
            await reached.wait()
            await s.restart(("Session-Timeout: 3600", "Session-Timeout: 36000"))
            assert await gateway.send(seconds=1) == []
            assert s.h.of(events.Rejected) == []

    run(story())


def test_the_same_octets_from_another_place_are_a_replay(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await gateway.send(seconds=1)
            await s.restart()
            other = await s.gateway()
            assert await other.send(seconds=1) == []
            assert [e.reason for e in s.h.of(events.Unanswered)] == [Reason.REPLAYED]
            await phone.answer_next(approve=True, seconds=10)
            assert await gateway.send(seconds=1) == [ACCEPT]
            assert other.codes == []

    run(story())


def test_a_question_whose_gateway_never_comes_back_ends_by_itself(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await gateway.send()
            card = await phone.next_question(seconds=10)
            await s.restart()
            await asyncio.sleep(46)
            with pytest.raises(PhoneRefused, match="late"):
                await phone.answer(card, approve=True)
            await asyncio.sleep(60)
            assert [(e.question, e.state) for e in s.h.of(events.Abandoned)] == [(card["id"], "pending")]
            assert await gateway.send(seconds=1) == []
            assert len(s.h.of(events.Asked)) == 1

    run(story())


def test_two_walks_of_one_packet_let_in_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            seen: list[Arrival] = []
            log_in = s.h.server.log_in

            async def keep(arrival: Arrival) -> Any:
                seen.append(arrival)
                return await log_in(arrival)

            s.h.server.log_in = keep  # type: ignore[method-assign]
            await gateway.send()
            card = await phone.next_question(seconds=10)
            second = asyncio.ensure_future(login.log_in(seen[0], s.h.server._doors))
            await s.h.until(events.CameBack)
            await phone.answer(card, approve=True)
            verdicts = [await second]
            await asyncio.sleep(2)
            assert [isinstance(v, Accepted) for v in verdicts].count(True) + gateway.codes.count(ACCEPT) == 1
            assert REJECT not in gateway.codes
            assert (len(s.h.of(events.Asked)), len(s.h.of(events.Accepted))) == (1, 1)
            assert s.h.of(events.Rejected) == []

    run(story())


# --- the store is down for a while ------------------------------------------------------------------------


def test_a_login_that_a_locked_store_cut_off_is_let_in_when_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radius_push.store.file.BUSY_SECONDS", 0.0)

    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await gateway.send()
            card = await phone.next_question(seconds=10)
            other = sqlite3.connect(s.h.server.settings.store, isolation_level=None)
            held = s.h.server.store.accept

            async def locked(*args: Any, **named: Any) -> bool:
                other.execute("BEGIN IMMEDIATE")
                return await held(*args, **named)

            s.h.server.store.accept = locked  # type: ignore[method-assign]
            await phone.answer(card, approve=True)
            await asyncio.sleep(1)
            assert await gateway.send(seconds=1) == []
            assert s.h.of(events.Accepted) == []
            other.execute("ROLLBACK")
            other.close()
            s.h.server.store.accept = held  # type: ignore[method-assign]
            assert await gateway.send(seconds=1) == [ACCEPT]
            assert (len(s.h.of(events.Asked)), len(s.h.of(events.Accepted))) == (1, 1)

    run(story())


def test_a_full_disk_is_silence_and_ends_with_its_cause(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await limit_pages(s, 1)
            for size in (2000, 100, 1):
                with pytest.raises(StoreDown, match="full"):
                    await fill(s, size)
            assert await gateway.send(seconds=3) == []
            assert s.h.of(events.Asked) == []
            await limit_pages(s, 1_000_000)
            await gateway.send()
            await phone.answer_next(approve=True, seconds=10)
            await gateway.answered()
            assert gateway.codes == [ACCEPT]
            await s.h.server.store.verify_evidence()

    async def fill(s: Site, size: int) -> None:
        while True:
            await s.h.server.store.record(events.Sent("x" * size))

    async def limit_pages(s: Site, most: int) -> None:
        store = s.h.server.store
        await store._read(lambda rows: rows.execute(f"PRAGMA max_page_count = {most}").fetchone())

    run(story())


# --- the clock, and who else is there -----------------------------------------------------------------------


def test_while_the_clock_is_behind_nobody_is_invited_and_everybody_logs_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await s.end()
            monkeypatch.setattr(TurnedClock, "START", TurnedClock.START - 86400)
            await s.come_back()
            await asyncio.sleep(1)
            assert "THE CLOCK IS 86" in caplog.text
            with pytest.raises(ClockBehind, match="--trust-clock"):
                await s.h.phone()
            await gateway.send()
            await phone.answer_next(approve=True, seconds=10)
            await gateway.answered()
            # A start under the wrong clock wrote its own times: they make it no less wrong.
            await s.restart()
            with pytest.raises(ClockBehind):
                await s.h.phone()
            monkeypatch.setattr(TurnedClock, "START", TurnedClock.START + 86400)
            await asyncio.sleep(31)
            await s.h.phone()

    with caplog.at_level(logging.CRITICAL):
        run(story())


def test_a_clock_that_ran_ahead_once_is_forgiven_when_an_admin_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            await s.h.phone()
            monkeypatch.setattr(TurnedClock, "START", TurnedClock.START + 10 * 365 * 86400)
            await s.restart()
            monkeypatch.setattr(TurnedClock, "START", TurnedClock.START - 10 * 365 * 86400)
            await s.restart()
            with pytest.raises(ClockBehind):
                await s.h.phone()
            await s.h.server.store.trust_clock(by="test")
            assert [e.by for e in s.h.of(events.ClockTrusted)] == ["test"]
            await s.h.phone()
            await s.restart()
            await s.h.phone()

    run(story())


def test_a_second_server_on_one_store_is_refused_and_says_who_has_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            second = Server(s.h.server.settings, clock=s.h.server.clock, on_event=s.h.hear)
            with pytest.raises(StoreDown, match=r"serves from .* already \(process \d+\): stop it first"):
                await second.start()
            gateway = await s.gateway()
            await s.h.phone()
            await gateway.send(seconds=1)
            assert len(s.h.of(events.Asked)) == 1

    run(story())


def test_a_login_over_a_restart_is_told_as_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with site(tmp_path) as s:
            phone, gateway = await s.h.phone(), await s.gateway()
            await gateway.send()
            card = await phone.next_question(seconds=10)
            await s.restart()
            await phone.answer(card, approve=False)
            assert await gateway.send(seconds=1) == [REJECT]
            await s.restart()
            assert await gateway.send(seconds=1) == [REJECT]
            (told,) = await of_code(s.h.server.store, card["login"])
            assert [step.kind for step in told.steps if step.kind != "shown"] == [
                "asked",
                "answered",
                "came_back",
                "rejected",
                "came_back",
                "rejected",
            ]

    run(story())
