"""What a firewall must let through for these settings: every line, with who speaks to whom, and what for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from radius_push.model import Client, Network
from radius_push.push.endpoints import KNOWN
from radius_push.settings.more_servers import served_as
from radius_push.shapes import Endpoint, LdapProfile, PhoneListener, Settings

Channel = Literal[
    "radius", "accounting", "radsec", "tcp", "phones", "portal", "metrics",
    "directory", "mail", "dns", "proxy", "web_push", "apns", "fcm",
]  # fmt: skip
Tls = Literal["", "tls", "starttls"]

HERE = "this machine"
NAME_SERVERS = "your DNS servers"
ANYWHERE = "anywhere"
_OF_BROWSERS = {
    "fcm.googleapis.com": ("Chrome and its kin", ("fcm.googleapis.com",)),
    "*.push.services.mozilla.com": ("Firefox", ("updates.push.services.mozilla.com",)),
    "*.push.apple.com": ("Safari", ("web.push.apple.com",)),
    # The names of Edge's servers are told by Edge alone.
    "*.notify.windows.com": ("Edge", ()),
}
"""Whose push services the known ones are, and a host of each that is always there."""


@dataclass(frozen=True, slots=True)
class Line:
    """One rule."""

    channel: Channel
    direction: Literal["in", "out"]
    source: str
    """Who opens the connection, or sends the first packet: names, addresses, or words."""
    to: str
    """A host name, `*.` and a domain, an address, or words."""
    port: int
    protocol: Literal["udp", "tcp"]
    purpose: str
    tls: Tls = ""
    """What is spoken from the beginning: TLS, or plain text that TLS takes over."""
    tries: tuple[str, ...] = ()
    """The hosts by which it can be tried from here."""
    ca: str | None = None
    """Path or PEM: whom `to` is trusted by; None: the system's authorities."""
    by_proxy: bool = False
    """It is the proxy that goes there; from here through it."""
    checked: bool = True
    """Is the certificate of `to` believed only if it is right?"""


def lines_of(settings: Settings) -> tuple[Line, ...]:
    """In the order in which a login meets them; what comes in first."""
    return tuple(dict.fromkeys([*_incoming(settings), *_outgoing(settings)]))


# --- in --------------------------------------------------------------------------------------------------


def _incoming(settings: Settings) -> Iterator[Line]:
    for name in (settings.name, *settings.more_servers):
        served = served_as(settings, name)
        yield from _from_gateways(served)
        yield from _from_browsers(served)


def _from_gateways(settings: Settings) -> Iterator[Line]:
    for client in settings.clients.values():
        yield from _from_client(client, settings)


def _from_client(client: Client, settings: Settings) -> Iterator[Line]:
    name = client.name
    for source in map(_shown, client.networks):
        for endpoint in settings.authentication:
            yield _to_us("radius", endpoint, "udp", source, f"RADIUS: logins at {name}")
        for endpoint in settings.accounting:
            yield _to_us("accounting", endpoint, "udp", source, f"RADIUS accounting of {name}: who is in")
        for endpoint in settings.tcp:
            yield _to_us("tcp", endpoint, "tcp", source, f"RADIUS over TCP: logins at {name}")
    if settings.radsec is not None and client.certificate is not None:
        for source in (
            map(_shown, client.certificate.networks) if client.certificate.networks else (ANYWHERE,)
        ):
            for endpoint in settings.radsec.endpoints:
                yield _to_us("radsec", endpoint, "tcp", source, f"RadSec (RADIUS inside TLS) of {name}")


def _from_browsers(settings: Settings) -> Iterator[Line]:
    what = "phones: adding, being asked, answering"
    yield from _to_a_page(settings, "phones", settings.phone, "phones, wherever they are", what)
    what = "the page for people's own phones"
    yield from _to_a_page(settings, "portal", settings.portal, "people's browsers", what)
    if settings.metrics is not None:
        yield _to_us("metrics", settings.metrics, "tcp", "your Prometheus", "metrics, in clear text")


