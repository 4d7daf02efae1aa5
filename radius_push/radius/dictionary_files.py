"""The dictionary that radius-push comes with, and what an admin's own files add to it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from radius_push.radius.dictionary import Dictionary
from radius_push.radius.dictionary_lines import merge
from radius_push.shapes import DictionaryLine


def load_dictionary(more: tuple[DictionaryLine, ...] = ()) -> Dictionary:
    """Ours, read once per process, and what these lines add: those of checked settings.

    OSError if ours can't be read; ValueError if there is a mistake in the lines.
    """
    return _good(_shipped(), more) if more else _shipped()


def folder() -> Path:
    """Where ours lies: in the installed package, else in the repository."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "dictionaries"
    return installed if installed.is_dir() else package.parent / "dictionaries"


@cache
def _shipped() -> Dictionary:
    return _good(Dictionary(()), tuple(_lines_of(folder() / "dictionary")))


def _good(known: Dictionary, lines: tuple[DictionaryLine, ...]) -> Dictionary:
    merged = merge(known, lines)
    for each in merged.mistakes:
        raise ValueError(f"{each.line.file}:{each.line.number}: {each.sentence}")
    return merged.dictionary


def _lines_of(file: Path) -> Iterator[DictionaryLine]:
    """Places in them are told from the folder on: what they come with is not the admin's to mend."""
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        words = text.split()
        if words[:1] == ["$INCLUDE"]:
            yield from _lines_of(file.parent / words[1])
        else:
            yield DictionaryLine(f"{file.parent.name}/{file.name}", number, text)
