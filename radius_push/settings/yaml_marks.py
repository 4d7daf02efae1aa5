"""YAML as written: every scalar stays the text it is, and every place in the file is remembered.

`off`, `NO` and `0123` are texts here, a key may stand once, anchors and merge keys work, and what a file can
make us do is bounded.
"""

from __future__ import annotations

from pathlib import Path as File

import yaml

from radius_push.settings.mistakes import Mistake, Path, SettingsError, written
from radius_push.settings.yaml_words import in_words

Tree = dict[str, "Tree"] | list["Tree"] | str | None
"""None: nothing is written behind the colon or dash."""

_LARGEST = 1 << 20
_MOST_NODES = 200_000  # counted after aliases are followed, so that a few lines can't become millions
_DEEPEST = 30
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq")
)


class Document:
    """One file: its tree, and where everything in it stands."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.tree: Tree = None
        self.mistakes: list[Mistake] = []
        self._values: dict[Path, yaml.Mark] = {}
        self._keys: dict[Path, yaml.Mark] = {}
        self._elsewhere: dict[Path, str] = {}
        """What was adopted -> its file."""

    def adopt(self, other: Document, path: Path) -> None:
        """What stands at this path in another file belongs to this document from now on."""
        for ours, theirs in ((self._values, other._values), (self._keys, other._keys)):
            ours.update({at: mark for at, mark in theirs.items() if at[: len(path)] == path})
        self._elsewhere[path] = other.file

    def file_of(self, path: Path) -> str:
        """The file in which something stands."""
        for length in range(len(path) + 1):
            if path[:length] in self._elsewhere:
                return self._elsewhere[path[:length]]
        return self.file

    def place(self, path: Path) -> str:
        """`FILE:LINE:COL` of a key that the document has."""
        mark = self._keys[path]
        return f"{self.file_of(path)}:{mark.line + 1}:{mark.column + 1}"

    def mistake(self, path: Path, sentence: str, *, of_key: bool = False) -> Mistake:
        """A mistake at a path, or at the nearest place above it that the file has."""
        at = path
        while at and at not in self._values:
            at = at[:-1]
        mark = (self._keys if of_key and at in self._keys else self._values).get(at)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Mistake(self.file_of(at), line, column, written(self._shown(path)), sentence)

    def has(self, path: Path) -> bool:
        """Does the file say anything at this path?"""
        return path in self._values

    def line(self, path: Path) -> int:
        """The line of a path that the file has."""
        return self._values[path].line + 1

    def _shown(self, path: Path) -> Path:
        """A single value may stand where a list may: it then has no `[0]`."""
        return path[:-1] if path and path[-1] == 0 and path not in self._values else path

    def mark(self, path: Path, *, key: yaml.Mark | None, value: yaml.Mark) -> None:
        self._values[path] = value
        if key is not None:
            self._keys[path] = key


def read(file: File) -> Document:
    """Read a file. Raises SettingsError if it is no YAML; lesser mistakes are in the document."""
    return parse(_text(file), name=str(file))


def parse(text: str, *, name: str) -> Document:
    """Read the text of a file of this name."""
    document = Document(name)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is not None:
            document.tree = _Walk(document).tree(node, (), key=None)
    except yaml.MarkedYAMLError as error:
        wrong = in_words(text, error)
        raise SettingsError([Mistake(name, wrong.line, wrong.column, "", wrong.sentence)]) from None
    except yaml.YAMLError:
        raise SettingsError([Mistake(name, 0, 0, "", "not YAML: it holds control characters")]) from None
    except RecursionError:
        raise SettingsError([Mistake(name, 0, 0, "", "nested too deeply")]) from None
    return document


def _text(file: File) -> str:
    try:
        with file.open("rb") as opened:
            octets = opened.read(_LARGEST + 1)
    except OSError as error:
        why = (error.strerror or "cannot be read").lower()
        raise SettingsError([Mistake(str(file), 0, 0, "", f"cannot be read: {why}")]) from None
    if len(octets) > _LARGEST:
        raise SettingsError([Mistake(str(file), 0, 0, "", f"larger than {_LARGEST >> 20} MB")])
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets[: error.start].count(b"\n") + 1
        raise SettingsError([Mistake(str(file), line, 1, "", "not UTF-8; save the file as UTF-8")]) from None


class _Walk:
    """From YAML's nodes to a plain tree."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def tree(self, node: yaml.Node, path: Path, *, key: yaml.Mark | None) -> Tree:
        self._nodes += 1
        if self._nodes > _MOST_NODES or len(path) > _DEEPEST:
            raise SettingsError(
                [self._at(node, path, "too much, or nested too deeply (aliases count in full)")]
            )
        self._document.mark(path, key=key, value=node.start_mark)
        if node.tag not in _PLAIN_TAGS:
            self._document.mistakes.append(
                self._at(node, path, "a tag (!...) has no meaning here; remove it")
            )
        match node:
            case yaml.MappingNode():
                return self._mapping(node, path)
            case yaml.SequenceNode():
                return [self.tree(each, (*path, at), key=None) for at, each in enumerate(node.value)]
            case yaml.ScalarNode():
                return None if node.style is None and node.value == "" else str(node.value)
        raise SettingsError([self._at(node, path, "cannot be read")])

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Tree]:
        tree: dict[str, Tree] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif not isinstance(key, yaml.ScalarNode):
                self._document.mistakes.append(self._at(key, path, "a key must be a plain text"))
            elif key.value in tree:
                line = self._document.line((*path, key.value))
                here = (*path, key.value)
                self._document.mistakes.append(
                    self._at(key, here, f"written twice, here and in line {line}; keep one of them")
                )
            else:
                tree[key.value] = self.tree(value, (*path, key.value), key=key.start_mark)
        for each in merged:
            self._merge(each, tree, path)
        return tree

    def _merge(self, node: yaml.Node, tree: dict[str, Tree], path: Path) -> None:
        """`<<: *anchor`: what the mapping does not say itself."""
        if not isinstance(node, yaml.MappingNode):
            self._document.mistakes.append(self._at(node, path, "<<: takes a mapping, or a list of them"))
            return
        self._nodes += 1
        if self._nodes > _MOST_NODES or len(path) > _DEEPEST:
            raise SettingsError(
                [self._at(node, path, "too much, or nested too deeply (aliases count in full)")]
            )
        missing = yaml.MappingNode(
            node.tag,
            [
                pair
                for pair in node.value
                if not (isinstance(pair[0], yaml.ScalarNode) and pair[0].value in tree)
            ],
            node.start_mark,
            node.end_mark,
        )
        for key, value in self._mapping(missing, path).items():
            tree.setdefault(key, value)

    def _at(self, node: yaml.Node, path: Path, sentence: str) -> Mistake:
        mark = node.start_mark
        return Mistake(self._document.file, mark.line + 1, mark.column + 1, written(path), sentence)
