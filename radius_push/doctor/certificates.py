"""The certificate of a side for browsers: as a browser would judge it, without a connection."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from radius_push.doctor.finding import Finding
from radius_push.shapes import PhoneListener
from radius_push.tls import NoTls, tls_with

SOON_DAYS = 21.0
_EXPIRED, _NOT_YET, _OTHER_NAME = 10, 9, {62, 64}
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED, _CERT_NOT_YET_VALID, _HOSTNAME_MISMATCH and _IP_ADDRESS_MISMATCH."""


def look_at(
    listener: PhoneListener, *, about: str, side: str, now: float, trust: Callable[[], ssl.SSLContext]
) -> Finding | None:
    """None: it speaks no TLS itself. `trust`: what a browser believes; `side`: `phone` or `portal`."""
    if listener.certificate is None or listener.key is None:
        return None
    place, name = f"server.listen.{side}.tls", str(urlsplit(listener.url).hostname)
    try:
        server = tls_with(listener.certificate, listener.key, place=place)
    except NoTls as problem:
        return Finding("wrong", about, str(problem), "mend the files, then restart")
    believed = trust()
    try:
        shown = _shown(server, believed, name)
    except ssl.SSLCertVerificationError as problem:
        return _judged(problem, listener, server, about=about, name=name, now=now)
    return _days(shown, about=about, name=name, now=now)


def _judged(
    problem: ssl.SSLCertVerificationError,
    listener: PhoneListener,
    server: ssl.SSLContext,
    *,
    about: str,
    name: str,
    now: float,
) -> Finding:
    if said := _for_certain(problem, listener, about=about, name=name):
        return said
    # Its authority is not known here: believe the file itself, and look at the rest.
    itself = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    itself.load_verify_locations(str(Path(str(listener.certificate))))
    itself.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        shown = _shown(server, itself, name)
    except ssl.SSLCertVerificationError as other:
        return _for_certain(other, listener, about=about, name=name) or Finding(
            "wrong", about, f"{listener.certificate}: {other.verify_message}", "get another certificate"
        )
    days = _days(shown, about=about, name=name, now=now)
    if days.what == "wrong":
        return days
    return Finding(
        "warning",
        about,
        f"{listener.certificate}: {problem.verify_message}; {days.says}",
        "if the authority is your own, every phone must trust it; else add the missing chain to the file",
    )


def _for_certain(
    problem: ssl.SSLCertVerificationError, listener: PhoneListener, *, about: str, name: str
) -> Finding | None:
    match problem.verify_code:
        case code if code == _EXPIRED:
            says, mend = "it has expired", "renew it, then restart: no phone comes in"
        case code if code == _NOT_YET:
            says, mend = "it is not valid yet", "is this machine's clock right?"
        case code if code in _OTHER_NAME:
            says, mend = f"it is not for {name}", f"get one whose subjectAltName is {name}"
        case _:
            return None
    return Finding("wrong", about, f"{listener.certificate}: {says}", mend)


def _days(shown: dict[str, object], *, about: str, name: str, now: float) -> Finding:
    left = (ssl.cert_time_to_seconds(str(shown["notAfter"])) - now) / 86400
    says = f"the certificate is for {name}, {left:.0f} days left"
    if left < SOON_DAYS:
        return Finding("warning", about, says, "renew it, then restart")
    return Finding("ok", about, says)


def _shown(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> dict[str, object]:
    """What the client sees in a handshake between two ends in memory. Raises SSLCertVerificationError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = client.wrap_bio(to_client, to_server, server_hostname=name)
    answers = server.wrap_bio(to_server, to_client, server_side=True)
    # TLS 1.3 takes two turns, 1.2 three.
    for _ in range(5):
        if _goes_on(asks):
            return dict(asks.getpeercert() or {})
        _goes_on(answers)
    raise ssl.SSLError("the handshake did not end")


def _goes_on(end: ssl.SSLObject) -> bool:
    """True: its handshake is over."""
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
