"""The grammar of `server:`: where it listens, what it keeps and how much it bears. See `schema.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, PlainValidator

from radius_push.settings import places as p
from radius_push.settings import scalars as s
from radius_push.settings.section import Accepted, Section, mapping
from radius_push.shapes import Enrollment, Language, Limits, Retention, RingLimit, Security

_ENROLLMENT = Enrollment()
_LIMITS = Limits()
_RETENTION = Retention()
_RING_LIMIT = RingLimit()


class TlsSection(Section):
    REQUIRED = ("certificate", "key")
    certificate: s.FilePath = ""
    """PEM file with the listener's certificate and its chain. E.g. `/etc/radius-push/mfa.pem`"""
    key: s.FilePath = ""
    """PEM file with its private key. Only the server's user may read it. E.g. `{file:
    /etc/radius-push/mfa.key}`"""


class PhoneSection(Section):
    REQUIRED = ("address", "url")
    address: p.ListenAt | None = None
    """Where the phone side listens (TCP). Phones reach it there, or a proxy in front of it. E.g.
    `10.0.1.5:8443`"""
    url: p.Origin = ""
    """What phones open: an https origin without a path, or http on localhost for trying. It is kept from the
    first enrolment on; see `serve --forget-phones`. E.g. `https://mfa.example.com`"""
    tls: TlsSection | None = None
    """The certificate, when radius-push speaks TLS itself. Leave it out behind a proxy that does."""


class PortalSection(Section):
    REQUIRED = ("address", "url")
    address: p.ListenAt | None = None
    """Where it listens (TCP). E.g. `10.0.0.5:8444`"""
    url: p.Origin = ""
    """What people open: an https origin without a path, with a host name of its own, or http on localhost for
    trying. E.g. `https://my-phone.corp.example`"""
    tls: TlsSection | None = None
    """The certificate, when radius-push speaks TLS itself. Leave it out behind a proxy that does."""


class MetricsSection(Section):
    REQUIRED = ("address",)
    address: p.ListenAt | None = None
    """Where it listens (TCP, without TLS). Whoever reaches it can read the numbers. E.g. `127.0.0.1:9812`"""


class RadsecSection(Section):
    REQUIRED = ("address", "tls")
    address: s.OneOrMore[p.ListenAt] = ()
    """Where gateways connect. The port of RadSec is 2083. E.g. `10.0.0.5:2083`"""
    tls: TlsSection | None = None
    """Our certificate, which gateways check."""
    client_ca: s.FilePath | None = None
    """PEM file of the authority that signed the gateways' certificates: your own, for nothing else. Without
    it only certificates are believed that a client names by `file`. E.g. `/etc/radius-push/radsec-ca.pem`"""
    crl: s.FilePath | None = None
    """PEM file of what it revoked. An expired one lets nobody in. E.g. `/etc/radius-push/radsec.crl`"""


class ListenSection(Section):
    REQUIRED = ("authentication",)
    authentication: s.OneOrMore[p.ListenAt] = ()
    """Where Access-Requests come in (UDP). Each address family has an entry of its own. E.g. `[10.0.0.5:1812,
    "[2001:db8::5]:1812"]`"""
    accounting: s.OneOrMore[p.ListenAt] = ()
    """Where Accounting-Requests come in (UDP): who is in, for `radius-push sessions`. Without it none is
    answered. E.g. `[10.0.0.5:1813]`"""
    radsec: RadsecSection | None = None
    """RADIUS inside TLS, with a certificate on each side."""
    tcp: s.OneOrMore[p.ListenAt] = ()
    """Access-Requests by TCP without TLS, for programs on this machine. E.g. `[127.0.0.1:1812]`"""
    tcp_without_tls: Accepted = False
    """Allow `tcp` beyond this machine. All but passwords is then readable on the way. E.g. `accepted`"""
    phone: PhoneSection | None = None
    """The phone side, the only part that phones must reach. Needed as soon as a profile has `push`."""
    portal: PortalSection | None = None
    """The page where people see, add, rename and remove their own phones. Without it there is none. See [the
    portal](../how-to/portal.md)."""
    metrics: MetricsSection | None = None
    """`GET /metrics` for a Prometheus: rings, logins, seconds. Without it nothing is measured. See
    [metrics](metrics.md)."""


