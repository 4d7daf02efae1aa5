"""Where things are, as the settings write it: sockets, networks, files, origins, entries of a directory.

Each reads the text as written and raises ValueError with the sentence for the admin.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import PlainValidator

from radius_push import dn
from radius_push.model import Address, Network
from radius_push.policy.groups import EACH, JOINED
from radius_push.radius.presets import PRESETS
from radius_push.settings.mistakes import did_you_mean, there_are
from radius_push.settings.scalars import text
from radius_push.shapes import Endpoint

NONE = "none"
_LONGEST_FORM = 100
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def endpoint(value: object) -> Endpoint:
    found = re.fullmatch(r"(?:\[([^\]]+)\]|([^:\[\]]+)):([0-9]{1,5})", text(value))
    if found is None or int(found[3]) > 65535:
        raise ValueError("write ADDRESS:PORT, as 10.0.0.5:1812 or [2001:db8::5]:1812")
    try:
        address = ip_address(found[1] or found[2])
    except ValueError:
        raise ValueError("must be an address, not a name: 10.0.0.5:1812 or [2001:db8::5]:1812") from None
    return Endpoint(address, int(found[3]))


def network(value: object) -> Network:
    found = text(value)
    try:
        made = ip_network(found)
    except ValueError as error:
        if "host bits" in str(error):
            right = ip_network(found, strict=False)
            raise ValueError(f"has host bits set; write {right}, or one address without a prefix") from None
        raise ValueError("not an address or prefix; write 10.0.0.11, 10.0.0.0/28 or 2001:db8::/64") from None
    return _plain(made)


def proxies(value: object) -> Network:
    found = network(value)
    if not found.prefixlen:
        raise ValueError("would believe everybody; write the proxy's own address")
    return found


def _plain(found: Network) -> Network:
    address: Address = found.network_address
    if address.version == 6 and address.ipv4_mapped is not None:
        raise ValueError("write the IPv4 address itself, without ::ffff:")
    return found


def certificate_name(value: object) -> str:
    """As TLS tells it: a host name in lower case, or an address."""
    found = text(value).lower()
    try:
        return str(ip_address(found))
    except ValueError:
        pass
    if len(found) > 253 or not all(_LABEL.fullmatch(label) for label in found.split(".")):
        raise ValueError("write the host name or address as it stands in the certificate: fw1.example.com")
    return found


def store(value: object) -> str:
    found = text(value)
    scheme, separator, path = found.partition("://")
    if scheme == "postgresql":
        raise ValueError("postgresql is not in this version; write sqlite:// and a path")
    if scheme != "sqlite" or not separator or not path or path.endswith("/") or ":memory:" in path:
        raise ValueError("write sqlite:// and a path: sqlite:///var/lib/radius-push/state.db")
    return path


def origin(value: object) -> str:
    """What a browser calls the origin of the phone page: no path, no default port."""
    return _origin(value, mend="write an https origin without a path: https://mfa.example.com")


def service_url(value: object) -> str:
    """Where a push service is asked: as an origin."""
    return _origin(value, mend="write https and the host, without a path: https://push.corp.example")


def _origin(value: object, *, mend: str) -> str:
    found = text(value).rstrip("/")
    try:
        parts = urlsplit(found)
        port = parts.port
    except ValueError:
        raise ValueError(mend) from None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("https", "http") or not _host(host) or _more_than_origin(parts):
        raise ValueError(mend)
    if parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("http only on localhost, to try it; write https")
    shown = f"[{host}]" if ":" in host else host
    default = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{shown}" + ("" if port in (None, default) else f":{port}")


def _more_than_origin(parts: SplitResult) -> bool:
    return bool(parts.path or parts.query or parts.fragment or "@" in parts.netloc)


def _host(host: str) -> bool:
    return re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|[0-9a-f:.]+", host) is not None


def proxy(value: object) -> str:
    mend = "write http://proxy.corp.example:3128, without a path or a password"
    found = text(value).rstrip("/")
    try:
        parts = urlsplit(found)
        port = parts.port
    except ValueError:
        raise ValueError(mend) from None
    if parts.scheme != "http" or not port or not _host(parts.hostname or "") or _more_than_origin(parts):
        raise ValueError(mend)
    return found


def mail_host(value: object) -> str:
    found = text(value).lower()
    if not _host(found) or "/" in found:
        raise ValueError("write a name or an address, and the port apart: mail.corp.example")
    return found


def ldap_url(value: object) -> str:
    mend = "write ldaps://dc1.example.com or ldap://dc1.example.com:389, without a path"
    found = text(value).rstrip("/")
    try:
        parts = urlsplit(found)
        port = parts.port
    except ValueError:
        raise ValueError(mend) from None
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname or _more_than_origin(parts) or port == 0:
        raise ValueError(mend)
    return found


def distinguished_name(value: object) -> str:
    found = text(value)
    try:
        parts = dn.parse(found)
    except ValueError as error:
        raise ValueError(f"{error}; write dc=example,dc=com") from None
    if not parts:
        raise ValueError("is empty")
    return found


def bind_name(value: object) -> str:
    """A DN, or what Active Directory also takes: `reader@corp.example`, `CORP\\reader`."""
    found = text(value)
    return found if re.fullmatch(r"[^\s=]+[@\\][^\s=]+", found) else distinguished_name(found)


def user_filter(value: object) -> str:
    found = text(value)
    if "{username}" not in found or re.search(r"[{}]", found.replace("{username}", "")):
        raise ValueError("must hold {username}, and no other braces: (uid={username})")
    depth = 0
    for at, character in enumerate(found):
        depth += (character == "(") - (character == ")")
        if depth < 0 or (depth == 0 and at < len(found) - 1):
            break
    else:
        if depth == 0 and found.startswith("("):
            return found
    raise ValueError("its parentheses do not pair up: (uid={username})")


def preset(value: object) -> str:
    found = text(value)
    if found not in PRESETS:
        hint = did_you_mean(found, PRESETS)
        raise ValueError(f"no preset is called {found}{hint or ''}; {there_are(PRESETS)}")
    return found


def address_attributes(value: object) -> tuple[str, ...]:
    """Names of RADIUS attributes, or `none`; which names there are is seen later."""
    if value == NONE:
        return ()
    listed = value if isinstance(value, list) else [value]
    if not listed:
        raise ValueError(f"is empty; write {NONE} if the gateway does not send it")
    return tuple(text(each) for each in listed)


def groups_form(value: object) -> str:
    """`{group}` or `{groups}` once, and text around it."""
    found = text(value)
    around = found.replace(JOINED, EACH).split(EACH)
    if len(around) != 2 or re.search(r"[{}]", "".join(around)):
        raise ValueError(f'must hold {EACH} or {JOINED}, once, and no other braces: "OU={JOINED};"')
    if not found.isprintable() or len(found.encode()) > _LONGEST_FORM:
        raise ValueError(f"must be one line of at most {_LONGEST_FORM} octets")
    return found


CertificateName = Annotated[str, PlainValidator(certificate_name)]
BindName = Annotated[str, PlainValidator(bind_name)]
DistinguishedName = Annotated[str, PlainValidator(distinguished_name)]
LdapUrl = Annotated[str, PlainValidator(ldap_url)]
MailHost = Annotated[str, PlainValidator(mail_host)]
GroupsForm = Annotated[str, PlainValidator(groups_form)]
ListenAt = Annotated[Endpoint, PlainValidator(endpoint)]
NetworkOf = Annotated[Any, PlainValidator(network)]
Origin = Annotated[str, PlainValidator(origin)]
ServiceUrl = Annotated[str, PlainValidator(service_url)]
PresetOf = Annotated[str, PlainValidator(preset)]
ProxiesOf = Annotated[Any, PlainValidator(proxies)]
Proxy = Annotated[str, PlainValidator(proxy)]
StorePath = Annotated[str, PlainValidator(store)]
UserFilter = Annotated[str, PlainValidator(user_filter)]
