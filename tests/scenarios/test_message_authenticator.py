"""Gateways that learn to send Message-Authenticator, and somebody on the path who takes it off again."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from pathlib import Path

import pytest

from radius_push import events
from radius_push.model import Reason, Secret
from radius_push.radius.asking import write_request
from radius_push.radius.packet import load_dictionary
from tests.scenarios.house import ACCEPT, SECRET, SETTINGS, House, house
from tests.scenarios.turned import run

AUTO = SETTINGS.replace("lab:\n", "lab:\n    require_message_authenticator: auto\n")
LAB = "127.0.0.3"


def sealed_request() -> bytes:
    """What a gateway sends, as an attacker on the path sees it."""
    return write_request(
        identifier=7,
        authenticator=bytes(range(16)),
        secret=SECRET,
        username="alice",
        password=Secret("correct horse"),
        dictionary=load_dictionary(),
    )


def without_seal(sealed: bytes, *, then: bytes = b"") -> bytes:
    """The packet with its first attribute, the Message-Authenticator, taken off, and more put behind it."""
    assert sealed[20:22] == b"\x50\x12"
    body = sealed[38:] + then
    return sealed[:2] + (20 + len(body)).to_bytes(2, "big") + sealed[4:20] + body


# RFC 2865 5.33. The attack (CVE-2024-3596) hides its chosen-prefix collision in here.
COLLISION = b"".join(b"\x21\xff" + bytes([n]) * 253 for n in (1, 2))


async def played(h: House, datagram: bytes, *, source: str) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=h.server.authentication[0], local_addr=(source, 0)
    )
    transport.sendto(datagram)
    await asyncio.sleep(60)
    transport.close()


async def silence(h: House, datagram: bytes, *, source: str = LAB) -> bool:
    """Was the packet dropped at the door, and counted?"""
    loop = asyncio.get_running_loop()
    replies: list[bytes] = []

    class Line(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            replies.append(data)

    transport, _ = await loop.create_datagram_endpoint(
        Line, remote_addr=h.server.authentication[0], local_addr=(source, 0)
    )
    before = h.server.counters["not_authentic"]
    transport.sendto(datagram)
    await asyncio.sleep(5)
    transport.close()
    return not replies and h.server.counters["not_authentic"] == before + 1


def test_under_auto_the_first_seal_ends_the_days_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=AUTO) as h:
            plain = await h.ask(source=LAB, message_authenticator=False)
            assert plain is not None
            assert plain.code == ACCEPT
            sealed = await h.ask(source=LAB)  # the gateway's upgrade
            assert sealed is not None
            assert await h.ask(source=LAB, message_authenticator=False, timeout=10) is None
            assert h.of(events.Latched) == [events.Latched("lab", LAB)]
        assert any("radius-push clients unlatch lab" in each.getMessage() for each in caplog.records)

    with caplog.at_level(logging.WARNING):
        run(story())


def test_a_recorded_packet_without_its_seal_is_the_same_from_an_address_that_never_sealed(
    tmp_path: Path,
) -> None:
    """The latch is one address's; whoever takes the seal off says that they are the other one."""
    both = AUTO.replace("[127.0.0.3]", "[127.0.0.3, 127.0.0.4]")

    async def story() -> None:
        async with house(tmp_path, settings=both) as h:
            await played(h, sealed_request(), source=LAB)
            await played(h, without_seal(sealed_request()), source="127.0.0.4")
            assert len(h.of(events.Accepted)) == 1
            assert [e.reason for e in h.of(events.Unanswered)] == [Reason.REPLAYED]

    run(story())


def test_the_latch_outlives_the_server_and_an_admin_can_undo_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, settings=AUTO) as h:
            assert await h.ask(source=LAB) is not None
        async with house(tmp_path, settings=AUTO) as h:
            assert await h.ask(source=LAB, message_authenticator=False, timeout=10) is None
            assert await h.server.store.unlatch("lab", None, by="root", at=h.server.clock.now()) == 1
            await asyncio.sleep(6)
            assert await h.ask(source=LAB, message_authenticator=False) is not None
            assert h.of(events.Unlatched) == [events.Unlatched("lab", None, 1, "root")]

    run(story())


@pytest.mark.parametrize("rule", ["yes", "auto", "no"])
def test_a_played_blastradius_attempt_is_dropped(tmp_path: Path, rule: str) -> None:
    """Latched or not: who takes the seal off and puts a Proxy-State in is not heard."""
    settings = AUTO.replace("authenticator: auto", f"authenticator: {rule}")

    async def story() -> None:
        async with house(tmp_path, settings=settings) as h:
            assert await silence(h, without_seal(sealed_request(), then=COLLISION))
            if rule != "no":
                assert await h.ask(source=LAB) is not None
                assert await silence(h, without_seal(sealed_request(), then=COLLISION))
                assert await silence(h, without_seal(sealed_request()))
            assert len(h.of(events.Accepted)) == (0 if rule == "no" else 1)

    run(story())


def test_a_declared_proxy_may_send_proxy_state_without_a_seal(tmp_path: Path) -> None:
    settings = AUTO.replace("authenticator: auto", "authenticator: no\n    proxy: yes")

    async def story() -> None:
        async with house(tmp_path, settings=settings) as h:
            assert not await silence(h, without_seal(sealed_request(), then=b"\x21\x05abc"))
            assert len(h.of(events.Accepted)) == 1

    run(story())


def test_eap_latches_nothing_as_it_always_bears_a_seal(tmp_path: Path) -> None:
    body = b"\x01\x07alice" + b"\x4f\x0a\x02\x01\x00\x08\x01bob"
    bare = b"\x01\x09" + (38 + len(body)).to_bytes(2, "big") + bytes(16) + b"\x50\x12" + bytes(16) + body
    seal = hmac.new(SECRET.reveal(), bare, hashlib.md5).digest()

    async def story() -> None:
        async with house(tmp_path, settings=AUTO) as h:
            await silence(h, bare[:22] + seal + bare[38:])
            assert len(h.of(events.Rejected)) == 1
            assert h.of(events.Latched) == []
            assert await h.ask(source=LAB, message_authenticator=False) is not None

    run(story())