def _to_a_page(
    settings: Settings,
    channel: Literal["phones", "portal"],
    listener: PhoneListener | None,
    who: str,
    what: str,
) -> Iterator[Line]:
    if listener is None or listener.endpoint is None:
        return
    parts = urlsplit(listener.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    before = ", ".join(map(_shown, settings.trusted_proxies))
    apart = listener.certificate is None and parts.scheme == "https"
    if apart or port != listener.endpoint.port:
        yield Line(channel, "in", who, str(parts.hostname), port, "tcp", f"{what} ({listener.url})")
        who = before or "your reverse proxy"
    yield _to_us(channel, listener.endpoint, "tcp", who, what)


def _to_us(
    channel: Channel, endpoint: Endpoint, protocol: Literal["udp", "tcp"], source: str, purpose: str
) -> Line:
    return Line(channel, "in", source, str(endpoint.address), endpoint.port, protocol, purpose)


def _shown(network: Network) -> str:
    """One address without its prefix."""
    return str(network).removesuffix("/32").removesuffix("/128")


# --- out -------------------------------------------------------------------------------------------------


def _outgoing(settings: Settings) -> Iterator[Line]:
    for protocol in ("udp", "tcp"):
        yield Line(
            "dns", "out", HERE, NAME_SERVERS, 53, "udp" if protocol == "udp" else "tcp", "names of hosts"
        )
    for profile in settings.authentication_profiles.values():
        if isinstance(profile, LdapProfile):
            yield from _to_directory(profile)
    yield from _to_mail(settings)
    if "push" in settings.methods and settings.phone is not None:
        yield from _to_push_services(settings)


def _to_directory(profile: LdapProfile) -> Iterator[Line]:
    for url in profile.urls:
        parts = urlsplit(url)
        encrypted = parts.scheme == "ldaps"
        host = str(parts.hostname)
        how: Tls = "tls" if encrypted else "starttls" if profile.start_tls else ""
        yield Line(
            "directory",
            "out",
            HERE,
            host,
            parts.port or (636 if encrypted else 389),
            "tcp",
            f"LDAP: passwords and attributes ({profile.name})",
            tls=how,
            tries=(host,),
            ca=profile.ca_file,
            checked=profile.check_certificate,
        )


def _to_mail(settings: Settings) -> Iterator[Line]:
    server = settings.mail
    if server is not None:
        how: Tls = "" if server.security == "none" else server.security
        purpose = "SMTP: invitations, and what happened to phones"
        yield Line(
            "mail", "out", HERE, server.host, server.port, "tcp", purpose,
            tls=how, tries=(server.host,), ca=server.ca_file,
        )  # fmt: skip


def _to_push_services(settings: Settings) -> Iterator[Line]:
    push = settings.push
    source = HERE
    if push.proxy is not None:
        host, port = _place(push.proxy)
        purpose = "the proxy to push services, by CONNECT"
        yield Line("proxy", "out", HERE, host, port, "tcp", purpose, tries=(host,))
        source = host
    wanted: list[tuple[Channel, str, int, str, tuple[str, ...], str | None]] = []
    for pattern in KNOWN:
        browser, hosts = _OF_BROWSERS[pattern]
        wanted.append(("web_push", pattern, 443, f"Web Push: {browser}", hosts, None))
    for origin in push.web_push.allow_endpoints:
        host, port = _place(origin)
        wanted.append(("web_push", host, port, "Web Push: named in allow_endpoints", (host,), None))
    if push.apns is not None:
        host, port = _place(push.apns.url)
        wanted.append(("apns", host, port, "APNs: your app on Apple's devices", (host,), push.apns.ca))
    if push.fcm is not None:
        for url, what in ((push.fcm.token_uri, "access tokens (OAuth)"), (push.fcm.url, "your app")):
            host, port = _place(url)
            wanted.append(("fcm", host, port, f"FCM: {what}", (host,), push.fcm.ca))
    plain = tuple(origin for origin in push.web_push.allow_endpoints if origin.startswith("http:"))
    for channel, host, port, purpose, hosts, ca in wanted:
        how: Tls = "" if (host, port) in [_place(origin) for origin in plain] else "tls"
        yield Line(
            channel, "out", source, host, port, "tcp", purpose,
            tls=how, tries=hosts, ca=ca, by_proxy=push.proxy is not None,
        )  # fmt: skip


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), parts.port or (80 if parts.scheme == "http" else 443)
