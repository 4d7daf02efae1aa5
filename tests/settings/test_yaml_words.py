"""What is no YAML is said in an admin's words, at the place where the mend belongs."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.settings.mistakes import Mistake, SettingsError
from radius_push.settings.yaml_marks import parse

COLUMN = "keys of one group start in one column"


def refused(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(text, name="f")
    return str(caught.value).removeprefix("f:")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        # indentation
        ("a:\n  b: 1\n    c: 2\n", f"3:5: line 3 is indented otherwise than line 2; {COLUMN}"),
        ("a:\n    b: 1\n  c: 2\n", f"3:3: line 3 is indented otherwise than line 2; {COLUMN}"),
        ("a:\n  b: {x: 1}\n   c: 2\n", f"3:4: line 3 is indented otherwise than line 2; {COLUMN}"),
        ("a: 1\n b: 2\n", f"2:2: line 2 is indented otherwise than line 1; {COLUMN}"),
        ("a:\n  - b: 1\n    c: 2\n   d: 3\n", f"4:4: line 4 is indented otherwise than line 3; {COLUMN}"),
        ("a:\n  - b: 1\n   - c: 2\n", f"3:4: line 3 is indented otherwise than line 2; {COLUMN}"),
        ("a:\n  b: 1\n\n    # why\n    c: 2\n", f"5:5: line 5 is indented otherwise than line 2; {COLUMN}"),
        # quotes
        ('a: "abc\nb: 2\nc: 3\n', "1:4: a quote opens here and is never closed"),
        ("a: 1\nb: 'abc\nc: 2\n", "2:4: a quote opens here and is never closed"),
        ('a: "abc\nb: "2"\nc: 3\n', "1:4: a quote opens here and is closed only in line 2"),
        ('a: {b: "x, c: 1}\nd: "y"\n', "1:8: a quote opens here and is closed only in line 2"),
        ('a: "abc" def\n', "1:10: text behind a closing quote; put the whole value in quotes, or nothing"),
        ('a: ["x" "y"]\n', "1:9: a comma is missing before this"),
        ('a: "/Ops\\d/"\n', "1:10: a backslash means something in double quotes; use single quotes"),
        # colons and dashes
        ("a: 1\nb 2\nc: 3\n", "2:1: a colon is missing: KEY: VALUE"),
        ("a:\n  b 2\n  c: 3\n", "2:3: a colon is missing: KEY: VALUE"),
        ("a: 1\nb\n", "2:1: a colon is missing: KEY: VALUE"),
        ("a:\n  b:2\n  c: 3\n", "2:4: a space is missing behind the colon"),
        ("b: 3\na:1\nc: 2\n", "2:2: a space is missing behind the colon"),
        ("a:\n  - x\n  -y\n  - z\n", "3:3: a space is missing behind the dash"),
        ("a: b: c\n", "1:5: a second colon in one line; put the value in quotes"),
        # tabs and other characters
        ("a:\n\tb: 1\n", "2:1: a tab; use spaces, not tabs"),
        ("a:\n  b: 1\n\tc: 1\n", "3:1: a tab; use spaces, not tabs"),
        ("a: %x\n", "1:4: a value cannot begin with %; put it in quotes"),
        ("a: [*]\n", "1:5: * has a meaning of its own in YAML; put the value in quotes"),
        ("a: *x\n", "1:4: no anchor has this name; a value that begins with * stands in quotes"),
        ("a: |x\n  b\n", "1:4: behind | the line ends: the text begins below"),
        # brackets and braces
        ("a: [1, 2\nb: 2\n",
         "1:4: [ opens here and is not closed; write ] at its end, or a comma before line 2"),
        ("a: 1\nb: [1, 2\n", "2:4: [ opens here and is not closed; write ] at its end"),
        ("a: {x: [1, 2], y: 2\nb: 2\n",
         "1:4: { opens here and is not closed; write } at its end, or a comma before line 2"),
        ("a: {x: 1 y: 2}\n", "1:11: a comma is missing before this, or a }"),
        ("b: [1]]\n", "1:7: this ] closes nothing; remove it"),
        ("a: {x: 1}}\n", "1:10: this } closes nothing; remove it"),
        # the file
        ("a: 1\n---\nb: 2\n", "2:1: a second document begins (---); one file is one document"),
    ],
)  # fmt: skip
def test_the_commonest_mistakes_have_words_of_their_own(text: str, sentence: str) -> None:
    assert refused(text) == sentence


@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"%@`,?#<~ \n\t\\\x85\u2028"), max_size=40))
def test_no_sentence_is_cut_off_or_points_behind_the_file(text: str) -> None:
    with contextlib.suppress(SettingsError):
        try:
            parse(text, name="f")
        except SettingsError as wrong:
            (mistake,) = wrong.mistakes
            assert not mistake.sentence.removeprefix("not YAML: ").startswith("but ")
            assert mistake.line <= len(re.split("[\n\x85\u2028]", text)) + 1
            raise


def test_what_stands_in_the_file_is_not_said() -> None:
    canary = "canary"
    for text in (f"a: *{canary}\n", f"a: !{canary}!x y\n", f"{canary} x\n{canary}: 2\n", f"a: '{canary}\n"):
        assert canary not in refused(text)


def test_of_one_kind_twenty_are_printed_and_the_others_counted() -> None:
    kinds = [Mistake("f", line, 1, "a", "holds a key that is not known") for line in range(1, 25)]
    said = str(SettingsError([*kinds, Mistake("f", 30, 1, "b", "is empty")])).splitlines()
    assert len(said) == 22
    assert said[-2:] == ["f:30:1: b: is empty", "and 4 more of a kind that is named 20 times already"]
