"""pyrad, which is not ours, as the gateway: it writes random requests and reads what we write.

Every packet is made from one `random.Random`, so that a seed and a number name it for ever.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from pyrad.dictionary import Dictionary as PyradDictionary
from pyrad.packet import AuthPacket, PacketError

from radius_push.radius import attributes as names
from radius_push.radius.dictionary import INTEGERS, Attribute, has_control_character
from radius_push.radius.proof import Kind
from radius_push.radius.wire import MESSAGE_AUTHENTICATOR, MOST_OCTETS, MOST_VALUE
from tests.radius.packets import SECRET, dictionary
from tests.radius.test_dictionary import FOLDER

PYRAD = PyradDictionary(str(FOLDER / "dictionary"))
UNKNOWN_VENDOR = 4242
CHAP_CHALLENGE = 60
MS_CHAP_CHALLENGE = (names.MICROSOFT, 11)
LEFT_OUT = {
    *(names.USER_NAME, names.USER_PASSWORD, names.STATE, names.VENDOR_SPECIFIC, names.PROXY_STATE),
    *(names.CHAP_PASSWORD, CHAP_CHALLENGE, names.EAP_MESSAGE, MESSAGE_AUTHENTICATOR),
    *((names.MICROSOFT, type) for type in range(1, 28)),
}
"""What a packet gets by hand, because each has rules of its own."""
LETTERS = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789 .,;:@-_/\\'\"=%éüßñşğŁЖДяλ漢字🔑"

PROOFS: tuple[Kind, ...] = ("pap", "pap", "pap", "pap", "pap", "pap", "chap", "ms-chapv2", "none")
"""PAP most often: only there is something to uncover."""

Texts = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Raw:
    octets: bytes


@dataclass(frozen=True, slots=True)
class Value:
    """One attribute as three sides call it."""

    name: str
    """With its tag, if it has one: `Tunnel-Type:1`."""
    to_pyrad: object
    """What pyrad's AddAttribute takes; Raw: octets, of a type that pyrad does not know."""
    text: str
    """What our side reads, and writes from."""
    octets: int
    """At most so many on the wire."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what whoever wrote it meant."""

    octets: bytes
    username: bytes
    proof: Kind
    password: bytes | None
    """Of PAP."""
    texts: Texts
    """Without User-Name, and without what is never shown."""
    state: bytes | None
    proxy_states: tuple[bytes, ...]


# --- writing -------------------------------------------------------------------------------------


def ask(rng: random.Random, *, identifier: int) -> Asked:
    """A random valid Access-Request, written and signed by pyrad."""
    packet = AuthPacket(id=identifier, secret=SECRET.reveal(), authenticator=rng.randbytes(16), dict=PYRAD)
    packet.add_message_authenticator()
    username = username_octets(rng)
    packet[names.USER_NAME] = [username]
    proof = rng.choice(PROOFS)
    password = _prove(rng, packet, proof)
    state = rng.randbytes(rng.randint(1, 64)) if rng.random() < 0.2 else None
    if state is not None:
        packet[names.STATE] = [state]
    proxied = tuple(rng.randbytes(rng.randint(0, 40)) for _ in range(rng.choice((0, 0, 0, 1, 2, 5))))
    if proxied:
        packet[names.PROXY_STATE] = list(proxied)
    room = MOST_OCTETS - len(packet.RequestPacket())
    texts = _add(packet, some_values(rng, room))
    return Asked(packet.RequestPacket(), username, proof, password, texts, state, proxied)


def _prove(rng: random.Random, packet: AuthPacket, proof: Kind) -> bytes | None:
    """Put it into the packet, as long as its RFC says; gives the password of PAP."""
    match proof:
        case "pap":
            password = password_octets(rng)
            packet[names.USER_PASSWORD] = [packet.PwCrypt(password)]
            return password
        case "chap":
            packet[names.CHAP_PASSWORD] = [rng.randbytes(17)]
            if rng.random() < 0.5:
                packet[CHAP_CHALLENGE] = [rng.randbytes(16)]
        case "ms-chapv2":
            packet[MS_CHAP_CHALLENGE] = [rng.randbytes(16)]
            packet[names.MS_CHAP2_RESPONSE] = [bytes((rng.randrange(256), 0)) + rng.randbytes(48)]
    return None


def _add(packet: AuthPacket, values: Iterable[Value]) -> Texts:
    """Into the packet; gives what is to be read of them."""
    texts: dict[str, tuple[str, ...]] = {}
    for value in values:
        bare = value.name.partition(":")[0]
        known = dictionary().named(bare)
        if known is None:
            key = unknown_key(bare)
            packet.setdefault(key, []).append(bytes.fromhex(value.text[2:]))
        elif isinstance(value.to_pyrad, Raw):
            packet.setdefault(known.key, []).append(value.to_pyrad.octets)
        else:
            packet.AddAttribute(value.name, value.to_pyrad)
        if known is None or not is_hidden(known):
            texts[bare] = (*texts.get(bare, ()), value.text)
    return texts


