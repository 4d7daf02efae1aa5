"""The evidence events about how devices are reached while their app is closed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PushChanged:
    """Where a device is reached when its app is closed was kept, replaced or forgotten."""

    person: str
    device: str
    channel: str
    """`web_push`: a browser's; `apns`, `fcm`: an app's, by Apple or Google."""
    service: str | None
    """The push service's host name; `null`: none any more."""
    by: str
    """`phone`, or `push service`."""


@dataclass(frozen=True, slots=True)
class PushReceived:
    """A device says that a push reached it, or that its person opened the app by it. It lets nobody in."""

    login: str | None
    """`null`: it was for something else than a login."""
    question: str
    """Or the test request, sign-in or notice."""
    person: str
    device: str
    channel: str
    """`web_push`, `apns` or `fcm`."""
    push_kind: str
    """`request`, `test`, `sign_in`, `device_added`, `device_removed` or `credential_added`."""
    what: str
    """`received` or `opened`."""
    milliseconds: int
    """From the first try of the push service to the device's word, by the server's clock."""
