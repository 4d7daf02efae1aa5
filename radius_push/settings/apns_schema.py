"""The grammar of `methods.push.apns:`. See `schema.py`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import PlainValidator

from radius_push.settings import places as p
from radius_push.settings import scalars as s
from radius_push.settings.section import Section


def bundle_id(value: object) -> str:
    found = s.text(value)
    if len(found) > 155 or not re.fullmatch(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", found):
        raise ValueError("not a bundle id; write it as the app has it in Xcode: com.example.mfa")
    return found


def apple_id(value: object) -> str:
    found = s.text(value).strip()
    if not re.fullmatch(r"[A-Z0-9]{10}", found):
        raise ValueError("must be 10 capital letters and digits, as Apple's developer page shows it")
    return found


def https_host(value: object) -> str:
    if not s.text(value).startswith("https:"):
        raise ValueError("must be https: Apple speaks nothing else; write https://api.push.apple.com")
    try:
        return p.origin(value)
    except ValueError:
        raise ValueError("write https, a host, and a port if it is not 443: https://relay.example") from None


AppleId = Annotated[str, PlainValidator(apple_id)]


class ApnsSection(Section):
    REQUIRED = ("topic",)
    topic: Annotated[str, PlainValidator(bundle_id)] = ""
    """The app's bundle id. E.g. `com.example.mfa`"""
    key: s.SecretFrom = None
    """The key of Apple's developer page, a .p8 file, with `key_id` and `team_id`. E.g. `{file:
    /etc/radius-push/apns.p8}`"""
    key_id: AppleId | None = None
    """The key's id, 10 characters: the file is called after it. E.g. `8XFAKEKEY1`"""
    team_id: AppleId | None = None
    """The developer account's id, 10 characters. E.g. `TEAMFAKE01`"""
    certificate: s.FilePath | None = None
    """Instead of a key: PEM file of a certificate for *Apple Push Services*, with its chain. E.g.
    `/etc/radius-push/apns.pem`"""
    certificate_key: s.SecretFrom = None
    """Its private key, PEM, not encrypted. E.g. `{file: /etc/radius-push/apns.key}`"""
    environment: Annotated[
        Literal["production", "sandbox"], PlainValidator(s.one_of("production", "sandbox"))
    ] = "production"
    """Which of Apple's services gave the device tokens: an app that Xcode installs is of `sandbox`, one of
    TestFlight, the App Store or a device management of `production`. E.g. `sandbox`"""
    url: Annotated[str | None, PlainValidator(https_host)] = None
    """Where it is asked, if not at the environment's own address. Apple listens on port 2197, too. E.g.
    `https://api.push.apple.com:2197`"""
    ca_file: s.FilePath | None = None
    """PEM file of an authority that is believed beside the system's: for a relay of your own, or a proxy that
    opens TLS. E.g. `/etc/radius-push/corp-ca.pem`"""
