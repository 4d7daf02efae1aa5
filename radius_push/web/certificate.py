"""The TLS of a side for browsers."""

from __future__ import annotations

import ssl

from radius_push.shapes import PhoneListener
from radius_push.tls import NoTls, tls_with

__all__ = ["NoTls", "tls_of"]


def tls_of(listener: PhoneListener, *, side: str = "phone") -> ssl.SSLContext | None:
    """TLS 1.2 or newer with the listener's certificate; None if it names none. Raises NoTls."""
    if listener.certificate is None or listener.key is None:
        return None
    context = tls_with(listener.certificate, listener.key, place=f"server.listen.{side}.tls")
    context.set_alpn_protocols(["http/1.1"])
    return context
