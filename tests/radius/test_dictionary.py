"""The dictionaries: complete, spelled as the RFCs spell, and read by pyrad without a word of warning."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from radius_push.radius.dictionary import load_dictionary

FOLDER = Path(__file__).parent.parent.parent / "dictionaries"


@pytest.mark.parametrize(
    ("name", "key", "type"),
    [
        ("User-Name", 1, "string"),
        ("Class", 25, "octets"),
        ("Calling-Station-Id", 31, "string"),
        ("Acct-Session-Id", 44, "string"),
        ("NAS-Port-Type", 61, "integer"),
        ("Tunnel-Private-Group-ID", 81, "string"),
        ("Message-Authenticator", 80, "octets"),
        ("NAS-IPv6-Address", 95, "ipv6addr"),
        ("MS-CHAP2-Response", (311, 25), "octets"),
        ("Cisco-AVPair", (9, 1), "string"),
        ("ASA-Group-Policy", (3076, 25), "string"),
        ("Fortinet-Group-Name", (12356, 1), "string"),
        ("PaloAlto-Client-Source-IP", (25461, 7), "string"),
    ],
)
def test_an_attribute_has_its_number_and_type(name: str, key: int | tuple[int, int], type: str) -> None:
    found = load_dictionary().named(name)
    assert found is not None
    assert (found.key, found.type) == (key, type)
    assert load_dictionary().keyed(key) == found


@pytest.mark.parametrize(
    ("attribute", "name", "number"),
    [
        ("Service-Type", "Authorize-Only", 17),
        ("Tunnel-Type", "VLAN", 13),
        ("Tunnel-Medium-Type", "IEEE-802", 6),
        ("NAS-Port-Type", "Virtual", 5),
        ("Acct-Status-Type", "Interim-Update", 3),
    ],
)
def test_a_value_has_its_name(attribute: str, name: str, number: int) -> None:
    found = load_dictionary().named(attribute)
    assert found is not None
    assert found.values[name] == number
    assert found.value_names[number] == name


def test_pyrad_skips_and_warns_about_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="pyrad"):
        loaded = load_dictionary(FOLDER)
    assert not caplog.records
    lines = [line for file in FOLDER.iterdir() for line in file.read_text().splitlines()]
    written = {line.split()[1] for line in lines if line.startswith("ATTRIBUTE")}
    assert {attribute.name for attribute in loaded} == written


def test_every_file_is_included() -> None:
    included = re.findall(r"^\$INCLUDE (\S+)$", (FOLDER / "dictionary").read_text(), re.MULTILINE)
    assert sorted(["dictionary", *included]) == sorted(file.name for file in FOLDER.iterdir())


def test_a_folder_of_ones_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "dictionary").write_text("ATTRIBUTE User-Name 1 string\n")
    assert [attribute.name for attribute in load_dictionary(tmp_path)] == ["User-Name"]


def test_what_somebody_may_have_meant_is_named() -> None:
    assert load_dictionary().nearest("filter-ID") == "Filter-Id"
    assert load_dictionary().nearest("Tunnel-Private-Group-Id") == "Tunnel-Private-Group-ID"
    assert load_dictionary().nearest("zzz") is None


def test_no_number_has_two_names() -> None:
    attributes = list(load_dictionary())
    assert len({attribute.key for attribute in attributes}) == len(attributes)
    for attribute in attributes:
        assert len(attribute.values) == len(attribute.value_names), attribute.name
