"""An Access-Request decoded whole at the door, and the reply to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from radius_push.model import (
    Accepted,
    Address,
    Chap,
    Client,
    MsChapSuccess,
    MsChapV2,
    PeerCertificate,
    Rejected,
    Secret,
)
from radius_push.radius import attributes as names
from radius_push.radius import mschap
from radius_push.radius.dictionary import Dictionary, has_control_character
from radius_push.radius.dictionary_files import load_dictionary
from radius_push.radius.patience import Repeats
from radius_push.radius.presets import PRESETS
from radius_push.radius.proof import Kind, read_proof
from radius_push.radius.wire import (
    HEADER,
    MOST_OCTETS,
    RFC_BOUNDS,
    SIGNED,
    Bounds,
    Code,
    MalformedPacket,
    NotAuthentic,
    NotServed,
    Packet,
    attribute,
    is_signed,
    open_packet,
    seal_reply,
    signature_is_right,
)

__all__ = [
    "AccessRequest",
    "Arrival",
    "Dictionary",
    "MalformedPacket",
    "NotAuthentic",
    "NotServed",
    "ReplyNotComputed",
    "check_reply",
    "load_dictionary",
    "read_request",
    "read_username",
    "write_reply",
]


class ReplyNotComputed(Exception):
    """A reply can't be written as the settings want it: `Filter-Id: why`. Never accept without it."""


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """What a gateway asks, all of it readable: no later step finds anything malformed."""

    identifier: int
    authenticator: bytes = field(repr=False)
    username: str | None
    hidden_password: bytes | None = field(repr=False)
    """16 to 128 octets, a multiple of 16: for proofs.pap.decrypt. Of PAP only."""
    secret: Secret
    """The one of the client's secrets that the Message-Authenticator fits; else the newest."""
    authentic: bool
    """A valid Message-Authenticator was there, or TLS was around it."""
    attributes: Mapping[str, tuple[str, ...]]
    """Name -> texts. No password, challenge, State or seal is among them."""
    proxy_states: tuple[bytes, ...] = field(repr=False)
    digest: bytes
    """SHA-256 of exactly Length octets."""
    state: bytes | None = field(default=None, repr=False)
    proof: Kind = "pap"
    """How the person proves who they are; `none`: not at all."""
    response: Chap | MsChapV2 | None = None
    """Of CHAP and MS-CHAPv2."""
    seal_counts: bool = True
    """False: this client's packets may be taken without a seal, too, so that one can be taken off (under
    `auto` from each of its addresses that has not sealed yet)."""

    @property
    def memory(self) -> bytes:
        """What it is remembered by, so that it is not played again: 32 octets.

        A packet whose seal does not count by what nobody can change who knows neither the secret nor the
        password: whoever alters the rest of it, the name among it, makes no new packet.
        """
        if self.authentic and self.seal_counts:
            return self.digest
        match self.response:
            case Chap(identifier, challenge, response):
                proved = b"chap" + bytes((identifier,)) + response + challenge
            case MsChapV2() as proof:
                proved = b"ms-chapv2" + (
                    proof.authenticator_challenge + proof.peer_challenge + proof.nt_response
                )
            case None if self.hidden_password is not None:
                proved = b"unsealed" + self.authenticator + self.hidden_password
            case None:
                return self.digest
        return hashlib.sha256(proved).digest()


class HangUp(Protocol):
    """The end of a connection: an asyncio.Event is one."""

    def is_set(self) -> bool:
        """Is it closed?"""

    async def wait(self) -> object:
        """Return once it is."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One new Access-Request at the desk. A retransmission of it is no new arrival."""

    request: AccessRequest
    client: Client
    source: Address
    source_port: int
    login: str
    """The trace code: six characters a person can read out."""
    at: float
    """UTC seconds."""
    started: float
    """The same moment on the monotonic clock."""
    packet: bytes = field(repr=False)
    """What makes another packet the same one, as 32 octets: its octets, and where from and where to."""
    superseded: Callable[[], bool]
    """Has the gateway replaced this request since? Its reply is then never sent."""
    supersede: Callable[[], None] = lambda: None
    """To be called when this request was found to be no replay: what it replaces is given up."""
    certificate: PeerCertificate | None = None
    """By which the gateway was known; None: by its address."""
    hang_up: HangUp | None = None
    """The end of the connection that it came by; None: nobody hangs up on a datagram."""
    repeats: Repeats | None = None
    """How it was sent again since, on the clock of `started`."""


