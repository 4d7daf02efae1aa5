"""The reverse proxies that are believed when they say for whom they ask."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from radius_push.model import Address, Network

MOST_HOPS = 32
"""Proxies that one request may have passed; what stands further left is not looked at."""


class Proxies:
    """Knows whom a request comes from. X-Forwarded-For is read from these networks alone."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = tuple(networks)

    def use(self, networks: Sequence[Network]) -> None:
        """After a reload."""
        self._networks = tuple(networks)

    def trusts(self, address: Address | None) -> bool:
        """Is it one of them?"""
        plain = None if address is None else _plain(address)
        return plain is not None and any(plain in network for network in self._networks)

    def caller(self, peer: Address | None, forwarded: Sequence[str]) -> Address | None:
        """Whom `peer` asks for. `forwarded`: the X-Forwarded-For lines, in order.

        A proxy appends whom it heard, so the list is true from the right as far as proxies are trusted, and
        anybody's invention to the left of that. From a stranger, or malformed: the peer itself.
        """
        if not self.trusts(peer):
            return peer
        hops = ",".join(forwarded).split(",")
        for hop in hops[: -MOST_HOPS - 1 : -1]:
            try:
                address = _plain(ip_address(_without_port(hop.strip()).partition("%")[0]))
            except ValueError:
                return peer
            if not self.trusts(address):
                return address
        return peer


def _without_port(hop: str) -> str:
    """`192.0.2.7:5555` and `[2001:db8::1]:443`, as some proxies write them, without the port."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _plain(address: Address) -> Address:
    """An IPv4 address, also where a socket or a proxy writes it as an IPv6 one."""
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped or address
