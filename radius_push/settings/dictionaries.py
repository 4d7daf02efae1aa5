"""`server.dictionaries:` - files that name more RADIUS attributes, read beside ours."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path as File
from pathlib import PurePath

from radius_push.radius.dictionary import Dictionary
from radius_push.radius.dictionary_files import load_dictionary
from radius_push.radius.dictionary_lines import merge
from radius_push.settings.book import Book
from radius_push.settings.mistakes import Mistake, Path
from radius_push.shapes import DictionaryLine

_MOST_FILES = 200
_MOST_LINES = 50_000
_MOST_OCTETS = 2 << 20
_DEEPEST = 8
_PATH: Path = ("server", "dictionaries")


def dictionaries(book: Book) -> Dictionary:
    """Ours with what the admin's files add; their lines go to the book."""
    files = _Files(book)
    for at, written in enumerate(book.server.dictionaries):
        path: Path = (*_PATH, at)
        file = File(book.vault.path(written, book.report, path))
        before = len(files.mistakes)
        book.dictionary_lines += files.lines(file, path, (), None)
        if len(files.mistakes) > before:
            book.report.spoil(path)
    merged = merge(load_dictionary(), book.dictionary_lines)
    for each in merged.mistakes:
        files.mistakes.append(Mistake(each.line.file, each.line.number, each.column, "", each.sentence))
        book.report.spoil(_PATH)
    book.report.mistakes += files.mistakes
    if merged.unnamed:
        book.report.warn(
            _PATH,
            f"{merged.unnamed} attributes of these files go by number: they lie inside others, "
            "or their vendor has a format of its own",
        )
    return merged.dictionary


class _Unreadable(Exception):
    """A file can't be used; why, in words."""


class _Files:
    """What the files say, with those they include in place. Bounded in number, size and depth."""

    def __init__(self, book: Book) -> None:
        self._report = book.report
        self._files = self._lines = self._octets = 0
        self.mistakes: list[Mistake] = []

    def lines(
        self, file: File, path: Path, above: tuple[File, ...], named_by: DictionaryLine | None
    ) -> Iterator[DictionaryLine]:
        try:
            texts = self._texts(file, above)
        except _Unreadable as problem:
            if named_by is None:
                self._report.wrong(path, str(problem))
            else:
                self._wrong(named_by, str(problem))
            return
        for number, text in enumerate(texts, start=1):
            line = DictionaryLine(str(file), number, text)
            words = text.split("#", 1)[0].split()
            if not words:
                continue
            if words[0].upper() in ("$INCLUDE", "$INCLUDE-"):
                yield from self._included(line, words, path, (*above, file.resolve()))
            else:
                yield line

    def _included(
        self, line: DictionaryLine, words: list[str], path: Path, above: tuple[File, ...]
    ) -> Iterator[DictionaryLine]:
        name = " ".join(words[1:])
        if not name or PurePath(name).is_absolute() or ".." in PurePath(name).parts:
            self._wrong(line, "may include what lies in its folder; name other files in server.dictionaries")
            return
        file = File(line.file).parent / name
        if words[0].endswith("-") and not file.exists():
            return
        yield from self.lines(file, path, above, line)

    def _texts(self, file: File, above: tuple[File, ...]) -> list[str]:
        if file.resolve() in above:
            raise _Unreadable(f"{file} includes itself; remove one of the $INCLUDE lines")
        if len(above) > _DEEPEST:
            raise _Unreadable(f"{file} is included more than {_DEEPEST} files deep; name it in the settings")
        try:
            # Opening a pipe would wait for ever.
            if not stat.S_ISREG(file.stat().st_mode):
                raise _Unreadable(f"cannot read {file}: not a file")
            with file.open("rb") as opened:
                octets = opened.read(_MOST_OCTETS + 1)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "not a path"
            raise _Unreadable(f"cannot read {file}: {why.lower()}") from None
        # Names are ASCII; a comment may be anything.
        texts = octets.decode("utf-8", "replace").splitlines()
        self._files += 1
        self._lines += len(texts)
        self._octets += len(octets)
        if self._files > _MOST_FILES or self._lines > _MOST_LINES or self._octets > _MOST_OCTETS:
            raise _Unreadable(
                f"more than {_MOST_FILES} dictionary files, {_MOST_LINES} lines or {_MOST_OCTETS >> 20} MB "
                "together; name only those of your gateways"
            )
        return texts

    def _wrong(self, line: DictionaryLine, sentence: str) -> None:
        self.mistakes.append(Mistake(line.file, line.number, 1, "", sentence))
