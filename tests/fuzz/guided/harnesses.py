"""One harness per parser: `play` takes whatever octets, and raises only if a promise is broken.

No exception but our own, no answer to the unauthenticated, and no more work than the packet is long.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address

from radius_push.model import Accepted, Client, Reason, Rejected, Secret
from radius_push.proofs import pap
from radius_push.radius import attributes as names
from radius_push.radius.asking import read_reply
from radius_push.radius.packet import (
    AccessRequest,
    MalformedPacket,
    NotAuthentic,
    ReplyNotComputed,
    write_reply,
)
from radius_push.radius.user_address import parse, user_address
from tests.fuzz import oracle
from tests.fuzz.guided import sealing
from tests.fuzz.guided.door import Door
from tests.radius.packets import AUTHENTICATOR, LENIENT, SECRET, STRICT, dictionary, read, signed
from tests.vectors import rfc2865_7_1

IDENTIFIER = 7
OTHER_SECRET = Secret("an older secret of the same gateway")
CLIENTS = (
    STRICT,
    LENIENT,
    replace(STRICT, secrets=(OTHER_SECRET, SECRET), password_encoding="cp1251"),
    replace(LENIENT, password_encoding="utf-16"),
)
GATEWAY = ip_address("127.0.0.1")


@dataclass(frozen=True, slots=True)
class Harness:
    """How one parser is tried."""

    play: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    mend: Callable[[bytes], bytes] | None = None
    """Makes Length and seals right again, so that a mutation is not stopped by them."""
    close: Callable[[], None] = lambda: None
    """Gives back what it holds open."""


# --- a datagram ------------------------------------------------------------------------------------


def play_datagram(datagram: bytes) -> None:
    """What can be read is whole, believed only if sealed, and can be answered."""
    for client in CLIENTS:
        with contextlib.suppress(MalformedPacket, NotAuthentic):
            request = read(datagram, client)
            _is_whole(request, datagram, client)
            _can_be_answered(request)


def _is_whole(request: AccessRequest, datagram: bytes, client: Client) -> None:
    octets = datagram[: int.from_bytes(datagram[2:4], "big")]
    sealed = sealing.is_sealed(
        octets, secret=request.secret.reveal(), request_authenticator=request.authenticator
    )
    assert request.authentic == sealed
    assert sealed or client.require_message_authenticator == "no"
    texts = [text for each in request.attributes.values() for text in each]
    assert len(texts) + len(request.proxy_states) <= len(octets) // 2
    assert sum(map(len, texts)) <= 12 * len(octets)  # a short number may have a long name
    shown = {name for name in request.attributes if (known := dictionary().named(name)) and known.hidden}
    assert not shown
    user_address(request.attributes, gateway=GATEWAY)
    if request.hidden_password is not None:
        uncovered = pap.decrypt(request.hidden_password, request.secret, request.authenticator)
        _is_a_password(pap.read(uncovered, encoding=client.password_encoding))


def _can_be_answered(request: AccessRequest) -> None:
    rejected = write_reply(request, Rejected(Reason.DENIED, "no" * 100), dictionary=dictionary())
    assert _read_by_the_gateway(rejected, request) == 3
    with contextlib.suppress(ReplyNotComputed):
        accept = Accepted((("Filter-Id", "staff"), ("Tunnel-Type:1", "VLAN")))
        accepted = write_reply(request, accept, dictionary=dictionary())
        assert _read_by_the_gateway(accepted, request) == 2


def _read_by_the_gateway(reply: bytes, request: AccessRequest) -> int:
    code, _ = read_reply(
        reply,
        identifier=request.identifier,
        authenticator=request.authenticator,
        secret=request.secret,
        dictionary=dictionary(),
    )
    return code


def mend_request(datagram: bytes) -> bytes:
    return sealing.reseal_request(datagram, SECRET.reveal())


def request_seeds() -> Iterable[bytes]:
    yield rfc2865_7_1.REQUEST
    yield signed((1, b"alice"))
    yield signed((1, b"alice"), (26, bytes(4)), (26, (9).to_bytes(4, "big") + b"\x01\x13ip:source-ip=::1"))
    yield signed((1, b"alice"), (79, b"\x02\x01\x00\x0a\x01alice"))
    for number in range(24):
        asked = oracle.ask(random.Random(number), identifier=number)
        if len(asked.octets) < 700:
            yield asked.octets


# --- the door ------------------------------------------------------------------------------------


_doors: dict[str, Door] = {}
"""Kept open: a loop for every datagram would be slow."""


def _door_of(client: Client) -> Door:
    kind = client.require_message_authenticator
    if kind not in _doors:
        _doors[kind] = Door(client)
    return _doors[kind]


def close_doors() -> None:
    while _doors:
        _doors.popitem()[1].close()


def play_door(datagram: bytes) -> None:
    """At most one answer, to the same octets always the same, and none to the unauthenticated."""
    for client in (STRICT, LENIENT):
        door = _door_of(client)
        replies = door.knock(datagram, datagram)  # a gateway repeats itself
        if not replies:
            continue
        reply, again = replies
        assert again == reply
        octets = datagram[: int.from_bytes(datagram[2:4], "big")]
        secret, authenticator = SECRET.reveal(), octets[4:20]
        sealed = sealing.is_sealed(octets, secret=secret, request_authenticator=authenticator)
        assert sealed or client.require_message_authenticator == "no"
        assert sealing.is_answer(reply, secret=secret, request_authenticator=authenticator)
        assert sealing.is_sealed(reply, secret=secret, request_authenticator=authenticator)
        assert reply[1] == octets[1]


# --- a reply ---------------------------------------------------------------------------------------


def play_reply(datagram: bytes) -> None:
    """Believed only with both seals right."""
    try:
        code, texts = read_reply(
            datagram,
            identifier=IDENTIFIER,
            authenticator=AUTHENTICATOR,
            secret=SECRET,
            dictionary=dictionary(),
        )
    except (MalformedPacket, NotAuthentic):
        return
    octets = datagram[: int.from_bytes(datagram[2:4], "big")]
    secret = SECRET.reveal()
    assert sealing.is_sealed(octets, secret=secret, request_authenticator=AUTHENTICATOR)
    assert sealing.is_answer(octets, secret=secret, request_authenticator=AUTHENTICATOR)
    assert code == octets[0]
    assert all(isinstance(text, str) for each in texts.values() for text in each)


def mend_reply(datagram: bytes) -> bytes:
    return sealing.reseal_reply(datagram, SECRET.reveal(), AUTHENTICATOR, IDENTIFIER)


def reply_seeds() -> Iterable[bytes]:
    request = read(signed((1, b"alice"), (33, b"proxy")))
    yield write_reply(request, Rejected(Reason.DENIED, "no " * 100), dictionary=dictionary())
    rng = random.Random(0)
    writable = {attribute.name for attribute in oracle.writable()}
    for _ in range(24):
        reply = tuple(
            (value.name, value.text)
            for value in oracle.some_values(rng, 500)
            if value.name.partition(":")[0] in writable
        )
        yield write_reply(request, Accepted(reply), dictionary=dictionary())


# --- a credential ----------------------------------------------------------------------------------

ENCODINGS = ("utf-8", "latin-1", "cp1251", "ascii", "utf-16", "utf-7", "idna", "punycode", "hex", "shift_jis")


def play_password(octets: bytes) -> None:
    """An octet for the encoding, an octet for the way in, then a hidden password or a bare one."""
    encoding, bare, rest = (
        ENCODINGS[octets[0] % len(ENCODINGS)] if octets else "utf-8",
        octets[1:2],
        octets[2:],
    )
    if bare == b"\1":
        _is_a_password(pap.read(rest[:128], encoding=encoding))
        return
    try:
        uncovered = pap.decrypt(rest, SECRET, AUTHENTICATOR)
    except ValueError:
        assert not (16 <= len(rest) <= 128 and len(rest) % 16 == 0)
        return
    hidden = pap.hide(uncovered, SECRET, AUTHENTICATOR)
    assert rest.startswith(hidden[:16]) or not uncovered[:16].strip(b"\0")
    assert pap.decrypt(hidden, SECRET, AUTHENTICATOR) == uncovered
    _is_a_password(pap.read(uncovered, encoding=encoding))


def _is_a_password(read: Secret | pap.NotReadable | pap.LooksLikeWrongSecret) -> None:
    """Nothing empty and no NUL gets to a directory (RFC 4513 5.1.2)."""
    if isinstance(read, Secret):
        assert read.reveal().decode("utf-8")
        assert b"\0" not in read.reveal()


def password_seeds() -> Iterable[bytes]:
    for number in range(len(ENCODINGS)):
        typed = oracle.password_octets(random.Random(number))
        yield bytes((number, 1)) + typed
        yield bytes((number, 0)) + pap.hide(typed, SECRET, AUTHENTICATOR)


# --- the user's address ----------------------------------------------------------------------------

PLACES = ("PaloAlto-Client-Source-IP", "Cisco-AVPair", "Tunnel-Client-Endpoint", "Calling-Station-Id")


def play_address(octets: bytes) -> None:
    """Lines of text for the attributes in turn: never the gateway's own address, never nobody's."""
    lines = octets.decode("utf-8", "replace").split("\n")
    attributes: dict[str, tuple[str, ...]] = {"NAS-IP-Address": ("192.0.2.1",)}
    for at, line in enumerate(lines):
        name = PLACES[at % len(PLACES)]
        attributes[name] = (*attributes.get(name, ()), line[:253])
    found = user_address(attributes, gateway=GATEWAY)
    if found is None:
        return
    assert str(found) not in {"192.0.2.1", "127.0.0.1", "0.0.0.0", "::", "255.255.255.255"}
    assert not found.is_multicast
    assert parse(f"[{found}]" if found.version == 6 else f"ip={found}:4500") == found


def address_seeds() -> Iterable[bytes]:
    yield b"203.0.113.5\n\n\n"
    yield b"\nip:source-ip=2001:db8::5\n[2001:db8::1]:4500\n203.0.113.5[4500]"
    yield b"\n\n\nip=203.0.113.5:4500"
    yield b"00-11-22-33-44-55\nip:source-ip=00:11:22:33:44:55:66:77\n::ffff:127.0.0.1\n192.0.2.1"
    yield b"fe80::1%eth0\nvpn.example\n224.0.0.1\n[::]"


# --- a value ---------------------------------------------------------------------------------------

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


HARNESSES: Mapping[str, Harness] = {
    "datagram": Harness(play_datagram, request_seeds, mend_request),
    "door": Harness(play_door, request_seeds, mend_request, close_doors),
    "reply": Harness(play_reply, reply_seeds, mend_reply),
    "password": Harness(play_password, password_seeds),
    "address": Harness(play_address, address_seeds),
    "value": Harness(play_value, value_seeds),
}
