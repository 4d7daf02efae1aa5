# ruff: noqa: E501 - a mistake is one line here, as it is on the screen
"""Files in FreeRADIUS's format: what they add, and every mistake in them with its mend."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.radius.attributes import HIDDEN, encode, named_texts
from radius_push.radius.dictionary_files import load_dictionary
from radius_push.radius.dictionary_lines import Merged, merge
from radius_push.radius.wire import split_attributes
from radius_push.shapes import DictionaryLine

ACME = """
VENDOR Acme 4242   # a comment
BEGIN-VENDOR Acme
ATTRIBUTE Acme-Role 1 string
attribute Acme-Level 0x02 integer
VALUE Acme-Level High 9
VALUE Acme-Level Low 0x1
ATTRIBUTE Acme-Tag 3 integer has_tag
ATTRIBUTE Acme-Key 4 octets encrypt=2
ATTRIBUTE Acme-Certificate 5 octets concat
ATTRIBUTE Acme-Id 6 octets[16]
ATTRIBUTE Acme-Box 7 tlv
ATTRIBUTE Acme-Inside 7.1 string
END-VENDOR Acme
"""


def merged(text: str) -> Merged:
    lines = enumerate(text.splitlines(), start=1)
    return merge(load_dictionary(), [DictionaryLine("acme", number, line) for number, line in lines])


def test_a_vendors_file_adds_its_names() -> None:
    found = merged(ACME)
    assert found.mistakes == ()
    assert found.unnamed == 1
    level = found.dictionary.named("acme-LEVEL")
    assert level is not None
    assert (level.key, level.type, level.values) == ((4242, 2), "integer", {"High": 9, "Low": 1})
    assert {each.name: each.type for each in found.dictionary if each.key in ((4242, 6), (4242, 7))} == {
        "Acme-Id": "octets",
        "Acme-Box": "octets",
    }
    assert encode("Acme-Level", "High", found.dictionary) == bytes.fromhex("1a0c000010920206" + "00000009")
    assert len(found.dictionary) == len(load_dictionary()) + 7


def test_ours_is_not_changed_by_it() -> None:
    merged(ACME)
    assert load_dictionary().named("Acme-Role") is None


def test_a_file_of_old_that_names_the_vendor_on_each_line_is_read() -> None:
    found = merged("VENDOR Acme 4242\nATTRIBUTE Acme-Role 1 string Acme")
    assert found.dictionary.keyed((4242, 1)) is found.dictionary.named("Acme-Role")


def test_saying_again_what_we_say_is_no_mistake() -> None:
    text = "ATTRIBUTE FILTER-ID 11 text\nATTRIBUTE Tunnel-Type 64 integer has_tag\nVALUE Tunnel-Type VLAN 13"
    assert merged(text).mistakes == ()


def test_a_value_more_of_an_attribute_of_ours_can_be_named() -> None:
    found = merged("VALUE Service-Type Tea-Time 99\nVALUE Service-Type Shell-User 6").dictionary.named(
        "Service-Type"
    )
    assert found is not None
    assert (found.values["Tea-Time"], found.value_names[99]) == (99, "Tea-Time")
    assert found.values["Shell-User"] == 6
    assert found.value_names[6] == "Administrative-User", "what requests show stays as it was"


def test_a_vendor_with_a_format_of_its_own_goes_by_number() -> None:
    found = merged(
        "VENDOR Wide 429 format=4,0\nBEGIN-VENDOR Wide\nATTRIBUTE Wide-One 0x9001 integer\n"
        "VALUE Wide-One A 1\nEND-VENDOR Wide"
    )
    assert (found.mistakes, found.unnamed, found.dictionary.named("Wide-One")) == ((), 1, None)


def test_two_names_of_theirs_for_one_number_write_the_same_and_the_later_one_is_shown() -> None:
    found = merged(
        "VENDOR A 9999\nBEGIN-VENDOR A\nATTRIBUTE A-Old 1 string\nATTRIBUTE A-New 1 string\nEND-VENDOR A"
    )
    assert found.mistakes == ()
    assert encode("A-Old", "x", found.dictionary) == encode("A-New", "x", found.dictionary)
    on_the_wire = split_attributes(encode("A-Old", "x", found.dictionary))
    assert on_the_wire is not None
    assert named_texts(on_the_wire, found.dictionary) == {"A-New": ("x",)}


@pytest.mark.parametrize(
    "lines", ["1 string\nATTRIBUTE A-New 1 string encrypt=1", "1 string secret\nATTRIBUTE A-New 1 string"]
)
def test_what_one_line_hides_no_other_line_shows(lines: str) -> None:
    found = merged(f"VENDOR A 9999\nBEGIN-VENDOR A\nATTRIBUTE A-Old {lines}\nEND-VENDOR A").dictionary
    assert [each.hidden for each in found if each.name.startswith("A-")] == [True, True]
    assert named_texts([(26, bytes.fromhex("0000270f 01 06 41424344"))], found) == {}


@pytest.mark.parametrize("key", sorted(HIDDEN, key=str))
def test_proofs_keys_and_seals_stay_hidden_whatever_a_file_says(key: int | tuple[int, int]) -> None:
    ours = load_dictionary().keyed(key)
    assert ours is not None
    vendor, number = key if isinstance(key, tuple) else (0, key)
    around = ("VENDOR V {0}\nBEGIN-VENDOR V\n{1}\nEND-VENDOR V" if vendor else "{1}").format
    plain = "has_tag" if ours.tagged else ""
    for line in (f"ATTRIBUTE Shown {number} string", f"ATTRIBUTE {ours.name} {number} {ours.type} {plain}"):
        found = merged(around(vendor, line)).dictionary
        assert found.named("Shown") is None
        value = b"CANARY" * 3
        octets = (26, vendor.to_bytes(4, "big") + bytes((number, 20)) + value) if vendor else (number, value)
        assert named_texts([octets], found) == {}


@pytest.mark.parametrize(
    ("text", "column", "sentence"),
    [
        (
            "ATTRIBUTE Filter-Id 11 integer",
            11,
            "Filter-Id is number 11, string, already (dictionaries/dictionary.rfc2865:13); remove this line, or take another name",
        ),
        ("ATTRIBUTE Filter-Id 200 string", 11, "Filter-Id is number 11, string, already"),
        ("ATTRIBUTE Tunnel-Type 64 integer", 11, "Tunnel-Type is number 64, integer, tagged, already"),
        (
            "ATTRIBUTE My-Filter 11 string",
            21,
            "number 11 is Filter-Id already (dictionaries/dictionary.rfc2865:13); use that name",
        ),
        (
            "VENDOR F 12356\nBEGIN-VENDOR F\nATTRIBUTE F-Group 1 string",
            19,
            "number 1 of vendor 12356 is Fortinet-Group-Name already (dictionaries/dictionary.fortinet:4)",
        ),
        ("VALUE Service-Type Framed-User 77", 20, "Framed-User of Service-Type is 2 already"),
        ("VALUE Srvice-Type A 1", 7, "no attribute is called Srvice-Type"),
        ("VALUE Filter-Id A 1", 7, "Filter-Id is no number (string); its values have no names"),
        ("VALUE Service-Type A 4294967296", 22, "must be a whole number from 0 to 4294967295"),
        ("VALUE Service-Type A", 1, "write VALUE ATTRIBUTE NAME NUMBER"),
        ("ATTRIBUTE A-B 200", 1, "write ATTRIBUTE NAME NUMBER TYPE, and flags like has_tag,encrypt=2"),
        ("ATTRIBUTE A-B 256 string", 15, "must be a whole number from 1 to 255"),
        ("ATTRIBUTE A-B 0 string", 15, "must be a whole number from 1 to 255"),
        ("ATTRIBUTE A-B 20a string", 15, "must be a whole number from 1 to 255"),
        ("ATTRIBUTE A-B 200 strng", 19, "no type that is known, did you mean 'string'?"),
        (
            "ATTRIBUTE A-B 200 string hastag",
            26,
            "no flag that is known, nor a vendor, did you mean 'has_tag'?",
        ),
        ("ATTRIBUTE A:B 200 string", 11, "not the name of an attribute"),
        ("ATTRIBUTE Attr-200 200 string", 11, "not the name of an attribute"),
        ("VENDOR Acme 0", 13, "must be a whole number from 1 to 4294967295"),
        ("VENDOR Acme 1 format=3,3", 15, "no format; write nothing, or format=1,1"),
        ("VENDOR Acme 1\nVENDOR acme 2", 13, "vendor acme has the number 1 already"),
        ("BEGIN-VENDOR Acme", 14, "no vendor is called Acme here; write VENDOR Acme NUMBER above"),
        ("END-VENDOR Acme", 12, "Acme was not begun; write BEGIN-VENDOR Acme above"),
        ("ATRIBUTE A-B 200 string", 1, "no line of a dictionary begins so, did you mean 'ATTRIBUTE'?"),
        ("PROTOCOL RADIUS 1", 1, "PROTOCOL is of FreeRADIUS 4; take the dictionary of FreeRADIUS 3"),
    ],
)
def test_a_mistake_has_its_place_and_its_mend(text: str, column: int, sentence: str) -> None:
    [wrong] = merged(text).mistakes
    assert (wrong.line.number, wrong.column) == (len(text.splitlines()), column)
    assert wrong.sentence.startswith(sentence)


def test_one_mistake_hides_no_other_and_good_lines_count() -> None:
    found = merged("ATRIBUTE x\nATTRIBUTE Good 200 string\nATTRIBUTE Bad 300 string")
    assert [each.line.number for each in found.mistakes] == [1, 3]
    assert found.dictionary.named("Good") is not None


@given(
    st.lists(
        st.lists(
            st.one_of(
                st.sampled_from(
                    [
                        "ATTRIBUTE",
                        "VALUE",
                        "VENDOR",
                        "BEGIN-VENDOR",
                        "END-VENDOR",
                        "BEGIN-TLV",
                        "A",
                        "B",
                        "1",
                        "2",
                        "1.2",
                        "string",
                        "tlv",
                    ]
                ),
                st.text(max_size=8),
            ),
            max_size=6,
        ).map(" ".join),
        max_size=12,
    )
)
def test_whatever_a_file_holds_nothing_but_mistakes_comes_of_it(lines: list[str]) -> None:
    found = merge(
        load_dictionary(), [DictionaryLine("any", at, line) for at, line in enumerate(lines, start=1)]
    )
    assert len(found.dictionary) >= len(load_dictionary())
    for ours in load_dictionary():
        kept = found.dictionary.named(ours.name)
        assert kept is not None
        assert (kept.key, kept.type, kept.tagged) == (ours.key, ours.type, ours.tagged)
