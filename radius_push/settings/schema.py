"""The grammar of the settings file, section by section.

Nothing is required of pydantic itself: `REQUIRED` is, so that a section with a mistake still yields the rest
of what it says, and the checks across sections go on.

The words under each key are for the admin: `tools/reference.py` makes docs/reference/settings.md of them.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator

from radius_push.model import PROOFS, BiometricsMode, ProofName, Required
from radius_push.push_shapes import GOOGLE
from radius_push.radius.presets import GENERIC
from radius_push.settings import places as p
from radius_push.settings import scalars as s
from radius_push.settings.apns_schema import ApnsSection
from radius_push.settings.section import Accepted, Section, Unchecked, mapping
from radius_push.settings.server_schema import ServerSection
from radius_push.shapes import OnLoginAddress, Texts

_TEXTS = Texts()


ProofOf = Annotated[ProofName, PlainValidator(s.one_of(*PROOFS))]
BiometricsOf = Annotated[BiometricsMode, PlainValidator(s.one_of("off", "optional", "required"))]


class FcmSection(Section):
    REQUIRED = ("service_account",)
    service_account: s.SecretFrom = None
    """The key of a service account of the app's Firebase project, the JSON file that Google gives out. E.g.
    `{file: /etc/radius-push/fcm.json}`"""
    url: p.ServiceUrl = GOOGLE
    """Where FCM is asked: Google's own address, or a relay. E.g. `https://push-relay.corp.example`"""
    ca_file: s.FilePath | None = None
    """PEM file of whom FCM's and Google's certificates are trusted by, where something on the way opens TLS.
    Without it: whom this machine trusts. E.g. `/etc/radius-push/corp-ca.pem`"""


class PushSection(Section):
    contact: s.Contact = ""
    """Whom a push service may write to about this server. Apple takes no notifications without it. E.g.
    `mailto:vpn@example.com`"""
    allow_endpoints: s.OneOrMore[p.Origin] = ()
    """Push services that phones may name beside those of Google, Mozilla, Apple and Microsoft. They may lie
    inside your network: whoever adds a phone can make this server send requests there. E.g.
    `[https://push.corp.example]`"""
    fcm: FcmSection | None = None
    """Rings an app of your own by Google's Firebase Cloud Messaging. See [FCM](../how-to/fcm.md)."""
    apns: ApnsSection | None = None
    """Rings an app of your own on Apple's devices. See [APNs](../how-to/apns.md)."""


class MethodsSection(Section):
    push: Annotated[PushSection | None, BeforeValidator(mapping)] = None
    """Ask the person's phones. `push: {}` switches it on."""


class GroupsInSection(Section):
    REQUIRED = ("attribute",)
    attribute: s.Text = ""
    """The RADIUS attribute. E.g. `Class`"""
    form: p.GroupsForm = "{group}"
    """What is written around `{group}` for an attribute each, or around `{groups}` for all in one, with `;`
    between them; what is longer than one attribute goes on in the next. E.g. `"OU={groups};"`"""


