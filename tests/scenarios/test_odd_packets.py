"""What reaches the server and is no honest login: silence, and the phone stays still."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from radius_push import events
from radius_push.model import Reason, Secret
from radius_push.radius.asking import write_request
from radius_push.radius.packet import load_dictionary
from tests.scenarios.house import ACCEPT, PASSWORD, REJECT, SECRET, SETTINGS, House, house
from tests.scenarios.turned import run

LENIENT = SETTINGS.replace("patience: 60s", "patience: 60s, require_message_authenticator: no")


class Wire(asyncio.DatagramProtocol):
    """A bare socket of a gateway: what it heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.heard.append(data)


@contextlib.asynccontextmanager
async def a_gateway(h: House) -> AsyncIterator[tuple[asyncio.DatagramTransport, Wire]]:
    """One socket of it."""
    wire = Wire()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: wire, local_addr=("127.0.0.1", 0), remote_addr=h.server.authentication[0]
    )
    try:
        yield transport, wire
    finally:
        transport.close()


async def send(h: House, *datagrams: bytes) -> list[bytes]:
    """Send them from one socket, wait for as long as any login can take, and say what came back."""
    async with a_gateway(h) as (transport, wire):
        for datagram in datagrams:
            transport.sendto(datagram)
        await asyncio.sleep(60)
    return wire.heard


def write_login(
    *,
    identifier: int,
    authenticator: bytes,
    secret: Secret = SECRET,
    password: str = PASSWORD,
    message_authenticator: bool = True,
    attributes: Sequence[tuple[str, str]] = (),
) -> bytes:
    return write_request(
        identifier=identifier,
        authenticator=authenticator,
        secret=secret,
        username="alice",
        password=Secret(password),
        attributes=attributes,
        message_authenticator=message_authenticator,
        dictionary=load_dictionary(),
    )


