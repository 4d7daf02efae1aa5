"""The grammar of the settings file, section by section.

Nothing is required of pydantic itself: `REQUIRED` is, so that a section with a mistake still yields the rest
of what it says, and the checks across sections go on.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from radius_push.settings import places as p
from radius_push.settings import scalars as s
from radius_push.shapes import Enrollment, Texts

_ENROLLMENT = Enrollment()
_TEXTS = Texts()


def _mapping(value: object) -> object:
    """A key with nothing behind it says what an empty mapping says."""
    return {} if value is None else value


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    REQUIRED: ClassVar[tuple[str, ...]] = ()


Accepted = Annotated[bool, PlainValidator(s.only("accepted"))]
Unchecked = Annotated[bool, PlainValidator(s.only("unchecked"))]


class TlsSection(Section):
    REQUIRED = ("certificate", "key")
    certificate: s.FilePath = ""
    key: s.FilePath = ""


class PhoneSection(Section):
    REQUIRED = ("address", "url")
    address: p.ListenAt | None = None
    url: p.Origin = ""
    tls: TlsSection | None = None


class ListenSection(Section):
    REQUIRED = ("authentication",)
    authentication: s.OneOrMore[p.ListenAt] = ()
    phone: PhoneSection | None = None


class EnrollmentSection(Section):
    shown_code: Annotated[float, PlainValidator(s.duration(1, 86400))] = _ENROLLMENT.shown_code
    devices_per_user: Annotated[int, PlainValidator(s.whole(1, 20))] = _ENROLLMENT.devices_per_user


class ServerSection(Section):
    REQUIRED = ("store", "listen")
    store: p.StorePath = ""
    listen: ListenSection = ListenSection()
    enrollment: Annotated[EnrollmentSection, BeforeValidator(_mapping)] = EnrollmentSection()
    reject_delay: Annotated[float, PlainValidator(s.duration(0, 5))] = 1.0


class PushSection(Section):
    contact: s.Contact = ""


class MethodsSection(Section):
    push: Annotated[PushSection | None, BeforeValidator(_mapping)] = None


class ClientDefaults(Section):
    """What one client may also say for all."""

    profiles: s.OneOrMore[s.Name] = ()
    otherwise: s.Name | None = None
    patience: Annotated[float, PlainValidator(s.duration(6, 3600))] = 30.0
    require_message_authenticator: s.YesNo = True
    password_encoding: s.Encoding = "latin-1"
    short_secret: Accepted = False


class ClientSection(ClientDefaults):
    REQUIRED = ("addresses", "secret", "profiles")
    addresses: s.OneOrMore[p.NetworkOf] = ()
    secret: s.OneOrMore[s.SecretFrom] = ()


class LdapSection(Section):
    REQUIRED = ("urls", "base_dn", "bind_dn", "bind_password")
    type: Annotated[str, PlainValidator(s.one_of("ldap"))] = "ldap"
    urls: s.OneOrMore[p.LdapUrl] = ()
    base_dn: p.DistinguishedName = ""
    bind_dn: p.BindName = ""
    bind_password: s.SecretFrom | None = None
    user_filter: p.UserFilter = "(uid={username})"
    group_base_dn: p.DistinguishedName | None = None
    id_attribute: s.Attribute = "entryUUID"
    ca_file: s.FilePath | None = None
    start_tls: s.YesNo = False
    clear_text: Accepted = False
    certificate: Unchecked = False
    connect_timeout: Annotated[float, PlainValidator(s.duration(0.1, 60))] = 3.0
    receive_timeout: Annotated[float, PlainValidator(s.duration(0.1, 60))] = 5.0
    emergency: s.YesNo = False


class LocalSection(Section):
    type: Annotated[str, PlainValidator(s.one_of("local"))] = "local"
    emergency: s.YesNo = False
    users: Annotated[dict[str, Any], BeforeValidator(_mapping)] | None = None
    users_file: s.FilePath | None = None


class UserSection(Section):
    """A local user: every other key is an attribute."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, s.OneOrMore[s.Text]]
    REQUIRED = ("password_hash",)
    password_hash: s.PasswordHash = Field(default="", repr=False)


class TextsSection(Section):
    timeout: s.ReplyText = _TEXTS.timeout
    denied: s.ReplyText = _TEXTS.denied


class ProfileSection(Section):
    REQUIRED = ("methods", "fallback_auth_profiles")
    methods: s.OneOrMore[s.Text] = ()
    fallback_auth_profiles: s.OneOrMore[s.Name] = ()
    timeout: Annotated[float, PlainValidator(s.duration(1, 3600))] = 45.0
    texts: Annotated[TextsSection, BeforeValidator(_mapping)] = TextsSection()


class WhenSection(Section):
    attribute: s.Attribute | None = None
    values: s.OneOrMore[s.ValueOf] | None = None
    none_of: s.OneOrMore[s.ValueOf] | None = None
    user_address: s.OneOrMore[p.NetworkOf] | None = None


class PolicySection(Section):
    REQUIRED = ("name", "profile", "authentication_profile")
    name: s.Line = ""
    profile: s.Name = ""
    authentication_profile: s.Name = ""
    attribute: s.Attribute | None = None
    values: s.OneOrMore[s.ValueOf] | None = None
    none_of: s.OneOrMore[s.ValueOf] | None = None
    when: s.OneOrMore[WhenSection] = ()
    clients: s.OneOrMore[s.Name] | None = None
    request: dict[str, s.OneOrMore[s.ValueOf]] = {}
    until: s.Day | None = None
    reply: dict[str, s.OneOrMore[s.Text]] = {}
