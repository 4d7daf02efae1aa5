"""About where an address is, by a file in MaxMind's format that the admin brings.

It is read into memory: whoever replaces the file under a running server takes nothing away from it.
"""

from __future__ import annotations

import asyncio
import io
import logging
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import maxminddb

from radius_push.model import Address, Place

logger = logging.getLogger("radius_push.places")

LANGUAGES = ("en", "de", "es", "tr")
"""Those of the phone app. What the file says in others is not carried to phones."""
LONGEST_NAME = 80
LARGEST_FILE = 512 << 20
OLDEST_DAYS = 400.0
"""Networks move: a file of long ago names the wrong city, and nobody would see it."""
KINDS = ("city", "country", "enterprise")
_GET = "fetch a GeoLite2-City or DB-IP City Lite file again, or leave server.places out"


class PlacesUnusable(Exception):
    """Its message is what is wrong with the file, and the mend."""


class PlacesFile:
    """One file, as it was when it was read."""

    def __init__(self, reader: maxminddb.Reader, *, kind: str, built_at: float) -> None:
        self._reader = reader
        self.kind = kind
        """What the file calls itself: `GeoLite2-City`."""
        self.built_at = built_at
        """UTC seconds."""

    def __str__(self) -> str:
        return f"{self.kind} of {_day(self.built_at)}"

    def find(self, address: Address) -> Place | None:
        """None where the file says nothing that can be shown. Never raises."""
        try:
            record = self._reader.get(address)
        except Exception:  # noqa: BLE001  # a damaged record raises anything: a login has no place then, no fault
            return None
        return place_in(record)


def read_places(path: str, *, now: float) -> PlacesFile:
    """Read all of it. `now`: UTC seconds. Raises PlacesUnusable."""
    octets = _octets(Path(path))
    try:
        # By this mode a pure Python reader works on the octets; another would map the file.
        reader = maxminddb.open_database(io.BytesIO(octets), maxminddb.MODE_FD)
        kind, built_at = str(reader.metadata().database_type), float(reader.metadata().build_epoch)
    except Exception as problem:  # a damaged file raises anything
        raise PlacesUnusable(f"is no MaxMind DB (.mmdb) file, or a damaged one; {_GET}") from problem
    if not any(word in kind.casefold() for word in KINDS) or not kind.isprintable():
        name = kind[:LONGEST_NAME] if kind.isprintable() else "of no name"
        raise PlacesUnusable(f"holds no places: it is {name}; name a City or Country file")
    if now - built_at > OLDEST_DAYS * 86400:
        raise PlacesUnusable(f"is too old, of {_day(built_at)}, and names the wrong places; {_GET}")
    return PlacesFile(reader, kind=kind, built_at=built_at)


def open_places(path: str | None, *, now: float) -> PlacesFile | None:
    """The same for a server: what can't be used is logged, phones are shown no places, and nothing else
    changes."""
    if path is None:
        return None
    try:
        places = read_places(path, now=now)
    except PlacesUnusable as problem:
        logger.warning("server.places: %s: %s. Until a reload no phone is shown a place.", path, problem)
        return None
    logger.info("places are named by %s (%s)", path, places)
    return places


async def reopen_places(path: str | None, *, now: float) -> PlacesFile | None:
    """The same while logins are held: they go on meanwhile."""
    return None if path is None else await asyncio.to_thread(open_places, path, now=now)


def news_of(before: PlacesFile | None, after: PlacesFile | None, *, path: str | None) -> tuple[str, ...]:
    """What a reload has to say of it, for the admin."""
    if path is not None and after is None:
        return ("server.places: can't be used, phones are shown no places; `radius-push check` says why",)
    if after is not None and (before is None or str(before) != str(after)):
        return (f"server.places: {after}",)
    return ()


def place_in(record: object) -> Place | None:
    """What a record in the layout of GeoIP2 says: names by language, only those that can be shown."""
    city, country = _names(_in(record, "city")), _names(_in(record, "country"))
    written = _in(_in(record, "country"), "iso_code")
    code = written if isinstance(written, str) and len(written) == 2 and written.isascii() else None
    code = code.upper() if code is not None and code.isalpha() else None
    if not city and not country and code is None:
        return None
    return Place(city=city, country=country, country_code=code)


def _names(below: object) -> Mapping[str, str]:
    names = {language: _in(_in(below, "names"), language) for language in LANGUAGES}
    return {
        language: name.strip()
        for language, name in names.items()
        if isinstance(name, str) and name.strip() and len(name) <= LONGEST_NAME and name.isprintable()
    }


def _in(record: object, key: str) -> object:
    return cast("dict[str, object]", record).get(key) if isinstance(record, dict) else None


def _octets(path: Path) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise PlacesUnusable(f"is no file; {_GET}")
        with path.open("rb") as file:
            octets = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise PlacesUnusable(f"there is no such file; {_GET}") from None
    except PermissionError:
        raise PlacesUnusable("may not be read by this user; let the server's user read it") from None
    except OSError as problem:
        raise PlacesUnusable(f"cannot be read: {problem.strerror}; {_GET}") from None
    if len(octets) > LARGEST_FILE:
        raise PlacesUnusable(f"is larger than {LARGEST_FILE >> 20} MiB; take a smaller one, as City Lite")
    return octets


def _day(at: float) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return "no date"