class ClientDefaults(Section):
    """What one client may also say for all."""

    profiles: s.OneOrMore[s.Name] = ()
    """The profiles that this gateway's logins may get, in order. The first is for everybody when no policy
    names any of them. E.g. `[staff-push]`"""
    otherwise: s.Name | None = None
    """What whoever no policy admits gets: one of `profiles`, or `refuse`. Without it they are refused. E.g.
    `refuse`"""
    preset: p.PresetOf = GENERIC
    """What kind of gateway it is. What the client does not say itself, its preset says: see
    [presets](presets.md). E.g. `fortigate`"""
    patience: Annotated[float | None, PlainValidator(s.duration(6, 3600))] = None
    """How long the gateway waits for an answer, its own setting, counted from its first packet. A phone's
    time ends 5 s before. E.g. `60s`"""
    accepts: s.OneOrMore[ProofOf] = ()
    """How its people may prove their password. Anything else is refused before any directory is asked.
    E.g. `[pap]`"""
    require_message_authenticator: Annotated[Required | None, PlainValidator(s.yes_no_or_auto)] = None
    """Drop requests without a Message-Authenticator. `no` is for a gateway that cannot send one; then whoever
    is on the path can forge requests. `auto` is for the days of an upgrade: requests without one are taken
    from an address until it has sent a valid one, and not after that, until `radius-push clients unlatch
    NAME`. One that is there is always verified. E.g. `auto`"""
    proxy: s.YesNo = False
    """It is a RADIUS proxy whose requests carry Proxy-State and no Message-Authenticator. From others such
    requests are dropped: Proxy-State is where BlastRADIUS puts its forgery. E.g. `yes`"""
    password_encoding: Annotated[str | None, PlainValidator(s.encoding)] = None
    """How a password (or name) that is not UTF-8 is read. E.g. `cp1251`"""
    user_address: Annotated[tuple[str, ...] | None, PlainValidator(p.address_attributes)] = None
    """The gateway's own attributes with the user's address, in order; `Cisco-AVPair` is its `ip:source-ip=`.
    An address that stands elsewhere is shown to the person and opens nothing. `none`: whatever it sends is
    not the user's address. E.g. `[Tunnel-Client-Endpoint, Calling-Station-Id]`"""
    group: s.Name | None = None
    """Gateways with the same group serve the same logins: a try at one of them goes on at another, without a
    second ring. E.g. `edge`"""
    follow_on: Annotated[float | None, PlainValidator(s.duration(0, 300))] = None
    """For a gateway that logs in twice, as a portal and a gateway do: so long after an accept the same person
    from the same address, with the same password, is let in once more without a ring. `0s`: never. E.g.
    `30s`"""
    probe_users: s.OneOrMore[s.ProbeUser] = ()
    """Names by which the gateway asks whether the server is alive. They are always refused, before any
    directory is asked, and ring nobody: any answer proves life. E.g. `[radius-test]`"""
    trace_code: s.YesNo = True
    """End the Reply-Message of every refusal with the login's trace code, and that of an accept whose policy
    writes one. `no` is for a gateway that reads more out of it than words. See [why did this login
    fail?](../how-to/find-out-why.md). E.g. `no`"""
    groups_in: GroupsInSection | None = None
    """Where the gateway looks for the `groups` of policies."""
    short_secret: Accepted = False
    """Allow a shared secret under 16 octets from beyond this machine. E.g. `accepted`"""
    shared_secret_prefix: Accepted = False
    """Let `user_address` in policies admit people through a client wider than a /29, let it be in a `group`,
    and let its people in by a yes that came late or by `follow_on`: whoever has its secret can then report
    any address, for any of its gateways. E.g. `accepted`"""


class CertificateSection(Section):
    name: s.OneOrMore[p.CertificateName] = ()
    """A host name or address in its subjectAltName, exactly; the common name does not count. `client_ca` must
    have signed it. E.g. `fw1.example.com`"""
    fingerprint: s.OneOrMore[s.Fingerprint] = ()
    """SHA-256 of the certificate itself. `client_ca` must have signed it. E.g.
    `sha256:5f:70:bf:18:a0:86:00:70:16:e9:48:b0:4a:ed:3b:82:10:3a:36:be:a4:17:55:b6:cd:df:af:10:ac:e3:c6:ef`"""
    file: s.OneOrMore[s.FilePath] = ()
    """PEM file of the gateway's certificate, whoever signed it. E.g. `/etc/radius-push/fw1.pem`"""


class ClientSection(ClientDefaults):
    REQUIRED: ClassVar[tuple[str, ...]] = ("addresses", "secret", "profiles")
    certificate: CertificateSection | None = None
    """How the gateway is known by RadSec; any of what stands here will do. Then `addresses` and `secret` may
    be left out; `addresses` that stand here must fit there too, and `secret` is for UDP and TCP alone."""
    addresses: s.OneOrMore[p.NetworkOf] = ()
    """Where its packets come from: addresses or prefixes. The longest prefix wins; none may belong to two
    clients. E.g. `[10.0.0.11, 10.0.0.12]`"""
    secret: s.OneOrMore[s.SecretFrom] = ()
    """The RADIUS shared secret. A list while it is being changed, newest first. E.g. `{file:
    /etc/radius-push/fw.secret}`"""


