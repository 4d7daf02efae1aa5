"""Asking as a gateway does: the same octets again, and only the right reply is believed."""

from __future__ import annotations

import asyncio
import socket

import pytest

from radius_push.client import NobodyListens, Reply, ask
from radius_push.model import Accepted, Secret
from radius_push.radius.packet import write_reply
from radius_push.radius.wire import Code, attribute, response_authenticator, seal_reply
from tests.listen.desks import House, serving
from tests.radius.packets import LENIENT, SECRET, dictionary, read


class Server(asyncio.DatagramProtocol):
    """Gives each datagram the next of its answers; an answer is made from the request."""

    transport: asyncio.DatagramTransport

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.heard: list[bytes] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data)
        answer = self.answers.pop(0) if self.answers else None
        if callable(answer):
            self.transport.sendto(answer(data), addr)


async def _ask(server: Server, *, tries: int = 1, timeout: float = 0.05) -> Reply | None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", 0))
    server.transport = transport
    try:
        return await ask(
            server=transport.get_extra_info("sockname"),
            secret=SECRET,
            username="alice",
            password="hunter2",
            timeout=timeout,
            tries=tries,
            dictionary=dictionary(),
        )
    finally:
        transport.close()


def _accept(datagram: bytes) -> bytes:
    return write_reply(read(datagram), Accepted((("Filter-Id", "x"),)), dictionary=dictionary())


async def test_nobody_answers() -> None:
    server = Server()
    assert await _ask(server, tries=3, timeout=0.01) is None
    assert len(server.heard) == 3
    assert len(set(server.heard)) == 1  # the same Identifier, Authenticator and octets


async def test_the_reply_to_a_later_try_is_taken() -> None:
    reply = await _ask(Server(None, _accept), tries=5)
    assert reply is not None
    assert (reply.code, reply.attributes) == (2, {"Filter-Id": ("x",)})
    assert reply.seconds >= 0


async def _ask_nobody(*, wait_for_listener: bool) -> Reply | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return await ask(
        server=("127.0.0.1", port),
        secret=SECRET,
        username="alice",
        password="hunter2",
        timeout=30 if not wait_for_listener else 0.01,
        tries=2,
        wait_for_listener=wait_for_listener,
        dictionary=dictionary(),
    )


async def test_that_nothing_listens_is_known_at_once_to_who_wants_to_know() -> None:
    with pytest.raises(NobodyListens):
        await _ask_nobody(wait_for_listener=False)


async def test_a_gateway_goes_on_asking_where_nothing_listens_yet() -> None:
    assert await _ask_nobody(wait_for_listener=True) is None


def _sealed(secret: Secret = SECRET, identifier: int = 0, body: bytes = b"") -> object:
    def answer(datagram: bytes) -> bytes:
        return seal_reply(
            Code.ACCESS_ACCEPT,
            identifier=(datagram[1] + identifier) % 256,
            request_authenticator=datagram[4:20],
            secret=secret,
            attributes=body,
        )

    return answer


@pytest.mark.parametrize(
    "forged",
    [
        lambda datagram: b"",
        lambda datagram: datagram,
        lambda datagram: _accept(datagram)[:-1] + b"y",
        lambda datagram: b"\2" + _accept(datagram)[1:4] + bytes(16) + _accept(datagram)[20:],
        lambda datagram: b"\3" + _accept(datagram)[1:],
        _sealed(Secret("somebody else's secret")),
        _sealed(identifier=1),
        _sealed(body=attribute(80, bytes(16))),
    ],
)
async def test_a_forged_reply_is_not_believed(forged: object) -> None:
    assert await _ask(Server(forged)) is None


async def test_a_reply_without_message_authenticator_is_not_believed() -> None:
    def bare(datagram: bytes) -> bytes:
        header = bytes((2, datagram[1], 0, 20))
        return header + response_authenticator(header + bytes(16), datagram[4:20], SECRET)

    assert await _ask(Server(bare)) is None


async def test_a_right_reply_after_a_forged_one_is_taken() -> None:
    reply = await _ask(Server(lambda datagram: b"garbage", _accept), tries=5)
    assert reply is not None


async def test_a_request_can_go_without_message_authenticator_and_with_octets_for_a_password() -> None:
    async with serving(House(client=LENIENT)) as house:
        reply = await ask(
            server=house.listener.address,
            secret=SECRET,
            username="alice",
            password="pässwörd".encode("latin-1"),
            timeout=5,
            source=("127.0.0.1", 0),
            message_authenticator=False,
            dictionary=dictionary(),
        )
        assert reply is not None
        assert not house.desk.arrivals[0].request.authentic


@pytest.mark.parametrize(
    ("attributes", "password", "why"),
    [
        ([("Filter-Idd", "x")], "x", "Filter-Idd: no such attribute"),
        ([("User-Password", "in the clear")], "x", "hidden with the shared secret"),
        ([], "x" * 129, "128 octets"),
        ([("Filter-Id", "x" * 253)] * 16, "x", "4096"),
    ],
)
async def test_a_request_that_cannot_be_written_says_why(
    attributes: list[tuple[str, str]], password: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        await ask(
            server=("127.0.0.1", 1),
            secret=SECRET,
            username="alice",
            password=password,
            attributes=attributes,
            dictionary=dictionary(),
        )
