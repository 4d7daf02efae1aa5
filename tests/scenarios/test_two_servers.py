"""Two servers over one store: what one of them began, and what the other one knows of it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from radius_push import events
from radius_push.model import Reason
from tests.scenarios.house import ACCEPT, REJECT, TWO, House, house
from tests.scenarios.test_after_a_restart import PACKET, Wire
from tests.scenarios.turned import run


def two(folder: Path, story: object) -> None:
    async def play() -> None:
        async with house(folder, settings=TWO) as h:
            await story(h)  # type: ignore[operator]

    run(play())


def test_a_login_at_the_second_server_is_approved_on_the_firsts_phone_side_at_once(tmp_path: Path) -> None:
    async def story(h: House) -> None:
        phone = await h.phone()
        began = h.server.clock.monotonic()
        asking = asyncio.ensure_future(h.ask(server=h.second))
        await phone.answer_next(approve=True, seconds=30)
        reply = await asking
        assert reply is not None
        assert reply.code == ACCEPT
        # Neither waited until its bar ended: each was told.
        assert h.server.clock.monotonic() - began < 1

    two(tmp_path, story)


def test_a_no_at_the_firsts_phone_side_ends_the_login_at_the_second(tmp_path: Path) -> None:
    async def story(h: House) -> None:
        phone = await h.phone()
        asking = asyncio.ensure_future(h.ask(server=h.second))
        await phone.answer_next(approve=False, seconds=30)
        reply = await asking
        assert reply is not None
        assert reply.code == REJECT
        assert [e.reason for e in h.of(events.Rejected)] == [Reason.DENIED]

    two(tmp_path, story)


def test_a_failover_joins_the_question_and_rings_once(tmp_path: Path) -> None:
    async def story(h: House) -> None:
        phone, port = await h.phone(), free_port()
        assert await h.ask(port=port, timeout=10) is None
        await h.server.store.look()
        card = await phone.next_question(seconds=10)
        asking = asyncio.ensure_future(h.ask(server=h.second, port=port))
        await h.until(events.Joined)
        await phone.answer(card, approve=True)
        reply = await asking
        assert reply is not None
        assert reply.code == ACCEPT
        assert (len(h.of(events.Asked)), len(h.of(events.Accepted))) == (1, 1)

    two(tmp_path, story)


def test_the_very_same_octets_at_the_second_server_are_held_for_the_same_question(tmp_path: Path) -> None:
    """As a gateway does that makes its packet once and sends it around."""

    async def story(h: House) -> None:
        phone, wire = await h.phone(), Wire()
        socket, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: wire, local_addr=("127.0.0.1", 0)
        )
        socket.sendto(PACKET, h.server.authentication[0])
        await h.until(events.Asked)
        await asyncio.sleep(10)
        socket.sendto(PACKET, h.second.authentication[0])
        await h.until(events.Joined)
        await phone.answer_next(approve=True, seconds=30)
        await wire.first.wait()
        await asyncio.sleep(10)
        assert [reply[0] for reply in wire.heard] == [ACCEPT]
        assert (len(h.of(events.Asked)), len(h.of(events.Accepted))) == (1, 1)
        # Behind the answer it is a replay there as here.
        await asyncio.sleep(60)
        for server in (h.server, h.second):
            socket.sendto(PACKET, server.authentication[0])
        await asyncio.sleep(70)
        assert len(wire.heard) == 1
        socket.close()

    two(tmp_path, story)


def test_the_same_octets_from_another_port_are_a_replay(tmp_path: Path) -> None:
    async def story(h: House) -> None:
        await h.phone()
        heard = []
        for server in (h.server, h.second):
            wire = Wire()
            socket, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda wire=wire: wire,  # type: ignore[misc]
                local_addr=("127.0.0.1", 0),
                remote_addr=server.authentication[0],
            )
            socket.sendto(PACKET)
            await asyncio.sleep(1)
            heard.append((socket, wire))
        await asyncio.sleep(60)
        assert [[reply[0] for reply in wire.heard] for _, wire in heard] == [[REJECT], []]
        assert [event.reason for event in h.of(events.Unanswered)] == [Reason.REPLAYED]
        assert (len(h.of(events.Asked)), h.of(events.Joined)) == (1, [])
        for socket, _ in heard:
            socket.close()

    two(tmp_path, story)


def test_a_no_at_one_server_ends_the_next_try_at_the_other(tmp_path: Path) -> None:
    async def story(h: House) -> None:
        phone = await h.phone()
        asking = asyncio.ensure_future(h.ask())
        await phone.answer_next(approve=False, seconds=30)
        await asking
        reply = await h.ask(server=h.second)
        assert reply is not None
        assert reply.code == REJECT
        assert len(h.of(events.Asked)) == 1

    two(tmp_path, story)


def test_a_latch_at_one_server_binds_the_other_within_seconds(tmp_path: Path) -> None:
    settings = TWO.replace(
        "profiles: [lab-alone]", "profiles: [lab-alone]\n    require_message_authenticator: auto"
    )

    async def story() -> None:
        async with house(tmp_path, settings=settings) as h:
            reply = await h.ask(source="127.0.0.3", server=h.second, message_authenticator=False)
            assert reply is not None
            assert reply.code == ACCEPT
            assert await h.ask(source="127.0.0.3") is not None
            await asyncio.sleep(11)
            unsealed = await h.ask(
                source="127.0.0.3", server=h.second, message_authenticator=False, timeout=5
            )
            assert unsealed is None

    run(story())


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