class LdapSection(Section):
    REQUIRED = ("urls", "base_dn", "bind_dn", "bind_password")
    type: Annotated[str, PlainValidator(s.one_of("ldap"))] = "ldap"
    """An LDAP directory. E.g. `ldap`"""
    urls: s.OneOrMore[p.LdapUrl] = ()
    """Its servers, asked in order. One that failed is left out for 10 s. E.g. `[ldaps://dc1.example.com,
    ldaps://dc2.example.com]`"""
    base_dn: p.DistinguishedName = ""
    """Under which people are looked up. E.g. `dc=example,dc=com`"""
    bind_dn: p.BindName = ""
    """The service account that looks people up: a DN, or what Active Directory also takes. E.g.
    `cn=radius-push,ou=services,dc=example,dc=com`"""
    bind_password: s.SecretFrom | None = None
    """Its password. E.g. `{file: /etc/radius-push/ldap.secret}`"""
    user_filter: p.UserFilter = "(uid={username})"
    """Finds the one entry of a typed name. `{username}` is filled in escaped. Several entries: refused. E.g.
    `(&(objectClass=person)(uid={username}))`"""
    group_base_dn: p.DistinguishedName | None = None
    """Under which bare group names of policies (`values: [VPN-Users]`) are looked up. E.g.
    `ou=groups,dc=example,dc=com`"""
    id_attribute: s.Attribute = "entryUUID"
    """Who somebody is for ever, whatever they are renamed to. Phones hang on it. E.g. `objectGUID`"""
    ca_file: s.FilePath | None = None
    """PEM file of the authority that signed the servers' certificates. Without it the system's. E.g.
    `/etc/radius-push/corp-ca.pem`"""
    start_tls: s.YesNo = False
    """For `ldap://`: begin TLS before anything is said. E.g. `yes`"""
    clear_text: Accepted = False
    """Allow `ldap://` without TLS. Every password then crosses the network readable. E.g. `accepted`"""
    certificate: Unchecked = False
    """Do not check the servers' certificates. Whoever sits between then reads every password. E.g.
    `unchecked`"""
    connect_timeout: Annotated[float, PlainValidator(s.duration(0.1, 60))] = 3.0
    """How long one connection may take to come up. E.g. `3s`"""
    receive_timeout: Annotated[float, PlainValidator(s.duration(0.1, 60))] = 5.0
    """How long a look-up may take in all, and a password check again, over all servers together. E.g. `5s`"""
    emergency: s.YesNo = False
    """Its word counts also while an earlier directory is down. E.g. `yes`"""
    self_writable: Accepted = False
    """Allow policies and replies to use attributes that people can write in their own entry, such as `mobile`
    or `l`. E.g. `accepted`"""


class LocalSection(Section):
    type: Annotated[str, PlainValidator(s.one_of("local"))] = "local"
    """Users written down here. E.g. `local`"""
    emergency: s.YesNo = False
    """Its word counts also while an earlier directory is down. E.g. `yes`"""
    users: Annotated[dict[str, Any], BeforeValidator(mapping)] | None = None
    """The users, by name. Case does not count. Or `users_file`."""
    users_file: s.FilePath | None = None
    """A YAML file with what would stand under `users`. E.g. `local-users.yaml`"""


