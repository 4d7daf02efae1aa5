"""The UDP door with real sockets: who is heard, who is answered, and what takes it down (nothing)."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
import uvloop

from radius_push.client import ask
from radius_push.hush import Hush
from radius_push.listen.desk import trace_code
from radius_push.model import Accepted, Reason, Rejected, Silent
from tests.listen.desks import House, gateway, serving, until
from tests.radius.packets import HIDDEN, LENIENT, SECRET, STRICT, dictionary, packet, signed

REQUEST = signed((1, b"alice"), (2, HIDDEN))
DENIED = Rejected(Reason.DENIED, "The sign-in was denied on the phone.")


async def _one_login(address: str) -> None:
    async with serving(House(address=address)) as house:
        house.desk.verdict = Accepted((("Filter-Id", "staff"),))
        reply = await ask(
            server=house.listener.address,
            secret=SECRET,
            username="alice",
            password="hunter2",
            attributes=[("Calling-Station-Id", "203.0.113.5")],
            timeout=5,
            dictionary=dictionary(),
        )
        assert reply is not None
        assert reply.code == 2
        assert reply.attributes == {"Filter-Id": ("staff",)}
        [arrival] = house.desk.arrivals
        assert arrival.source == ip_address(address)
        assert arrival.request.username == "alice"
        assert arrival.client is house.client
        assert (arrival.at, arrival.started) == (house.clock.now(), house.clock.monotonic())
        await until(lambda: house.desk.accepted == [arrival.login])


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_login_over_ipv4_and_ipv6_on_both_event_loops(run: Callable[..., None], address: str) -> None:
    run(_one_login(address))


async def test_a_reject_is_sent_and_no_accept_is_reported() -> None:
    async with serving(House()) as house:
        house.desk.verdict = DENIED
        async with gateway(house.listener.address) as gate:
            gate.send(REQUEST)
            assert (await gate.reply())[0] == 3
        assert house.desk.accepted == []


async def test_an_unknown_client_gets_silence_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(House(client=replace(STRICT, networks=(ip_network("192.0.2.1"),)))) as house:
        async with gateway(house.listener.address) as gate:
            for _ in range(5):
                gate.send(REQUEST)
            await until(lambda: house.counters["unknown_client"] == 5)
            assert gate.silent
        assert house.desk.arrivals == []
    assert [record.getMessage() for record in caplog.records] == [
        "packets from 127.0.0.1, which is no client"
    ]


async def test_malformed_and_unauthentic_packets_get_silence_and_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(House()) as house:
        async with gateway(house.listener.address) as gate:
            gate.send(b"\1\2")
            gate.send(packet((1, b"alice")))
            gate.send(packet(code=4))
            gate.send(packet(code=12))
            gate.send(packet(code=13))
            await until(
                lambda: (
                    house.counters
                    == {
                        "malformed_packet": 1,
                        "not_authentic": 2,
                        "accounting_not_served": 1,
                        "not_served": 1,
                    }
                )
            )
            assert gate.silent
        assert house.desk.arrivals == []
    assert "fw1 from 127.0.0.1: malformed packet: 2 octets" in caplog.text
    assert "fw1 from 127.0.0.1: not authentic: no Message-Authenticator" in caplog.text
    assert (
        "fw1 from 127.0.0.1: Accounting-Request is not answered here: let the gateway send it to"
        in caplog.text
    )
    assert "fw1 from 127.0.0.1: not authentic: Status-Server without Message-Authenticator" in caplog.text
    assert "fw1 from 127.0.0.1: Status-Client is not answered here" in caplog.text
    assert "more since" not in caplog.text
    assert "set require_message_authenticator: auto for this client" in caplog.text


async def test_a_stranger_where_only_our_own_client_may_ask_is_called_no_client(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House(client=replace(STRICT, name="try-login"))
    async with serving(house), gateway(house.listener.address) as gate:
        gate.send(packet((1, b"alice")))
        await until(lambda: house.counters == {"not_authentic": 1})
    assert caplog.records[0].getMessage() == (
        "packets from 127.0.0.1, which is no client of the settings "
        "(only try-login and simulate may ask from there)"
    )
    assert len(caplog.records) == 1


async def test_settings_can_change_between_two_datagrams() -> None:
    async with serving(House()) as house, gateway(house.listener.address) as gate:
        gate.send(packet((1, b"alice")))
        await until(lambda: house.counters["not_authentic"] == 1)
        house.client = LENIENT
        gate.send(packet((1, b"alice")))
        assert (await gate.reply())[0] == 2


async def test_duplicates_ask_once_and_then_get_the_identical_octets() -> None:
    async with serving(House()) as house:
        house.desk.verdict = None
        async with gateway(house.listener.address) as gate:
            for _ in range(4):
                gate.send(REQUEST)
            await until(lambda: house.counters["duplicate"] == 3 and bool(house.desk.arrivals))
            [arrival] = house.desk.arrivals
            assert gate.silent
            house.desk.release(arrival, Accepted((("Class", "OU=staff;"),)))
            first = await gate.reply()
            gate.send(REQUEST)
            assert await gate.reply() == first
        assert house.counters["answered_again"] == 1
        assert len(house.desk.arrivals) == 1
        # Those while it was held, told once.
        await until(lambda: bool(house.desk.repeats))
        assert house.desk.repeats == [(arrival.login, 3, arrival.at)]
        assert house.desk.accepted == [arrival.login]


async def test_a_superseded_request_is_never_answered() -> None:
    async with serving(House()) as house:
        house.desk.verdict = None
        async with gateway(house.listener.address) as gate:
            gate.send(REQUEST)
            await until(lambda: len(house.desk.arrivals) == 1)
            newer = bytearray(packet((80, bytes(16)), (1, b"alice"), (2, HIDDEN)))
            newer[4:20] = b"another request!"
            gate.send(_sign(newer))
            await until(lambda: len(house.desk.arrivals) == 2)
            old, new = house.desk.arrivals
            assert not old.superseded()
            new.supersede()
            assert old.superseded()
            assert not new.superseded()
            house.desk.release(old, Accepted())
            await until(lambda: house.counters["superseded_reply"] == 1)
            house.desk.release(new, DENIED)
            assert (await gate.reply())[0] == 3
            assert gate.silent
        assert house.desk.accepted == []
        assert house.counters["superseded"] == 1


@pytest.mark.parametrize(
    ("reason", "tries"),
    [
        (Reason.DIRECTORY_DOWN, 2),
        (Reason.ATTRIBUTE_NOT_READ, 2),
        (Reason.SERVER_STOPPED, 2),
        (Reason.STORE_DOWN, 2),
        (Reason.WRONG_SHARED_SECRET, 1),
        (Reason.REPLAYED, 1),
    ],
)
async def test_silence_lets_a_retransmission_try_again_only_where_that_can_help(
    reason: Reason, tries: int
) -> None:
    async with serving(House()) as house:
        house.desk.verdict = Silent(reason)
        async with gateway(house.listener.address) as gate:
            gate.send(REQUEST)
            await until(lambda: len(house.desk.arrivals) == 1 and house.listener.held == 0)
            gate.send(REQUEST)
            await until(lambda: len(house.desk.arrivals) + house.counters["duplicate"] == 2)
            assert len(house.desk.arrivals) == tries
            assert gate.silent


async def test_a_crashed_login_is_silent_for_30_s_and_takes_nothing_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(House()) as house:
        house.desk.verdict = RuntimeError("CANARY: what somebody typed")
        async with gateway(house.listener.address) as gate:
            gate.send(REQUEST)
            await until(lambda: house.counters["crashed"] == 1 and house.listener.held == 0)
            house.desk.verdict = Accepted()
            gate.send(REQUEST)
            await until(lambda: house.counters["duplicate"] == 1)
            gate.send(signed((1, b"bob"), (2, HIDDEN), identifier=8))
            assert (await gate.reply())[1] == 8
            house.clock.seconds += 30
            gate.send(REQUEST)
            assert (await gate.reply())[1] == 7
    assert "RuntimeError at" in caplog.text
    assert "in log_in" in caplog.text
    assert "CANARY" not in caplog.text


async def test_a_reply_that_cannot_be_written_is_silence_and_no_other_rights() -> None:
    async with serving(House()) as house:
        house.desk.verdict = Accepted((("No-Such-Attribute", "x"),))
        async with gateway(house.listener.address) as gate:
            gate.send(REQUEST)
            await until(lambda: house.counters["crashed"] == 1)
            assert gate.silent
        assert house.desk.accepted == []


async def test_a_full_house_is_silent_to_newcomers(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(House(most=1)) as house:
        house.desk.verdict = None
        async with gateway(house.listener.address) as gate:
            gate.send(REQUEST)
            gate.send(signed((1, b"bob"), identifier=8))
            await until(lambda: house.counters["too_many_in_flight"] == 1 and bool(house.desk.arrivals))
            assert [arrival.request.username for arrival in house.desk.arrivals] == ["alice"]
    assert "too many logins in flight" in caplog.text


async def test_drain_gives_held_logins_silence_and_says_how_many() -> None:
    house = House()
    house.desk.verdict = None
    await house.listener.open()
    served = asyncio.create_task(house.listener.serve())
    async with gateway(house.listener.address) as gate:
        for identifier in range(3):
            gate.send(signed((1, b"alice"), identifier=identifier))
        await until(lambda: len(house.desk.arrivals) == 3)
        assert house.listener.held == 3
        assert await house.listener.drain() == 3
        await served
        assert gate.silent
    assert house.desk.accepted == []
    assert house.counters["crashed"] == 0


async def test_a_login_whose_accept_has_left_is_written_down_before_the_end() -> None:
    house = House()
    writing, written = asyncio.Event(), asyncio.Event()

    async def slow(arrival: object) -> None:
        writing.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        written.set()

    house.desk.sent = slow  # type: ignore[method-assign]
    await house.listener.open()
    served = asyncio.create_task(house.listener.serve())
    async with gateway(house.listener.address) as gate:
        gate.send(REQUEST)
        await writing.wait()
        assert await house.listener.drain() == 0
        assert written.is_set()
        await served


async def test_what_arrives_before_serving_is_answered_then() -> None:
    house = House()
    await house.listener.open()
    async with gateway(house.listener.address) as gate:
        gate.send(REQUEST)
        served = asyncio.create_task(house.listener.serve())
        assert (await gate.reply())[0] == 2
        await house.listener.drain()
        await served


async def test_a_listener_that_never_served_lets_its_port_go() -> None:
    house = House()
    await house.listener.open()
    assert await house.listener.drain() == 0
    await house.listener.serve()


async def test_a_port_in_use_is_an_error_at_once() -> None:
    async with serving(House()) as house:
        other = House()
        port = house.listener.address[1]
        other.listener._endpoint = replace(other.listener._endpoint, port=port)
        with pytest.raises(OSError, match="in use"):
            await other.listener.open()


async def test_every_login_is_a_task_with_its_name() -> None:
    async with serving(House()) as house:
        house.desk.verdict = None
        async with gateway(house.listener.address) as gate:
            gate.send(REQUEST)
            await until(lambda: len(house.desk.arrivals) == 1)
            names = {task.get_name() for task in asyncio.all_tasks()}
            assert f"login {house.desk.arrivals[0].login}" in names


def test_a_trace_code_can_be_read_out() -> None:
    codes = {trace_code() for _ in range(100)}
    assert len(codes) > 95
    assert all(re.fullmatch(r"[0-9AC-HJKMNPQRTVWXY]{6}", code) for code in codes)


def test_a_flood_makes_few_lines() -> None:
    hush = Hush(10)
    assert [hush.due("a", now) for now in (0, 1, 9.9, 10, 11)] == [0, None, None, 2, None]
    assert hush.due("b", 1) == 0


async def test_radclient_agrees() -> None:
    assert shutil.which("radclient"), "radclient is missing: run tools/setup test"
    async with serving(House(client=LENIENT)) as house:
        house.desk.verdict = Accepted((("Session-Timeout", "60"), ("Fortinet-Group-Name", "vpn")))
        for attributes in (
            'User-Name = "alice", User-Password = "x", Message-Authenticator = 0x00, Proxy-State = 0x01',
            'User-Name = "alice", User-Password = "x"',
        ):
            output = await _radclient(house.listener.address, attributes)
            assert "Received Access-Accept" in output
            assert "Session-Timeout = 60" in output
            assert 'Fortinet-Group-Name = "vpn"' in output
            assert output.count("Message-Authenticator = 0x") >= 1
        house.desk.verdict = DENIED
        output = await _radclient(house.listener.address, 'User-Name = "alice", User-Password = "x"')
        assert "Received Access-Reject" in output
        assert "The sign-in was denied on the phone." in output


async def _radclient(server: tuple[str, int], attributes: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "radclient",
        *("-x", "-t", "5", "-r", "1", f"{server[0]}:{server[1]}", "auth", SECRET.reveal().decode()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate(attributes.encode())
    return output.decode()


def _sign(unsigned: bytearray) -> bytes:
    unsigned[22:38] = hmac.digest(SECRET.reveal(), bytes(unsigned), "md5")
    return bytes(unsigned)


@pytest.fixture(autouse=True)
def _all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="radius_push")
