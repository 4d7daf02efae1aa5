"""Packets made, recorded and altered by somebody between gateway and server: what they open, and what not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from radius_push import events
from radius_push.directory.local import LocalDirectory
from radius_push.model import Found, Reason
from radius_push.radius.wire import attribute, seal_request
from tests.attacks.test_what_time_tells import slow
from tests.scenarios.house import ACCEPT, REJECT, SECRET, SETTINGS, House, house
from tests.scenarios.test_odd_packets import LENIENT, send, write_login
from tests.scenarios.test_reload import change
from tests.scenarios.turned import run

AUTHENTICATOR = b"9" * 16
ALICE = attribute(1, b"alice")
NOT_LISTED = {
    "CHAP": attribute(3, bytes(17)) + attribute(60, bytes(16)),
    "MS-CHAPv2": attribute(26, b"\0\0\x01\x37\x19\x34" + bytes(50))
    + attribute(26, b"\0\0\x01\x37\x0b\x12" + bytes(16)),
    "EAP": attribute(79, b"\x02\x01\x00\x0a\x01alice"),
    "no proof": b"",
}


def sealed(body: bytes) -> bytes:
    return seal_request(
        identifier=9, authenticator=AUTHENTICATOR, secret=SECRET, attributes=ALICE + body, sign=True
    )


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that directories were asked for."""
    names: list[str] = []
    real = LocalDirectory.find

    async def find(directory: LocalDirectory, username: str) -> Found:
        names.append(username)
        return await real(directory, username)

    monkeypatch.setattr(LocalDirectory, "find", find)
    return names


@pytest.mark.parametrize("proof", NOT_LISTED.values(), ids=NOT_LISTED)
def test_a_proof_that_is_not_spoken_here_is_refused_before_any_directory(
    tmp_path: Path, proof: bytes, found: list[str]
) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            await h.phone()
            found.clear()
            heard = await send(h, sealed(proof))
            assert [datagram[0] for datagram in heard] in ([REJECT], [])
            assert found == []
            assert h.of(events.Asked) == []

    run(story())


def padded(packet: bytes) -> bytes:
    """Octets behind Length are not part of the packet (RFC 2865, section 3)."""
    return packet + b"another"


@pytest.mark.parametrize("alter", [bytes, padded])
@pytest.mark.parametrize("why", ["no policy", "no phone"])
def test_what_was_refused_with_a_right_password_rings_nobody_later(
    tmp_path: Path, alter: Callable[[bytes], bytes], why: str
) -> None:
    """Recorded while it led nowhere, and played again when the same packet would lead somewhere."""

    async def story() -> None:
        async with house(tmp_path) as h:
            packet = write_login(identifier=9, authenticator=AUTHENTICATOR)
            if why == "no policy":
                await h.phone()
                await change(h, tmp_path, ("values: [IT]", "values: [Finance]"))
            assert [datagram[0] for datagram in await send(h, packet)] == [REJECT]
            assert await send(h, alter(packet)) == []
            if why == "no policy":
                await change(h, tmp_path, ("values: [Finance]", "values: [IT]"))
            else:
                await h.phone()
            await asyncio.sleep(300)
            assert await send(h, alter(packet)) == []
            assert h.of(events.Asked) == []
            assert [e.reason for e in h.of(events.Unanswered)] == [Reason.REPLAYED]
            assert h.server.counters["replayed"] == 1

    run(story())


def test_what_was_refused_for_want_of_time_rings_nobody_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that anybody can keep busy must not turn a recorded packet into a ring."""

    async def story() -> None:
        async with house(tmp_path, settings=SETTINGS.replace("patience: 60s", "patience: 10s")) as h:
            await h.phone()
            packet = write_login(identifier=9, authenticator=AUTHENTICATOR)
            with monkeypatch.context() as meanwhile:
                slow(meanwhile, 4.5)
                assert [datagram[0] for datagram in await send(h, packet)] == [REJECT]
                assert [e.reason for e in h.of(events.Rejected)] == [Reason.TIMED_OUT]
            assert await send(h, packet) == []
            assert h.of(events.Asked) == []

    run(story())


def test_an_approval_asks_no_directory_again(tmp_path: Path, found: list[str]) -> None:
    """Also when the settings changed meanwhile: what was read with the password is decided again."""

    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            found.clear()
            asking = asyncio.ensure_future(h.ask())
            card = await phone.next_question(seconds=10)
            await change(h, tmp_path, ("timeout: 45s", "timeout: 40s"))
            await phone.answer(card, approve=True)
            reply = await asking
            assert reply is not None
            assert reply.code == ACCEPT
            assert found == ["alice"]

    run(story())


def test_a_replay_with_octets_behind_its_length_rings_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            phone = await h.phone()
            packet = write_login(identifier=9, authenticator=AUTHENTICATOR)
            sending = asyncio.ensure_future(send(h, packet, padded(packet)))
            await phone.answer_next(approve=True, seconds=30)
            assert [datagram[0] for datagram in await sending] == [ACCEPT]
            assert await send(h, padded(packet)) == []
            assert len(h.of(events.Asked)) == 1

    run(story())


def test_a_packet_that_nobody_sealed_takes_no_login_away(tmp_path: Path) -> None:
    """Same socket, same Identifier: the login that is held is answered all the same."""

    async def story() -> None:
        async with house(tmp_path, settings=LENIENT) as h:
            phone = await h.phone()
            held = write_login(identifier=7, authenticator=b"1" * 16)
            forged = write_login(
                identifier=7, authenticator=b"2" * 16, password="guessed", message_authenticator=False
            )
            sending = asyncio.ensure_future(send(h, held, forged))
            card = await phone.next_question(seconds=10)
            await asyncio.sleep(5)
            await phone.answer(card, approve=True)
            assert sorted(datagram[0] for datagram in await sending) == [ACCEPT, REJECT]
            assert len(h.of(events.Asked)) == 1

    run(story())


@pytest.mark.parametrize(
    "name",
    [
        "alice@elsewhere.example",
        "ELSEWHERE\\alice",
        "alice*",
        "*",
        "alice)(uid=*",
        "alice\u200b",
        "staff:alice",
    ],
)
def test_a_name_that_is_not_exactly_theirs_is_nobody(tmp_path: Path, name: str) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            await h.phone()
            reply = await h.ask(name)
            assert reply is None or reply.code == REJECT
            assert h.of(events.Asked) == []
            assert {e.reason for e in h.of(events.Rejected)} <= {Reason.UNKNOWN_USER}

    run(story())


async def wrong(h: House, name: str) -> None:
    reply = await h.ask(name, "not it")
    assert reply is not None
    assert reply.code == REJECT


def test_another_spelling_of_the_name_is_no_second_try_of_a_wrong_password(tmp_path: Path) -> None:
    """Else a gateway that repeats itself, or somebody who knows the trick, locks the account."""

    async def story() -> None:
        async with house(tmp_path) as h:
            for name in ("alice", "ALICE", "\uff41lice"):
                await wrong(h, name)
            details = [e.detail for e in h.of(events.Rejected)]
            assert len(details) == 3
            assert all("not asked" in detail for detail in details[1:])
            assert "not asked" not in details[0]

    run(story())
