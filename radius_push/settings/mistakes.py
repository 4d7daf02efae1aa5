"""Mistakes of a settings file: where each stands, what is wrong, and how to mend it."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the file."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """`FILE:LINE:COL: path: what is wrong; the mend`. Never holds the text of a secret."""

    file: str
    line: int
    """From 1, as editors count; 0: the file as a whole."""
    column: int
    path: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.sentence}" if self.path else f"{place}: {self.sentence}"


class SettingsError(Exception):
    """The settings can't be used; every mistake that was found, in the order of the file."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(printed(self.mistakes)))


MOST_OF_A_KIND = 20


def printed(mistakes: Iterable[Mistake]) -> Iterator[str]:
    """A line each for people; of those that say the same, as in a file that is no settings, the first 20."""
    said: Counter[str] = Counter()
    for mistake in mistakes:
        said[mistake.sentence] += 1
        if said[mistake.sentence] <= MOST_OF_A_KIND:
            yield str(mistake)
    more = sum(times - MOST_OF_A_KIND for times in said.values() if times > MOST_OF_A_KIND)
    if more:
        yield f"and {more} more of a kind that is named {MOST_OF_A_KIND} times already"


def written(path: Path) -> str:
    """`policies[0].values[2]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'attribute'?`, or nothing when no known word is near."""
    near = difflib.get_close_matches(word.casefold(), list(known), n=1)
    return f", did you mean '{near[0]}'?" if near else ""


def there_are(known: Iterable[str]) -> str:
    """The mend for a name that nothing has."""
    names = ", ".join(known)
    return f"there are: {names}" if names else "there is none yet"
