"""Sockets side by side on one port: what floods in from one gateway fills its own queue in the kernel.

With one socket a flood takes the whole receive buffer, and what other gateways send is lost before anybody
reads it. So there are several, bound with SO_REUSEPORT, and a small program in the kernel (classic BPF,
socket(7)) says by the source address which of them gets a packet: strangers share the first, clients take
turns with the others.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from radius_push.client_table import ClientTable
from radius_push.listen.bind import bind
from radius_push.model import Network
from radius_push.shapes import Endpoint

STRANGERS = 0
"""The lane of who is no client."""
LANES = 16
MOST_INSTRUCTIONS = 4096
"""The kernel's limit (BPF_MAXINSNS)."""

_SO_ATTACH_REUSEPORT_CBPF = 51  # Linux 4.5; Python has no name for it
_NETWORK_HEADER = 0xFFF00000  # SKF_NET_OFF: what is loaded from there on is the IP header
_SOURCE = {4: 12, 6: 8}  # of the source address in it (RFC 791 3.1, RFC 8200 3)
_LOAD, _AND, _EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
_MODULO, _RETURN_A = 0x94, 0x16
_INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter: code, jump if true, jump if false, k
_PROGRAM = struct.Struct("@HP")  # struct sock_fprog: length, address


def open_lanes(endpoint: Endpoint) -> list[socket.socket]:
    """The sockets of one endpoint, in the order of their lanes, for `steer`. OSError if the address can't be
    had."""
    # Sockets that share a port would share it with another server of this user too. This one does not share.
    alone = bind(endpoint)
    port = alone.getsockname()[1]
    alone.close()
    lanes: list[socket.socket] = []
    try:
        while len(lanes) < LANES:
            lanes.append(bind(replace(endpoint, port=port), shared=True))
    except BaseException:
        for lane in lanes:
            lane.close()
        raise
    return lanes


def steer(lanes: Sequence[socket.socket], clients: ClientTable) -> None:
    """From now on packets go by these clients. What has been queued stays where it is. OSError: this kernel
    lets no such program in, and spreads packets over the lanes by their source's address and port."""
    version = 6 if lanes[0].family == socket.AF_INET6 else 4
    program = compile_for(clients, version=version, lanes=len(lanes))
    code = ctypes.create_string_buffer(b"".join(_INSTRUCTION.pack(*each) for each in program))
    # The kernel copies it.
    described = _PROGRAM.pack(len(program), ctypes.addressof(code))
    lanes[0].setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, described)


Instruction = tuple[int, int, int, int]


def compile_for(clients: ClientTable, *, version: int, lanes: int) -> list[Instruction]:
    """The program: from a packet's source address to its lane. With more networks than the kernel lets a
    program hold, it goes by the last octets of the address, whoever that is."""
    program: list[Instruction] = []
    for network, lane in _lanes_of(clients, version=version, lanes=lanes):
        program += [*_match(network), (_RETURN, 0, 0, lane)]
    program.append((_RETURN, 0, 0, STRANGERS))
    if len(program) <= MOST_INSTRUCTIONS:
        return program
    last = _NETWORK_HEADER + _SOURCE[version] + (12 if version == 6 else 0)
    return [(_LOAD, 0, 0, last), (_MODULO, 0, 0, lanes), (_RETURN_A, 0, 0, 0)]


def _lanes_of(clients: ClientTable, *, version: int, lanes: int) -> Iterator[tuple[Network, int]]:
    """Longest prefix first, as `ClientTable.find` goes."""
    names = {name: number for number, name in enumerate(dict.fromkeys(_names(clients)))}
    for network, client in clients:
        if network.version == version:
            yield network, 1 + names[client.name] % (lanes - 1)


def _names(clients: ClientTable) -> Iterable[str]:
    return sorted(client.name for _, client in clients)


def _match(network: Network) -> Iterator[Instruction]:
    """Fall through if the source lies in this network, else jump behind the instruction that follows."""
    words = network.max_prefixlen // 32
    steps: list[tuple[int, int, int]] = []
    for word in range(words):
        shift = 32 * (words - 1 - word)
        mask = int(network.netmask) >> shift & 0xFFFFFFFF
        if mask:
            steps.append((word, mask, int(network.network_address) >> shift & 0xFFFFFFFF))
    lengths = [2 if mask == 0xFFFFFFFF else 3 for _, mask, _ in steps]
    for number, (word, mask, wanted) in enumerate(steps):
        yield _LOAD, 0, 0, _NETWORK_HEADER + _SOURCE[network.version] + 4 * word
        if mask != 0xFFFFFFFF:
            yield _AND, 0, 0, mask
        yield _EQUAL, 0, sum(lengths[number + 1 :]) + 1, wanted
