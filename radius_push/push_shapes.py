"""What the settings say of ringing closed phones, once checked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from radius_push.model import Secret


@dataclass(frozen=True, slots=True)
class WebPush:
    """How the browsers of closed phones are rung."""

    contact: str | None = None
    """mailto: or https: whom a push service may write to."""
    allow_endpoints: tuple[str, ...] = ()
    """Origins that phones may name beside the known push services, wherever they lie."""


@dataclass(frozen=True, slots=True)
class Token:
    """Apple's token-based authentication: a JWT that this key signs."""

    key: Secret
    """The .p8 file: PKCS #8, P-256, PEM."""
    key_id: str
    """10 characters."""
    team_id: str
    """10 characters."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Apple's certificate-based authentication: a TLS client certificate."""

    chain: str
    """PEM."""
    key: Secret
    """PEM, not encrypted."""
    ends_at: float = math.inf
    """UTC seconds: from then on Apple does not take it."""


APPLE = {"production": "https://api.push.apple.com", "sandbox": "https://api.sandbox.push.apple.com"}


@dataclass(frozen=True, slots=True)
class Apns:
    """How an app of one's own is rung on Apple's devices."""

    topic: str
    """The app's bundle id."""
    identity: Token | Certificate
    environment: Literal["production", "sandbox"] = "production"
    url: str = APPLE["production"]
    """`https://HOST[:PORT]`: Apple's for this environment, or a relay of one's own."""
    ca: str | None = None
    """PEM: who vouches for `url`, or for a proxy that opens TLS, beside the system's authorities."""


GOOGLE = "https://fcm.googleapis.com"


@dataclass(frozen=True, slots=True)
class Fcm:
    """How an app of one's own is rung by Google's Firebase Cloud Messaging, HTTP v1."""

    project: str
    """The Firebase project's id."""
    client_email: str
    """The service account's name."""
    key: Secret
    """PKCS #8, RSA, PEM: the service account's `private_key`."""
    key_id: str
    token_uri: str = "https://oauth2.googleapis.com/token"
    """`https://HOST[:PORT]/...`: where the account's word is exchanged for an access token."""
    url: str = GOOGLE
    """`https://HOST[:PORT]`: Google's, or a relay of one's own."""
    ca: str | None = None
    """PEM: whom both are trusted by; None: the system's."""


@dataclass(frozen=True, slots=True)
class Push:
    """All ways to closed phones."""

    web_push: WebPush = field(default_factory=WebPush)
    apns: Apns | None = None
    """None: this server rings no app by it."""
    fcm: Fcm | None = None
    proxy: str | None = None
    """`http://HOST:PORT`: through which we reach push services."""


NO_APPS = Push()
"""Browsers alone, without a contact."""
