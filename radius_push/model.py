"""The values that cross borders: who asks, who is asked, and what is answered.

Everything here is frozen and knows no library. Times are seconds: `at` and `until` are UTC
seconds since 1970 (wall clock, for people and rows), durations are plain seconds.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal

from radius_push.gateway import MOST_SHARING, USER_ADDRESS_ORDER, GroupsIn, Series

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Secret:
    """Octets that must not be seen: shared secrets, passwords, tokens, keys.

    `repr`, `str` and pickling show nothing; comparing takes the same time whatever differs.
    """

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes | str) -> None:
        self._octets = octets.encode() if isinstance(octets, str) else bytes(octets)

    def reveal(self) -> bytes:
        """The octets themselves. Call it where they are used, and keep no copy."""
        return self._octets

    def __repr__(self) -> str:
        return "Secret(...)"

    def __len__(self) -> int:
        return len(self._octets)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._octets, other._octets)

    def __hash__(self) -> int:
        raise TypeError("a Secret is not for sets or dictionaries")

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not for pickling")


class Reason(StrEnum):
    """Why a login ended as it did: for the log, the evidence and the trace, never for the wire."""

    # The person, or what they typed.
    WRONG_PASSWORD = "wrong_password"
    UNKNOWN_USER = "unknown_user"
    AMBIGUOUS = "ambiguous"
    ACCOUNT_CLOSED = "account_closed"
    CROWDED_OUT = "crowded_out"
    PROBE_USER = "probe_user"
    NO_USERNAME = "no_username"
    NO_PASSWORD = "no_password"
    PASSWORD_NOT_READABLE = "password_not_readable"
    PROOF_NOT_ACCEPTED = "proof_not_accepted"
    # The rules.
    NO_POLICY = "no_policy"
    REFUSED_BY_POLICY = "refused_by_policy"
    DIRECTORY_NOT_LISTED = "directory_not_listed"
    REPLY_NOT_COMPUTED = "reply_not_computed"
    NOT_ENROLLED = "not_enrolled"
    NO_BIOMETRICS = "no_biometrics"
    DECIDED_OTHERWISE = "decided_otherwise"
    # The phone.
    DENIED = "denied"
    TIMED_OUT = "timed_out"
    DEVICE_REMOVED = "device_removed"
    DENIED_BEFORE = "denied_before"
    NOT_ANSWERED_BEFORE = "not_answered_before"
    RUNG_TOO_OFTEN = "rung_too_often"
    TOO_MANY_WAITING = "too_many_waiting"
    TICKET_VOID = "ticket_void"
    NOTHING_TO_AUTHORIZE = "nothing_to_authorize"
    # Nothing was said.
    DIRECTORY_DOWN = "directory_down"
    ATTRIBUTE_NOT_READ = "attribute_not_read"
    STORE_DOWN = "store_down"
    WRONG_SHARED_SECRET = "wrong_shared_secret"
    REPLAYED = "replayed"
    SUPERSEDED = "superseded"
    JOINED_BY_NEWER = "joined_by_newer"
    CONNECTION_CLOSED = "connection_closed"
    CRASHED = "crashed"
    SERVER_STOPPED = "server_stopped"


ProofName = Literal["pap", "chap", "ms-chapv2"]
PROOFS: tuple[ProofName, ...] = ("pap", "chap", "ms-chapv2")
Required = Literal["yes", "no", "auto"]
"""`auto`: once it has sent a valid one."""


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """What somebody showed in TLS, proved to hold the key of, and an authority or the settings vouch for."""

    names: frozenset[str]
    """Its subjectAltNames: host names in lower case, addresses as text. A common name is none (RFC 9525)."""
    fingerprint: str
    """SHA-256 of the certificate (DER), 64 hexadecimal digits in lower case."""

    def __str__(self) -> str:
        return next(iter(sorted(self.names)), f"sha256:{self.fingerprint}")


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """By which certificates a gateway is known over TLS (RFC 6614 2.3): any of them will do."""

    names: tuple[str, ...] = ()
    """As in PeerCertificate."""
    fingerprints: tuple[str, ...] = ()
    """As in PeerCertificate; those of `pinned` are among them."""
    pinned: tuple[str, ...] = field(default=(), repr=False)
    """PEM: trusted as they are, whoever signed them."""
    networks: tuple[Network, ...] = ()
    """Where its connections must come from; none: from anywhere."""
    require_message_authenticator: bool = False
    """Also inside TLS, which protects every octet anyway."""


@dataclass(frozen=True, slots=True)
class Client:
    """A VPN gateway, as the settings describe it."""

    name: str
    networks: tuple[Network, ...]
    """Where its datagrams come from; none: it is known by `certificate` alone."""
    secrets: tuple[Secret, ...]
    """Newest first, at least one."""
    profiles: tuple[str, ...]
    """In order, at least one; the first is for everybody when no policy names any of them."""
    otherwise: str | None = None
    """One of `profiles`, or `refuse`, or None: what happens to whom no policy admits."""
    patience: float = 30.0
    """Seconds the gateway waits, counted from its first packet."""
    patience_said: bool = False
    """By the settings themselves: then what is learned does not shorten it."""
    require_message_authenticator: Required = "yes"
    proxy: bool = False
    """A RADIUS proxy that sends Proxy-State without a Message-Authenticator."""
    password_encoding: str = "latin-1"
    """How a password that is not UTF-8 is read."""
    preset: str = "generic"
    """What kind of gateway it is: where the values that the settings leave out come from."""
    accepts: frozenset[ProofName] = frozenset({"pap"})
    """How its people may prove who they are; anything else is refused before any directory is asked."""
    user_address: tuple[str, ...] | None = USER_ADDRESS_ORDER
    """Its own attributes with the user's address, in order; what stands elsewhere is shown and opens
    nothing. None: whatever it sends is not the user's address."""
    groups_in: GroupsIn | None = None
    """Where it looks for a person's groups; None: they cannot be told to it."""
    shared_secret_prefix: bool = False
    """The settings accept that more than one gateway may have its secret."""
    certificate: ClientCertificate | None = None
    """How it is known over TLS; None: it does not come that way."""
    probe_users: frozenset[str] = frozenset()
    """NFKC-casefolded names by which it asks whether we are alive: no person has one."""
    group: str | None = None
    """Whose gateways serve the same logins; None: it stands alone."""
    follow_on: float = 0.0
    """Seconds after an accept in which the same attempt is let in once more; 0: never."""
    over_tls: bool = False
    """It speaks through TLS at this moment: every packet is its own, sealed or not."""
    trace_code: bool = True
    """What people read in its Reply-Messages ends with the login's code."""

    @property
    def may_be_many(self) -> bool:
        """Is it wider than a /29? Then each of many gateways can report what it likes for the others."""
        known = self.certificate
        return not self.shared_secret_prefix and (
            any(network.num_addresses > MOST_SHARING for network in self.networks)
            or (known is not None and len(known.names) + len(known.fingerprints) > MOST_SHARING)
        )


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of one address of a gateway, or of one certificate."""

    client: str
    source: str
    first_at: float
    last_at: float
    sealed_at: float | None = None
    """When it last sent a valid Message-Authenticator."""
    unsealed_at: float | None = None
    """When it last sent a request without one."""
    secret: bytes | None = field(default=None, repr=False)
    """A keyed hash of the shared secret that the last valid one fitted: which of a list it is."""
    series: tuple[Series, ...] = ()
    """How it repeated itself, the newest last."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """An address of no client from which packets came."""

    source: str
    packets: int
    first_at: float
    last_at: float


# --- what proves it ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chap:
    """A response to a challenge, as RFC 1994 makes it from the clear password (RFC 2865 5.3)."""

    identifier: int
    """0 to 255."""
    challenge: bytes = field(repr=False)
    """1 to 253 octets."""
    response: bytes = field(repr=False)
    """16 octets."""


@dataclass(frozen=True, slots=True)
class MsChapV2:
    """A response to a challenge, as RFC 2759 makes it from the NT hash of the password (RFC 2548 2.3.2)."""

    identifier: int
    """0 to 255; the reply repeats it."""
    authenticator_challenge: bytes = field(repr=False)
    """16 octets, made by the gateway."""
    peer_challenge: bytes = field(repr=False)
    """16 octets, made by who logs in."""
    nt_response: bytes = field(repr=False)
    """24 octets."""
    username: bytes
    """As it was hashed: what was typed, without a domain before a backslash."""


Proof = Secret | Chap | MsChapV2
"""A clear password (UTF-8), or what was made of it."""


# --- who logs in -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonKey:
    """Who somebody is, for ever: the directory that knows them and its stable id for them."""

    authentication_profile: str
    id: str

    def __str__(self) -> str:
        return f"{self.authentication_profile}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> PersonKey:
        """Read what `str` wrote; a name of an authentication profile holds no colon."""
        profile, colon, id = text.partition(":")
        if not (profile and colon and id):
            raise ValueError("not a person key")
        return cls(profile, id)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody a directory knows, with what it says of them."""

    key: PersonKey
    username: str
    """The directory's own spelling of the name, for people to read."""
    entry: str
    """How the directory finds them again (LDAP: the DN); never an identity."""
    attributes: Mapping[str, tuple[str, ...]]
    """Casefolded attribute name -> values. An attribute without values is absent."""
    unread: frozenset[str] = frozenset()
    """Casefolded names that were asked for and could not be read: not the same as absent."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Casefolded bare group name of a policy -> the DNs under `group_base_dn` that carry it."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The directory does not know this name."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The name fits more than one entry: nobody is let in by it."""


