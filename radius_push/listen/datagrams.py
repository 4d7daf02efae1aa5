"""A datagram with both its addresses: what asyncio's transports do not tell (RFC 3542, ip(7)).

A host with many addresses must answer from the one that was asked, or the gateway drops the reply. On a
wildcard socket only the kernel knows which one that was.
"""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv6Address

from radius_push.radius.wire import MOST_OCTETS

UdpAddress = tuple[str, int] | tuple[str, int, int, int]

_IP_PKTINFO = 8  # Linux; Python 3.11 has no name for it
_PKTINFO4 = struct.Struct("@I4s4s")
"""Interface, the address of ours that was asked, the address in the header (a broadcast differs)."""
_PKTINFO6 = struct.Struct("@16sI")
"""Address and interface."""
_ROOM = socket.CMSG_SPACE(max(_PKTINFO4.size, _PKTINFO6.size))

Asked = tuple[str, int] | None
"""An address of ours, and its interface where it needs one (link-local); None: the bound address."""


def tell_addresses(bound: socket.socket) -> None:
    """From now on the kernel says of every datagram which address was asked."""
    if bound.family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        bound.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)


def receive(bound: socket.socket, *, told: bool) -> tuple[bytes, UdpAddress, Asked]:
    """The next datagram, at most 4096 octets of it: behind Length there is nothing but padding."""
    if not told:
        datagram, peer = bound.recvfrom(MOST_OCTETS)
        return datagram, peer, None
    datagram, more, _, peer = bound.recvmsg(MOST_OCTETS, _ROOM)
    return datagram, peer, _asked(more)


def send(bound: socket.socket, datagram: bytes, peer: UdpAddress, asked: Asked) -> None:
    """Raises OSError; BlockingIOError: not now."""
    if asked is None:
        bound.sendto(datagram, peer)
        return
    address, interface = asked
    if bound.family == socket.AF_INET6:
        info = _PKTINFO6.pack(socket.inet_pton(socket.AF_INET6, address), interface)
        more = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info)
    else:
        # Without an interface: the way back is the routing table's matter.
        more = (socket.IPPROTO_IP, _IP_PKTINFO, _PKTINFO4.pack(0, socket.inet_aton(address), bytes(4)))
    bound.sendmsg([datagram], [more], 0, peer)


def _asked(more: list[tuple[int, int, bytes]]) -> Asked:
    for level, kind, octets in more:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO) and len(octets) >= _PKTINFO4.size:
            _, ours, _ = _PKTINFO4.unpack_from(octets)
            return socket.inet_ntoa(ours), 0
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO) and len(octets) >= _PKTINFO6.size:
            raw, interface = _PKTINFO6.unpack_from(octets)
            address = IPv6Address(raw)
            return str(address), interface if address.is_link_local else 0
    return None
