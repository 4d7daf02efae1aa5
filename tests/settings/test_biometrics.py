"""What the settings say of fingerprints and faces."""

from __future__ import annotations

from pathlib import Path

import pytest

from radius_push.model import BiometricsMode
from radius_push.settings import describe
from tests.settings.files import changed, good, mistakes

PROFILE = "methods: [push]"


@pytest.mark.parametrize("word", ["off", "optional", "required"])
def test_each_word_is_read_as_written(tmp_path: Path, word: BiometricsMode) -> None:
    settings = good(tmp_path, changed((PROFILE, f"{PROFILE}, biometrics: {word}")))
    assert settings.profiles["staff-push"].biometrics == word
    assert settings.biometrics == word


def test_without_a_word_it_is_optional(tmp_path: Path) -> None:
    assert good(tmp_path, changed()).profiles["staff-push"].biometrics == "optional"


def test_another_word_is_a_mistake(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, changed((PROFILE, f"{PROFILE}, biometrics: yes")))
    assert "profiles.staff-push.biometrics: must be off or optional or required" in said


def test_browsers_keep_them_for_names_so_an_address_is_a_mistake(tmp_path: Path) -> None:
    text = changed(
        (PROFILE, f"{PROFILE}, biometrics: required"), ("http://localhost:8443", "https://10.0.1.5:8443")
    )
    (said,) = mistakes(tmp_path, text)
    assert "give server.listen.phone.url a name" in said


def test_a_profile_that_asks_no_phone_cannot_require_them(tmp_path: Path) -> None:
    text = changed((PROFILE, "methods: [none], biometrics: required"))
    said = mistakes(tmp_path, text)
    assert any("no phone is asked in this profile" in each for each in said)


@pytest.mark.parametrize("word", ["optional", "required"])
def test_check_says_who_is_refused_where_they_are_required(tmp_path: Path, word: str) -> None:
    text = describe(good(tmp_path, changed((PROFILE, f"{PROFILE}, biometrics: {word}"))))
    said = (
        "staff-push requires a fingerprint or face: whoever has none on a phone is refused "
        "(`radius-push devices` shows who)"
    )
    assert (said in text) is (word == "required")
