"""What a person is told of their phones: on the other phones, and by mail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from radius_push.model import PersonKey

NoticeKind = Literal["device_added", "device_removed", "credential_added"]
"""`credential_added`: a phone's fingerprint or face was added or replaced."""

AlertKind = Literal["contested", "removed_by_notice"]
"""What administrators are told: a yes was not the person's; a phone was not, and they removed it."""
MailKind = NoticeKind | AlertKind

LONGEST_ADDRESS = 254
"""Octets of a mail address (RFC 5321, 4.5.3.1.3, without the angle brackets)."""
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Notice:
    """What an app's home shows until somebody has seen it."""

    id: str
    device: str
    """Whose app shows it."""
    person: PersonKey
    kind: NoticeKind
    about: str
    """The device that it is about."""
    name: str
    """What that one is called."""
    at: float


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that waits in the store to be sent."""

    id: int
    person: PersonKey
    username: str
    address: str
    kind: MailKind
    about: str
    """The device; of `contested` the login's code."""
    name: str
    """What the device is called; of `contested` the gateway."""
    at: float
    """When it happened, UTC seconds."""
    tries: int
    """With the one that it was handed out for."""
    login_address: str | None = None
    """Of `contested`: where the sign-in came from, as its gateway reported it."""


def mail_address(text: str) -> str | None:
    """The address as it is, or None: not a plain `name@domain` (RFC 5321, 4.1.2, Dot-string) in ASCII.

    No quoting, no comments, no lists, no line breaks: what is left can stand in a header and a command.
    """
    local, at, domain = text.rpartition("@")
    labels = domain.split(".")
    if not at or len(text) > LONGEST_ADDRESS or len(local) > 64 or not _LOCAL.fullmatch(local):
        return None
    return text if all(_LABEL.fullmatch(label) for label in labels) else None
