"""The gateway's side of the wire: write an Access-Request, believe only the right reply."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from radius_push.model import Chap, MsChapV2, ProofName, Secret
from radius_push.proofs import chap, mschapv2, pap
from radius_push.radius import attributes as names
from radius_push.radius import mschap
from radius_push.radius.attributes import Attributes
from radius_push.radius.dictionary import Dictionary
from radius_push.radius.wire import (
    Code,
    MalformedPacket,
    NotAuthentic,
    attribute,
    is_signed,
    open_packet,
    response_authenticator,
    seal_request,
    signature_is_right,
)

CHANCE = 33
"""Random octets that a proof takes."""


def respond(proof: ProofName, *, username: str, password: Secret, chance: bytes) -> Chap | MsChapV2 | None:
    """What who logs in answers to a gateway's challenge; None for PAP, where the password goes itself.
    `chance` is 33 fresh random octets. ValueError for a password that has no NT hash."""
    identifier, challenge, peer_challenge = chance[0], chance[1:17], chance[17:CHANCE]
    if proof == "pap":
        return None
    if proof == "chap":
        return chap.answer(password, identifier=identifier, challenge=challenge)
    nt_hash = mschapv2.nt_hash(password)
    if nt_hash is None:
        raise ValueError("the password is not UTF-8, or longer than 256 characters: it has no NT hash")
    return mschapv2.answer(
        nt_hash,
        identifier=identifier,
        challenge=challenge,
        peer_challenge=peer_challenge,
        username=username.encode("utf-8"),
    )


def write_request(
    *,
    identifier: int,
    authenticator: bytes,
    secret: Secret,
    username: str,
    password: Secret | None = None,
    response: Chap | MsChapV2 | None = None,
    attributes: Iterable[tuple[str, str]] = (),
    message_authenticator: bool = True,
    dictionary: Dictionary,
) -> bytes:
    """An Access-Request by PAP (`password`), or by CHAP or MS-CHAPv2 (`response`). `authenticator` is 16
    fresh random octets. ValueError says what can't be written: an unknown attribute, a password over 128
    octets, a packet over 4096."""
    body = attribute(names.USER_NAME, username.encode("utf-8"))
    if password is not None:
        body += attribute(names.USER_PASSWORD, pap.hide(password.reveal(), secret, authenticator))
    match response:
        case Chap(number, challenge, proved):
            body += attribute(names.CHAP_PASSWORD, bytes((number,)) + proved)
            body += attribute(names.CHAP_CHALLENGE, challenge)
        case MsChapV2():
            body += mschap.request_attributes(response)
    for name, text in attributes:
        try:
            body += names.encode(name, text, dictionary)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return seal_request(
        identifier=identifier,
        authenticator=authenticator,
        secret=secret,
        attributes=body,
        sign=message_authenticator,
    )


def read_reply(
    datagram: bytes, *, identifier: int, authenticator: bytes, secret: Secret, dictionary: Dictionary
) -> tuple[int, Attributes]:
    """The code and the attributes of the reply to the request with this Identifier and Request
    Authenticator. MalformedPacket, or NotAuthentic where either seal is wrong or missing."""
    packet = open_packet(datagram)
    if packet.identifier != identifier:
        raise NotAuthentic("a reply to another request")
    expected = response_authenticator(packet.octets, authenticator, secret)
    if not hmac.compare_digest(expected, packet.authenticator):
        raise NotAuthentic("the Response Authenticator is wrong")
    if not (is_signed(packet) and signature_is_right(packet, secret, request_authenticator=authenticator)):
        raise NotAuthentic("the Message-Authenticator is wrong or missing")
    if packet.code == Code.ACCESS_REQUEST:
        raise MalformedPacket("a request is no reply")
    return packet.code, names.named_texts(packet.attributes, dictionary)


def read_told(
    reply: bytes, response: MsChapV2, *, password: Secret, secret: Secret, authenticator: bytes
) -> mschap.Told:
    """What a reply that `read_reply` has believed says to a login by MS-CHAPv2."""
    return mschap.read_told(
        open_packet(reply).attributes,
        response,
        nt_hash=mschapv2.nt_hash(password) or Secret(bytes(mschapv2.NT_HASH)),
        secret=secret,
        authenticator=authenticator,
    )
