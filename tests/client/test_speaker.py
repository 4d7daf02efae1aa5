"""A gateway by a script: what goes over the wire for each of its steps, and what it takes for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from radius_push.client import Login, Speaker
from radius_push.model import Accepted, Client, Reason, Rejected, Secret, Verdict
from radius_push.radius.packet import AccessRequest, read_request, write_reply
from radius_push.simulate.gateway import Heard, Send
from tests.radius.packets import dictionary

SECRET = Secret("a-secret-of-22-octets!")
CLIENT = Client("fw", (), (SECRET,), ("push",), accepts=frozenset({"pap", "ms-chapv2"}))
STEP = Send(0, 0, 0, "pap", 5.0)
LOGIN = Login("alice", Secret("pw"), SECRET)
YES, NO = Accepted(), Rejected(Reason.DENIED, "no")


class Gate(asyncio.DatagramProtocol):
    """A server that says what it is told to, in order; None: nothing."""

    transport: asyncio.DatagramTransport

    def __init__(self, *verdicts: Verdict | None) -> None:
        self.verdicts = list(verdicts)
        self.heard: list[tuple[AccessRequest, bytes, tuple[str, int]]] = []
        self.news = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = read_request(data, client=CLIENT, dictionary=dictionary(), seal_required=False)
        self.heard.append((request, data, addr))
        self.news.set()
        verdict = self.verdicts.pop(0) if self.verdicts else None
        if isinstance(verdict, Accepted | Rejected):
            self.say(request, verdict, addr)

    def say(self, request: AccessRequest, verdict: Accepted | Rejected, addr: tuple[str, int]) -> None:
        self.transport.sendto(write_reply(request, verdict, dictionary=dictionary()), addr)


@asynccontextmanager
async def speaking(*gates: Gate, login: Login = LOGIN) -> AsyncIterator[Speaker]:
    for gate in gates:
        gate.transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            partial(returned, gate), local_addr=("127.0.0.1", 0)
        )
    servers = [gate.transport.get_extra_info("sockname") for gate in gates]
    try:
        async with Speaker(login, servers=servers, source="127.0.0.9", dictionary=dictionary()) as speaker:
            yield speaker
    finally:
        for gate in gates:
            gate.transport.close()
        await asyncio.sleep(0)


def returned(gate: Gate) -> Gate:
    return gate


async def test_the_same_packet_again_is_the_same_octets_from_the_same_port() -> None:
    gate = Gate(None, YES)
    async with speaking(gate) as speaker:
        assert (await speaker.send(replace(STEP, seconds=0.01))).answer is None
        assert (await speaker.send(STEP)).answer == "accepted"
    (_, first, here), (_, second, there) = gate.heard
    assert (first, here) == (second, there)
    assert here[0] == "127.0.0.9"
    assert (speaker.packets, speaker.accepts) == (1, 1)


async def test_another_packet_has_an_identifier_and_an_authenticator_of_its_own() -> None:
    gate = Gate(NO, NO)
    async with speaking(gate) as speaker:
        assert (await speaker.send(STEP)).answer == "rejected"
        assert (await speaker.send(replace(STEP, packet=1))).answer == "rejected"
    first, second = (request for request, *_ in gate.heard)
    assert first.identifier != second.identifier
    assert first.authenticator != second.authenticator
    assert gate.heard[0][2] == gate.heard[1][2]
    assert (speaker.packets, speaker.accepts) == (2, 0)


async def test_another_socket_is_another_port_and_another_server_hears_the_rest() -> None:
    one, other = Gate(NO, NO), Gate(YES)
    async with speaking(one, other) as speaker:
        await speaker.send(STEP)
        await speaker.send(replace(STEP, packet=1, socket=1))
        assert (await speaker.send(replace(STEP, packet=2, server=1))).answer == "accepted"
    assert one.heard[0][2] != one.heard[1][2]
    assert len(other.heard) == 1


async def test_an_accept_that_comes_too_late_is_counted() -> None:
    gate = Gate()
    async with speaking(gate) as speaker:
        assert (await speaker.send(replace(STEP, seconds=0.01))).answer is None
        assert (speaker.is_owed, speaker.accepts) == (True, 0)
        gate.verdicts.append(YES)
        assert (await speaker.send(STEP)).answer == "accepted"  # the script has long gone on
    assert speaker.accepts == 1


async def test_a_forged_accept_is_not_heard() -> None:
    gate = Gate()
    async with speaking(gate) as speaker:
        asking = asyncio.ensure_future(speaker.send(replace(STEP, seconds=0.2)))
        await gate.news.wait()
        request, _, addr = gate.heard[0]
        gate.say(replace(request, secret=Secret("another secret")), YES, addr)
        assert (await asking).answer is None
    assert speaker.accepts == 0


async def test_it_asks_by_the_protocol_of_the_step_and_says_what_it_is_told_to() -> None:
    gate = Gate(NO, NO)
    login = Login("alice", Secret("pw"), SECRET, [("Calling-Station-Id", "203.0.113.9")], sealed=False)
    async with speaking(gate, login=login) as speaker:
        await speaker.send(STEP)
        await speaker.send(replace(STEP, packet=1, proof="ms-chapv2"))
    assert [request.proof for request, *_ in gate.heard] == ["pap", "ms-chapv2"]
    assert [request.authentic for request, *_ in gate.heard] == [False, False]
    assert gate.heard[0][0].attributes["Calling-Station-Id"] == ("203.0.113.9",)


async def test_where_nobody_listens_a_gateway_waits_all_the_same_and_it_is_noted() -> None:
    gate = Gate()
    async with speaking(gate) as speaker:
        gate.transport.close()
        await asyncio.sleep(0)
        heard = await speaker.send(replace(STEP, seconds=0.05))
    assert heard == Heard(None, heard.seconds)
    assert len(speaker.nobody_listens) == 1
