"""How closed phones are woken: where each is reached, and what a push service said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from radius_push.model import Secret

AppChannel = Literal["apns", "fcm"]
"""Apple's push service for an app of one's own, and Google's."""
Channel = Literal["web_push", "apns", "fcm"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)

LONGEST_TOKEN = 1024
"""Characters. Those of today have 64 (Apple) and about 160 (Google), and neither promises to stay so."""
TOKENS: dict[AppChannel, str] = {
    # It becomes a part of the URL that Apple is asked at: nothing but octets in hexadecimal.
    "apns": f"([0-9A-Fa-f]{{2}}){{1,{LONGEST_TOKEN // 2}}}",
    "fcm": f"[0-9A-Za-z_:.-]{{1,{LONGEST_TOKEN}}}",
}
"""What a token of each channel may be made of, as a regular expression."""


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
    """Since when a push service knows it no more, and its app gave no new address since: the latest."""
    seen_at: float | None
    """When a push had reached it last, as it said itself."""
    channels: tuple[Channel, ...] = ()
    """By which it is rung."""
    gone: tuple[Channel, ...] = ()
    """Whose push service knows it no more."""


Kind = Literal["request", "test", "sign_in", "device_added", "device_removed", "credential_added"]
"""What waits on the phone: a login, a test request, a sign-in to the page for phones; or what is told."""
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Ring:
    """One device is woken by one channel."""

    device: str
    channel: Channel
    kind: Kind
    about: str
    """The id of the question, test request, sign-in or notice."""
    login: str | None
    began_at: float
    """When its push service was asked first, UTC seconds."""
    since_request: int
    """Milliseconds until then, from when somebody began to wait for it."""


ReceiptWord = Literal["received", "opened"]
RECEIPTS: tuple[ReceiptWord, ...] = get_args(ReceiptWord)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A device says that a ring reached it, or that its person opened the app by it."""

    device: str
    channel: Channel
    kind: Kind
    about: str
    what: ReceiptWord


LAST_RINGS = 20
"""Of each device and channel are kept."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the last rings of one device and channel were: medians, in milliseconds."""

    ring: int | None
    """From the request to the push service; None: it took none."""
    rings: int
    """Of how many."""
    receipt: int | None
    """From the ring to the device's word that it has come, by the server's clock; None: it said none."""
    receipts: int
    """Of how many."""


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
