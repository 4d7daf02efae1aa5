"""Settings that use every way in and out, for the lines of the network and their page."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

from radius_push.doctor.network import Line, lines_of
from radius_push.model import Client, ClientCertificate, Secret
from radius_push.push_shapes import Apns, Fcm, Push, Token, WebPush
from radius_push.shapes import (
    Endpoint,
    LdapProfile,
    MailServer,
    MoreServer,
    PhoneListener,
    RadsecListener,
    Settings,
)

HERE = ip_address("10.0.0.5")
APNS = Apns("com.example.app", Token(Secret(b"key"), "ABCDEFGHIJ", "KLMNOPQRST"))
FCM = Fcm("example-app", "push@example-app.iam.gserviceaccount.com", Secret(b"key"), "1")
SETTINGS = Settings(
    file="radius-push.yaml",
    store="state.db",
    authentication=(Endpoint(HERE, 1812),),
    accounting=(Endpoint(HERE, 1813),),
    tcp=(Endpoint(ip_address("127.0.0.1"), 1812),),
    radsec=RadsecListener((Endpoint(HERE, 2083),), "c.pem", "k.pem"),
    phone=PhoneListener(Endpoint(ip_address("10.0.1.5"), 8443), "https://mfa.example.com"),
    portal=PhoneListener(Endpoint(HERE, 8444), "https://my-phone.corp.example:8444", "c.pem", "k.pem"),
    metrics=Endpoint(ip_address("127.0.0.1"), 9812),
    trusted_proxies=(ip_network("10.0.1.2/32"),),
    methods=frozenset({"push"}),
    clients={
        "fw": Client(
            "fw",
            (ip_network("10.0.0.11/32"), ip_network("10.0.2.0/28")),
            (Secret(b"s"),),
            ("staff",),
            certificate=ClientCertificate(names=("fw.example.com",)),
        )
    },
    authentication_profiles={
        "corp": LdapProfile(
            "corp",
            ("ldaps://dc1.example.com", "ldap://dc2.example.com"),
            "dc=example",
            "cn=reader",
            Secret(b"p"),
            start_tls=True,
        )
    },
    profiles={},
    policies=(),
    mail=MailServer("mail.corp.example", 587, "starttls", "vpn@corp.example"),
    push=Push(WebPush(allow_endpoints=("https://push.corp.example:8446",)), APNS, FCM),
    more_servers={"second": MoreServer((Endpoint(HERE, 1912),))},
)
BY_PROXY = replace(SETTINGS, push=replace(SETTINGS.push, proxy="http://proxy.corp.example:3128"))


def rows(settings: Settings) -> list[tuple[str, str, str, int, str]]:
    """Channel, from, to, port, protocol."""
    return [
        (line.channel, line.source, line.to, line.port, line.protocol) for line in lines_of(settings)
    ]  # fmt: skip


def one(settings: Settings, **like: object) -> Line:
    (found,) = [
        line
        for line in lines_of(settings)
        if all(getattr(line, name) == value for name, value in like.items())
    ]
    return found
