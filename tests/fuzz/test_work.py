"""A packet twice as long is at most twice the work, and no packet is more work than its length allows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

import pytest

from radius_push.model import Client, Reason, Rejected, Secret
from radius_push.radius.asking import read_reply
from radius_push.radius.dedup import Dedup, Key, New, Slot
from radius_push.radius.packet import MalformedPacket, NotAuthentic, write_reply
from radius_push.radius.user_address import user_address
from tests.fuzz.steps import Work, counted
from tests.radius.packets import AUTHENTICATOR, LENIENT, SECRET, STRICT, dictionary, packet, read, signed

GATEWAY = ip_address("127.0.0.1")
CALLS_AT_REST, CALLS_PER_OCTET = 400, 40
HASHED_PER_OCTET = 4
"""Message-Authenticator and digest of the request, both seals of a reply that is no longer."""

Attributes = list[tuple[int, bytes]]


def _filled(size: int, *row: tuple[int, bytes], most: int = 250) -> Attributes:
    """This row again and again, as often as it fits."""
    length = sum(2 + len(value) for _, value in row)
    return list(row) * min(size // length, most // len(row))


def _vendor(vendor: int, *inside: tuple[int, bytes]) -> tuple[int, bytes]:
    body = b"".join(bytes((type, len(value) + 2)) + value for type, value in inside)
    return 26, vendor.to_bytes(4, "big") + body


def _nested(size: int) -> Attributes:
    """Vendor-Specific in Vendor-Specific in Vendor-Specific: only the outermost is opened."""
    inside = b""
    while len(inside) < 240:
        inside = (4242).to_bytes(4, "big") + bytes((26, len(inside) + 2)) + inside
    return _filled(size, (26, inside[-250:]))


HOSTILE: dict[str, Callable[[int], Attributes]] = {
    "attributes of nothing": lambda size: _filled(size, (200, b"")),
    "too many of nothing": lambda size: _filled(size, (200, b""), most=5000),
    "one name, many values": lambda size: _filled(size, (31, b"x")),
    "vendors' of nothing": lambda size: _filled(size, _vendor(4242, *[(1, b"")] * 124)),
    "vendors' that are known, of nothing": lambda size: _filled(size, _vendor(9, *[(1, b"")] * 124)),
    "vendors' whose lengths do not add up": lambda size: _filled(size, (26, bytes(4) + b"\1\2" * 50 + b"\1")),
    "vendors' in vendors'": _nested,
    "pairs that name the gateway": lambda size: _filled(
        size, (4, GATEWAY.packed), _vendor(9, (1, b"ip:source-ip=127.0.0.1"))
    ),
    "calling stations that are nowhere": lambda size: _filled(size, (31, b"[" * 40)),
    "addresses nearly": lambda size: _filled(size, (31, b"1.1.1.1:" * 31)),
    "proxies": lambda size: _filled(size, (33, b"x")),
    "texts that are none": lambda size: _filled(size, (11, b"\xff" * 253)),
    "prefixes": lambda size: _filled(size, (97, b"\0\x80")),
    "parts of EAP": lambda size: _filled(size, (79, b"x")),
    "another seal": lambda size: [*_filled(size - 18, (200, b"")), (80, bytes(16))],
}


def _whole_way(attributes: Attributes, client: Client) -> Work:
    """From the octets to the reply."""
    datagram = signed((1, b"alice"), *attributes)
    with counted() as work, contextlib.suppress(MalformedPacket, NotAuthentic):
        request = read(datagram, client)
        user_address(request.attributes, client=client, gateway=GATEWAY)
        write_reply(request, Rejected(Reason.DENIED, "no"), dictionary=dictionary())
    return work


@pytest.mark.parametrize("kind", HOSTILE)
def test_work_is_bounded_by_the_length(kind: str) -> None:
    for client in (STRICT, LENIENT):
        work = _whole_way(HOSTILE[kind](4000), client)
        assert work.calls <= CALLS_AT_REST + CALLS_PER_OCTET * 4096
        assert work.hashed <= HASHED_PER_OCTET * 4200


@pytest.mark.parametrize("kind", HOSTILE)
def test_twice_the_length_is_at_most_twice_the_work(kind: str) -> None:
    half, whole = (_whole_way(HOSTILE[kind](size), STRICT) for size in (2000, 4000))
    assert whole.calls <= 2.2 * half.calls + CALLS_AT_REST
    assert whole.lines <= 2.2 * half.lines + 1000
    assert whole.hashed <= 2.2 * half.hashed + 1000


def test_whoever_reuses_one_identifier_makes_no_packet_dearer_than_the_one_before() -> None:
    """A gateway, or who has its secret, that supersedes its own requests as fast as it can."""
    work = [_superseding(count) for count in (300, 600)]
    assert work[1].lines <= 2.2 * work[0].lines


def _superseding(count: int) -> Work:
    dedup = Dedup()
    slot = Slot(("10.0.0.11", 5000), ("10.0.0.5", 1812), 7)
    with counted() as work:
        for number in range(count):
            key = Key(slot, number.to_bytes(16, "big"), b"digest")
            met = dedup.arrive(key, 0.0, authentic=True, carries_state=False)
            assert isinstance(met, New)
            dedup.supersede(met.ticket)
    return work


def test_every_secret_of_a_list_costs_one_hash_more_and_no_more() -> None:
    one = _whole_way([(11, b"x" * 200)] * 10, STRICT)
    many = replace(STRICT, secrets=(*(Secret(bytes((number,)) * 16) for number in range(7)), SECRET))
    assert _whole_way([(11, b"x" * 200)] * 10, many).hashed <= one.hashed + 7 * 4096


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_reply_from_a_stranger_is_hashed_once(kind: str) -> None:
    octets = packet(*HOSTILE[kind](4000), code=2)
    with counted() as work, contextlib.suppress(MalformedPacket, NotAuthentic):
        read_reply(octets, identifier=7, authenticator=AUTHENTICATOR, secret=SECRET, dictionary=dictionary())
    assert work.hashed <= len(octets) + 100
    assert work.calls <= CALLS_AT_REST + 10 * len(octets)
