"""Which URLs a phone may name as its push service's, and which addresses they may lie at.

The URL comes from a phone, and this server will ask it: without these two questions, any phone could make
it ask whatever it likes inside the company's network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from radius_push.model import Address

LONGEST = 1024
"""Octets of a URL. Those of the known services have 150 to 600."""

KNOWN = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
"""Chrome and its kin, Firefox, Safari, Edge. `*` stands for one label or more."""

# No space, control, quote, backslash or fragment: what URL readers are known to read differently.
_PLAIN = re.compile(r"[A-Za-z0-9:/?@\[\]!$&'()*+,;=._~%-]+")
_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_NAT64 = IPv6Network("64:ff9b::/96")
_DEFAULT_PORTS = {"https": 443, "http": 80}


class EndpointRefused(Exception):
    """This URL is not asked. The message names no more of it than its host."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL that may be asked."""

    origin: str
    """Scheme, host and, if it is not the default one, port: also the `aud` of VAPID (RFC 8292, section 2)."""
    host: str
    named_by_admin: bool
    """Then it may lie anywhere."""


class Endpoints:
    """The known push services, and the origins that the admin named."""

    def __init__(self, named: tuple[str, ...] = ()) -> None:
        self._named = frozenset(named)
        self._named_hosts = frozenset(urlsplit(origin).hostname for origin in named)

    def check(self, url: str) -> Endpoint:
        """Raises EndpointRefused."""
        if len(url) > LONGEST or not _PLAIN.fullmatch(url):
            raise EndpointRefused("not a URL that a push service gives out")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise EndpointRefused("not a URL") from None
        host = parts.hostname or ""
        if "@" in parts.netloc:
            raise EndpointRefused("a URL with a user name in it")
        if parts.scheme not in _DEFAULT_PORTS or not host:
            raise EndpointRefused("not an https URL")
        default = _DEFAULT_PORTS[parts.scheme]
        shown = f"[{host}]" if ":" in host else host
        origin = f"{parts.scheme}://{shown}" + ("" if port in (None, default) else f":{port}")
        if origin in self._named:
            return Endpoint(origin, host, named_by_admin=True)
        if parts.scheme != "https" or port not in (None, 443):
            raise EndpointRefused(f"{shown}: only https on port 443")
        if not _NAME.fullmatch(host) or not any(_fits(host, pattern) for pattern in KNOWN):
            raise EndpointRefused(
                f"{shown} is no push service that is known; see methods.push.allow_endpoints"
            )
        return Endpoint(origin, host, named_by_admin=False)

    def may_lie_anywhere(self, host: str) -> bool:
        """The admin named it, so its addresses are the admin's matter."""
        return host in self._named_hosts


def _fits(host: str, pattern: str) -> bool:
    if not pattern.startswith("*"):
        return host == pattern
    return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1


def is_public(text: str) -> bool:
    """Does this address lie on the internet? Not for private, loopback, link-local, shared (RFC 6598),
    multicast and reserved ones, also when they are wrapped in an IPv6 address."""
    address: Address = ip_address(text)
    if isinstance(address, IPv6Address):
        inner = _inside(address)
        if inner is not None:
            return is_public(str(inner))
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to: mapped, 6to4 (RFC 3056) or NAT64 (RFC 6052)."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
