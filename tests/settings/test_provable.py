"""`accepts:` against what directories can prove: who could never log in is known before anybody tries."""

from __future__ import annotations

from pathlib import Path

import pytest

from radius_push.settings import SettingsError, load
from tests.settings.files import ENVIRON, GOOD, HASH, written

NT = "nt_hash: 8846f7eaee8fb117ad06bdd830b7586c"
CLEAR = "clear_password: {env: ZOE}"


def text(
    accepts: str, *, directories: str = "[local]", zoe: str = "", defaults: str = "", more: str = ""
) -> str:
    found = GOOD.replace("    patience: 60s\n", f"    patience: 60s\n{accepts}")
    found = found.replace("[corp, local]", directories)
    found = found.replace("clients:\n", f"{defaults}clients:\n", 1)
    if zoe:
        found = found.replace(f'password_hash: "{HASH}"', zoe)
    if more:
        found = found.replace("profiles:\n  staff", f"{more}profiles:\n  staff", 1)
    return found[: found.index("policies:")]


def said(folder: Path, settings: str) -> tuple[list[str], list[str]]:
    """Mistakes and warnings, from the path on."""
    file = written(folder, settings)
    file.chmod(0o600)
    try:
        warned = load(file, environ={**ENVIRON, "ZOE": "password"}).warnings
    except SettingsError as error:
        return [str(each).split(": ", 1)[1] for each in error.mistakes], []
    return [], [each.split(": ", 1)[1] for each in warned]


@pytest.mark.parametrize(
    ("accepts", "directories", "zoe", "sentence"),
    [
        (
            "[ms-chapv2]",
            "[corp]",
            "",
            "nobody of corp can log in by ms-chapv2: an LDAP directory proves only pap; add pap",
        ),
        (
            "[chap, ms-chapv2]",
            "[corp, local]",
            CLEAR,
            "nobody of corp can log in by chap or ms-chapv2: an LDAP",
        ),
        (
            "[chap]",
            "[local]",
            "",
            "nobody of local can log in by chap: chap needs clear_password",
        ),
        (
            "[chap]",
            "[local]",
            NT,
            "nobody of local can log in by chap: chap needs clear_password",
        ),
        (
            "[ms-chapv2]",
            "[local]",
            "",
            "nobody of local can log in by ms-chapv2: ms-chapv2 needs nt_hash or clear_password",
        ),
        ("[mschapv2]", "[local]", "", "must be pap or chap or ms-chapv2, did you mean 'ms-chapv2'?"),
        ("[]", "[local]", "", "must not be empty"),
    ],
)
def test_whom_nothing_could_prove_is_a_mistake(
    tmp_path: Path, accepts: str, directories: str, zoe: str, sentence: str
) -> None:
    (mistake,), _ = said(tmp_path, text(f"    accepts: {accepts}\n", directories=directories, zoe=zoe))
    assert mistake.startswith("clients.fw1.accepts")
    assert sentence in mistake


@pytest.mark.parametrize(
    ("accepts", "directories", "zoe"),
    [
        ("", "[corp, local]", ""),
        ("    accepts: [pap]\n", "[corp, local]", ""),
        ("    accepts: ms-chapv2\n", "[local]", NT),
        ("    accepts: [pap, chap, ms-chapv2]\n", "[local]", CLEAR),
    ],
)
def test_whom_everything_proves_needs_no_word(
    tmp_path: Path, accepts: str, directories: str, zoe: str
) -> None:
    assert said(tmp_path, text(accepts, directories=directories, zoe=zoe)) == ([], [])


def test_what_one_directory_of_several_cannot_prove_is_a_warning(tmp_path: Path) -> None:
    settings = text("    accepts: [pap, ms-chapv2]\n", directories="[corp, local]", zoe=NT)
    (warning,) = said(tmp_path, settings)[1]
    assert warning.startswith(
        "clients.fw1.accepts: ms-chapv2 is refused for all of corp: an LDAP directory proves"
    )
    assert warning.endswith("let the gateway use pap for them")


def test_who_lacks_what_is_named(tmp_path: Path) -> None:
    others = "".join(f'      {name}: {{password_hash: "{HASH}"}}\n' for name in "abcde")
    settings = text("    accepts: [ms-chapv2]\n", zoe=NT, more=others)
    (warning,) = said(tmp_path, settings)[1]
    assert warning == (
        "clients.fw1.accepts: ms-chapv2 is refused for a, b, c and 2 more of local, without nt_hash or "
        "clear_password"
    )


def test_defaults_say_it_for_all(tmp_path: Path) -> None:
    settings = text("", defaults="client_defaults: {accepts: [chap]}\n")
    (mistake,), _ = said(tmp_path, settings)
    assert mistake.startswith("clients.fw1.accepts: nobody of local can log in")
    assert said(tmp_path, text("    accepts: [pap]\n", defaults="client_defaults: {accepts: [chap]}\n")) == (
        [],
        [],
    )
