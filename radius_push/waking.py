"""How closed phones are woken: where each is reached, and what a push service said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from radius_push.model import Secret

AppChannel = Literal["apns", "fcm"]
"""Apple's push service for an app of one's own, and Google's."""
Channel = Literal["web_push", "apns", "fcm"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)


@dataclass(frozen=True, slots=True)
class BrowserAddress:
    """Where a device's browser is reached when the app is closed (RFC 8030: a push subscription)."""

    device: str
    endpoint: str = field(repr=False)
    """A URL at the push service. Whoever knows it may send to the device: not for the log."""
    p256dh: bytes
    """P-256, 65 octets, uncompressed point: what is sent is encrypted for it (RFC 8291)."""
    auth: Secret
    """16 octets that the browser shares with us for the same."""

    @property
    def channel(self) -> Channel:
        return "web_push"

    @property
    def where(self) -> str:
        """What tells it from other addresses of its channel."""
        return self.endpoint


@dataclass(frozen=True, slots=True)
class AppAddress:
    """Where an app of one's own is reached: Apple's *device token*, Google's *registration token*."""

    device: str
    channel: AppChannel
    token: Secret
    """As the phone's system gave it to the app. Who has it and the organisation's key may send to it."""

    @property
    def where(self) -> str:
        """What tells it from other addresses of its channel."""
        return self.token.reveal().decode()


PushAddress = BrowserAddress | AppAddress
"""A device has one of each channel at most."""


@dataclass(frozen=True, slots=True)
class PushReach:
    """How well a device is reached while its app is closed."""

    services: tuple[str, ...]
    """The host name of its browser's push service, `apns`, `fcm`; none: it is not rung."""
    gone_at: float | None
    """Since when a push service knows it no more, and its app gave no new address since."""
    seen_at: float | None
    """When a push had reached it last, as it said itself."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The push service has it. Whether the phone rang, nobody says."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The push service knows this address no more: forget it."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Not this time."""

    detail: str
    retry_after: float | None
    """Seconds; None: a second try would end the same."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It will not take this from us: something has to be mended."""

    detail: str


Outcome = Delivered | Gone | Unreachable | Refused
