"""Each bound of `server.limits`: beyond it silence, a counter by its name, and few lines."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from radius_push.client_table import ClientTable
from radius_push.shapes import Limits
from tests.listen.desks import House, gateway, serving, until
from tests.radius.packets import HIDDEN, STRICT, signed


async def test_a_client_that_floods_leaves_room_for_the_others(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    other = replace(STRICT, name="fw2", networks=(ip_network("127.0.0.2/32"),))
    house.table = ClientTable([STRICT, other])
    house.dedup.bound(most_in_flight=100, most_of_owner=2)
    async with serving(house):
        house.desk.verdict = None
        async with (
            gateway(house.listener.address) as flood,
            gateway(house.listener.address, "127.0.0.2") as b,
        ):
            for identifier in range(5):
                flood.send(signed((1, b"alice"), (2, HIDDEN), identifier=identifier))
            await until(lambda: house.counters["too_many_in_flight_of_client"] == 3)
            b.send(signed((1, b"bob"), (2, HIDDEN)))
            await until(lambda: len(house.desk.arrivals) == 3)
            assert house.desk.arrivals[-1].client.name == "fw2"
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["fw1: too many logins in flight (limits.in_flight_per_client): silence for new ones"]


@pytest.mark.parametrize("limits", [Limits(packet_octets=512), Limits(attributes=32)])
async def test_a_packet_over_the_settings_bounds_is_malformed(limits: Limits) -> None:
    house = House()
    house.limits = limits
    async with serving(house), gateway(house.listener.address) as gate:
        gate.send(signed((1, b"alice"), (2, HIDDEN), *[(25, b"some class of sixteen")] * 40))
        await until(lambda: house.counters["malformed_packet"] == 1)
        gate.send(signed((1, b"alice"), (2, HIDDEN), identifier=8))
        assert (await gate.reply())[1] == 8


async def test_room_comes_back_when_logins_end() -> None:
    house = House()
    house.dedup.bound(most_in_flight=100, most_of_owner=1)
    async with serving(house), gateway(house.listener.address) as gate:
        for identifier in range(5):
            gate.send(signed((1, b"alice"), (2, HIDDEN), identifier=identifier))
            assert (await gate.reply())[1] == identifier
    assert house.dedup.in_flight_of("fw1") == 0