class MoreServerSection(Section):
    REQUIRED = ("authentication",)
    authentication: s.OneOrMore[p.ListenAt] = ()
    """Where its Access-Requests come in (UDP). E.g. `[10.0.0.6:1812]`"""
    accounting: s.OneOrMore[p.ListenAt] = ()
    """Where its Accounting-Requests come in (UDP). E.g. `[10.0.0.6:1813]`"""
    radsec: s.OneOrMore[p.ListenAt] = ()
    """Where gateways connect to it by RadSec, with the files of `server.listen.radsec`. E.g.
    `10.0.0.6:2083`"""
    tcp: s.OneOrMore[p.ListenAt] = ()
    """Access-Requests by TCP without TLS, as in `server.listen`. E.g. `[127.0.0.1:1822]`"""
    phone: p.ListenAt | None = None
    """Where it listens for phones too, with `url` and `tls` of `server.listen.phone`. Without it phones reach
    the other servers only, and what is asked here rings and is answered there all the same. E.g.
    `127.0.0.1:8444`"""
    metrics: p.ListenAt | None = None
    """Where its own numbers are read, as `server.listen.metrics`. E.g. `127.0.0.1:9813`"""


class EnrollmentSection(Section):
    shown_code: Annotated[float, PlainValidator(s.duration(1, 86400))] = _ENROLLMENT.shown_code
    """How long a link or code that `enroll` shows can be used. E.g. `10m`"""
    sent_invitation: Annotated[float, PlainValidator(s.duration(600, 30 * 86400))] = (
        _ENROLLMENT.sent_invitation
    )
    """How long a link or code that `enroll --mail` sends can be used. Whoever has it also needs the person's
    password. E.g. `3d`"""
    devices_per_user: Annotated[int, PlainValidator(s.whole(1, 20))] = _ENROLLMENT.devices_per_user
    """How many phones one person may have at once. E.g. `2`"""
    self_service: s.OneOrMore[s.Name] = ()
    """The authentication profiles whose people may add their first phone at the portal by their password
    alone. Without it everybody needs an invitation for that. E.g. `[corp-ldap]`"""
    portal_networks: s.OneOrMore[p.NetworkOf] = ()
    """From where the portal may be used. Without it: from wherever it is reached. E.g. `[10.0.0.0/8]`"""
    by_phone: s.YesNo = _ENROLLMENT.by_phone
    """A phone may add another one of the same person, who types the new phone's code on it. `no`: only
    whoever runs `radius-push enroll` adds phones. E.g. `no`"""


class MailSection(Section):
    REQUIRED = ("host", "from_")
    host: p.MailHost = ""
    """The mail server that takes mails from this machine: a name or address. E.g. `mail.corp.example`"""
    port: Annotated[int, PlainValidator(s.whole(1, 65535))] | None = None
    """Without it 587, with `security: tls` 465, with `none` 25. E.g. `587`"""
    security: Annotated[Security, PlainValidator(s.one_of("starttls", "tls", "none"))] = "starttls"
    """`starttls` and `tls`: nothing is said before TLS 1.2 or newer, and the certificate is always checked.
    `none`: in clear text, for a mail server on this machine."""
    clear_text: Accepted = False
    """Allow `security: none` beyond this machine: whoever is on the way can read links and be the phone, if
    they know the password. E.g. `accepted`"""
    user: s.MailWord | None = None
    """Who we are there. Without it we do not log in. E.g. `radius-push`"""
    password: s.SecretFrom = None
    """Their password, in printable ASCII. E.g. `{file: /etc/radius-push/mail.secret}`"""
    from_: s.MailAddress = ""
    """Whom the mails are from. E.g. `vpn@corp.example`"""
    ca_file: s.FilePath | None = None
    """PEM file of the authority that signed the server's certificate. Without it: the system's authorities.
    E.g. `/etc/radius-push/mail-ca.pem`"""
    language: Annotated[Language, PlainValidator(s.one_of("en", "tr", "de", "es"))] = "en"
    """What the mails are written in."""
    alerts: s.OneOrMore[s.MailAddress] = ()
    """Whom to write to when a person takes a yes back (*This wasn't me*), or removes a phone that they had
    not added. At most 10. Without it nobody: then only the log and the evidence say so. E.g.
    `[helpdesk@corp.example]`"""
    attribute: s.Attribute = "mail"
    """Where a person's LDAP entry says their address. For local users it is `email`, if they have no
    attribute of this name. Name one that people cannot write themselves. E.g. `mail`"""


