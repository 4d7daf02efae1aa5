"""Every sentence of the portal stands in one place for each language, and none in its pages."""

from __future__ import annotations

import ast
import re
from string import Formatter

import pytest

from radius_push.web.portal import FOLDER
from radius_push.web.portal_pages.texts import LANGUAGES

ENGLISH = LANGUAGES["en"]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_what_english_says(language: str) -> None:
    texts = LANGUAGES[language]
    assert list(texts) == list(ENGLISH)
    for key, english in ENGLISH.items():
        text = texts[key]
        assert placeholders(text) == placeholders(english), key
        assert text == text.strip() != "", key
        assert not re.search(r"[<>&`'\"]|\.\.\.|  ", text), f"{key}: markup, or bad typing"
        assert text.endswith(("?", ".")) == english.endswith(("?", ".")), key


def test_every_sentence_is_shown_somewhere() -> None:
    code = "".join(path.read_text() for path in FOLDER.parent.glob("portal*.py"))
    code += "".join(path.read_text() for path in FOLDER.glob("*.py"))
    made = ("wait_", "phone_pending", "phone_restored", "in_one_waits", "in_rung_too_often")
    for key in ENGLISH:
        assert f'"{key}"' in code or key.startswith(made), key


def test_no_sentence_is_left_in_the_pages() -> None:
    for path in FOLDER.glob("*.py"):
        tree = ast.parse(path.read_text())
        docs = {
            ast.get_docstring(node, clean=False)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        }
        said = {
            node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
                if text not in docs | said:
                    assert not re.search(r"[A-Z][a-z]+ [a-z]+ ", text), f"{path.name}: {text}"
