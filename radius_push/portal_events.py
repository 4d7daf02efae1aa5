"""What happens at the page for people's own phones; part of `events.Event`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PortalAsked:
    """Somebody gave a right password at the page for phones, and the person's phones are asked."""

    person: str
    sign_in: str
    """The id of what they are asked. It is no question: no answer to it lets anybody in to a VPN."""
    page: str
    """The page's address."""
    address: str | None
    """Where the browser comes from, as the page sees it."""


@dataclass(frozen=True, slots=True)
class PortalAnswered:
    """A phone said yes or no to it."""

    person: str
    sign_in: str
    """The id of what it was asked."""
    device: str
    answer: str
    """`approve` or `deny`."""
    payload: str
    """The exact text that was signed."""
    signature: str
    """Over it, base64url."""
    biometrics: str | None = None
    """SHA-256 of the public key of the credential that was used, hexadecimal. `null`: none was."""
    assertion: str | None = None
    """As in `answered`."""


@dataclass(frozen=True, slots=True)
class PortalSignedIn:
    """Somebody is signed in to the page for phones."""

    person: str
    username: str
    device: str | None
    """The phone that said yes. `null`: they never had one, and the password was enough
    (`self_service`)."""
    address: str | None
    """Where the browser comes from, as the page sees it."""


@dataclass(frozen=True, slots=True)
class PortalRefused:
    """Somebody was not signed in to the page for phones, nor were their phones asked."""

    username: str
    person: str | None
    address: str | None
    """Where the browser comes from, as the page sees it."""
    reason: str
    """`wrong_password` also for a closed account, `unknown_user` also for a name that fits several;
    `directory_down`: it could not be checked; `needs_invitation`: the password is right, and they have no
    phone and may not add one by themselves; `one_waits`: their phones are asked already; `rung_too_often`."""


@dataclass(frozen=True, slots=True)
class PortalSignedOut:
    """Somebody left the page for phones."""

    person: str


@dataclass(frozen=True, slots=True)
class DeviceRenamed:
    """A phone has another name."""

    person: str
    device: str
    name: str
    by: str
