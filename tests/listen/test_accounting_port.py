"""The accounting port and Status-Server with real sockets: what is kept is answered, what is not is not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from radius_push.listen import signs_of_life
from radius_push.listen.reception import ACCOUNTING, AUTHENTICATION
from radius_push.model import Accepted
from radius_push.radius.wire import Code, attribute
from tests.listen.desks import House, gateway, serving, until
from tests.radius.packets import HIDDEN, LENIENT, packet, signed
from tests.radius.reports import INTERIM, START, report
from tests.radius.test_status import status


async def test_a_report_is_kept_then_answered_and_its_duplicates_get_the_same_octets() -> None:
    async with serving(House(serves=ACCOUNTING)) as house, gateway(house.listener.address) as gate:
        gate.send(report(START))
        reply = await gate.reply()
        gate.send(report(START))
        assert await gate.reply() == reply
        assert reply[:2] == bytes((5, 7))
        [arrival] = house.desk.reports
        assert (arrival.client, arrival.at) == (house.client, house.clock.now())
        assert (house.counters["accounting_answered"], house.counters["accounting_answered_again"]) == (1, 1)
        assert house.listener.held == 0


async def test_what_the_store_did_not_take_is_not_answered_and_its_next_packet_is_a_fresh_try(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(House(serves=ACCOUNTING)) as house, gateway(house.listener.address) as gate:
        house.desk.down = True
        gate.send(report(START))
        await until(lambda: house.counters["accounting_unanswered"] == 1)
        house.desk.down = False
        gate.send(report(START))
        assert (await gate.reply())[0] == 5
        assert gate.silent
        assert len(house.desk.reports) == 2
    assert "accounting of fw1 is not answered: it is down" in caplog.text


async def test_a_crash_takes_nothing_else_down(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(House(serves=ACCOUNTING)) as house, gateway(house.listener.address) as gate:
        real = house.desk.account
        house.desk.account = lambda arrival: 1 / 0  # type: ignore[method-assign,assignment,return-value]
        gate.send(report(START))
        await until(lambda: house.counters["crashed"] == 1)
        house.desk.account = real  # type: ignore[method-assign]
        gate.send(report(START))  # its duplicates get silence
        gate.send(report(INTERIM, identifier=8))
        assert (await gate.reply())[1] == 8
        assert house.counters["accounting_duplicate"] == 1
    assert "accounting of fw1 crashed: ZeroDivisionError at" in caplog.text


async def test_each_port_serves_its_own_kind_and_says_where_the_other_belongs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    login = signed((1, b"alice"), (2, HIDDEN))
    for serves, wrong, counter in (
        (AUTHENTICATION, report(START), "accounting_not_served"),
        (ACCOUNTING, login, "not_served"),
    ):
        async with serving(House(serves=serves)) as house, gateway(house.listener.address) as gate:
            gate.send(wrong)
            await until(lambda house=house, counter=counter: house.counters == {counter: 1})  # type: ignore[misc]
            assert gate.silent
            assert (house.desk.arrivals, house.desk.reports) == ([], [])
    assert "Accounting-Request is not answered here: let the gateway send it to 127.0.0.1:1813" in caplog.text
    assert "Access-Request is not answered here" in caplog.text


async def test_one_door_may_serve_both_kinds() -> None:
    both = House(serves=AUTHENTICATION | ACCOUNTING)
    async with serving(both) as house, gateway(house.listener.address) as gate:
        gate.send(report(START))
        assert (await gate.reply())[0] == 5
        gate.send(signed((1, b"alice"), (2, HIDDEN), identifier=8))
        assert (await gate.reply())[0] == 2
        gate.send(status())
        assert (await gate.reply())[0] == 2


@pytest.mark.parametrize(("serves", "code"), [(AUTHENTICATION, 2), (ACCOUNTING, 5)])
async def test_status_server_is_answered_every_time_and_rings_nobody(
    serves: frozenset[Code], code: int
) -> None:
    async with serving(House(serves=serves)) as house, gateway(house.listener.address) as gate:
        for _ in range(3):
            gate.send(status())  # the very same octets
            assert (await gate.reply())[0] == code
        assert house.counters == {"status_answered": 3}
        assert (house.desk.arrivals, house.desk.reports, house.desk.accepted) == ([], [], [])


async def test_the_store_is_looked_at_once_a_second_at_most() -> None:
    async with serving(House()) as house, gateway(house.listener.address) as gate:
        for _ in range(20):
            gate.send(status())
        for _ in range(20):
            await gate.reply()
        assert house.desk.asked_for_life == 1
        house.clock.seconds += signs_of_life.LOOK_EVERY
        gate.send(status())
        await gate.reply()
        assert house.desk.asked_for_life == 2


async def test_status_server_gets_silence_while_the_store_is_down_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(House()) as house, gateway(house.listener.address) as gate:
        house.desk.down = True
        for count in (1, 2):
            gate.send(status())
            await until(lambda count=count: house.counters["status_unanswered"] == count)  # type: ignore[misc]
        house.desk.down = False
        house.clock.seconds += signs_of_life.LOOK_EVERY
        gate.send(status())
        await gate.reply()
        assert gate.silent
    assert caplog.text.count("Status-Server is not answered: it is down") == 1


async def test_a_store_that_is_stuck_counts_as_down_and_takes_one_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signs_of_life, "LOOK_EVERY", 0.05)
    async with serving(House()) as house, gateway(house.listener.address) as gate:
        stuck = asyncio.Event()
        house.reception._signs_of_life._answers = stuck.wait  # type: ignore[assignment]
        before = len(asyncio.all_tasks())
        for _ in range(20):
            gate.send(status())
        await until(lambda: house.counters["status_unanswered"] == 20)
        assert gate.silent
        assert len(asyncio.all_tasks()) <= before + 1


async def test_a_client_that_floods_with_status_server_gets_silence_for_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(House()) as house, gateway(house.listener.address) as gate:
        for number in range(50 + 5):
            gate.send(status(attribute(33, bytes([number]))))
        await until(lambda: house.counters["too_many_status_requests"] == 5)
        await until(lambda: house.counters["status_answered"] == 50)
    assert caplog.text.count("asks with Status-Server more than 10 times a second") == 1


async def test_a_recorded_status_server_that_is_played_on_and_on_leaves_its_gateway_an_answer() -> None:
    async with serving(House()) as house, gateway(house.listener.address) as gate:
        for _ in range(50 + 5):
            gate.send(status())
        await until(lambda: house.counters["too_many_status_requests"] == 4)
        answered = 50 + 1
        for _ in range(answered):
            await gate.reply()
        gate.send(status(attribute(33, b"a fresh one")))
        assert (await gate.reply())[0] == 2
        assert house.counters["status_answered"] == answered + 1


async def test_status_server_without_a_seal_gets_silence_also_from_a_lenient_client() -> None:
    house = House(client=replace(LENIENT, name="lenient"))
    async with serving(house), gateway(house.listener.address) as gate:
        gate.send(packet(code=12))
        await until(lambda: house.counters == {"not_authentic": 1})
        assert gate.silent


async def test_more_reports_than_may_wait_get_silence(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(House(serves=ACCOUNTING, most_reports=2)) as house:
        held = asyncio.Event()

        async def wait(arrival: object) -> None:
            await held.wait()

        house.desk.account = wait  # type: ignore[method-assign]
        async with gateway(house.listener.address) as gate:
            for identifier in range(4):
                gate.send(report(START, session=f"S{identifier}", identifier=identifier))
            await until(lambda: house.counters["too_much_accounting"] == 2)
            held.set()
            assert sorted([(await gate.reply())[1], (await gate.reply())[1]]) == [0, 1]
    assert "too many Accounting-Requests in flight" in caplog.text


async def test_a_flood_of_reports_keeps_no_login_out() -> None:
    async with serving(House(serves=AUTHENTICATION | ACCOUNTING, most_reports=1)) as house:
        held = asyncio.Event()

        async def wait(arrival: object) -> None:
            await held.wait()

        house.desk.account, house.desk.verdict = wait, Accepted()  # type: ignore[method-assign]
        async with gateway(house.listener.address) as gate:
            for identifier in range(9):
                gate.send(report(START, session=f"S{identifier}", identifier=identifier))
            gate.send(signed((1, b"alice"), (2, HIDDEN), identifier=99))
            assert (await gate.reply())[:2] == bytes((2, 99))
            held.set()