def read_request(
    datagram: bytes,
    *,
    client: Client,
    dictionary: Dictionary,
    seal_required: bool | None = None,
    bounds: Bounds = RFC_BOUNDS,
) -> AccessRequest:
    """Decode an Access-Request from this client. Raises MalformedPacket or NotAuthentic, whose
    words are for the log and hold nothing secret.

    `seal_required`: must it bear a Message-Authenticator? None: unless the client says `no`.
    """
    packet = open_packet(datagram, bounds)
    if packet.code != Code.ACCESS_REQUEST:
        raise NotServed(packet.code)
    if seal_required is None:
        seal_required = client.require_message_authenticator != "no"
    secret, authentic = _authenticate(packet, client, seal_required=seal_required)
    username = read_username(packet.at_most_one(names.USER_NAME), client.password_encoding)
    offered = read_proof(packet)
    texts = names.named_texts(packet.attributes, dictionary)
    if username is not None:
        texts["User-Name"] = (username,)
    return AccessRequest(
        identifier=packet.identifier,
        authenticator=packet.authenticator,
        username=username,
        hidden_password=offered.hidden_password,
        secret=secret,
        authentic=authentic,
        attributes=MappingProxyType(texts),
        proxy_states=_proxy_states(packet),
        digest=hashlib.sha256(packet.octets).digest(),
        state=packet.at_most_one(names.STATE),
        proof=offered.kind,
        response=offered.response,
        seal_counts=client.require_message_authenticator == "yes",
    )


def write_reply(
    request: AccessRequest, verdict: Accepted | Rejected, *, dictionary: Dictionary, trace_code: str = ""
) -> bytes:
    """The octets of the reply: Message-Authenticator first, every Proxy-State copied, in order.

    Raises ReplyNotComputed for an accept that can't be written in full. A reject is always written,
    without its text where only that keeps it under 4096 octets. What a login by MS-CHAPv2 is told beside
    (RFC 2548) is in both. `trace_code` ends a reject's text, and that of an accept which has one; it is the
    first to be left out where there is no room.
    """
    proxied = _proxied(request.proxy_states)
    match verdict:
        case Accepted(reply, success):
            code = Code.ACCESS_ACCEPT
            bodies = (_accept_body(request, reply, success, dictionary, c) for c in (trace_code, ""))
        case Rejected(text=text):
            code = Code.ACCESS_REJECT
            bodies = (_reject_body(request, *said) for said in ((text, trace_code), (text, ""), ("", "")))
    body = next((each for each in bodies if _fits(each + proxied)), None)
    if body is None:
        raise ReplyNotComputed(f"the reply is longer than {MOST_OCTETS} octets")
    return seal_reply(
        code,
        identifier=request.identifier,
        request_authenticator=request.authenticator,
        secret=request.secret,
        attributes=body + proxied,
    )


def check_reply(
    reply: tuple[tuple[str, str], ...], *, dictionary: Dictionary, request: AccessRequest | None = None
) -> None:
    """Could `write_reply` write this accept? Raises ReplyNotComputed(`Filter-Id: why`) if not.

    With `request` its Proxy-States count too, and what MS-CHAPv2 adds: then `write_reply` can't fail any
    more.
    """
    if request is None:
        body = _encode_reply(reply, dictionary)
    else:
        body = _accept_body(request, reply, mschap.PLACEHOLDER, dictionary) + _proxied(request.proxy_states)
    if not _fits(body):
        raise ReplyNotComputed(f"the reply is longer than {MOST_OCTETS} octets")


def _accept_body(
    request: AccessRequest,
    reply: tuple[tuple[str, str], ...],
    success: MsChapSuccess | None,
    dictionary: Dictionary,
    trace_code: str = "",
) -> bytes:
    body = _encode_reply(reply, dictionary, trace_code)
    if not isinstance(request.response, MsChapV2):
        return body
    if success is None:
        raise ReplyNotComputed("MS-CHAP2-Success: nothing shows that the password is known")
    named = (dictionary.named(name.partition(":")[0]) for name, _ in reply)
    return body + mschap.success(
        request.response,
        success,
        secret=request.secret,
        authenticator=request.authenticator,
        digest=request.digest,
        taken={each.key for each in named if each is not None},
    )


