"""What a YAML parser complains of, in an admin's words and at the place where the mend belongs.

The parser says where it gave up; the mistake is often above: where a quote or bracket opens, or in the line
before. Nothing of the file is quoted but single characters: it may hold a secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

# What YAML counts as the end of a line; others (form feed) would shift our lines against its marks.
_LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_KEY = re.compile(r"\s*(?:- +)*(?:\"[^\"]*\"|'[^']*'|[^\s\"'#:][^:#]*):(?:\s|$)")
_NO_SPACE = re.compile(r"\s*(?:- +)*[\"']?[\w.-]+[\"']?:\S")
_DASH = re.compile(r"\s*-[^\s-]")


@dataclass(frozen=True, slots=True)
class Complaint:
    """Line and column from 1, and the sentence."""

    line: int
    column: int
    sentence: str


def in_words(text: str, error: yaml.MarkedYAMLError) -> Complaint:
    """What is wrong with `text`, which the parser refused."""
    return _Words(text, error).complaint()


class _Words:
    def __init__(self, text: str, error: yaml.MarkedYAMLError) -> None:
        self._text = text
        self._lines = _LINE_END.split(text)
        self._problem = error.problem or ""
        self._context = error.context or ""
        self._here = error.problem_mark or error.context_mark
        self._opened = error.context_mark or error.problem_mark

    def complaint(self) -> Complaint:
        if self._here is None or self._opened is None:
            return Complaint(1, 1, self._as_the_parser_says())
        for look in (self._quote, self._character, self._brackets, self._line, self._block):
            found = look(self._here, self._opened)
            if found is not None:
                return found
        return self._at(self._here, self._as_the_parser_says())

    # --- characters ------------------------------------------------------------------------------

    def _quote(self, here: yaml.Mark, opened: yaml.Mark) -> Complaint | None:
        if self._context.endswith("quoted scalar"):
            if "escape" in self._problem:
                return self._at(here, "a backslash means something in double quotes; use single quotes")
            return self._at(opened, "a quote opens here and is never closed")
        if "'<scalar>'" not in self._problem:
            return None
        before = self._quoted_before(here)
        if before is None:
            return None
        if before.start_mark.line == before.end_mark.line:
            if self._context.startswith("while parsing a flow"):
                return self._at(here, "a comma is missing before this")
            return self._at(here, "text behind a closing quote; put the whole value in quotes, or nothing")
        line = before.end_mark.line + 1
        return self._at(before.start_mark, f"a quote opens here and is closed only in line {line}")

    def _quoted_before(self, here: yaml.Mark) -> yaml.Token | None:
        """The quoted text that ends right before a place."""
        last = None
        try:
            for token in yaml.scan(self._text, Loader=yaml.SafeLoader):
                if token.start_mark.index >= here.index:
                    break
                last = token
        except yaml.YAMLError:
            pass
        return last if isinstance(last, yaml.ScalarToken) and last.style in ("'", '"') else None

    def _character(self, here: yaml.Mark, opened: yaml.Mark) -> Complaint | None:
        if "cannot start any token" in self._problem:
            character = self._text[here.index : here.index + 1]
            if character == "\t":
                return self._at(here, "a tab; use spaces, not tabs")
            return self._at(here, f"a value cannot begin with {character}; put it in quotes")
        if self._context in ("while scanning an alias", "while scanning an anchor"):
            character = self._text[opened.index : opened.index + 1]
            return self._at(opened, f"{character} has a meaning of its own in YAML; put the value in quotes")
        if self._problem.startswith("found undefined alias"):
            return self._at(here, "no anchor has this name; a value that begins with * stands in quotes")
        if self._context == "while scanning a block scalar":
            return self._at(opened, f"behind {self._text[opened.index]} the line ends: the text begins below")
        return None

    # --- brackets and braces ---------------------------------------------------------------------

    def _brackets(self, here: yaml.Mark, opened: yaml.Mark) -> Complaint | None:
        if not self._context.startswith("while parsing a flow"):
            stray = re.search(r"but found '([\]},])'", self._problem)
            return self._at(here, f"this {stray[1]} closes nothing; remove it") if stray else None
        opening = self._unclosed(here)
        if opening is None:
            return None
        closing = "]" if self._text[opening.index] == "[" else "}"
        if "'<stream end>'" in self._problem or here.line > opening.line:
            sentence = f"{self._text[opening.index]} opens here and is not closed; write {closing} at its end"
            if "'<stream end>'" not in self._problem:
                sentence += f", or a comma before line {here.line + 1}"
            return self._at(opening, sentence)
        if "node content" in self._problem:
            return self._at(here, "a value is missing before this")
        return self._at(here, f"a comma is missing before this, or a {closing}")

    def _unclosed(self, here: yaml.Mark) -> yaml.Mark | None:
        """The innermost bracket or brace that is open at a place."""
        open_ones: list[yaml.Mark] = []
        try:
            for token in yaml.scan(self._text, Loader=yaml.SafeLoader):
                if token.start_mark.index >= here.index:
                    break
                match token:
                    case yaml.FlowSequenceStartToken() | yaml.FlowMappingStartToken():
                        open_ones.append(token.start_mark)
                    case yaml.FlowSequenceEndToken() | yaml.FlowMappingEndToken() if open_ones:
                        open_ones.pop()
        except yaml.YAMLError:
            pass
        return open_ones[-1] if open_ones else None

    # --- lines -----------------------------------------------------------------------------------

    def _line(self, here: yaml.Mark, opened: yaml.Mark) -> Complaint | None:
        if self._context == "while scanning a simple key":
            return self._no_key(opened.line) or self._at(opened, "a colon is missing: KEY: VALUE")
        if not self._problem.startswith("mapping values are not allowed"):
            return None
        before = self._line_before(here.line)
        if re.search(r":\s", self._lines[here.line][: here.column]):
            return self._at(here, "a second colon in one line; put the value in quotes")
        if before is None:
            return None
        if self._indent(before) == self._indent(here.line):
            return self._no_key(before)
        return self._otherwise_than(before, here.line)

    def _no_key(self, line: int) -> Complaint | None:
        """This line should be a key and is none."""
        text = self._lines[line]
        column = self._indent(line) + 1
        if _KEY.match(text):
            return None
        if _DASH.match(text):
            return Complaint(line + 1, column, "a space is missing behind the dash")
        if _NO_SPACE.match(text):
            return Complaint(line + 1, text.index(":") + 1, "a space is missing behind the colon")
        return Complaint(line + 1, column, "a colon is missing: KEY: VALUE")

    def _block(self, here: yaml.Mark, opened: yaml.Mark) -> Complaint | None:
        if self._problem.startswith("but found another document"):
            return self._at(here, "a second document begins (---); one file is one document")
        if not self._problem.startswith("expected <block end>"):
            return None
        if "'<scalar>'" in self._problem:
            return self._at(here, "text behind the end of a value; put the whole value in quotes")
        before = self._line_before(here.line)
        return None if before is None else self._otherwise_than(before, here.line)

    def _otherwise_than(self, before: int, line: int) -> Complaint:
        return Complaint(
            line + 1,
            self._indent(line) + 1,
            f"line {line + 1} is indented otherwise than line {before + 1}; "
            "keys of one group start in one column",
        )

    def _line_before(self, line: int) -> int | None:
        """The last line above that says anything."""
        for at in range(line - 1, -1, -1):
            if self._lines[at].strip() and not self._lines[at].lstrip().startswith("#"):
                return at
        return None

    def _indent(self, line: int) -> int:
        return len(self._lines[line]) - len(self._lines[line].lstrip())

    # --- all else --------------------------------------------------------------------------------

    def _as_the_parser_says(self) -> str:
        said = ": ".join(each for each in (self._context, self._problem) if each) or "it can't be read"
        return f"not YAML: {_QUOTED.sub(_only_marks, said)}"

    def _at(self, mark: yaml.Mark, sentence: str) -> Complaint:
        return Complaint(mark.line + 1, mark.column + 1, sentence)


def _only_marks(quoted: re.Match[str]) -> str:
    return quoted[0] if len(quoted[1] or quoted[2] or "") <= 2 else "..."
