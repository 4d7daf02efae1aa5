"""About where an address is: what a good file says, and that no file can harm a login."""

from __future__ import annotations

import random
from ipaddress import ip_address
from pathlib import Path

import pytest

from radius_push.model import Place
from radius_push.places import (
    LONGEST_NAME,
    OLDEST_DAYS,
    PlacesUnusable,
    open_places,
    place_in,
    read_places,
)
from tests.mmdb import ISTANBUL, MARKER, VIENNA, encoded, write_mmdb

NOW = 1_790_000_000.0
HERE = ip_address("198.51.100.7")
RECORDS = {"198.51.100.0/24": VIENNA, "203.0.113.0/24": ISTANBUL, "2001:db8:1::/48": VIENNA}


def test_an_address_has_the_names_of_its_place_in_the_languages_of_the_app(tmp_path: Path) -> None:
    places = read_places(str(write_mmdb(tmp_path / "city.mmdb", RECORDS, built_at=NOW)), now=NOW)
    assert str(places) == "GeoLite2-City of 2026-09-21"
    vienna = Place({"en": "Vienna", "de": "Wien"}, {"en": "Austria", "de": "Österreich"}, "AT")
    assert places.find(HERE) == vienna
    assert places.find(ip_address("2001:db8:1::77")) == vienna
    assert places.find(ip_address("203.0.113.9")) == Place({"en": "Istanbul"}, {"en": "Türkiye"}, "TR")
    assert places.find(ip_address("192.0.2.1")) is None
    assert places.find(ip_address("2001:db8:2::1")) is None


def test_a_file_for_ipv4_alone_knows_no_ipv6_address(tmp_path: Path) -> None:
    file = write_mmdb(tmp_path / "4.mmdb", {"198.51.100.0/24": VIENNA}, built_at=NOW, ip_version=4)
    places = read_places(str(file), now=NOW)
    assert places.find(HERE) is not None
    assert places.find(ip_address("2001:db8::1")) is None


def test_what_is_overwritten_under_a_running_server_is_still_known(tmp_path: Path) -> None:
    file = write_mmdb(tmp_path / "city.mmdb", RECORDS, built_at=NOW)
    places = read_places(str(file), now=NOW)
    file.write_bytes(b"")
    assert places.find(HERE) is not None


def test_only_names_that_can_be_shown_are() -> None:
    assert place_in({"country": {"iso_code": "at"}}) == Place({}, {}, "AT")
    for name in ("", " ", "two\nlines", "\u202ereversed", "x" * (LONGEST_NAME + 1), 7, None):
        assert place_in({"city": {"names": {"en": name}}}) is None
    nothing: tuple[object, ...] = (None, "AT", [], {}, {"city": "Vienna"}, {"country": {"iso_code": "A1"}})
    for record in nothing:
        assert place_in(record) is None
    assert place_in({"country": {"iso_code": "ÄÖ", "names": {"ja": "オーストリア"}}}) is None


def spoiled(path: Path) -> dict[str, Path]:
    """Files that no place is taken from, by what must be said of them."""
    whole = write_mmdb(path / "whole.mmdb", RECORDS, built_at=NOW).read_bytes()
    (path / "empty.mmdb").touch()
    (path / "text.mmdb").write_text("<html>Sign in to download</html>")
    (path / "half.mmdb").write_bytes(whole[len(whole) // 2 :])
    (path / "bare.mmdb").write_bytes(MARKER + encoded({"database_type": "GeoLite2-City"}))
    (path / "folder.mmdb").mkdir()
    old = NOW - OLDEST_DAYS * 86400 - 1
    return {
        "there is no such file": path / "gone.mmdb",
        "is no file": path / "folder.mmdb",
        "is no MaxMind DB (.mmdb) file, or a damaged one": path / "text.mmdb",
        "is no MaxMind DB": path / "empty.mmdb",
        "is no MaxMind": path / "half.mmdb",
        "is no Max": path / "bare.mmdb",
        "it is GeoLite2-ASN; name a City": write_mmdb(
            path / "asn.mmdb", {"198.51.100.0/24": {"n": 1}}, built_at=NOW, kind="GeoLite2-ASN"
        ),
        "it is of no name": write_mmdb(path / "odd.mmdb", RECORDS, built_at=NOW, kind="City\x1b[2J"),
        "is too old, of 2025-08-1": write_mmdb(path / "old.mmdb", RECORDS, built_at=old),
    }


def test_a_file_that_cannot_be_used_is_said_with_its_mend_and_a_server_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for sentence, file in spoiled(tmp_path).items():
        with pytest.raises(PlacesUnusable) as problem:
            read_places(str(file), now=NOW)
        said = str(problem.value)
        assert sentence in said
        assert said.isprintable()
        assert "GeoLite2-City or DB-IP City Lite" in said or "name a City or Country file" in said
        caplog.clear()
        assert open_places(str(file), now=NOW) is None
        assert f"server.places: {file}: {said}" in caplog.text
    assert open_places(None, now=NOW) is None


def test_a_damaged_file_raises_nothing_but_that_it_cannot_be_used(tmp_path: Path) -> None:
    whole = write_mmdb(tmp_path / "whole.mmdb", RECORDS, built_at=NOW).read_bytes()
    dice = random.Random(7)
    file = tmp_path / "damaged.mmdb"
    for _ in range(300):
        octets = bytearray(whole)
        for _ in range(dice.choice((1, 2, 8))):
            octets[dice.randrange(len(octets))] = dice.randrange(256)
        file.write_bytes(octets[: dice.choice((len(octets), dice.randrange(len(octets))))])
        try:
            places = read_places(str(file), now=NOW)
        except PlacesUnusable:
            continue
        for address in ("198.51.100.7", "203.0.113.9", "2001:db8:1::1"):
            assert isinstance(places.find(ip_address(address)), Place | None)