@dataclass(frozen=True, slots=True)
class Down:
    """The directory could not be asked."""

    detail: str
    """For the log: what failed, without a secret."""


@dataclass(frozen=True, slots=True)
class Right:
    """The proof is right."""

    detail: str = "the password is right"
    """For the log."""
    nt_hash: Secret | None = None
    """Of the password that was proved, 16 octets; None where the directory does not know it."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """The proof is wrong, or right and of no use (account closed)."""

    reason: Reason = Reason.WRONG_PASSWORD
    detail: str = ""
    """For the log, without a secret."""


Found = Person | Unknown | Ambiguous | Down
Proved = Right | Wrong | Down


# --- phones --------------------------------------------------------------------------------------


class DeviceState(StrEnum):
    PENDING = "pending"  # the key is there, the issuer has not typed the code yet
    RESTORED = "restored"  # a backup brought it back, nobody has said since that it is to be trusted
    ACTIVE = "active"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Device:
    """An enrolled phone."""

    id: str
    person: PersonKey
    username: str
    name: str
    public_key: bytes
    """P-256, 65 octets, uncompressed point (SEC 1, 2.3.3)."""
    state: DeviceState
    created_at: float
    invitation: str
    """The id of the invitation it came by."""


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody the store knows: they have or had a phone."""

    person: PersonKey
    username: str
    """As the directory spelled it when their newest phone came."""
    devices: Mapping[DeviceState, int]
    """How many in each state; a state without any is absent."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A single-use right to add one phone. Its token and typed code are kept as keyed hashes."""

    id: str
    person: PersonKey
    username: str
    expires_at: float
    redeemed_by: str | None = None
    """The device id, once redeemed."""
    closed: bool = False
    """Confirmed, given up after too many wrong codes, or withdrawn."""
    wrong_codes: int = 0
    by_device: str | None = None
    """The phone that invited another one, and alone may confirm it; None: an issuer did."""
    sent: bool = False
    """It was not shown to the person but sent: it asks for the directory's password, too."""
    asks_code: bool = True
    """False: the phone is trusted as soon as it has come."""
    wrong_passwords: int = 0
    invited_at: float | None = None
    """None: by an earlier version."""
    mailed_at: float | None = None
    """When its mail had left."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves on one phone, by fingerprint or face, that its person is there (WebAuthn Level 2, 4)."""

    device: str
    id: bytes
    """1 to 1023 octets, as the authenticator chose them."""
    public_key: bytes
    """COSE_Key (RFC 9052, section 7)."""
    counter: int
    """What its authenticator counted at the newest use; many always say 0."""
    mark: bytes
    """SHA-256 of the attestation object that the phone sent: what the issuer's six digits are made of."""
    synced: bool
    """It may be on other devices of the person, too: the authenticator said so."""
    since: float