def test_a_wrong_secret_with_message_authenticator_gets_silence(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            await h.phone()
            assert await h.ask(secret=Secret("another-secret-of-22-o"), timeout=50) is None
            assert h.server.counters["not_authentic"] == 1
            assert h.of(events.Asked) + h.of(events.Rejected) == []

    run(story())


def test_a_password_that_a_wrong_secret_garbled_gets_silence_and_is_shown_to_no_directory(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=LENIENT) as h:
            await h.phone()
            # Fixed authenticators: what they decrypt to with the wrong secret is the same in every run.
            requests = [
                write_login(
                    identifier=n,
                    authenticator=sha256(bytes([n])).digest()[:16],
                    secret=Secret("another-secret-of-22-o"),
                    message_authenticator=False,
                )
                for n in range(30)
                if n != 13  # one of the 1 % that look like Latin-1 text
            ]
            assert await send(h, *requests) == []
            assert h.server.counters[Reason.WRONG_SHARED_SECRET] == 29
            # Anybody can send such packets: they are counted, and fill no disk.
            assert h.of(events.Unanswered) + h.of(events.Rejected) + h.of(events.Asked) == []

    run(story())


def test_a_request_without_message_authenticator_is_silence_unless_the_client_may(tmp_path: Path) -> None:
    async def story(settings: str) -> int | None:
        folder = tmp_path / ("lenient" if settings is LENIENT else "strict")
        folder.mkdir()
        async with house(folder, settings=settings) as h:
            phone = await h.phone()
            asking = asyncio.ensure_future(h.ask(message_authenticator=False, timeout=50))
            if settings is LENIENT:
                await phone.answer_next(approve=True, seconds=30)
            reply = await asking
            return reply.code if reply else None

    assert run(story(SETTINGS)) is None
    assert run(story(LENIENT)) == ACCEPT


def test_a_newer_request_in_the_same_place_takes_over_and_the_older_is_never_accepted(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            older, newer = (write_login(identifier=7, authenticator=bytes([n]) * 16) for n in (1, 2))
            sending = asyncio.ensure_future(send(h, older, newer))
            first = await phone.next_question(seconds=10)
            second = await phone.next_question(seconds=10, but=[first["id"]])
            await phone.answer(first, approve=True)
            await phone.answer(second, approve=True)
            heard = await sending
            assert [datagram[0] for datagram in heard] == [ACCEPT]
            assert len(h.of(events.Accepted)) == 1
            assert [e.reason for e in h.of(events.Unanswered)] == [Reason.SUPERSEDED]

    run(story())


@pytest.mark.parametrize("recorded", [PASSWORD, "mistyped"])
def test_a_sealed_packet_played_again_from_the_gateways_own_port_locks_nobody_out(
    tmp_path: Path, recorded: str
) -> None:
    """Whoever can do that could else end every login, by a recorded one under the same Identifier."""

    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            old = write_login(identifier=7, authenticator=b"1" * 16, password=recorded)
            honest = write_login(identifier=7, authenticator=b"2" * 16)
            async with a_gateway(h) as (transport, wire):
                transport.sendto(old)
                if recorded == PASSWORD:
                    await phone.answer_next(approve=True, seconds=30)
                await asyncio.sleep(120)
                assert len(wire.heard) == 1
                transport.sendto(honest)
                question = await phone.next_question(seconds=10)
                transport.sendto(old)
                await h.until(events.Unanswered)
                assert h.of(events.Unanswered)[-1].reason is Reason.REPLAYED
                await phone.answer(question, approve=True)
                await asyncio.sleep(10)
            assert wire.heard[-1][0] == ACCEPT
            assert wire.heard[-1][1] == 7
            assert len(wire.heard) == 2
            assert "superseded" not in h.server.counters

    run(story())


def test_a_packet_recorded_on_the_wire_and_played_again_rings_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            packet = write_login(identifier=9, authenticator=b"9" * 16)
            sending = asyncio.ensure_future(send(h, packet))
            await phone.answer_next(approve=True, seconds=30)
            assert [datagram[0] for datagram in await sending] == [ACCEPT]
            await asyncio.sleep(120)
            assert await send(h, packet) == []
            assert len(h.of(events.Asked)) == 1
            assert [e.reason for e in h.of(events.Unanswered)] == [Reason.REPLAYED]

    run(story())


@pytest.mark.parametrize("password", [PASSWORD, "mistyped"])
def test_of_many_plays_of_a_recorded_packet_one_is_evidence_and_asks_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """Or whoever recorded one fills the disk with it, and binds until the account is locked."""

    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            packet = write_login(identifier=9, authenticator=b"9" * 16, password=password)
            sending = asyncio.ensure_future(send(h, packet))
            if password == PASSWORD:
                await phone.answer_next(approve=True, seconds=30)
            assert len(await sending) == 1
            proved: list[object] = []
            staff = h.server.directories["staff"]
            prove = staff.prove

            async def counted(*asked: Any) -> Any:
                proved.append(asked)
                return await prove(*asked)

            monkeypatch.setattr(staff, "prove", counted)
            for _ in range(4):
                assert await send(h, packet) == []
            assert len(proved) == (1 if password == PASSWORD else 0)
            assert [e.reason for e in h.of(events.Unanswered)] == [Reason.REPLAYED]
            assert h.server.counters["replayed"] == 3

    run(story())


def test_an_unsealed_packet_that_somebody_altered_is_the_same_packet(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=LENIENT) as h:
            phone = await h.phone()
            packet = write_login(identifier=9, authenticator=b"9" * 16, message_authenticator=False)
            sending = asyncio.ensure_future(send(h, packet))
            await phone.answer_next(approve=True, seconds=30)
            assert [datagram[0] for datagram in await sending] == [ACCEPT]
            state = bytes([24, 6]) + b"mine"
            altered = packet[:2] + (len(packet) + len(state)).to_bytes(2, "big") + packet[4:] + state
            assert await send(h, altered) == []
            assert len(h.of(events.Asked)) == 1

    run(story())


def test_a_recorded_packet_with_a_wrong_password_is_tried_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            packet = write_login(identifier=9, authenticator=b"9" * 16, password="mistyped")
            assert [datagram[0] for datagram in await send(h, packet)] == [REJECT]
            await asyncio.sleep(300)
            assert await send(h, packet) == []
            assert [e.reason for e in h.of(events.Unanswered)] == [Reason.REPLAYED]

    run(story())


def test_rubbish_from_a_client_and_anything_from_a_stranger_are_silence(tmp_path: Path) -> None:
    strict = SETTINGS.replace("[127.0.0.1]", "[127.0.0.9]")

    async def story(settings: str, *datagrams: bytes) -> tuple[list[bytes], House]:
        async with house(tmp_path, settings=settings) as h:
            return await send(h, *datagrams), h

    heard, h = run(story(SETTINGS, b"", b"\x01", bytes(20), b"\x01\x00\x00\x14" + bytes(16), bytes(4097)))
    assert heard == []
    assert h.told[-1] == events.ServerStopped(0)
    heard, h = run(story(strict, write_login(identifier=1, authenticator=b"1" * 16)))
    assert heard == []
    assert h.of(events.Asked) + h.of(events.Rejected) == []
