"""Reading an entry: what is there, what is absent and what could not be read are three things."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.directory.ldap_entry import (
    NotReadable,
    escape,
    own_spelling,
    plain_name,
    read_attributes,
    read_dn,
    read_id,
)


@given(st.text())
def test_an_escaped_value_holds_nothing_that_a_filter_understands(value: str) -> None:
    try:
        octets = value.encode()
    except UnicodeEncodeError:
        return
    escaped = escape(value)
    assert re.fullmatch(r"(?:[A-Za-z0-9]|\\[0-9a-f]{2})*", escaped)
    read = re.sub(rb"\\(..)", lambda m: bytes.fromhex(m[1].decode()), escaped.encode())
    assert read == octets


def test_names_are_nfkc_and_bounded_after_it() -> None:
    assert plain_name("ａｌｉｃｅ") == "alice"
    assert plain_name("a" * 256) == "a" * 256
    assert plain_name("a" * 257) is None
    assert plain_name("\ufdfa" * 20) is None  # each becomes 18 characters
    assert plain_name("a\x85b") is None


def test_a_range_is_a_part_and_so_unread() -> None:
    raw = {"member": (), "member;range=0-1499": (b"cn=a",), "cn": (b"A",)}
    read = read_attributes(raw, ["member", "cn"])
    assert read.unread == {"member"}
    assert read.values == {"cn": ("A",)}


def test_values_with_options_are_values() -> None:
    raw = {"title": (b"Engineer",), "title;lang-de": (b"Praktikant",), "sn;lang-de": (b"B",)}
    assert read_attributes(raw, ["Title", "SN"]).values == {"title": ("Engineer", "Praktikant"), "sn": ("B",)}


def test_one_unreadable_value_makes_the_whole_attribute_unread() -> None:
    for values in ((b"ok", b"\xff"), (b"x" * 1025, b"ok"), tuple(b"%d" % n for n in range(1001))):
        read = read_attributes({"title": values}, ["title"])
        assert not read.values
        assert read.unread == {"title"}
    assert read_attributes({"title": (b"x" * 1024,) * 1000}, ["title"]).unread == frozenset()


def test_what_was_not_asked_for_is_left_out() -> None:
    read = read_attributes({"jpegPhoto": (b"\xff",), "cn": (b"A",)}, ["cn", "mail"])
    assert (read.values, read.unread) == ({"cn": ("A",)}, frozenset())


def test_an_object_guid_is_written_as_windows_writes_it() -> None:
    guid = uuid.UUID("6f9619ff-8b86-d011-b42d-00cf4fc964ff")
    assert read_id({"objectGUID": (guid.bytes_le,)}, "objectguid") == str(guid)


def test_an_entry_uuid_has_one_spelling() -> None:
    assert read_id({"entryUUID": (b"6F9619FF-8B86-D011-B42D-00CF4FC964FF",)}, "entryUUID")[0] == "6"
    assert read_id({"entryuuid": (b"6F9619FF",)}, "entryUUID") == "6f9619ff"
    assert read_id({"ipaUniqueID": (b"aB",)}, "ipaUniqueID") == "aB"


@pytest.mark.parametrize(
    "raw",
    [{}, {"entryUUID": ()}, {"entryUUID": (b"a", b"b")}, {"entryUUID": (b"",)}, {"entryUUID": (b"\xff",)},
     {"entryUUID": (b"a\nb",)}, {"entryUUID": (b"x" * 257,)}],
)  # fmt: skip
def test_an_id_that_names_nobody_for_ever_is_refused(raw: dict[str, tuple[bytes, ...]]) -> None:
    with pytest.raises(NotReadable, match="id_attribute: entryUUID"):
        read_id(raw, "entryUUID")


def test_an_object_guid_of_another_length_is_refused() -> None:
    with pytest.raises(NotReadable):
        read_id({"objectGUID": (b"short",)}, "objectGUID")


def test_a_name_of_an_entry_is_utf8_or_refused() -> None:
    assert read_dn("cn=zoë".encode()) == "cn=zoë"
    for dn in (b"", "cn=zoë".encode("latin-1")):
        with pytest.raises(NotReadable):
            read_dn(dn)


def test_the_value_that_was_typed_is_shown_before_others() -> None:
    raw = {"uid": (b"al", b"Alice"), "mail": (b"a@example.test",)}
    assert own_spelling(raw, ["uid", "mail"], "ALICE") == "Alice"
    assert own_spelling(raw, ["uid", "mail"], "a@EXAMPLE.test") == "a@example.test"
    assert own_spelling({}, ["uid"], "typed") == "typed"