@dataclass(frozen=True, slots=True)
class Biometrics:
    """The credentials of one phone."""

    active: Credential | None = None
    """The one that counts."""
    waiting: Credential | None = None
    """A new one that the issuer has not confirmed yet; it takes the place of the active one then."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A credential was used for an answer, and everything about it was right but its counter, which the
    store compares."""

    credential: bytes
    """Its id."""
    counter: int


BiometricsMode = Literal["off", "optional", "required"]
"""What a yes needs beside the phone's key."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A test request that a device asked for: no login stands behind it, and no answer lets anybody in."""

    id: str
    device: str
    opened_at: float
    expires_at: float


# --- the question --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """About where an address is. Names by language (`en`); any of it may be empty."""

    city: Mapping[str, str]
    country: Mapping[str, str]
    country_code: str | None
    """ISO 3166-1, two capital letters."""


class QuestionState(StrEnum):
    PENDING = "pending"
    LATE = "late"  # the gateway was told no, or nobody waits; a yes lets the next try in
    TICKET = "ticket"  # answered yes while late: the next try of its attempt is let in
    APPROVED = "approved"  # answered yes, the accept is not written yet
    DENIED = "denied"
    TIMED_OUT = "timed_out"
    SPENT = "spent"  # the one Access-Accept was written
    CLOSED = "closed"  # without a verdict: the server stopped, the packet was superseded


