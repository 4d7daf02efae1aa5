"""Runs in a network namespace of its own: a server on 0.0.0.0 with two interfaces, asked at each address.

The gateway has an address of this host too, so that without care every reply would leave from that one, as
the routing table says.
"""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from ipaddress import ip_network

from tests.listen.desks import House, serving
from tests.radius.packets import HIDDEN, STRICT, signed

GATEWAY = "198.51.100.9"


def lay_out() -> None:
    for line in (
        "link set lo up",
        "link add one type veth peer name cable",
        "link add two type veth peer name wire",
        "addr add 198.51.100.1/24 dev one",
        f"addr add {GATEWAY}/24 dev one",
        "addr add 203.0.113.1/24 dev two",
        "link set one up",
        "link set two up",
    ):
        subprocess.run(["ip", *line.split()], check=True)


async def ask_both() -> None:
    house = House(address="0.0.0.0", client=replace(STRICT, networks=(ip_network(GATEWAY),)))
    async with serving(house):
        for number, address in enumerate(("198.51.100.1", "203.0.113.1")):
            loop = asyncio.get_running_loop()
            replies: asyncio.Queue[bytes] = asyncio.Queue()

            class Gateway(asyncio.DatagramProtocol):
                def datagram_received(self, data: bytes, addr: object) -> None:
                    replies.put_nowait(data)  # noqa: B023

            transport, _ = await loop.create_datagram_endpoint(
                Gateway, local_addr=(GATEWAY, 0), remote_addr=(address, house.listener.address[1])
            )
            transport.sendto(signed((1, b"alice"), (2, HIDDEN), identifier=number))
            async with asyncio.timeout(5):
                assert (await replies.get())[:2] == bytes((2, number))
            transport.close()
            print(address, "ok")


if __name__ == "__main__":
    lay_out()
    asyncio.run(ask_both())
