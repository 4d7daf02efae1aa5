"""Octets as phones write them: base64url without padding, in its one spelling."""

from __future__ import annotations

import base64
import binascii
import re

from radius_push.web.refusal import Refusal

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def octets_of(text: str, length: int) -> bytes:
    """Of exactly so many octets."""
    return some_octets(text, least=length, most=length)


def some_octets(text: str, *, least: int = 1, most: int) -> bytes:
    """Of at least and at most so many."""
    try:
        octets = (
            base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if _BASE64URL.fullmatch(text) else b""
        )
    except binascii.Error:
        octets = b""
    if not least <= len(octets) <= most or text_of(octets) != text:
        raise Refusal(400, "malformed", "A field does not hold what it should.")
    return octets


def text_of(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