def some_values(rng: random.Random, room: int) -> list[Value]:
    """Random attributes that fit into so many octets: mostly few, sometimes as many as can be."""
    wanted = rng.choice((0, 2, 5, 10, 20, 20, 200))
    chosen: list[Value] = []
    for _ in range(wanted):
        value = unknown_value(rng) if rng.random() < 0.1 else value_of(rng.choice(shown()), rng)
        room -= value.octets
        if room < 0:
            break
        chosen.append(value)
        if rng.random() < 0.2:  # several values of one attribute
            twin = dictionary().named(value.name.partition(":")[0])
            again = value_of(twin, rng) if twin else value
            room -= again.octets
            if room >= 0:
                chosen.append(again)
    return chosen


@cache
def shown() -> tuple[Attribute, ...]:
    """Every attribute of our dictionary that a random packet may hold, by the name it is shown by."""
    return tuple(
        attribute
        for attribute in dictionary()
        if attribute.key not in LEFT_OUT and dictionary().keyed(attribute.key) is attribute
    )


def writable() -> tuple[Attribute, ...]:
    """Those that a reply may carry."""
    return tuple(attribute for attribute in shown() if not is_hidden(attribute))


def is_hidden(attribute: Attribute) -> bool:
    return attribute.hidden or attribute.key in names.HIDDEN


def unknown_value(rng: random.Random) -> Value:
    """An attribute that no dictionary of ours names, of the standard's space or a vendor's."""
    octets = rng.randbytes(rng.randint(0, 60))
    if rng.random() < 0.5:
        number = rng.choice([type for type in range(192, 241) if dictionary().keyed(type) is None])
        return Value(f"Attr-{number}", None, "0x" + octets.hex(), 2 + len(octets))
    return Value(
        f"Attr-26.{UNKNOWN_VENDOR}.{rng.randint(0, 255)}", None, "0x" + octets.hex(), 8 + len(octets)
    )


def unknown_key(name: str) -> int | tuple[int, int]:
    """The number in `Attr-250` or `Attr-26.4242.7`."""
    _, dot, inside = name.removeprefix("Attr-").partition(".")
    if not dot:
        return int(name.removeprefix("Attr-"))
    vendor, _, type = inside.partition(".")
    return int(vendor), int(type)


def value_of(attribute: Attribute, rng: random.Random) -> Value:
    """A random value of the attribute's type. KeyError: a type that nobody taught the oracle."""
    tag = f":{rng.randint(0, 31)}" if attribute.tagged and rng.random() < 0.5 else ""
    kind = "integer" if attribute.type in INTEGERS else attribute.type
    to_pyrad, text = MAKERS[kind](attribute, rng)
    return Value(attribute.name + tag, to_pyrad, text, 2 + 6 + 1 + 18 + len(text.encode()))


def _integer(attribute: Attribute, rng: random.Random) -> tuple[object, str]:
    if attribute.values and rng.random() < 0.5:
        number = rng.choice(tuple(attribute.values.values()))
        name = attribute.value_names[number]
        return name, name
    bits = 24 if attribute.tagged else 8 * INTEGERS[attribute.type]
    number = rng.choice((0, 1, rng.getrandbits(bits), (1 << bits) - 1))
    if attribute.type == "signed":
        number -= 1 << (bits - 1)
    return number, attribute.value_names.get(number) or str(number)


def _text(attribute: Attribute, rng: random.Random) -> tuple[object, str]:
    text = text_within(rng, rng.choice((1, 8, 30, 60, room_in(attribute))))
    return text, text


def _octets(attribute: Attribute, rng: random.Random) -> tuple[object, str]:
    octets = rng.randbytes(rng.choice((1, 4, 16, room_in(attribute))))
    if octets.startswith(b"0x"):  # pyrad takes these for the beginning of hexadecimal digits
        octets = b"1x" + octets[2:]
    return octets, "0x" + octets.hex()


def _ipv4_prefix(attribute: Attribute, rng: random.Random) -> tuple[object, str]:
    """RFC 8044 3.11."""
    prefix = IPv4Network((rng.getrandbits(32), rng.randint(0, 32)), strict=False)
    return Raw(bytes((0, prefix.prefixlen)) + prefix.network_address.packed), str(prefix)


def _either_address(attribute: Attribute, rng: random.Random) -> tuple[object, str]:
    address = rng.choice((IPv4Address(rng.getrandbits(32)), IPv6Address(rng.getrandbits(128))))
    return Raw(address.packed), str(address)


def _same(make: Callable[[random.Random], str]) -> Callable[[Attribute, random.Random], tuple[object, str]]:
    def both(attribute: Attribute, rng: random.Random) -> tuple[object, str]:
        text = make(rng)
        return text, text

    return both


