# ruff: noqa: E501 - a mistake is one line here, as it is on the screen
"""`server.dictionaries`: files of the admin's own, each mistake at its place in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radius_push.radius.dictionary_files import load_dictionary
from radius_push.settings import SettingsError, describe, load
from radius_push.settings.changes import differences
from tests.settings.files import ENVIRON, GOOD, good, warnings, written

NAMED = GOOD.replace("server:\n", "server:\n  dictionaries: [dictionary.acme]\n", 1)
USED = NAMED.replace(
    "    values: [IT]\n",
    "    values: [IT]\n    reply: {Acme-Role: staff}\n    request: {Acme-Level: High}\n",
    1,
)
ACME = """VENDOR Acme 4242
BEGIN-VENDOR Acme
ATTRIBUTE Acme-Role 1 string
ATTRIBUTE Acme-Level 2 integer
VALUE Acme-Level High 9
END-VENDOR Acme
"""


def wrong(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(written(folder, text), environ=ENVIRON)
    return [str(each).replace(f"{folder}/", "") for each in caught.value.mistakes]


def test_the_names_of_a_file_can_be_replied_and_asked_for(tmp_path: Path) -> None:
    written(tmp_path, ACME, "dictionary.acme")
    settings = good(tmp_path, USED)
    assert load_dictionary(settings.dictionaries).named("Acme-Role") is not None
    assert f"RADIUS attributes of your own in {tmp_path / 'dictionary.acme'}" in describe(settings)
    assert "Acme" not in repr(settings.dictionaries[:0])


def test_a_name_that_no_file_has_says_what_to_do(tmp_path: Path) -> None:
    text = USED.replace("  dictionaries: [dictionary.acme]\n", "")
    assert wrong(tmp_path, text) == [
        "radius-push.yaml:32:13: policies[0].reply.Acme-Role: no RADIUS attribute is called Acme-Role; name a file that has it in server.dictionaries",
        "radius-push.yaml:33:15: policies[0].request.Acme-Level: no RADIUS attribute is called so; name a file that has it in server.dictionaries",
    ]


def test_every_mistake_in_a_file_is_told_with_its_line_and_nothing_that_follows_from_it(
    tmp_path: Path,
) -> None:
    broken = (
        ACME.replace("ATTRIBUTE Acme-Role 1 string", "ATTRIBUTE Acme-Role 1 strng") + "VALUE Filter-Id x 1\n"
    )
    written(tmp_path, broken, "dictionary.acme")
    assert wrong(tmp_path, USED) == [
        "dictionary.acme:3:23: no type that is known, did you mean 'string'?",
        "dictionary.acme:7:7: Filter-Id is no number (string); its values have no names",
    ]


def test_a_name_of_ours_with_another_meaning_names_both_places(tmp_path: Path) -> None:
    written(tmp_path, "ATTRIBUTE Filter-Id 199 string\n", "dictionary.acme")
    assert wrong(tmp_path, NAMED) == [
        "dictionary.acme:1:11: Filter-Id is number 11, string, already (dictionaries/dictionary.rfc2865:13); remove this line, or take another name"
    ]


def test_a_reply_that_a_line_of_a_file_cannot_hold_is_told(tmp_path: Path) -> None:
    written(tmp_path, ACME, "dictionary.acme")
    [only] = wrong(tmp_path, USED.replace("Acme-Role: staff", "Acme-Level: Hgh"))
    assert (
        "policies[0].reply.Acme-Level: 'Hgh' is neither a number nor one of its names; did you mean 'High'?"
        in only
    )


def test_a_request_is_asked_for_by_the_name_it_is_shown_by(tmp_path: Path) -> None:
    written(tmp_path, ACME.replace("VALUE", "ATTRIBUTE Acme-Grade 2 integer\nVALUE"), "dictionary.acme")
    [only] = wrong(tmp_path, USED)
    assert only.endswith("policies[0].request.Acme-Level: requests show it as Acme-Grade; write that")


@pytest.mark.parametrize(
    ("include", "sentence"),
    [
        ("/etc/passwd", "may include what lies in its folder; name other files in server.dictionaries"),
        ("../secrets", "may include what lies in its folder; name other files in server.dictionaries"),
        ("", "may include what lies in its folder; name other files in server.dictionaries"),
        ("dictionary.acme", "dictionary.acme includes itself; remove one of the $INCLUDE lines"),
        ("nowhere", "cannot read nowhere: no such file or directory"),
        ("folder", "cannot read folder: not a file"),
        ("pipe", "cannot read pipe: not a file"),
        ("back", "dictionary.acme includes itself; remove one of the $INCLUDE lines"),
    ],
)
def test_a_file_includes_what_lies_beside_it_and_nothing_else(
    tmp_path: Path, include: str, sentence: str
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    written(tmp_path, "$INCLUDE dictionary.acme", "back")
    written(tmp_path, f"# ours\n$INCLUDE {include}\n", "dictionary.acme")
    [only] = wrong(tmp_path, NAMED)
    assert only in (f"dictionary.acme:2:1: {sentence}", f"back:1:1: {sentence}")


def test_included_files_are_read_in_place(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    written(tmp_path, "$INCLUDE parts/one\n$INCLUDE- missing\n", "dictionary.acme")
    written(tmp_path / "parts", "$INCLUDE two # beside it\n", "one")
    written(tmp_path / "parts", ACME, "two")
    lines = good(tmp_path, USED).dictionaries
    assert [(line.file, line.number) for line in lines][2] == (str(tmp_path / "parts" / "two"), 3)


def test_files_may_be_included_eight_deep_and_no_deeper(tmp_path: Path) -> None:
    written(tmp_path, "$INCLUDE 1\n", "dictionary.acme")
    for depth in range(1, 10):
        written(tmp_path, f"$INCLUDE {depth + 1}\n", str(depth))
    assert wrong(tmp_path, NAMED) == ["8:1:1: 9 is included more than 8 files deep; name it in the settings"]


def test_what_is_read_is_bounded(tmp_path: Path) -> None:
    written(tmp_path, "#" * (2 << 20), "dictionary.acme")
    good(tmp_path, NAMED)
    written(tmp_path, "#" * ((2 << 20) + 1), "dictionary.acme")
    sentence = (
        "more than 200 dictionary files, 50000 lines or 2 MB together; name only those of your gateways"
    )
    assert wrong(tmp_path, NAMED) == [f"radius-push.yaml:2:18: server.dictionaries[0]: {sentence}"]
    written(tmp_path, "x\n" * 50_001, "dictionary.acme")
    assert wrong(tmp_path, NAMED) == [f"radius-push.yaml:2:18: server.dictionaries[0]: {sentence}"]
    written(tmp_path, "$INCLUDE a\n" * 250, "dictionary.acme")
    written(tmp_path, "", "a")
    assert set(wrong(tmp_path, NAMED)) == {f"dictionary.acme:{at}:1: {sentence}" for at in range(200, 251)}


def test_a_file_that_is_not_there_is_told_at_its_name(tmp_path: Path) -> None:
    assert wrong(tmp_path, NAMED) == [
        "radius-push.yaml:2:18: server.dictionaries[0]: cannot read dictionary.acme: no such file or directory"
    ]


def test_what_goes_by_number_is_told_and_stops_nothing(tmp_path: Path) -> None:
    written(tmp_path, "ATTRIBUTE Ext 241.1 string\n", "dictionary.acme")
    [only] = warnings(tmp_path, NAMED)
    assert only.endswith(
        "server.dictionaries: 1 attributes of these files go by number: they lie inside others, or their vendor has a format of its own"
    )


def test_a_changed_file_is_a_change_of_the_settings(tmp_path: Path) -> None:
    written(tmp_path, ACME, "dictionary.acme")
    old = good(tmp_path, NAMED)
    assert differences(old, good(tmp_path, NAMED)) == ()
    written(tmp_path, ACME.replace("High 9", "High 8"), "dictionary.acme")
    assert differences(old, good(tmp_path, NAMED)) == ("server.dictionaries: changed",)


@pytest.mark.skipif(not Path("/usr/share/freeradius").is_dir(), reason="no FreeRADIUS here")
def test_a_vendors_file_of_freeradius_is_taken_as_it_is(tmp_path: Path) -> None:
    named = "[/usr/share/freeradius/dictionary.hp, /usr/share/freeradius/dictionary.ruckus, /usr/share/freeradius/dictionary.netscreen, /usr/share/freeradius/dictionary.paloalto]"
    dictionary = load_dictionary(good(tmp_path, NAMED.replace("[dictionary.acme]", named)).dictionaries)
    assert dictionary.named("HP-Privilege-Level") is not None
    assert dictionary.named("Ruckus-User-Groups") is not None