@dataclass(frozen=True, slots=True)
class Question:
    """What a person's phones are asked about one login."""

    id: str
    login: str
    """The trace code of the login."""
    person: PersonKey
    account: str
    """The name the person knows themselves by, shown on the phone."""
    client: str
    profile: str
    address: str | None
    """The user's address as the gateway reported it; None when it sent none."""
    nonce: str
    opened_at: float
    expires_at: float
    """The true end of the phone's bar; a later try of the attempt that joins moves it."""
    closes_at: float
    """Its last moment, however many join; what a phone signs."""
    state: QuestionState = QuestionState.PENDING
    device: str | None = None
    """The device that answered."""
    closed_at: float | None = None
    attempt: bytes | None = field(default=None, repr=False)
    """32 octets, the same for every try of this login (`factors.attempt`); None: nobody can tell."""
    lane: int = 1
    """Sign-ins of one attempt that wait beside each other are numbered."""
    unanswered: int = 0
    """How many of this person's questions shortly before it nobody had answered."""
    later_until: float | None = None
    """While late: until when it can be answered. Of a ticket: until when it lets somebody in."""
    late_counts: bool = False
    """While late: is a yes for the next try? Not where none of this gateway's is let in without a ring."""
    answered_at: float | None = None
    """When `device` did."""
    contested_at: float | None = None
    """When the person said that the yes was not theirs: it lets nobody in any more."""
    not_from_login_address: bool = False
    """A yes of a device that comes from `address` itself is not taken."""
    biometrics: BiometricsMode = "optional"
    """As its profile said when it was asked."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier walk of the very same packet has left behind."""

    question: Question
    client: str
    """By which it came."""
    decision: bytes
    """The mark of what the rules said when it was asked."""
    until: float
    """When its gateway gives up, UTC seconds."""
    over: bool
    """Its gateway was told, or waits no more."""
    reply: tuple[tuple[str, str], ...] | None
    """What its own Access-Accept carries, from the evidence; None: it was not accepted."""
    sent_at: float | None
    """When the Access-Accept left first."""


# --- the verdict ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MsChapSuccess:
    """What an accepted MS-CHAPv2 login is told: that we know the password, too, and the keys of its link."""

    authenticator_response: bytes = field(repr=False)
    """`S=` and 40 hex digits (RFC 2759 8.7)."""
    send_key: Secret
    """16 octets, what the gateway sends with (RFC 2548 2.4.2)."""
    receive_key: Secret
    """16 octets (RFC 2548 2.4.3)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Access-Accept."""

    reply: tuple[tuple[str, str], ...] = ()
    """Attribute name -> value as text, in order; radius.packet gives them their types."""
    mschapv2: MsChapSuccess | None = None
    """Of a login by MS-CHAPv2, and of no other."""
    login: str | None = None
    """The trace code under which it is told; None: the request's own."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Access-Reject: an answer about the person."""

    reason: Reason
    text: str
    """The Reply-Message."""
    login: str | None = None
    """The trace code under which it is told; None: the request's own."""


@dataclass(frozen=True, slots=True)
class Silent:
    """No reply, so that the gateway tries its second server."""

    reason: Reason
    login: str | None = None
    """The trace code under which it is told; None: the request's own."""


Verdict = Accepted | Rejected | Silent
