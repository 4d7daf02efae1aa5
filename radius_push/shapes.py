"""What settings look like once they are checked. No library, no defaults that hide a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from radius_push.model import Address, BiometricsMode, Client, Network, ProofName, Secret
from radius_push.push_shapes import NO_APPS, Push

Method = Literal["push", "none"]
REFUSE = "refuse"
OUR_OWN_CLIENT = "try-login"
"""The built-in client that `try-login` speaks as; no gateway may have its name."""
FIRST = "first"
"""The server that `server.listen` is about."""
_SIMULATED = "simulate-"


def simulated(preset: str) -> str:
    """The built-in client that a simulated gateway of this kind speaks as."""
    return _SIMULATED + preset


def is_our_own(client: str) -> bool:
    """Is it a built-in client's name, which no gateway may have?"""
    return client == OUR_OWN_CLIENT or client.startswith(_SIMULATED)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where we listen. Port 0 takes a free one (tests, demo)."""

    address: Address
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class PhoneListener:
    """For phones, or for the page for people's own phones."""

    endpoint: Endpoint | None
    """None: another server on the same store listens for phones."""
    url: str
    """What browsers open: an https origin (or http on localhost), without path or trailing slash."""
    certificate: str | None = None
    key: str | None = None
    """Paths of PEM files; both or none."""


@dataclass(frozen=True, slots=True)
class RadsecListener:
    """RADIUS over TLS (RFC 6614)."""

    endpoints: tuple[Endpoint, ...]
    certificate: str
    key: str
    """Paths of PEM files, as the others."""
    client_ca: str | None = None
    """Who signs the gateways' certificates; None: only certificates that a client pins are believed."""
    crl: str | None = None
    """Which of them were revoked."""


@dataclass(frozen=True, slots=True)
class Enrollment:
    shown_code: float = 600.0
    """Seconds that a shown link or code lives."""
    devices_per_user: int = 2
    sent_invitation: float = 3 * 86400.0
    """Seconds that a sent link or code lives."""
    self_service: tuple[str, ...] = ()
    """Authentication profiles whose people may add their first phone by their password alone."""
    portal_networks: tuple[Network, ...] = ()
    """Where the page for people's own phones may be used from; none named: everywhere."""
    by_phone: bool = True
    """A phone may add another one of its person."""


Security = Literal["starttls", "tls", "none"]
Language = Literal["en", "tr", "de", "es"]


@dataclass(frozen=True, slots=True)
class MailServer:
    """Who takes the mails that we write (SMTP submission, RFC 6409)."""

    host: str
    port: int
    security: Security
    sender: str
    user: str | None = None
    password: Secret | None = None
    ca_file: str | None = None
    """None: the system's authorities."""
    language: Language = "en"
    attribute: str = "mail"
    """Of people in LDAP: where they are written to."""
    alerts: tuple[str, ...] = ()
    """Administrators, who are written to when somebody says that it was not them."""


@dataclass(frozen=True, slots=True)
class Retention:
    evidence: float = 400 * 86400.0
    """Seconds that evidence is kept, and what it is about."""


@dataclass(frozen=True, slots=True)
class RingLimit:
    """How often somebody's phones ring in vain, until a place they are not known from rings them no more."""

    unanswered: int = 5
    within: float = 600.0
    """Seconds."""


DEFAULT_RING_LIMIT = RingLimit()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much there may be of what others send; beyond it there is silence and a counter."""

    packet_octets: int = 4096
    attributes: int = 256
    """In one packet."""
    in_flight: int = 20_000
    """Logins that are worked on or held at once."""
    in_flight_per_client: int = 10_000
    accounting_in_flight: int = 5_000
    """Accounting-Requests that wait for the store at once; logins are counted apart."""
    accounting_in_flight_per_client: int = 2_500
    sessions_per_client: int = 50_000
    """Live ones: reports of more are answered and not kept."""
    sessions_per_day: int = 100_000
    """New ones of one client: each is in the evidence for as long as that is kept."""
    status_per_second: int = 10
    """Status-Server packets of one client that are answered, in the long run; five times as many at once."""
    unknown_per_second: int = 100
    """Packets from addresses of no client that are noted with their address."""
    connections: int = 1000
    """Of TCP or RadSec, at each listener."""
    connections_per_address: int = 64
    """From one IPv4 address, or one IPv6 /64."""
    connections_per_client: int = 250
    connections_per_second: int = 100
    """That are let in; the others wait."""
    handshakes: int = 200
    """At once, at each listener."""
    handshakes_per_address: int = 8
    """The same, from an address that was no client's yet."""
    in_flight_per_connection: int = 512
    """It has 256 Identifiers: beyond twice as many its client forgets what it asked."""
    idle_connection: float = 3600.0
    """Seconds without a packet until a connection is closed on which nothing is held."""


@dataclass(frozen=True, slots=True)
class LdapProfile:
    name: str
    urls: tuple[str, ...]
    """ldap:// or ldaps://, tried in order."""
    base_dn: str
    bind_dn: str
    bind_password: Secret = field(repr=False)
    user_filter: str = "(uid={username})"
    group_base_dn: str | None = None
    id_attribute: str = "entryUUID"
    ca_file: str | None = None
    start_tls: bool = False
    check_certificate: bool = True
    connect_timeout: float = 3.0
    receive_timeout: float = 5.0
    emergency: bool = False
    self_writable: bool = False
    """Policies may ask for attributes that people can write themselves."""


