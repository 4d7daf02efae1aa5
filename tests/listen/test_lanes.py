"""Each gateway's packets wait in a queue of their own: which one, and that a full one keeps nobody out."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from radius_push.client_table import ClientTable
from radius_push.listen import lanes
from radius_push.model import Client, Secret
from radius_push.shapes import Endpoint
from tests.listen.desks import House, gateway, serving
from tests.radius.packets import HIDDEN, STRICT, signed

SECRET = Secret("a secret of sixteen or more octets")


def client(name: str, *networks: str) -> Client:
    return Client(name, tuple(map(ip_network, networks)), (SECRET,), ("alone",))


CLIENTS = ClientTable(
    [
        client("a", "127.20.0.0/16", "::1/128"),
        client("b", "127.21.0.0/16", "127.20.5.5/32"),
        client("c", "127.20.5.0/24", "fe80::/10"),
    ]
)


@pytest.fixture
def opened() -> Iterator[list[socket.socket]]:
    opened = lanes.open_lanes(Endpoint(ip_address("127.0.0.1"), 0))
    yield opened
    for lane in opened:
        lane.close()


def send(source: str, to: list[socket.socket], *, times: int = 1) -> None:
    with socket.socket(to[0].family, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        for _ in range(times):
            sender.sendto(b"x" * 100, to[0].getsockname())


def arrived(opened: list[socket.socket]) -> list[int]:
    """In which lanes something waits; over loopback it is there when `sendto` returns."""
    found = []
    for number, lane in enumerate(opened):
        try:
            lane.recv(100)
        except BlockingIOError:
            continue
        found.append(number)
    return found


@pytest.mark.parametrize(
    ("source", "lane"),
    [
        ("127.20.0.1", 1),
        ("127.21.255.4", 2),
        ("127.20.5.5", 2),
        ("127.20.5.6", 3),
        ("127.22.0.1", lanes.STRANGERS),
    ],
)
def test_a_packet_waits_in_the_lane_of_its_client(
    opened: list[socket.socket], source: str, lane: int
) -> None:
    lanes.steer(opened, CLIENTS)
    send(source, opened)
    assert arrived(opened) == [lane]


def test_it_goes_by_ipv6_addresses_too() -> None:
    opened = lanes.open_lanes(Endpoint(ip_address("::1"), 0))
    lanes.steer(opened, CLIENTS)
    send("::1", opened)
    assert arrived(opened) == [1]
    lanes.steer(opened, ClientTable([client("other", "2001:db8::/32")]))
    send("::1", opened)
    assert arrived(opened) == [lanes.STRANGERS]
    for lane in opened:
        lane.close()


def test_a_lane_that_is_full_keeps_no_other_gateway_out(opened: list[socket.socket]) -> None:
    lanes.steer(opened, CLIENTS)
    for lane in opened:
        lane.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    send("127.20.0.1", opened, times=1000)
    send("127.22.0.1", opened, times=1000)
    send("127.21.0.1", opened)
    assert arrived(opened) == [lanes.STRANGERS, 1, 2]


def test_other_clients_mean_other_lanes(opened: list[socket.socket]) -> None:
    lanes.steer(opened, CLIENTS)
    lanes.steer(opened, ClientTable([client("b", "127.21.0.0/16")]))
    send("127.21.0.1", opened)
    assert arrived(opened) == [1]


def test_more_networks_than_a_program_holds_are_spread(opened: list[socket.socket]) -> None:
    many = [client(f"n{number}", f"10.{number // 256}.{number % 256}.0/24") for number in range(3000)]
    lanes.steer(opened, ClientTable(many))
    send("127.0.0.5", opened)
    assert arrived(opened) == [5]


def test_a_port_that_another_server_has_is_not_shared(opened: list[socket.socket]) -> None:
    host, port = opened[0].getsockname()
    with pytest.raises(OSError, match="in use"):
        lanes.open_lanes(Endpoint(ip_address(host), port))


async def test_a_client_with_too_much_waiting_work_is_not_read_while_others_are() -> None:
    loud, quiet = (
        replace(STRICT, name=name, networks=(ip_network(address),))
        for name, address in (("loud", "127.20.0.1"), ("quiet", "127.21.0.1"))
    )
    house = House()
    house.table = ClientTable([loud, quiet])
    house.pressing.add("loud")
    async with (
        serving(house),
        gateway(house.listener.address, "127.20.0.1") as flooding,
        gateway(house.listener.address, "127.21.0.1") as other,
    ):
        for identifier in range(5):
            flooding.send(signed((1, b"bob"), (2, HIDDEN), identifier=identifier))
        for identifier in range(20):
            other.send(signed((1, b"alice"), (2, HIDDEN), identifier=identifier))
            assert (await other.reply())[0] == 2
        assert [arrival.client.name for arrival in house.desk.arrivals].count("loud") == 1
        house.pressing.clear()
        assert sorted([(await flooding.reply())[1] for _ in range(5)]) == [0, 1, 2, 3, 4]