class RetentionSection(Section):
    evidence: Annotated[float, PlainValidator(s.duration(86400, 3650 * 86400))] = _RETENTION.evidence
    """How long evidence is kept, and the questions, sessions and removed phones it is about. Older rows are
    deleted, and the chain can still be verified. E.g. `400d`"""


class RingLimitSection(Section):
    unanswered: Annotated[int, PlainValidator(s.whole(1, 1000))] = _RING_LIMIT.unanswered
    """How many questions that nobody answers may ring one person's phones. Those beyond are refused without a
    ring, but not from an address that the person was let in from during the last 30 days. E.g. `5`"""
    within: Annotated[float, PlainValidator(s.duration(60, 86400))] = _RING_LIMIT.within
    """In how long. E.g. `10m`"""


class LimitsSection(Section):
    packet_octets: Annotated[int, PlainValidator(s.whole(512, 4096))] = _LIMITS.packet_octets
    """How long a packet may be. Longer ones are malformed. E.g. `4096`"""
    attributes: Annotated[int, PlainValidator(s.whole(32, 2048))] = _LIMITS.attributes
    """How many attributes a packet may hold. E.g. `256`"""
    in_flight: Annotated[int, PlainValidator(s.whole(100, 100_000))] = _LIMITS.in_flight
    """How many logins are worked on or held at once. E.g. `20000`"""
    in_flight_per_client: Annotated[int, PlainValidator(s.whole(10, 100_000))] = _LIMITS.in_flight_per_client
    """How many of them may be one client's: a gateway that floods leaves room for the others. E.g.
    `10000`"""
    accounting_in_flight: Annotated[int, PlainValidator(s.whole(10, 100_000))] = _LIMITS.accounting_in_flight
    """How many Accounting-Requests may wait for the store at once. Logins are counted apart. E.g. `5000`"""
    accounting_in_flight_per_client: Annotated[int, PlainValidator(s.whole(10, 100_000))] = (
        _LIMITS.accounting_in_flight_per_client
    )
    """How many of them may be one client's. E.g. `2500`"""
    sessions_per_client: Annotated[int, PlainValidator(s.whole(10, 1_000_000))] = _LIMITS.sessions_per_client
    """How many live sessions of one client are kept. Reports of more are answered and not kept. E.g.
    `50000`"""
    sessions_per_day: Annotated[int, PlainValidator(s.whole(100, 10_000_000))] = _LIMITS.sessions_per_day
    """How many new sessions of one client are kept a day, live or over, so that a rogue gateway does not fill
    the disk. Reports of more are answered and not kept. E.g. `100000`"""
    status_per_second: Annotated[int, PlainValidator(s.whole(1, 1000))] = _LIMITS.status_per_second
    """How many Status-Server packets of one client are answered a second; five times as many at once. E.g.
    `10`"""
    unknown_per_second: Annotated[int, PlainValidator(s.whole(1, 10_000))] = _LIMITS.unknown_per_second
    """How many packets a second from addresses of no client are noted with their address, for `radius-push
    clients`. The rest is only counted. E.g. `100`"""
    connections: Annotated[int, PlainValidator(s.whole(1, 20_000))] = _LIMITS.connections
    """How many connections there may be at each address of `radsec` and `tcp`. E.g. `1000`"""
    connections_per_address: Annotated[int, PlainValidator(s.whole(1, 20_000))] = (
        _LIMITS.connections_per_address
    )
    """How many of them from one IPv4 address, or one IPv6 /64. E.g. `64`"""
    connections_per_client: Annotated[int, PlainValidator(s.whole(1, 20_000))] = (
        _LIMITS.connections_per_client
    )
    """How many of them may be one client's, from wherever: with a certificate that leaked, nobody takes all.
    E.g. `250`"""
    connections_per_second: Annotated[int, PlainValidator(s.whole(1, 10_000))] = (
        _LIMITS.connections_per_second
    )
    """How many are let in a second at each listener. The others wait their turn. E.g. `100`"""
    handshakes: Annotated[int, PlainValidator(s.whole(1, 10_000))] = _LIMITS.handshakes
    """How many may be in their TLS handshake at once at each listener. A quarter is kept for addresses from
    which a client came before. E.g. `200`"""
    handshakes_per_address: Annotated[int, PlainValidator(s.whole(1, 10_000))] = (
        _LIMITS.handshakes_per_address
    )
    """How many of them from one address, or one IPv6 /64, from which no client came before. E.g. `8`"""
    in_flight_per_connection: Annotated[int, PlainValidator(s.whole(16, 10_000))] = (
        _LIMITS.in_flight_per_connection
    )
    """How many requests of one connection are worked on or held at once. E.g. `512`"""
    idle_connection: Annotated[float, PlainValidator(s.duration(60, 7 * 86400))] = _LIMITS.idle_connection
    """After how long without a packet a connection is closed, if it holds no login. E.g. `1h`"""


