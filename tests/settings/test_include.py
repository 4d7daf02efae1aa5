# ruff: noqa: E501 - a mistake is one line here, as it is on the screen
"""More files beside the settings: they add names, and every mistake names the right file."""

from __future__ import annotations

from pathlib import Path

import pytest

from radius_push.settings import SettingsError, load
from tests.settings.files import ENVIRON, GOOD, SECRET, changed, good, mistakes, warnings, written

MAIN = GOOD.replace("methods:", "include: parts/*.yaml\nmethods:", 1)
FW2 = "clients:\n  fw2: {addresses: [10.0.0.12], secret: {env: FW1}, profiles: [staff-push], patience: 60s}\n"


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    folder.mkdir()
    return folder


def test_an_included_file_adds_names(tmp_path: Path, parts: Path) -> None:
    written(parts, FW2, "b.yaml")
    written(parts, "profiles:\n  lab: {methods: [none], fallback_auth_profiles: [local]}\n", "a.yaml")
    written(parts, "clients: [no yaml of ours]", "notes.txt")
    settings = good(tmp_path, MAIN)
    assert list(settings.clients) == ["fw1", "fw2"]
    assert list(settings.profiles) == ["staff-push", "lab"]


def test_all_names_may_stand_in_other_files(tmp_path: Path, parts: Path) -> None:
    start, end = GOOD.index("clients:"), GOOD.index("policies:")
    written(parts, GOOD[start:end], "names.yaml")
    assert good(tmp_path, f"include: [parts/names.yaml]\n{GOOD[:start]}{GOOD[end:]}").clients.keys() == {
        "fw1"
    }


def test_client_defaults_hold_for_clients_of_other_files(tmp_path: Path, parts: Path) -> None:
    written(parts, FW2.replace(", patience: 60s", ""), "fw2.yaml")
    text = MAIN.replace("clients:\n", "client_defaults: {patience: 90s}\nclients:\n", 1)
    assert good(tmp_path, text).clients["fw2"].patience == 90.0


def test_paths_in_an_included_file_are_relative_to_its_own_folder(tmp_path: Path, parts: Path) -> None:
    written(parts, SECRET, "fw2.secret").chmod(0o600)
    written(parts, FW2.replace("{env: FW1}", "{file: fw2.secret}"), "fw2.yaml")
    assert good(tmp_path, MAIN).clients["fw2"].secrets[0].reveal() == SECRET.encode()


def test_a_name_that_stands_twice_names_both_places(tmp_path: Path, parts: Path) -> None:
    a = written(parts, FW2, "a.yaml")
    b = written(parts, FW2 + FW2.replace("clients", "profiles").replace("fw2", "staff-push"), "b.yaml")
    assert mistakes(tmp_path, MAIN) == [
        f"{b}:2:3: clients.fw2: is in {a}:2:3 already; keep one of them",
        f"{b}:4:3: profiles.staff-push: is in {tmp_path}/radius-push.yaml:26:3 already; keep one of them",
    ]


def test_mistakes_name_the_file_they_are_in(tmp_path: Path, parts: Path) -> None:
    file = written(parts, FW2.replace("patience", "pacience").replace("10.0.0.12", "10.0.0.11"), "fw2.yaml")
    assert mistakes(tmp_path, MAIN) == [
        f"{file}:2:21: clients.fw2.addresses[0]: 10.0.0.11 belongs to fw1 already ({tmp_path}/radius-push.yaml:10:17); an address has one client",
        f"{file}:2:77: clients.fw2.pacience: unknown key, did you mean 'patience'?",
    ]


