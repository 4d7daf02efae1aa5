"""Accounting-Requests as a gateway writes them."""

from __future__ import annotations

from radius_push.model import Client, Secret
from radius_push.radius.accounting import AccountingRequest, read_accounting
from radius_push.radius.wire import attribute, seal_accounting
from tests.radius.packets import SECRET, STRICT, dictionary

START, STOP, INTERIM, ON, OFF = 1, 2, 3, 7, 8


def number(type: int, value: int) -> bytes:
    return attribute(type, value.to_bytes(4, "big"))


def report(
    status: int | None,
    *,
    session: str | None = "S1",
    user: str | None = "alice",
    nas: str | None = "fw-1",
    delay: int | None = None,
    seconds: int | None = None,
    stamp: int | None = None,
    more: bytes = b"",
    identifier: int = 7,
    secret: Secret = SECRET,
    sign: bool = False,
) -> bytes:
    """What is None is left out."""
    texts = ((1, user), (32, nas), (44, session))
    numbers = ((40, status), (41, delay), (46, seconds), (55, stamp))
    body = b"".join(attribute(type, text.encode()) for type, text in texts if text is not None)
    body += b"".join(number(type, value) for type, value in numbers if value is not None)
    return seal_accounting(identifier=identifier, secret=secret, attributes=body + more, sign=sign)


def read(datagram: bytes, client: Client = STRICT) -> AccountingRequest:
    return read_accounting(datagram, client=client, dictionary=dictionary())