class ServerSection(Section):
    REQUIRED = ("store", "listen")
    store: p.StorePath = ""
    """The SQLite file with phones, questions and evidence. `keys/` lies beside it: back up both. E.g.
    `sqlite:///var/lib/radius-push/state.db`"""
    listen: ListenSection = ListenSection()
    """Where the server listens."""
    more_servers: Annotated[dict[str, MoreServerSection], BeforeValidator(mapping)] = {}
    """Further processes on this machine that serve from the same store, by name: `serve --name NAME` starts
    one. At most 3."""
    outbound_proxy: p.Proxy | None = None
    """The HTTP proxy through which push services are reached. It then decides which addresses their names
    lead to. E.g. `http://proxy.corp.example:3128`"""
    enrollment: Annotated[EnrollmentSection, BeforeValidator(mapping)] = EnrollmentSection()
    """How phones are added."""
    mail: MailSection | None = None
    """Who takes the mails that we write: invitations, and that a phone was added or removed. Without it none
    is written. See [enrol many](../how-to/enrol-many.md)."""
    trusted_proxies: s.OneOrMore[p.ProxiesOf] = ()
    """The reverse proxies before the phone side and the portal. They alone are believed when
    `X-Forwarded-For` says whose request it is, so that limits count each caller's own address. Name nothing
    but the proxies. E.g. `[10.0.1.0/28]`"""
    places: s.FilePath | None = None
    """A GeoLite2-City file, or another of its layout (`.mmdb`): phones are shown about where an address is.
    It is read at the start and at each reload. See [places](../how-to/places.md). E.g.
    `/var/lib/GeoIP/GeoLite2-City.mmdb`"""
    retention: Annotated[RetentionSection, BeforeValidator(mapping)] = RetentionSection()
    """How long the store keeps what."""
    limits: Annotated[LimitsSection, BeforeValidator(mapping)] = LimitsSection()
    """How much there may be of what gateways and strangers send."""
    ring_limit: Annotated[RingLimitSection, BeforeValidator(mapping)] = RingLimitSection()
    """How often a person's phones may ring in vain."""
    late_window: Annotated[float, PlainValidator(s.duration(0, 300))] = 30.0
    """How long after a phone's time has run out a yes still counts, for the person's next try: that is let in
    without a ring, within a minute. `0s`: not at all. E.g. `30s`"""
    reject_delay: Annotated[float, PlainValidator(s.duration(0, 5))] = 1.0
    """Every refusal before the question leaves this long after its request, or at the next whole multiple, so
    that its moment tells nobody the reason. E.g. `1s`"""
    dictionaries: s.OneOrMore[s.Text] = ()
    """Files that name more RADIUS attributes, in the format of FreeRADIUS 3, read beside ours. What they say
    anew about a name or number of ours is a mistake. E.g. `[dictionary.acme]`"""
