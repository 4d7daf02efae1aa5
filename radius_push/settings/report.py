"""One pass over the settings: what was read so far, and every mistake and warning on the way."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from radius_push.settings.mistakes import Mistake, Path
from radius_push.settings.section import Section, key_of
from radius_push.settings.yaml_marks import Document, Tree

_S = TypeVar("_S", bound=Section)
# What may be said aloud of a key that nobody knows: it could be a secret in the wrong place.
_LOOKS_LIKE_A_KEY = re.compile(r"[a-z]+(?:[_-][a-z]+)*")


class _Wrong:
    """In place of what is left out."""


class Report:
    """The mistakes and warnings of one file."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.mistakes: list[Mistake] = list(document.mistakes)
        self.warnings: list[Mistake] = []
        self._wrong: set[Path] = set()
        self._left_out: dict[Path, list[int]] = {}
        """List -> positions whose items are wrong: the others are numbered without them."""

    def wrong(self, path: Path, sentence: str, *, of_key: bool = False) -> None:
        """A mistake. The second one about the same place would follow from the first: it is left out.

        `of_key`: the key is wrong; what stands behind it may be right.
        """
        self._add(self._as_written(path), sentence, of_key=of_key)

    def spoil(self, path: Path) -> None:
        """What stands here is wrong, and was said elsewhere."""
        self._wrong.add(self._as_written(path))

    def warn(self, path: Path, sentence: str) -> None:
        self.warnings.append(self.document.mistake(self._as_written(path), sentence))

    def _add(self, path: Path, sentence: str, *, of_key: bool = False) -> None:
        if self.spoiled(path):
            return
        if not of_key:
            self._wrong.add(path)
        self.mistakes.append(self.document.mistake(path, sentence, of_key=of_key))

    def _as_written(self, path: Path) -> Path:
        """Positions in the file, of positions among the items that are good."""
        found: Path = ()
        for step in path:
            if isinstance(step, int):
                for left_out in self._left_out.get(found, ()):
                    step += left_out <= step
            found = (*found, step)
        return found

    def spoiled(self, path: Path) -> bool:
        """Is something wrong here, or with what this lies in?"""
        return any(path[:length] in self._wrong for length in range(len(path) + 1))

    def spoiled_within(self, path: Path) -> bool:
        """Is something wrong here, in what this lies in, or in it?"""
        return self.spoiled(path) or any(wrong[: len(path)] == path for wrong in self._wrong)

    def mapping(self, tree: Tree, path: Path) -> dict[str, Tree]:
        """A section with names of the admin's own."""
        if isinstance(tree, dict):
            return tree
        if tree is not None:
            self.wrong(path, "must be a mapping: a name, a colon, and what it means")
        return {}

    def section(self, model: type[_S], tree: Tree, path: Path) -> _S:
        """What a section says; a part with a mistake is as if it were not written."""
        if not isinstance(tree, dict):
            self.wrong(path, "must be a mapping: keys, colons and values")
            return model()
        try:
            made = model.model_validate(tree)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            for detail in details:
                self._detail(detail, model, path)
            kept = self._without(tree, [detail["loc"] for detail in details], path)
            made = model.model_validate(kept)
        for missing in _missing(made, path):
            if not self.spoiled_within(missing):
                self.wrong(missing, "is missing")
        return made

    def _without(self, tree: Tree, locs: list[tuple[int | str, ...]], path: Path) -> Tree:
        """The tree without what is wrong in it, and nothing else missing."""
        inside: dict[int | str, list[tuple[int | str, ...]]] = {}
        for loc in locs:
            inside.setdefault(loc[0], []).append(loc[1:])
        match tree:
            case dict():
                kept = {
                    str(key): self._kept(below, inside.get(key, []), (*path, key))
                    for key, below in tree.items()
                }
                return {key: below for key, below in kept.items() if not isinstance(below, _Wrong)}
            case list():
                items = [self._kept(below, inside.get(at, []), (*path, at)) for at, below in enumerate(tree)]
                self._left_out[path] = [at for at, below in enumerate(items) if isinstance(below, _Wrong)]
                return [below for below in items if not isinstance(below, _Wrong)]
        return tree

    def _kept(self, tree: Tree, locs: list[tuple[int | str, ...]], path: Path) -> Tree | _Wrong:
        if not locs:
            return tree
        one_for_many = not isinstance(tree, list) and any(isinstance(loc[0], int) for loc in locs if loc)
        if one_for_many or not all(locs):
            return _Wrong()
        kept = self._without(tree, locs, path)
        return kept if kept or isinstance(tree, dict) else _Wrong()

    def _detail(self, detail: ErrorDetails, model: type[Section], path: Path) -> None:
        loc = detail["loc"]
        where = path + tuple(loc)
        context = detail.get("ctx", {})
        match detail["type"]:
            case "extra_forbidden":
                self._unknown_key(where, _keys_at(model, loc[:-1]))
            case "value_error":
                self._add(where, str(context["error"]))
            case "too_short":
                self._add(where, "must not be empty")
            case "tuple_type" | "list_type":
                self._add(where, "must be a list")
            case _:
                self._add(where, "must be a mapping: keys, colons and values")

    def unknown_keys(self, tree: Mapping[str, Tree], path: Path, known: tuple[str, ...]) -> None:
        for key in tree:
            if key not in known:
                self._unknown_key((*path, key), known)

    def _unknown_key(self, path: Path, known: tuple[str, ...]) -> None:
        key = str(path[-1])
        near = difflib.get_close_matches(key.casefold(), known, n=1)
        if near:
            self._add(path, f"unknown key, did you mean '{near[0]}'?", of_key=True)
            if not self.document.has((*path[:-1], near[0])):
                self._wrong.add((*path[:-1], near[0]))  # it is there, only misspelled
        elif _LOOKS_LIKE_A_KEY.fullmatch(key):
            self._add(path, f"unknown key; known here: {', '.join(known)}", of_key=True)
        else:
            place = self.document.mistake(path, "", of_key=True)
            above = self.document.mistake(path[:-1], "").path
            sentence = f"holds a key that is not known; known here: {', '.join(known)}"
            self.mistakes.append(Mistake(place.file, place.line, place.column, above, sentence))


def _missing(section: Section, path: Path) -> Iterator[Path]:
    for name in section.REQUIRED:
        if name not in section.model_fields_set:
            yield (*path, key_of(name))
    for name in section.model_fields_set:
        yield from _missing_within(getattr(section, name, None), (*path, key_of(name)))


def _missing_within(value: object, path: Path) -> Iterator[Path]:
    match value:
        case Section():
            yield from _missing(value, path)
        case tuple():
            for at, each in enumerate(value):
                yield from _missing_within(each, (*path, at))
        case dict():
            for name, each in value.items():
                yield from _missing_within(each, (*path, name))


def _keys_at(model: type[Section], loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys that a section inside a section knows."""
    here: list[type[BaseModel]] = [model]
    for step in loc:
        fields = [
            each.model_fields[step] for each in here if isinstance(step, str) and step in each.model_fields
        ]
        here = [found for field in fields for found in _models_in(field.annotation)] or here
    return tuple(key_of(name) for each in here for name in each.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