@dataclass(frozen=True, slots=True)
class LocalUser:
    name: str
    password_hash: str | None = field(repr=False)
    """argon2id, as `radius-push hash-password` prints it. One of the three is there."""
    attributes: Mapping[str, tuple[str, ...]]
    """Casefolded name -> values; `username` is added by the directory."""
    nt_hash: Secret | None = None
    """16 octets. Whoever has it can log in with it."""
    clear_password: Secret | None = None
    """UTF-8."""

    def lacks(self, proof: ProofName) -> str:
        """What would have to be written down before they can be proved so; empty if nothing."""
        if proof == "chap" and self.clear_password is None:
            return "clear_password"
        if proof == "ms-chapv2" and self.clear_password is None and self.nt_hash is None:
            return "nt_hash or clear_password"
        return ""


@dataclass(frozen=True, slots=True)
class LocalProfile:
    name: str
    users: Mapping[str, LocalUser]
    """By NFKC-casefolded name."""
    emergency: bool = False


AuthenticationProfile = LdapProfile | LocalProfile


@dataclass(frozen=True, slots=True)
class Texts:
    """What the gateway may show to the person (Reply-Message), by outcome after the question."""

    timeout: str = "Nobody answered on the phone in time."
    denied: str = "The sign-in was denied on the phone."


OnLoginAddress = Literal["allow", "forbid"]


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    methods: tuple[Method, ...]
    fallback_auth_profiles: tuple[str, ...]
    timeout: float = 45.0
    texts: Texts = Texts()
    device_on_login_address: OnLoginAddress = "allow"
    """Is a yes taken from a device that comes from the address of the login itself?"""
    biometrics: BiometricsMode = "optional"
    """What a yes on a phone needs: `required` a fingerprint or face of the phone that says it."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a policy as the admin wrote it: what kind it is was decided by settings."""

    kind: Literal["exact", "wildcard", "regex"]
    text: str
    """For a regex: without the slashes."""


@dataclass(frozen=True, slots=True)
class AttributeCondition:
    attribute: str
    values: tuple[Value, ...]
    none_of: bool = False
    """True: holds when no value matches, and when the attribute is absent."""


@dataclass(frozen=True, slots=True)
class AddressCondition:
    networks: tuple[Network, ...]
    """The user's address must be known and lie in one of them."""


@dataclass(frozen=True, slots=True)
class RequestCondition:
    attribute: str
    """A RADIUS attribute of the Access-Request, by its RFC or vendor name."""
    values: tuple[Value, ...]


Condition = AttributeCondition | AddressCondition | RequestCondition


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    profile: str
    """A profile, or `refuse`."""
    authentication_profile: str
    conditions: tuple[Condition, ...] = ()
    """All must hold; none at all: everybody of this authentication profile."""
    clients: tuple[str, ...] | None = None
    """Only for these clients; None: for every client that lists the profile."""
    until: date | None = None
    """The last day it holds, UTC, that day included."""
    reply: tuple[tuple[str, str], ...] = ()
    """RADIUS attribute name -> value or template (`{department}`, `{matched}`)."""
    groups: tuple[str, ...] = ()
    """Names or templates; they go where the client looks for groups."""


@dataclass(frozen=True, slots=True)
class DictionaryLine:
    """One line of a dictionary file of the admin's."""

    file: str
    number: int
    """From 1."""
    text: str


@dataclass(frozen=True, slots=True)
class MoreServer:
    """Where a further server on the same store listens. What it does not name it takes from the first."""

    authentication: tuple[Endpoint, ...]
    accounting: tuple[Endpoint, ...] = ()
    radsec: tuple[Endpoint, ...] = ()
    tcp: tuple[Endpoint, ...] = ()
    phone: Endpoint | None = None
    metrics: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """One checked settings file."""

    file: str
    store: str
    """Path of the SQLite file; `keys/` lies beside it."""
    authentication: tuple[Endpoint, ...]
    phone: PhoneListener | None
    methods: frozenset[Method]
    clients: Mapping[str, Client]
    authentication_profiles: Mapping[str, AuthenticationProfile]
    """In file order."""
    profiles: Mapping[str, Profile]
    policies: tuple[Policy, ...]
    """Top to bottom."""
    portal: PhoneListener | None = None
    """The page for people's own phones."""
    metrics: Endpoint | None = None
    """Where a Prometheus reads; None: nothing is measured."""
    accounting: tuple[Endpoint, ...] = ()
    """Where Accounting-Requests come in; none: accounting is not kept."""
    enrollment: Enrollment = Enrollment()
    mail: MailServer | None = None
    """None: nobody is written to."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose X-Forwarded-For is believed on the phone side and at the portal."""
    places: str | None = None
    """Path of the file that names the places of addresses."""
    push: Push = NO_APPS
    retention: Retention = Retention()
    limits: Limits = Limits()
    ring_limit: RingLimit = DEFAULT_RING_LIMIT
    late_window: float = 30.0
    """Seconds after the end of a bar in which a yes lets the next try in; 0: none."""
    reject_delay: float = 1.0
    dictionaries: tuple[DictionaryLine, ...] = field(default=(), repr=False)
    """What the admin's dictionary files say, with those they include in place."""
    tcp: tuple[Endpoint, ...] = ()
    radsec: RadsecListener | None = None
    name: str = FIRST
    """Which server of this file these are for."""
    more_servers: Mapping[str, MoreServer] = field(default_factory=dict)
    """The others, whose addresses differ and nothing else."""
    warnings: tuple[str, ...] = ()
    """`FILE:LINE:COL: path: ...` sentences that stop nothing."""

    @property
    def biometrics(self) -> BiometricsMode:
        """The most that any profile asks of a phone."""
        asked = {profile.biometrics for profile in self.profiles.values() if "push" in profile.methods}
        words: tuple[BiometricsMode, ...] = ("required", "optional")
        return next((word for word in words if word in asked), "off")