MAKERS: Mapping[str, Callable[[Attribute, random.Random], tuple[object, str]]] = {
    "integer": _integer,
    "string": _text,
    "octets": _octets,
    "ipaddr": _same(lambda rng: str(IPv4Address(rng.getrandbits(32)))),
    "ipv6addr": _same(lambda rng: str(IPv6Address(rng.getrandbits(128)))),
    "ipv6prefix": _same(
        lambda rng: str(IPv6Network((rng.getrandbits(128), rng.randint(0, 128)), strict=False))
    ),
    "ipv4prefix": _ipv4_prefix,
    "combo-ip": _either_address,
    "ifid": _same(lambda rng: ":".join(f"{rng.getrandbits(16):x}" for _ in range(4))),
    "ether": _same(lambda rng: ":".join(f"{rng.getrandbits(8):02x}" for _ in range(6))),
}


def room_in(attribute: Attribute) -> int:
    """Octets that a value has at most, its tag and seal taken off."""
    most = MOST_VALUE - 6 if isinstance(attribute.key, tuple) else MOST_VALUE
    return most - 30 if attribute.hidden else most - 1 if attribute.tagged else most


def text_within(rng: random.Random, most: int) -> str:
    """A text of 1 to `most` octets of UTF-8, in any script, without control characters."""
    text = "".join(rng.choices(LETTERS, k=rng.randint(1, most)))
    return text.encode()[:most].decode("utf-8", "ignore") or "x"


def username_octets(rng: random.Random) -> bytes:
    """Mostly UTF-8; sometimes as an old gateway writes it, sometimes nothing at all."""
    kind = rng.random()
    if kind < 0.02:
        return b""
    if kind < 0.1:
        return "Jürgen Groß".encode("latin-1")
    return text_within(rng, rng.choice((8, 20, 60, MOST_VALUE))).encode()


def password_octets(rng: random.Random) -> bytes:
    """Every length there can be, in UTF-8, in Latin-1 and as plain octets."""
    length = rng.randint(0, 128)
    kind = rng.random()
    if kind < 0.5:
        return text_within(rng, length or 1).encode()
    if kind < 0.7:
        return "".join(rng.choices("abcéüßÅ12", k=length)).encode("latin-1")
    return rng.randbytes(length)


# --- reading -------------------------------------------------------------------------------------


def read_by_pyrad(octets: bytes) -> AuthPacket:
    """As a server on pyrad sees a request: PacketError if it can't be framed."""
    return AuthPacket(packet=octets, secret=SECRET.reveal(), dict=PYRAD)


def believed_by_pyrad(octets: bytes) -> bool:
    """Would a server on pyrad that enforces Message-Authenticator work on this Access-Request?"""
    try:
        packet = read_by_pyrad(octets)
    except PacketError:
        return False
    return packet.code == 1 and bool(packet.message_authenticator) and packet.verify_message_authenticator()


def reply_by_pyrad(request: bytes, reply: bytes) -> AuthPacket | None:
    """The reply as a gateway on pyrad takes it that enforces Message-Authenticator; None: not believed."""
    asked = read_by_pyrad(request)
    try:
        answer = asked.CreateReply(packet=reply)
    except PacketError:
        return None
    return answer if asked.VerifyReply(answer, enforce_ma=True) else None


def texts_by_pyrad(packet: AuthPacket) -> dict[str, tuple[str, ...]]:
    """What pyrad reads, in the words that we use. Raises what pyrad raises for a value it can't read.

    Only the spelling is ours (`0x...` for octets); numbers, names and addresses are pyrad's.
    """
    found: dict[str, tuple[str, ...]] = {}
    for key in OrderedDict.keys(packet):
        known = dictionary().keyed(key)
        if key in names.HIDDEN or (known is not None and known.hidden):
            continue
        if known is None:
            number = f"26.{key[0]}.{key[1]}" if isinstance(key, tuple) else str(key)
            found[f"Attr-{number}"] = tuple("0x" + octets.hex() for octets in packet[key])
        else:
            found[known.name] = spelled_by_pyrad(packet, known.name)
    return found


def spelled_by_pyrad(packet: AuthPacket, name: str) -> tuple[str, ...]:
    """The values of one attribute of our dictionary; `Tunnel-Type:1`: those with this tag."""
    known = dictionary().named(name.partition(":")[0])
    assert known is not None
    if known.type in READ_BY_HAND:
        return tuple(READ_BY_HAND[known.type](octets) for octets in packet[known.key])
    return tuple(_spelled(known, value) for value in packet[name])


READ_BY_HAND: Mapping[str, Callable[[bytes], str]] = {
    "ipv4prefix": lambda octets: str(IPv4Network((octets[2:], octets[1]))),
    "combo-ip": lambda octets: str(ip_address(octets)),
}
"""Types that pyrad does not know."""


def _spelled(attribute: Attribute, value: object) -> str:
    if isinstance(value, bytes):  # octets; or a string that is not UTF-8
        return "0x" + value.hex()
    text = str(value)
    if attribute.type == "string" and has_control_character(text):
        return "0x" + text.encode().hex()
    return text
