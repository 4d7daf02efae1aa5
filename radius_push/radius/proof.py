"""How the person of a request proves who they are, decoded at the door."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from radius_push.model import Chap, MsChapV2
from radius_push.proofs import chap, mschapv2, pap
from radius_push.radius import attributes as names
from radius_push.radius.dictionary import Key
from radius_push.radius.wire import MOST_VALUE, MalformedPacket, Packet

Kind = Literal["pap", "chap", "ms-chap", "ms-chapv2", "eap", "none"]

_KINDS: dict[Key, tuple[Kind, str]] = {
    names.USER_PASSWORD: ("pap", "User-Password"),
    names.CHAP_PASSWORD: ("chap", "CHAP-Password"),
    names.MS_CHAP_RESPONSE: ("ms-chap", "MS-CHAP-Response"),
    names.MS_CHAP2_RESPONSE: ("ms-chapv2", "MS-CHAP2-Response"),
    names.EAP_MESSAGE: ("eap", "EAP-Message"),
}
_LOOKED_FOR = frozenset({*_KINDS, names.CHAP_CHALLENGE, names.MS_CHAP_CHALLENGE})
_PEER, _RESPONSE, _END = 2, 2 + mschapv2.CHALLENGE + 8, 2 + mschapv2.CHALLENGE + 8 + mschapv2.NT_RESPONSE

Values = dict[Key, list[bytes]]


@dataclass(frozen=True, slots=True)
class Offered:
    """What a packet carries to prove it."""

    kind: Kind
    """`none`: nothing."""
    hidden_password: bytes | None = field(default=None, repr=False)
    """16 to 128 octets, a multiple of 16: for proofs.pap.decrypt."""
    response: Chap | MsChapV2 | None = None


def read_proof(packet: Packet) -> Offered:
    """MalformedPacket for one of another shape, and for two of them in one packet (RFC 2865 4.1)."""
    values = names.values_of(packet.attributes, _LOOKED_FOR)
    there = [kind for key, kind in _KINDS.items() if key in values]
    if len(there) > 1:
        raise MalformedPacket(f"both {there[0][1]} and {there[1][1]} (RFC 2865 4.1, RFC 3579 3.3)")
    match [kind for kind, _ in there]:
        case ["pap"]:
            return Offered("pap", hidden_password=_hidden_password(values))
        case ["chap"]:
            return Offered("chap", response=_chap(values, packet.authenticator))
        case ["ms-chapv2"]:
            return Offered("ms-chapv2", response=_mschapv2(values, packet))
        case [kind]:
            return Offered(kind)
        case _:
            return Offered("none")


def _hidden_password(values: Values) -> bytes:
    hidden = _only(values, names.USER_PASSWORD, "User-Password")
    if not (pap.BLOCK <= len(hidden) <= pap.MOST_OCTETS and len(hidden) % pap.BLOCK == 0):
        raise MalformedPacket(f"User-Password of {len(hidden)} octets")
    return hidden


def _chap(values: Values, authenticator: bytes) -> Chap:
    """RFC 2865 5.3: without a CHAP-Challenge, the Request Authenticator is the challenge."""
    password = _only(values, names.CHAP_PASSWORD, "CHAP-Password")
    if len(password) != 1 + chap.RESPONSE:
        raise MalformedPacket(f"CHAP-Password of {len(password)} octets")
    challenge = authenticator
    if names.CHAP_CHALLENGE in values:
        challenge = _only(values, names.CHAP_CHALLENGE, "CHAP-Challenge")
        if not 1 <= len(challenge) <= MOST_VALUE:
            raise MalformedPacket("CHAP-Challenge of 0 octets")
    return Chap(password[0], challenge, password[1:])


def _mschapv2(values: Values, packet: Packet) -> MsChapV2:
    """RFC 2548 2.3.2: Ident, Flags, Peer-Challenge, eight reserved octets, Response. Flags and what is
    reserved prove nothing, and are not looked at."""
    response = _only(values, names.MS_CHAP2_RESPONSE, "MS-CHAP2-Response")
    challenge = _only(values, names.MS_CHAP_CHALLENGE, "MS-CHAP-Challenge")
    if len(response) != _END:
        raise MalformedPacket(f"MS-CHAP2-Response of {len(response)} octets")
    if len(challenge) != mschapv2.CHALLENGE:
        raise MalformedPacket(f"MS-CHAP-Challenge of {len(challenge)} octets")
    return MsChapV2(
        identifier=response[0],
        authenticator_challenge=challenge,
        peer_challenge=response[_PEER : _PEER + mschapv2.CHALLENGE],
        nt_response=response[_RESPONSE:],
        username=mschapv2.without_domain(packet.at_most_one(names.USER_NAME) or b""),
    )


def _only(values: Values, key: Key, name: str) -> bytes:
    found = values.get(key, [])
    if len(found) != 1:
        raise MalformedPacket(f"{name} is there {len(found)} times")
    return found[0]
