"""Small files in MaxMind's format, written for the tests: no real data, and as damaged as a test wants them.

The format: https://maxmind.github.io/MaxMind-DB/ (version 2.0). A binary tree over the bits of an address,
16 octets of zeros, the records, a marker, and the metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

MARKER = b"\xab\xcd\xefMaxMind.com"
_EMPTY = -1
Tree = list[list[int]]

VIENNA = {
    "city": {"names": {"en": "Vienna", "de": "Wien", "fr": "Vienne"}},
    "country": {"iso_code": "AT", "names": {"en": "Austria", "de": "Österreich"}},
}
ISTANBUL = {
    "city": {"names": {"en": "Istanbul"}},
    "country": {"iso_code": "TR", "names": {"en": "Türkiye"}},
}


def write_mmdb(
    path: Path,
    records: Mapping[str, object],
    *,
    built_at: float,
    kind: str = "GeoLite2-City",
    ip_version: int = 6,
) -> Path:
    """`records` by network: IPv4 ones lie in ::/96, as everywhere."""
    tree: Tree = [[_EMPTY, _EMPTY]]
    data, leaves = b"", {}
    for number, (network, record) in enumerate(records.items()):
        leaves[number] = len(data)
        data += encoded(record)
        _plant(tree, network, -2 - number, ip_version)
    octets = b"".join(_pointer(side, len(tree), leaves).to_bytes(3, "big") for node in tree for side in node)
    metadata = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": round(built_at),
        "database_type": kind,
        "description": {"en": "made by a test"},
        "ip_version": ip_version,
        "languages": ["en", "de"],
        "node_count": len(tree),
        "record_size": 24,
    }
    path.write_bytes(octets + bytes(16) + data + MARKER + encoded(metadata))
    return path


def _plant(tree: Tree, written: str, leaf: int, ip_version: int) -> None:
    network = ip_network(written)
    bits = f"{int(network.network_address):0{network.max_prefixlen}b}"[: network.prefixlen]
    if network.version == 4 and ip_version == 6:
        bits = "0" * 96 + bits
    node = 0
    for bit in map(int, bits[:-1]):
        if tree[node][bit] == _EMPTY:
            tree.append([_EMPTY, _EMPTY])
            tree[node][bit] = len(tree) - 1
        node = tree[node][bit]
    tree[node][int(bits[-1])] = leaf


def _pointer(side: int, nodes: int, leaves: Mapping[int, int]) -> int:
    if side >= 0:
        return side
    return nodes if side == _EMPTY else nodes + 16 + leaves[-2 - side]


def encoded(value: object) -> bytes:
    """One value of the data section."""
    match value:
        case str():
            return _control(2, len(value.encode())) + value.encode()
        case dict():
            return _control(7, len(value)) + b"".join(
                encoded(key) + encoded(below) for key, below in value.items()
            )
        case list():
            return _control(11, len(value)) + b"".join(encoded(below) for below in value)
        case int():
            octets = value.to_bytes(8, "big").lstrip(b"\0")
            return _control(9, len(octets)) + octets
        case _:
            raise TypeError(type(value))


def _control(type: int, size: int) -> bytes:
    extended = bytes([type - 7]) if type > 7 else b""
    first = 0 if extended else type << 5
    if size < 29:
        return bytes([first | size]) + extended
    if size < 29 + 256:
        return bytes([first | 29]) + extended + bytes([size - 29])
    return bytes([first | 30]) + extended + (size - 285).to_bytes(2, "big")