def test_warnings_name_the_file_they_are_in(tmp_path: Path, parts: Path) -> None:
    file = written(parts, FW2.replace("60s", "20s"), "fw2.yaml")
    (warning,) = warnings(tmp_path, MAIN)
    assert warning.startswith(f"{file}:2:87: clients.fw2.patience: phones get 15s")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("server: {}", "1:1: server: belongs in the main file; an included one adds clients, authentication_profiles, profiles"),
        ("policies: []", "1:1: policies: belongs in the main file; an included one adds clients, authentication_profiles, profiles"),
        ("methods: {push: {}}", "1:1: methods: belongs in the main file; an included one adds clients, authentication_profiles, profiles"),
        ("include: more.yaml", "1:1: include: an included file includes no other; name it in the main file"),
        ("client: {}", "1:1: client: unknown key, did you mean 'clients'?"),
        ("clients: [a]", "1:10: clients: must be a mapping: a name, a colon, and what it means"),
        ("- a", "1:1: must be a mapping: a name, a colon, and what it means"),
        ("clients: {a: 1", "1:10: { opens here and is not closed; write } at its end"),
        ("clients: &a {b: &b {}, b: *b}", None),
    ],
)  # fmt: skip
def test_what_an_included_file_may_not_hold(
    tmp_path: Path, parts: Path, text: str, sentence: str | None
) -> None:
    file = written(parts, text, "part.yaml")
    found = mistakes(tmp_path, MAIN)
    if sentence is None:
        assert f"{file}:1:24: clients.b: written twice, here and in line 1; keep one of them" in found
    else:
        assert found == [f"{file}:{sentence}"]


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("parts/none.yaml", "6:10: include: {folder}/parts/none.yaml: cannot be read: no such file or directory"),
        ("[parts/none.yaml]", "6:11: include[0]: {folder}/parts/none.yaml: cannot be read: no such file or directory"),
        ("../*.yaml", "6:10: include: leads out of the settings' folder; write an absolute path"),
        ('"\\0"', "6:10: include: is no name of a file"),
        ('"\\ud800"', "6:10: include: is no name of a file"),
        ("x" * 5000, "6:10: include: is no name of a file"),
        ("parts", "6:10: include: {folder}/parts: cannot be read: is a directory"),
        ("{a: b}", "6:10: include: must be one text, not a mapping"),
        ("", "6:9: include: is empty"),
    ],
)  # fmt: skip
def test_an_include_that_leads_nowhere(tmp_path: Path, parts: Path, pattern: str, sentence: str) -> None:
    text = MAIN.replace("include: parts/*.yaml", f"include: {pattern}")
    (found,) = mistakes(tmp_path, text)
    assert found == sentence.format(folder=tmp_path)


def test_a_pattern_that_fits_no_file_is_a_warning(tmp_path: Path) -> None:
    assert warnings(tmp_path, MAIN) == ["6:10: include: no file fits"]


def test_a_file_is_included_once_and_the_settings_file_never(tmp_path: Path, parts: Path) -> None:
    written(parts, FW2, "fw2.yaml")
    text = MAIN.replace("parts/*.yaml", f'["*.yaml", parts/fw2.yaml, "{parts}/*.yaml"]')
    assert list(good(tmp_path, text).clients) == ["fw1", "fw2"]


@pytest.mark.slow
def test_number_and_size_of_included_files_are_bounded(tmp_path: Path, parts: Path) -> None:
    for number in range(101):
        written(parts, "", f"{number}.yaml")
    (sentence,) = mistakes(tmp_path, MAIN)
    assert sentence == "6:10: include: more than 100 files, or 4 MB together"
    for number in range(101):
        (parts / f"{number}.yaml").unlink()
    for number in range(6):
        written(parts, f"#{'x' * 900_000}\n", f"{number}.yaml")
    assert mistakes(tmp_path, MAIN) == [sentence]


def test_a_file_that_is_broken_hides_no_mistake_of_another_file(tmp_path: Path, parts: Path) -> None:
    a = written(parts, "clients: {", "a.yaml")
    b = written(parts, "clients:\n\t- x", "b.yaml")
    with pytest.raises(SettingsError) as caught:
        load(written(tmp_path, MAIN), environ=ENVIRON)
    assert {each.file for each in caught.value.mistakes} == {str(a), str(b)}


def test_without_include_nothing_else_is_read(tmp_path: Path, parts: Path) -> None:
    written(parts, "clients: {", "a.yaml")
    assert good(tmp_path, changed()).clients.keys() == {"fw1"}
