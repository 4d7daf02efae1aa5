"""A login's code: short enough to read out over the telephone, and no two of its letters look alike."""

from __future__ import annotations

LETTERS = "0123456789ACDEFGHJKMNPQRTVWXY"
"""Of what people mix up (0 and O, 1 and I and L, 2 and Z, 5 and S, 8 and B, U and V) one each."""
LENGTH = 6
COUNT: int = len(LETTERS) ** LENGTH
"""How many codes there are: about 595 million."""

_MEANT = str.maketrans("OILZSBU", "011258V", " \t-‐‑–—.()[]")


def write(number: int) -> str:
    """The code with this number, 0 to COUNT - 1."""
    code = ""
    for _ in range(LENGTH):
        number, letter = divmod(number, len(LETTERS))
        code += LETTERS[letter]
    return code


def read(typed: str) -> str:
    """What somebody meant who typed or heard it so: case, blanks, dashes and brackets do not count, and
    letters that are in no code are those they look like."""
    return typed.upper().translate(_MEANT)


def is_code(text: str) -> bool:
    """Could a login have this code, as `read` gives it?"""
    return len(text) == LENGTH and all(letter in LETTERS for letter in text)
