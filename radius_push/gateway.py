"""What differs from one kind of VPN gateway to the next, in words that every room has."""

from __future__ import annotations

from dataclasses import dataclass

USER_ADDRESS_ORDER = (
    "PaloAlto-Client-Source-IP",
    "Cisco-AVPair",  # its `ip:source-ip=`
    "Tunnel-Client-Endpoint",
    "Calling-Station-Id",
)
"""Where gateways put the user's address, the surest place first."""

MOST_SHARING = 8
"""Addresses in one prefix (a /29) that may share a secret and still count as one gateway."""

SHORT_FOR_A_PERSON = 20.0
"""Seconds of a gateway's patience in which few people find their phone and answer."""


@dataclass(frozen=True, slots=True)
class GroupsIn:
    """Where a gateway looks for a person's groups in an Access-Accept."""

    attribute: str
    form: str = "{group}"
    """Text around `{group}` (an attribute for each), or around `{groups}` (all in one, `;` between them)."""
    room: int = 247
    """Octets that one value may have: 253, or less in a vendor's attribute (RFC 2865 5.26)."""
    only_one: bool = False
    """It reads one group and no more."""


@dataclass(frozen=True, slots=True)
class Series:
    """How a gateway sent one request again and again while it was held (RFC 5080 2.2.1)."""

    at: float
    """When it was over, UTC seconds."""
    whose: bytes
    """8 octets by which two people's are told apart: a keyed hash of the name."""
    tries: int
    """How often it was sent, the first time included: at least 2."""
    first: float
    """Seconds from the first try to the second (RFC 5080: IRT)."""
    last: float
    """Seconds from the first try to the last one."""
    then: float
    """Seconds that a gateway with these intervals waits behind its last try."""
    given_up: bool
    """The next try never came, though nothing had been answered. Else the answer was faster."""
