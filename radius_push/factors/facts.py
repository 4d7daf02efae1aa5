"""What the phone is told about where a login comes from: facts for the person, and never a decision.

None of it is signed: the answer names the address itself, and what is said here is made from that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Literal

from radius_push.model import Address, Network, Place

Kind = Literal["public", "private", "shared", "loopback", "link_local"]

_KINDS: tuple[tuple[Kind, tuple[Network, ...]], ...] = (
    # RFC 1918; RFC 4193.
    ("private", tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))),
    # RFC 6598: between a provider and its customers.
    ("shared", (ip_network("100.64.0.0/10"),)),
    ("loopback", (ip_network("127.0.0.0/8"), ip_network("::1/128"))),
    # RFC 3927; RFC 4291, section 2.5.6.
    ("link_local", (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))),
)
_NOBODYS: tuple[Kind, ...] = ("loopback", "link_local")
"""The same on every machine and every link: that two are alike says nothing."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one login, for one phone. None: it cannot be told."""

    network: Kind | None = None
    """What kind of address it is; None: the gateway reported none, or what it reported is no address."""
    place: Place | None = None
    """About where a public address is, as the admin's file has it."""
    same_network_as_this_phone: bool | None = None
    same_address_as_last_login: bool | None = None
    not_from_here: bool = False
    """A yes of this phone is not taken, as long as it is where it is."""


def address_in(text: str | None) -> Address | None:
    """The address that a gateway reported, an IPv4 one also where it is written as an IPv6 one."""
    try:
        return None if text is None else _plain(ip_address(text))
    except ValueError:
        return None


def kind_of(address: Address) -> Kind:
    """What kind of network it is from. A place can be known of public ones alone."""
    for kind, networks in _KINDS:
        if any(address in network for network in networks):
            return kind
    return "public"


def same_network(user: Address | None, phone: Address | None) -> bool | None:
    """Do both come from one network: the same IPv4 address, or the same IPv6 /64? None: one is unknown, or
    they are of two families."""
    if user is None or phone is None:
        return None
    user, phone = _plain(user), _plain(phone)
    if user.version != phone.version or kind_of(user) in _NOBODYS:
        return None
    if user.version == 6:
        return int(user) >> 64 == int(phone) >> 64
    return user == phone


def same_address(user: Address | None, earlier: Address | None) -> bool | None:
    """The very same address? None: one is unknown. Unknown addresses are never alike."""
    return None if user is None or earlier is None else _plain(user) == _plain(earlier)


def shown(facts: Facts) -> dict[str, object]:
    """As a card carries it."""
    return {
        "network": facts.network,
        "place": None if facts.place is None else _place(facts.place),
        "same_network_as_this_phone": facts.same_network_as_this_phone,
        "same_address_as_last_login": facts.same_address_as_last_login,
        "not_from_here": facts.not_from_here,
    }


def _place(place: Place) -> Mapping[str, object]:
    return {
        "city": dict(place.city),
        "country": dict(place.country),
        "country_code": place.country_code,
    }


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped or address
