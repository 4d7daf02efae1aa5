"""Whatever stands in the file: a tree of texts or a mistake with its place, and never much work."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.settings.mistakes import SettingsError
from radius_push.settings.yaml_marks import parse, read


def refused(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(text, name="f.yaml")
    return str(caught.value)


def test_scalars_stay_texts() -> None:
    assert parse("a: off\nb: 0123\nc: ~\nd:\ne: ''\n", name="f").tree == {
        "a": "off", "b": "0123", "c": "~", "d": None, "e": "",
    }  # fmt: skip


def test_merge_keys_fill_what_is_not_said() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd: {<<: {<<: *a, x: 4}}\n"
    tree = parse(text, name="f").tree
    assert isinstance(tree, dict)
    assert tree["c"] == {"x": "3", "y": "1", "z": "2"}
    assert tree["d"] == {"x": "4", "y": "1"}


def test_no_yaml_is_said_with_its_place() -> None:
    assert refused("a: \x07").startswith("f.yaml: not YAML")


def test_a_few_lines_do_not_become_millions() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "too much" in refused("\n".join(lines))
    merges = ["a0: &a0 {x: y}"]
    merges += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 10)]
    assert "too much" in refused("\n".join(merges))


@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "a: &a {b: *a}", "a: &a {<<: *a}", "[" * 5000, "- " * 40 + "x"]
)
def test_no_depth_is_without_end(text: str) -> None:
    assert refused(text)


def test_a_file_that_is_not_there_too_large_or_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    for octets, sentence in (
        (None, f"{file}: cannot be read: no such file or directory"),
        (b"x" * ((1 << 20) + 1), f"{file}: larger than 1 MB"),
        (b"a: 1\nb: \xe9\n", f"{file}:2:1: not UTF-8; save the file as UTF-8"),
    ):
        if octets is not None:
            file.write_bytes(octets)
        with pytest.raises(SettingsError) as caught:
            read(file)
        assert str(caught.value) == sentence


@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"%@`,?#<~ \n\t\\0x\x00é"), max_size=40))
def test_any_text_is_a_tree_or_a_settings_error(text: str) -> None:
    with contextlib.suppress(SettingsError):
        parse(text, name="f")
