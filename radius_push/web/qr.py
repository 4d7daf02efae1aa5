"""A link as a QR code for a page."""

from __future__ import annotations

import io

import segno

QUIET_ZONE = 4
"""Modules of white around it (ISO/IEC 18004): also on a dark page."""


def svg(link: str) -> bytes:
    """A whole SVG file, black on white whatever page it is shown on. For `<img>`: as part of a page it would
    take over the styles of that."""
    drawn = io.BytesIO()
    segno.make(link, error="m", micro=False).save(
        drawn, kind="svg", scale=8, border=QUIET_ZONE, dark="#000", light="#fff"
    )
    return drawn.getvalue()
