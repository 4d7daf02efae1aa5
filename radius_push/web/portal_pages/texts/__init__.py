"""Which language a person reads: the first of their browser's that the portal speaks, or else English."""

from __future__ import annotations

import re
from collections.abc import Mapping

from radius_push.web.portal_pages.texts import de, en, es, tr

LANGUAGES: Mapping[str, Mapping[str, str]] = {
    "en": en.TEXTS,
    "tr": tr.TEXTS,
    "de": de.TEXTS,
    "es": es.TEXTS,
}
_LONGEST = 200
_WANTED = re.compile(r"([a-z]{2,3})(?:-[a-z0-9-]{1,32})?(?:;q=(0(?:\.[0-9]{1,3})?|1(?:\.0{1,3})?))?")


def chosen(accept_language: str) -> str:
    """By an Accept-Language header (RFC 9110, section 12.5.4); what is malformed in it counts for nothing."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language[:_LONGEST].lower().replace(" ", "").split(","):
        found = _WANTED.fullmatch(part)
        if found is not None and found[1] in LANGUAGES and found[2] not in {"0", "0.0", "0.00", "0.000"}:
            wanted.append((-float(found[2] or 1), found[1]))
    return min(wanted, key=lambda each: each[0], default=(0.0, "en"))[1]
