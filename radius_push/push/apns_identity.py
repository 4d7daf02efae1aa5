"""Who we are to Apple: a JWT that our key signs, or a TLS client certificate."""

from __future__ import annotations

import datetime as dt
import os
import ssl
from pathlib import Path

from aioapns.connection import AuthorizationHeaderProvider, JWTAuthorizationHeaderProvider

from radius_push.ports import Clock
from radius_push.push_shapes import Apns, Certificate, Token

USED_SECONDS = 40 * 60
"""A JWT is for an hour at most, and Apple wants no new one within 20 minutes."""
LEAST_SECONDS = 20 * 60
CLOCK_WAS_SET = 60.0
"""Seconds by which the two clocks may come apart before somebody must have set one."""


class Signer(AuthorizationHeaderProvider):
    """One JWT for all connections: Apple counts how often it sees a new one."""

    def __init__(self, token: Token, *, clock: Clock) -> None:
        self.token = token
        self._clock = clock
        self._header = ""
        self._made = (0.0, 0.0)

    def get_header(self) -> str:
        """`bearer JWT`. The library asks for it with each push."""
        if not self._header or self._age() >= USED_SECONDS or self._clock_was_set():
            self._sign()
        return self._header

    def renew(self, refused: str) -> bool:
        """Apple takes `refused` no more. Is there another one now? Not if that one is new: then one made by
        the same clock would be refused, too."""
        if self._header == refused and (self._age() >= LEAST_SECONDS or self._clock_was_set()):
            self._sign()
        return self._header != refused

    def _age(self) -> float:
        return self._clock.monotonic() - self._made[1]

    def _clock_was_set(self) -> bool:
        now, monotonic = self._clock.now() - self._made[0], self._clock.monotonic() - self._made[1]
        return abs(now - monotonic) > CLOCK_WAS_SET

    def _sign(self) -> None:
        self._made = (self._clock.now(), self._clock.monotonic())
        token = self.token
        # One of its own for each JWT: it has a time of its own after which it makes another.
        maker: AuthorizationHeaderProvider = JWTAuthorizationHeaderProvider(
            key=token.key.reveal().decode(), key_id=token.key_id, team_id=token.team_id
        )
        self._header = maker.get_header()


def expired(settings: Apns, *, now: float) -> str | None:
    """Since when Apple takes us no more, with the mend; None: it does. `now`: UTC seconds."""
    ours = settings.identity
    if isinstance(ours, Token) or now < ours.ends_at:
        return None
    day = dt.datetime.fromtimestamp(ours.ends_at, dt.UTC)
    return (
        f"methods.push.apns.certificate expired on {day:%Y-%m-%d}: make a new one on Apple's developer page, "
        "and run `radius-push reload`"
    )


def trust(settings: Apns) -> ssl.SSLContext:
    """TLS 1.2 or newer, HTTP/2, the system's authorities and `ca`, and our certificate if we have one.

    Raises ssl.SSLError, OSError or ValueError.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if settings.ca is not None:
        context.load_verify_locations(cadata=settings.ca)
    if isinstance(settings.identity, Certificate):
        _present(context, settings.identity)
    return context


def _present(context: ssl.SSLContext, ours: Certificate) -> None:
    """OpenSSL reads files alone. This one is memory of ours: it has no name, and nobody else can open it."""
    with os.fdopen(os.memfd_create("certificate", os.MFD_CLOEXEC), "wb") as file:
        file.write(ours.chain.encode() + b"\n" + ours.key.reveal())
        file.flush()
        # Without a password here OpenSSL would ask for one at a terminal that a service does not have.
        context.load_cert_chain(Path(f"/proc/self/fd/{file.fileno()}"), password=lambda: b"")
