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
