"""Where the person logs in from, as far as the gateway tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from radius_push.gateway import USER_ADDRESS_ORDER
from radius_push.model import Address, Client

CALLING = "Calling-Station-Id"
CISCO_PAIR = "Cisco-AVPair"
CISCO_SOURCE = "ip:source-ip="
_BRACKETED = re.compile(r"\[([^][]+)\](?::[0-9]{1,5})?", re.ASCII)  # [2001:db8::1]:4500
_WITH_PORT = re.compile(r"([^][]+)\[[0-9]{1,5}\]", re.ASCII)  # 203.0.113.5[4500], as strongSwan writes
_IPV4_COLON_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}", re.ASCII)  # 203.0.113.5:4500
# Eight pairs of digits are an EUI-64 MAC address, though they would parse as IPv6.
_EUI_64 = re.compile(r"(?:[0-9a-f]{2}:){7}[0-9a-f]{2}", re.ASCII | re.IGNORECASE)
_BROADCAST = IPv4Address("255.255.255.255")


@dataclass(frozen=True, slots=True)
class Reported:
    """The user's address, as a gateway reports it."""

    address: Address
    own: bool
    """It stood where this kind of gateway is known to put it. Else it is shown, and opens nothing."""


def user_address(
    attributes: Mapping[str, tuple[str, ...]], *, client: Client, gateway: Address
) -> Reported | None:
    """The first attribute that names an address that can be a person's, the client's own ones before the
    others; None: the VPN sends none, or the settings say so.

    Never an address of the gateway itself, whether it spoke from it or calls it its own.
    """
    if client.user_address is None:
        return None
    not_theirs = {_plain(gateway), *_addresses(attributes, "NAS-IP-Address", "NAS-IPv6-Address")}
    for name in dict.fromkeys((*client.user_address, *USER_ADDRESS_ORDER)):
        for text in _texts(name, attributes):
            address = parse(text)
            if address is not None and address not in not_theirs and _can_be_a_persons(address):
                return Reported(address, own=name in client.user_address)
    return None


def as_reported(address: Address, *, client: Client) -> tuple[str, str]:
    """The attribute, and its text, in which such a gateway would report this address."""
    own = client.user_address or (CALLING,)
    name = CALLING if CALLING in own else own[0]
    return name, f"{CISCO_SOURCE}{address}" if name == CISCO_PAIR else str(address)


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
    try:
        address = _plain(ip_address(text))
    except ValueError:
        return None
    # As it is written, not as it came: `010` for `10` makes no address of a MAC.
    return None if _EUI_64.fullmatch(text) or _EUI_64.fullmatch(str(address)) else address


def _texts(name: str, attributes: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for text in attributes.get(name, ()):
        if name != CISCO_PAIR:
            yield text
        elif text[: len(CISCO_SOURCE)].casefold() == CISCO_SOURCE:
            yield text[len(CISCO_SOURCE) :]


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
