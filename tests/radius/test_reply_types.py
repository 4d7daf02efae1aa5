"""`reply:` from the settings file to octets: every type of value, read back by pyrad, the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from pyrad.dictionary import Dictionary as PyradDictionary
from pyrad.packet import AuthPacket

from radius_push.model import Accepted
from radius_push.radius.dictionary_files import load_dictionary
from radius_push.radius.packet import ReplyNotComputed, check_reply, write_reply
from radius_push.radius.wire import open_packet
from tests.radius.packets import SECRET, read, signed
from tests.radius.test_dictionary import FOLDER
from tests.settings.files import GOOD, good, mistakes, written

ACME = """VENDOR Acme 4242
BEGIN-VENDOR Acme
ATTRIBUTE Acme-Byte 1 byte
ATTRIBUTE Acme-Signed 2 signed
ATTRIBUTE Acme-Date 3 date
ATTRIBUTE Acme-Filter 4 abinary
ATTRIBUTE Acme-Rules 5 string concat
ATTRIBUTE Acme-Chain 6 octets concat
ATTRIBUTE Acme-Address 7 combo-ip
END-VENDOR Acme
"""
REQUEST = signed((1, b"alice"))
UNKNOWN_TO_PYRAD = {"PMIP6-Home-IPv4-HoA", "Acme-Address"}


def settings_with(reply: str) -> str:
    text = GOOD.replace("server:\n", "server:\n  dictionaries: [dictionary.acme]\n", 1)
    return text.replace("    values: [IT]\n", f"    values: [IT]\n    reply: {reply}\n", 1)


def on_the_wire(folder: Path, reply: str) -> tuple[bytes, list[tuple[int, bytes]]]:
    """The whole packet, and its attributes but the seal."""
    written(folder, ACME, "dictionary.acme")
    settings = good(folder, settings_with(reply))
    octets = write_reply(
        read(REQUEST),
        Accepted(settings.policies[0].reply),
        dictionary=load_dictionary(settings.dictionaries),
    )
    return octets, [each for each in open_packet(octets).attributes if each[0] != 80]


def read_by_pyrad(folder: Path, octets: bytes, name: str) -> Sequence[object]:
    oracle = PyradDictionary(str(FOLDER / "dictionary"), str(folder / "dictionary.acme"))
    asked = AuthPacket(packet=REQUEST, secret=SECRET.reveal(), dict=oracle)
    answer = asked.CreateReply(packet=octets)
    assert asked.VerifyReply(answer, enforce_ma=True)
    found: Sequence[object] = answer[name]
    return found


@pytest.mark.parametrize(
    ("name", "text", "octets", "seen"),
    [
        ("Filter-Id", "staff", (11, b"staff"), "staff"),
        ("filter-id", "Zoë", (11, b"Zo\xc3\xab"), "Zoë"),
        ("Filter-Id", "0123", (11, b"0123"), "0123"),
        ("Filter-Id", "off", (11, b"off"), "off"),
        ("Class", "OU=staff;", (25, b"OU=staff;"), b"OU=staff;"),
        ("Class", "0x00ff41", (25, b"\x00\xffA"), b"\x00\xffA"),
        ("Session-Timeout", "36000", (27, bytes.fromhex("00008ca0")), 36000),
        ("Service-Type", "Framed-User", (6, bytes.fromhex("00000002")), "Framed-User"),
        ("Service-Type", "2", (6, bytes.fromhex("00000002")), "Framed-User"),
        ("Event-Timestamp", "1700000000", (55, bytes.fromhex("6553f100")), 1700000000),
        ("PKM-SAID", "513", (141, bytes.fromhex("0201")), 513),
        ("MIP6-Feature-Vector", "4294967296", (124, bytes.fromhex("0000000100000000")), 1 << 32),
        ("Framed-IP-Address", "10.9.8.7", (8, bytes.fromhex("0a090807")), "10.9.8.7"),
        (
            "Framed-IPv6-Address",
            "2001:db8::7",
            (168, bytes.fromhex("20010db8" + "0" * 23 + "7")),
            "2001:db8::7",
        ),
        (
            "Delegated-IPv6-Prefix",
            "2001:db8:1::/48",
            (123, bytes.fromhex("0030" + "20010db80001" + "00" * 10)),
            "2001:db8:1::/48",
        ),
        ("Framed-Interface-Id", "1:2:3:abcd", (96, bytes.fromhex("000100020003abcd")), "1:2:3:abcd"),
        ("PMIP6-Home-IPv4-HoA", "10.9.0.0/16", (155, bytes.fromhex("00100a090000")), None),
        ("Tunnel-Type:1", "VLAN", (64, bytes.fromhex("0100000d")), "VLAN"),
        ("Tunnel-Medium-Type:1", "IEEE-802", (65, bytes.fromhex("01000006")), "IEEE-802"),
        ("Tunnel-Private-Group-Id:1", "42", (81, b"\x0142"), "42"),
        ("Tunnel-Private-Group-ID", "42", (81, b"42"), "42"),
        (
            "Fortinet-WirelessController-Device-MAC",
            "00:00:5e:00:53:01",
            (26, bytes.fromhex("00003044" + "1708" + "00005e005301")),
            "00:00:5e:00:53:01",
        ),
        ("Fortinet-Group-Name", "vpn", (26, bytes.fromhex("00003044" + "0105") + b"vpn"), "vpn"),
        ("Mikrotik-Group", "full", (26, bytes.fromhex("00003a8c" + "0306") + b"full"), "full"),
        ("Acme-Byte", "255", (26, bytes.fromhex("00001092" + "0103" + "ff")), 255),
        ("Acme-Signed", "-2", (26, bytes.fromhex("00001092" + "0206" + "fffffffe")), -2),
        ("Acme-Date", "1", (26, bytes.fromhex("00001092" + "0306" + "00000001")), 1),
        (
            "Acme-Filter",
            "family=ipv4 action=accept direction=in",
            (26, bytes.fromhex("00001092" + "0422" + "01010100" + "00" * 28)),
            bytes.fromhex("01010100" + "00" * 28),
        ),
        ("Acme-Address", "10.9.8.7", (26, bytes.fromhex("00001092" + "0706" + "0a090807")), None),
        ("Acme-Address", "::1", (26, bytes.fromhex("00001092" + "0712" + "00" * 15 + "01")), None),
    ],
)
def test_a_value_of_every_type_goes_on_the_wire_and_pyrad_reads_it_back(
    tmp_path: Path, name: str, text: str, octets: tuple[int, bytes], seen: object
) -> None:
    packet, found = on_the_wire(tmp_path, f'{{{name}: "{text}"}}')
    assert found == [octets]
    bare, colon, tag = name.partition(":")
    known = load_dictionary().named(bare)
    spelled = known.name if known else bare
    if spelled not in UNKNOWN_TO_PYRAD:
        assert read_by_pyrad(tmp_path, packet, spelled + colon + tag) == [seen]


def test_the_table_has_every_type_there_is() -> None:
    """Said once more by hand, so that a new type gets its row."""
    in_the_table = {"string", "octets", "integer", "date", "short", "integer64", "ipaddr", "ipv6addr"}
    in_the_table |= {"ipv6prefix", "ifid", "ipv4prefix", "ether"}
    assert {each.type for each in load_dictionary()} == in_the_table


def test_several_values_give_several_attributes_in_order(tmp_path: Path) -> None:
    reply = '{Cisco-AVPair: ["ip:a=1", "ip:b=2", "ip:a=1"], Class: [x, y]}'
    packet, found = on_the_wire(tmp_path, reply)
    assert [value for type, value in found if type == 25] == [b"x", b"y"]
    assert read_by_pyrad(tmp_path, packet, "Cisco-AVPair") == ["ip:a=1", "ip:b=2", "ip:a=1"]
    assert [type for type, _ in found] == [26, 26, 26, 25, 25]


def test_filter_rules_are_parted_by_a_nul_as_gateways_join_them(tmp_path: Path) -> None:
    """RFC 4849 section 2: without it two rules would be read as one."""
    long = "permit in ip from any to 192.0.2.0/24 " + "1024," * 60
    reply = f'{{NAS-Filter-Rule: ["{long}", "deny in ip from any to any"]}}'
    found = on_the_wire(tmp_path, reply)[1]
    assert {type for type, _ in found} == {92}
    joined = b"".join(value for _, value in found)
    assert joined.decode().split("\0") == [long, "deny in ip from any to any"]


def test_each_tag_has_its_own_group(tmp_path: Path) -> None:
    reply = '{"Tunnel-Private-Group-Id:1": "10", "Tunnel-Private-Group-Id:31": "20"}'
    assert on_the_wire(tmp_path, reply)[1] == [(81, b"\x0110"), (81, b"\x1f20")]


@pytest.mark.parametrize(
    ("name", "text", "lengths"),
    [
        ("Reply-Message", "é" * 300, [252, 252, 96]),
        ("NAS-Filter-Rule", "permit in ip from any to 192.0.2.1;" * 12, [253, 167]),
        ("Acme-Rules", "ж" * 200, [246, 154]),
        ("Acme-Chain", "0x" + "ab" * 500, [247, 247, 6]),
    ],
)
def test_what_may_go_on_in_the_next_attribute_is_cut_between_characters(
    tmp_path: Path, name: str, text: str, lengths: list[int]
) -> None:
    packet, found = on_the_wire(tmp_path, f'{{{name}: "{text}"}}')
    values = [value[6:] if type == 26 else value for type, value in found]
    assert [len(value) for value in values] == lengths
    whole = b"".join(values)
    assert whole == (bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode())
    for part in read_by_pyrad(tmp_path, packet, name):
        assert isinstance(part, str) or name == "Acme-Chain", "a character was cut"


@pytest.mark.parametrize(
    ("name", "octets", "most"), [("Filter-Id", 254, 253), ("Class", 254, 253), ("Cisco-AVPair", 248, 247)]
)
def test_any_other_long_value_is_a_mistake_that_check_finds(
    tmp_path: Path, name: str, octets: int, most: int
) -> None:
    written(tmp_path, ACME, "dictionary.acme")
    [only] = mistakes(tmp_path, settings_with(f"{{{name}: {'x' * octets}}}"))
    assert only.endswith(f"policies[0].reply.{name}: {octets} octets: at most {most} fit")
    on_the_wire(tmp_path, f"{{{name}: {'x' * most}}}")


def test_a_template_that_grows_too_long_is_good_until_somebody_has_such_a_value(tmp_path: Path) -> None:
    written(tmp_path, ACME, "dictionary.acme")
    good(tmp_path, settings_with('{Filter-Id: "' + "x" * 250 + '{department}"}'))
    with pytest.raises(ReplyNotComputed, match="Filter-Id: 258 octets: at most 253 fit"):
        check_reply((("Filter-Id", "x" * 250 + "Research"),), dictionary=load_dictionary())


def test_values_that_fit_one_by_one_and_not_together_are_a_mistake(tmp_path: Path) -> None:
    written(tmp_path, ACME, "dictionary.acme")
    values = ", ".join(["x" * 253] * 16)
    [only] = mistakes(tmp_path, settings_with(f"{{Filter-Id: [{values}]}}"))
    assert only.endswith("policies[0].reply: the reply is longer than 4096 octets")