class UserSection(Section):
    """A local user: every other key is an attribute."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, s.OneOrMore[s.Text]]
    ONE_OF: ClassVar[tuple[str, ...]] = ("password_hash", "nt_hash", "clear_password")
    password_hash: s.PasswordHash | None = Field(default=None, repr=False)
    """argon2id, as `radius-push hash-password` prints it. It proves passwords that come by PAP. One of the
    three is needed."""
    nt_hash: s.NtHash | None = None
    """The NT hash, as `radius-push hash-password --nt` prints it. MS-CHAPv2 needs it, or `clear_password`.
    Whoever reads it can log in with it: keep the file from others. E.g. `8846f7eaee8fb117ad06bdd830b7586c`"""
    clear_password: s.SecretFrom | None = None
    """The password itself. CHAP needs it. E.g. `{file: /etc/radius-push/zoe.password}`"""


class TextsSection(Section):
    timeout: s.ReplyText = _TEXTS.timeout
    """Reply-Message when no phone answered in time."""
    denied: s.ReplyText = _TEXTS.denied
    """Reply-Message after a deny on the phone."""


class ProfileSection(Section):
    REQUIRED = ("methods", "fallback_auth_profiles")
    methods: s.OneOrMore[s.Text] = ()
    """The second factor: `push`, or `none` for the password alone. E.g. `[push]`"""
    fallback_auth_profiles: s.OneOrMore[s.Name] = ()
    """The authentication profiles that are asked for the password, in order. The first that knows the name
    speaks. E.g. `[corp-ldap, local-admins]`"""
    timeout: Annotated[float, PlainValidator(s.duration(1, 3600))] = 45.0
    """How long a phone may take, counted from the request; at most the client's patience less 5 s.
    E.g. `45s`"""
    biometrics: BiometricsOf = "optional"
    """Whether a yes on the phone comes with a fingerprint or face. `optional`: on a phone that has one set
    up, unless its person does without. `required`: never without. `off`: phones do not ask.
    E.g. `required`"""
    texts: Annotated[TextsSection, BeforeValidator(mapping)] = TextsSection()
    """What the gateway may show to the person."""
    device_on_login_address: Annotated[OnLoginAddress, PlainValidator(s.on_login_address)] = "allow"
    """`forbid`: no yes is taken from a device that comes from the very address that the gateway reports for
    the sign-in, such as a browser on the laptop itself. A phone in the same home does, too. See
    [phones](../how-to/phones.md#a-phone-on-the-laptop-itself). E.g. `forbid`"""


class WhenSection(Section):
    attribute: s.Attribute | None = None
    """An attribute of the person, with `values` or `none_of`. E.g. `memberOf`"""
    values: s.OneOrMore[s.ValueOf] | None = None
    """Holds when one of its values fits one of these. E.g. `[VPN-Users]`"""
    none_of: s.OneOrMore[s.ValueOf] | None = None
    """Holds when no value fits, and when the attribute is absent. E.g. `[Intern]`"""
    user_address: s.OneOrMore[p.NetworkOf] | None = None
    """Holds when the gateway reported the user's address and it lies in one of these. E.g.
    `[198.51.100.0/24]`"""


class PolicySection(Section):
    REQUIRED = ("name", "profile", "authentication_profile")
    name: s.Line = ""
    """For the log and the evidence. No two may be called alike. E.g. `IT`"""
    profile: s.Name = ""
    """What whoever fits gets: a profile, or `refuse`. E.g. `staff-push`"""
    authentication_profile: s.Name = ""
    """Whose people it is about. One of the profile's `fallback_auth_profiles`. E.g. `corp-ldap`"""
    attribute: s.Attribute | None = None
    """An attribute of the person, with `values` or `none_of`. Without any condition the policy is for
    everybody of its authentication profile. E.g. `department`"""
    values: s.OneOrMore[s.ValueOf] | None = None
    """Holds when one of its values fits one of these: exact, with `*`, or `/regex/` (RE2, whole value). Case
    does not count. `{exact: "/home/x"}` for what looks like a pattern. E.g. `[IT, "Eng-*",
    "/Ops-(EU|US)/"]`"""
    none_of: s.OneOrMore[s.ValueOf] | None = None
    """Holds when no value fits, and when the attribute is absent. E.g. `[Intern]`"""
    when: s.OneOrMore[WhenSection] = ()
    """More conditions. All of them must hold."""
    clients: s.OneOrMore[s.Name] | None = None
    """Only for logins through these. Without it: through every client that lists the profile. E.g. `[fw]`"""
    request: dict[str, s.OneOrMore[s.ValueOf]] = {}
    """Attributes of the Access-Request and the values that must fit. E.g. `{NAS-Identifier: "vpn-*"}`"""
    until: s.Day | None = None
    """The last day on which it holds, that day included, UTC. E.g. `2027-06-30`"""
    groups: s.OneOrMore[s.Text] = ()
    """Groups that the gateway is told, where its preset (or `groups_in`) says; `{department}` and `{matched}`
    as in `reply`. They go before what `reply` says, and add to it. E.g. `[staff]`"""
    reply: dict[str, s.OneOrMore[s.Text]] = {}
    """RADIUS attributes of the Access-Accept. `{department}` and `{matched}` are filled in; one that has no
    value, or several, refuses the login. E.g. `{Session-Timeout: 36000, Filter-Id: "{department}"}`"""


class IncludeSection(Section):
    include: s.OneOrMore[s.Text] = ()
    """More files, by path or pattern, relative to this file's folder or absolute. They add clients,
    authentication_profiles and profiles, and nothing else; no name may stand twice. E.g. `profiles/*.yaml`"""


class SettingsSection(IncludeSection):
    """The file as a whole."""

    REQUIRED = ("server", "clients", "authentication_profiles", "profiles")
    server: ServerSection = ServerSection()
    """The installation."""
    methods: Annotated[MethodsSection, BeforeValidator(mapping)] = MethodsSection()
    """Second factors that are switched on."""
    client_defaults: Annotated[ClientDefaults, BeforeValidator(mapping)] = ClientDefaults()
    """What all clients say unless they say it themselves."""
    clients: dict[s.Name, ClientSection] = {}
    """The VPN gateways, by name."""
    authentication_profiles: dict[s.Name, LdapSection | LocalSection] = {}
    """Who checks the password, and says who people are."""
    profiles: dict[s.Name, ProfileSection] = {}
    """How people log in."""
    policies: tuple[PolicySection, ...] = ()
    """Who gets which profile, top to bottom."""
