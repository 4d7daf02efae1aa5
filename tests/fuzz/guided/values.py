"""Values of attributes: the user's address, and every type of the dictionary."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterable
from ipaddress import ip_address

from radius_push.radius import attributes as names
from radius_push.radius.user_address import parse, user_address
from tests.fuzz import oracle
from tests.radius.packets import STRICT, dictionary

GATEWAY = ip_address("127.0.0.1")
PLACES = ("PaloAlto-Client-Source-IP", "Cisco-AVPair", "Tunnel-Client-Endpoint", "Calling-Station-Id")


def play_address(octets: bytes) -> None:
    """Lines of text for the attributes in turn: never the gateway's own address, never nobody's."""
    lines = octets.decode("utf-8", "replace").split("\n")
    attributes: dict[str, tuple[str, ...]] = {"NAS-IP-Address": ("192.0.2.1",)}
    for at, line in enumerate(lines):
        name = PLACES[at % len(PLACES)]
        attributes[name] = (*attributes.get(name, ()), line[:253])
    reported = user_address(attributes, client=STRICT, gateway=GATEWAY)
    if reported is None:
        return
    found = reported.address
    assert str(found) not in {"192.0.2.1", "127.0.0.1", "0.0.0.0", "::", "255.255.255.255"}
    assert not found.is_multicast
    assert parse(f"[{found}]" if found.version == 6 else f"ip={found}:4500") == found


def address_seeds() -> Iterable[bytes]:
    yield b"203.0.113.5\n\n\n"
    yield b"\nip:source-ip=2001:db8::5\n[2001:db8::1]:4500\n203.0.113.5[4500]"
    yield b"\n\n\nip=203.0.113.5:4500"
    yield b"00-11-22-33-44-55\nip:source-ip=00:11:22:33:44:55:66:77\n::ffff:127.0.0.1\n192.0.2.1"
    yield b"fe80::1%eth0\nvpn.example\n224.0.0.1\n[::]"


KNOWN = tuple(attribute for attribute in dictionary() if attribute.key != names.VENDOR_SPECIFIC)


def play_value(octets: bytes) -> None:
    """Two octets for the attribute, then its value: text that is written again reads the same."""
    attribute = KNOWN[int.from_bytes(octets[:2], "big") % len(KNOWN)]
    value = octets[2 : 2 + 253]
    texts = names.named_texts(_on_the_wire(attribute.key, value), dictionary())
    assert not (oracle.is_hidden(attribute) and attribute.name in texts)
    for name, (text,) in texts.items():
        assert len(text) <= 2 + 2 * 253
        with contextlib.suppress(ValueError):
            again = names.encode(name, text, dictionary())
            if len(again) <= 255:  # a long Reply-Message goes out in pieces
                assert names.named_texts([(again[0], again[2:])], dictionary()) == {name: (text,)}
    with contextlib.suppress(ValueError, UnicodeDecodeError):
        names.encode(attribute.name, value.decode("utf-8"), dictionary())


def _on_the_wire(key: int | tuple[int, int], value: bytes) -> list[tuple[int, bytes]]:
    if isinstance(key, int):
        return [(key, value)]
    cut = value[:247]
    return [(26, key[0].to_bytes(4, "big") + bytes((key[1], len(cut) + 2)) + cut)]


def value_seeds() -> Iterable[bytes]:
    rng = random.Random(0)
    for number in range(0, len(KNOWN), 5):
        attribute = KNOWN[number]
        if not attribute.hidden:
            text = oracle.value_of(attribute, rng).text
            with contextlib.suppress(ValueError):
                yield number.to_bytes(2, "big") + attribute.encode(text)[:60]
            yield number.to_bytes(2, "big") + text.encode()[:60]
