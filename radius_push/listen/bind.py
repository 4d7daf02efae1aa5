"""A socket of our own making: a receive buffer for bursts, and one address family only."""

from __future__ import annotations

import socket

from radius_push.shapes import Endpoint

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Octets asked of the kernel: a burst of logins waits there instead of being lost."""
_SO_RCVBUFFORCE = 33  # Linux: beyond net.core.rmem_max, with CAP_NET_ADMIN; Python has no name for it


def bind(endpoint: Endpoint, *, shared: bool = False) -> socket.socket:
    """A bound UDP socket with a large receive buffer. OSError if the address can't be had. `shared`: with
    other sockets of ours that are."""
    v6 = endpoint.address.version == 6
    bound = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        if v6:
            # `[::]` beside `0.0.0.0`: each family on its own socket.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            bound.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except OSError:  # not privileged: the kernel gives up to net.core.rmem_max
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((str(endpoint.address), endpoint.port))
    except BaseException:
        bound.close()
        raise
    return bound
