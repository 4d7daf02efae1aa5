"""The dictionaries: complete, spelled as the RFCs spell, and read as pyrad reads them."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from pyrad.dictionary import Dictionary as PyradDictionary

from radius_push.radius.attributes import HIDDEN
from radius_push.radius.dictionary import Dictionary
from radius_push.radius.dictionary_files import load_dictionary
from radius_push.radius.dictionary_lines import merge
from radius_push.shapes import DictionaryLine

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
        ("NAS-Filter-Rule", 92, "string"),
        ("Error-Cause", 101, "integer"),
        ("Delegated-IPv6-Prefix", 123, "ipv6prefix"),
        ("MIP6-Feature-Vector", 124, "integer64"),
        ("PKM-SAID", 141, "short"),
        ("PMIP6-Home-Interface-ID", 153, "ifid"),
        ("PMIP6-Home-IPv4-HoA", 155, "ipv4prefix"),
        ("Framed-IPv6-Address", 168, "ipv6addr"),
        ("IPv6-6rd-Configuration", 173, "octets"),
        ("WLAN-RF-Band", 190, "integer"),
        ("Actual-Data-Rate-Upstream", (3561, 129), "integer"),
        ("Mikrotik-Group", (14988, 3), "string"),
        ("SonicWall-User-Group", (8741, 3), "string"),
        ("Citrix-User-Groups", (66, 16), "string"),
        ("CP-Gaia-User-Role", (2620, 229), "string"),
        ("Juniper-Local-User-Name", (2636, 1), "string"),
        ("NS-User-Group", (3224, 3), "string"),
        ("F5-LTM-User-Role", (3375, 1), "integer"),
        ("Fortinet-WirelessController-Device-MAC", (12356, 23), "ether"),
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
        ("NAS-Port-Type", "PPPoEoQinQ", 34),
        ("Acct-Terminate-Cause", "Supplicant-Restart", 19),
        ("Error-Cause", "Session-Context-Not-Found", 503),
        ("MS-MPPE-Encryption-Types", "RC4-128bit-Allowed", 4),
        ("SonicWall-User-Privilege", "VPN-Client-Access", 3),
    ],
)
def test_a_value_has_its_name(attribute: str, name: str, number: int) -> None:
    found = load_dictionary().named(attribute)
    assert found is not None
    assert found.values[name] == number
    assert found.value_names[number] == name


# What the gateways of docs/how-to/gateways.md and their like send, read, or are known by.
NEEDED = """
    User-Name User-Password CHAP-Password CHAP-Challenge NAS-IP-Address NAS-IPv6-Address NAS-Identifier
    NAS-Port NAS-Port-Type NAS-Port-Id Service-Type Framed-Protocol Framed-IP-Address Framed-Route
    Framed-IPv6-Route
    Filter-Id Class State Reply-Message Proxy-State Session-Timeout Idle-Timeout Called-Station-Id
    Calling-Station-Id Connect-Info EAP-Message Message-Authenticator Event-Timestamp Acct-Interim-Interval
    Acct-Status-Type Acct-Session-Id Acct-Session-Time Acct-Terminate-Cause Error-Cause
    Tunnel-Type Tunnel-Medium-Type Tunnel-Client-Endpoint Tunnel-Private-Group-Id
    MS-CHAP-Challenge MS-CHAP-Response MS-CHAP2-Response MS-CHAP2-Success MS-CHAP-Error MS-MPPE-Send-Key
    MS-MPPE-Recv-Key MS-MPPE-Encryption-Policy MS-MPPE-Encryption-Types MS-Primary-DNS-Server
    Cisco-AVPair ASA-Group-Policy ASA-TunnelGroupName ASA-ClientType Fortinet-Group-Name
    Fortinet-Client-IP-Address Fortinet-Access-Profile Fortinet-Vdom-Name PaloAlto-User-Group
    PaloAlto-Client-Source-IP PaloAlto-Admin-Role Mikrotik-Group Mikrotik-Address-List SonicWall-User-Group
    Citrix-User-Groups CP-Gaia-User-Role NS-User-Group Juniper-Local-User-Name F5-LTM-User-Role
"""


@pytest.mark.parametrize("name", NEEDED.split())
def test_what_gateways_send_and_read_has_a_name(name: str) -> None:
    assert load_dictionary().named(name) is not None


def test_pyrad_reads_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """The oracle: the same numbers, types, tags and values. It knows no IPv4 prefixes."""
    with caplog.at_level(logging.WARNING, logger="pyrad"):
        theirs = PyradDictionary(str(FOLDER / "dictionary"))
    assert [record.getMessage() for record in caplog.records] == [
        "Skipped 2 unsupported dictionary attributes (data type ipv4prefix)"
    ]
    ours = {each.name: each for each in load_dictionary() if each.type != "ipv4prefix"}
    assert set(ours) == set(theirs.attributes)
    for name, found in theirs.attributes.items():
        vendor = theirs.vendors.GetForward(found.vendor)
        assert ours[name].key == ((vendor, found.code) if vendor else found.code)
        assert (ours[name].type, ours[name].tagged) == (found.type, found.has_tag)
        assert ours[name].hidden or not found.encrypt
        values = {value: int.from_bytes(octets, "big") for value, octets in found.values.forward.items()}
        assert ours[name].values == values


def test_every_file_is_included() -> None:
    included = re.findall(r"^\$INCLUDE (\S+)$", (FOLDER / "dictionary").read_text(), re.MULTILINE)
    assert sorted(["dictionary", *included]) == sorted(file.name for file in FOLDER.iterdir())


def test_no_name_and_no_number_is_given_twice() -> None:
    said = [
        DictionaryLine(file.name, number, text)
        for file in sorted(FOLDER.glob("dictionary.*"))
        for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
    ]
    merged = merge(Dictionary(()), said)
    assert [(each.line, each.sentence) for each in merged.mistakes] == []
    assert merged.unnamed == 0
    assert len(merged.dictionary) == sum(line.text.startswith("ATTRIBUTE") for line in said)


def test_case_does_not_count_in_a_name() -> None:
    found = load_dictionary().named("tunnel-private-group-id")
    assert found is not None
    assert found.name == "Tunnel-Private-Group-ID"


def test_every_hidden_number_has_a_name_of_ours_so_that_nobody_can_give_it_another() -> None:
    assert [key for key in HIDDEN if load_dictionary().keyed(key) is None] == []


def test_it_is_read_once_for_a_whole_process() -> None:
    assert load_dictionary() is load_dictionary()


def test_what_somebody_may_have_meant_is_named() -> None:
    assert load_dictionary().nearest("filtr-ID") == "Filter-Id"
    assert load_dictionary().nearest("Tunnel-Privat-Group-Id") == "Tunnel-Private-Group-ID"
    assert load_dictionary().nearest("zzz") is None


def test_no_number_has_two_names() -> None:
    attributes = list(load_dictionary())
    assert len({attribute.key for attribute in attributes}) == len(attributes)
    for attribute in attributes:
        assert len(attribute.values) == len(attribute.value_names), attribute.name
