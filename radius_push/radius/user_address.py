"""Where the person logs in from, as far as the gateway tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from radius_push.model import Address

CISCO_SOURCE = "ip:source-ip="
_BRACKETED = re.compile(r"\[([^][]+)\](?::[0-9]{1,5})?", re.ASCII)  # [2001:db8::1]:4500
_WITH_PORT = re.compile(r"([^][]+)\[[0-9]{1,5}\]", re.ASCII)  # 203.0.113.5[4500], as strongSwan writes
_IPV4_COLON_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}", re.ASCII)  # 203.0.113.5:4500
# Eight pairs of digits are an EUI-64 MAC address, though they would parse as IPv6.
_EUI_64 = re.compile(r"(?:[0-9a-f]{2}:){7}[0-9a-f]{2}", re.ASCII | re.IGNORECASE)
_BROADCAST = IPv4Address("255.255.255.255")


def user_address(attributes: Mapping[str, tuple[str, ...]], *, gateway: Address) -> Address | None:
    """The first attribute that names an address that can be a person's; None: the VPN sends none.

    Never an address of the gateway itself, whether it spoke from it or calls it its own.
    """
    own = [_plain(gateway), *_addresses(attributes, "NAS-IP-Address", "NAS-IPv6-Address")]
    for text in _candidates(attributes):
        address = parse(text)
        if address is not None and address not in own and _can_be_a_persons(address):
            return address
    return None


@lru_cache(4096)  # the gateway's own addresses come with every request of its, and are read twice
def parse(text: str) -> Address | None:
    """An address as gateways write it: with `ip=`, `[port]` or `:port`. No MAC, no host name."""
    text = text.strip()
    if text[:3].casefold() == "ip=":
        text = text[3:].strip()
    for form in (_BRACKETED, _WITH_PORT, _IPV4_COLON_PORT):
        if match := form.fullmatch(text):
            text = match[1]
            break
    if _EUI_64.fullmatch(text):
        return None
    try:
        return _plain(ip_address(text))
    except ValueError:
        return None


def _candidates(attributes: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    yield from attributes.get("PaloAlto-Client-Source-IP", ())
    for pair in attributes.get("Cisco-AVPair", ()):
        if pair[: len(CISCO_SOURCE)].casefold() == CISCO_SOURCE:
            yield pair[len(CISCO_SOURCE) :]
    yield from attributes.get("Tunnel-Client-Endpoint", ())
    yield from attributes.get("Calling-Station-Id", ())


def _addresses(attributes: Mapping[str, tuple[str, ...]], *names: str) -> Iterator[Address]:
    for name in names:
        for text in attributes.get(name, ()):
            address = parse(text)
            if address is not None:
                yield address


def _plain(address: Address) -> Address:
    """IPv4 in IPv6 is IPv4, and a scope (`%eth0`) says nothing to anybody else."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def _can_be_a_persons(address: Address) -> bool:
    return not (address.is_unspecified or address.is_multicast or address == _BROADCAST)
