"""X-Forwarded-For is read from the right, from trusted proxies alone."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from radius_push.web.proxies import MOST_HOPS, Proxies

PROXIES = Proxies([ip_network("10.0.1.0/28"), ip_network("2001:db8::/64")])
PEER = "10.0.1.1"


@pytest.mark.parametrize(
    ("peer", "lines", "caller"),
    [
        # A stranger is who they are, whatever they say.
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.1.16", ["198.51.100.1"], "10.0.1.16"),
        # The right-most one that is no proxy.
        (PEER, ["198.51.100.1"], "198.51.100.1"),
        (PEER, ["192.0.2.1, 198.51.100.1"], "198.51.100.1"),
        (PEER, ["192.0.2.1", "198.51.100.1"], "198.51.100.1"),
        (PEER, ["198.51.100.1, 10.0.1.2"], "198.51.100.1"),
        (PEER, ["192.0.2.1 ,\t198.51.100.1 , 10.0.1.2", "10.0.1.3"], "198.51.100.1"),
        (PEER, ["nonsense, 198.51.100.1"], "198.51.100.1"),
        (PEER, ["2001:db8:1::7"], "2001:db8:1::7"),
        ("2001:db8::1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.1.1", ["::ffff:198.51.100.1, ::ffff:10.0.1.2"], "198.51.100.1"),
        # Nobody said, or nothing that can be read: the proxy itself.
        (PEER, [], PEER),
        (PEER, [""], PEER),
        (PEER, ["10.0.1.2"], PEER),
        (PEER, ["198.51.100.1, nonsense"], PEER),
        (PEER, ["198.51.100.1,"], PEER),
        (PEER, ["198.51.100.1:443"], "198.51.100.1"),
        (PEER, ["198.51.100.1" + ", 10.0.1.2" * MOST_HOPS], PEER),
    ],
)
def test_who_asks(peer: str, lines: list[str], caller: str) -> None:
    assert PROXIES.caller(ip_address(peer), lines) == ip_address(caller)


@pytest.mark.parametrize(
    ("hop", "caller"), [("198.51.100.7:5555", "198.51.100.7"), ("[2001:db8:1::7]:443", "2001:db8:1::7")]
)
def test_a_port_behind_the_address_is_not_part_of_it(hop: str, caller: str) -> None:
    assert PROXIES.caller(ip_address("10.0.1.2"), [hop]) == ip_address(caller)


def test_without_any_proxy_nobody_is_believed() -> None:
    assert Proxies().caller(ip_address(PEER), ["198.51.100.1"]) == ip_address(PEER)
    assert Proxies().caller(None, ["198.51.100.1"]) is None
