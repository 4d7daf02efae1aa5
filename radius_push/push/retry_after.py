"""When a push service may be asked again, as it says itself."""

from __future__ import annotations

import email.utils
import re


def seconds_until(header: str | None, *, now: float, otherwise: float) -> float:
    """Seconds (RFC 9110, section 10.2.3): from a number, or from a date; at least one.

    `otherwise`: when it does not say, or nothing that can be read.
    """
    if header is None:
        return otherwise
    if re.fullmatch(r"[0-9]{1,9}", header):
        return max(1.0, float(header))
    try:
        return max(1.0, email.utils.parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, OverflowError):
        return otherwise