def _reject_body(request: AccessRequest, text: str, trace_code: str) -> bytes:
    body = names.reply_message(text, trace_code)
    if isinstance(request.response, MsChapV2):
        body += mschap.error(
            request.response, text, secret=request.secret, digest=request.digest, trace_code=trace_code
        )
    return body


def _encode_reply(reply: tuple[tuple[str, str], ...], dictionary: Dictionary, trace_code: str = "") -> bytes:
    body = b""
    filtered = False
    known_ones = [dictionary.named(name.partition(":")[0]) for name, _ in reply]
    last_words = max(
        (n for n, of in enumerate(known_ones) if of and of.key == names.REPLY_MESSAGE), default=-1
    )
    for number, ((name, text), known) in enumerate(zip(reply, known_ones, strict=True)):
        if known is not None and known.key in names.HIDDEN | {names.VENDOR_SPECIFIC}:
            raise ReplyNotComputed(f"{name}: the server alone decides about this one")
        try:
            rule = known is not None and known.key == names.NAS_FILTER_RULE
            # Gateways join these into one list, whose rules a NUL parts (RFC 4849 2).
            octets = names.encode(name, text, dictionary, after=b"\0" if rule and filtered else b"")
            body += names.reply_message(text, trace_code) if number == last_words else octets
            filtered |= rule
        except ValueError as error:
            raise ReplyNotComputed(f"{name}: {error}") from error
    return body


def _proxied(states: tuple[bytes, ...]) -> bytes:
    return b"".join(attribute(names.PROXY_STATE, state) for state in states)


def _fits(body: bytes) -> bool:
    return HEADER + SIGNED + len(body) <= MOST_OCTETS


def _authenticate(packet: Packet, client: Client, *, seal_required: bool) -> tuple[Secret, bool]:
    """Which secret the request was made with, and whether that is proved."""
    if is_signed(packet):
        for secret in client.secrets:
            if signature_is_right(packet, secret, request_authenticator=packet.authenticator):
                return secret, True
        raise NotAuthentic(
            "Message-Authenticator is wrong: the gateway has another shared secret, or somebody forges"
        )
    if seal_required:
        raise NotAuthentic(_no_seal(client))
    if packet.all(names.EAP_MESSAGE):
        raise NotAuthentic("EAP-Message without Message-Authenticator (RFC 3579 3.1)")
    if client.over_tls:
        return client.secrets[0], True
    if packet.all(names.PROXY_STATE) and not client.proxy:
        # An attacker on the path puts the collision of BlastRADIUS (CVE-2024-3596) into Proxy-State.
        raise NotAuthentic(
            "Proxy-State without Message-Authenticator: let the gateway send both, or neither. "
            "Is it a RADIUS proxy that cannot? Then set proxy: yes for this client"
        )
    return client.secrets[0], False


def _no_seal(client: Client) -> str:
    if client.require_message_authenticator == "auto":
        return (
            "no Message-Authenticator, and this gateway has sent valid ones: somebody on the path takes them "
            "off, or its setting was changed. Let it send Message-Authenticator again, or, if that is meant "
            f"to be, `radius-push clients unlatch {client.name}`"
        )
    mend = PRESETS[client.preset].message_authenticator_mend
    until = "or, until it can, set require_message_authenticator: auto for this client"
    return f"no Message-Authenticator: {mend}, {until}"


def read_username(raw: bytes | None, encoding: str) -> str | None:
    """A User-Name as text, which is UTF-8 or in the client's encoding. Raises MalformedPacket."""
    if not raw:
        return None
    try:
        username = raw.decode("utf-8")
    except UnicodeDecodeError:
        try:
            username = raw.decode(encoding)
            username.encode("utf-8")
        except (UnicodeError, LookupError):
            raise MalformedPacket(f"User-Name is neither UTF-8 nor {encoding}") from None
    if has_control_character(username):
        raise MalformedPacket("User-Name holds control characters")
    return username or None


def _proxy_states(packet: Packet) -> tuple[bytes, ...]:
    """All go back in the reply, which bears a Message-Authenticator also where the request does not."""
    states = packet.all(names.PROXY_STATE)
    if not _fits(_proxied(states)):
        raise MalformedPacket("its Proxy-States leave no room for a reply")
    return states
