"""Every sentence that a person reads on the phone stands in one place for each language."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from radius_push.web.phone_files import FOLDER
from tests.web.app_texts import LANGUAGES, texts_of

ENGLISH = texts_of("en")
PLURALS = {
    "en": {"one", "other"},
    "tr": {"one", "other"},
    "de": {"one", "other"},
    "es": {"one", "many", "other"},
}
"""What `Intl.PluralRules` can ask for (CLDR). A form that is missing would be an error on the phone."""
LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`')
NOT_SHOWN = re.compile(
    r"^\s*//.*$|\s//\s.*$|new (?:\w*Error|NoPush|NoFinger)\(.*?\)|^import .*$", re.MULTILINE
)
"""Comments, and what only a developer's console would show."""
NAMES = {
    "iPhone",
    "iPad",
    "Android",
    "Mac",
    "Windows",
    "Linux",
    "Content-Type",
    "Notification",
    "connection ",
    r"radius-push  v1\0\0",
    "confirm biometrics",
    r"radius-push biometric v1\0\0",
}
"""As browsers and protocols write them; a class; and what the confirmation code is made of."""


def placeholders(text: str | dict[str, str]) -> set[str]:
    forms = [text] if isinstance(text, str) else list(text.values())
    each = [set(re.findall(r"\{(\w+)\}", form)) for form in forms]
    assert all(found == each[0] for found in each)
    return each[0]


def test_every_language_of_the_folder_is_known() -> None:
    assert {path.stem for path in (FOLDER / "texts").glob("*.js")} == set(LANGUAGES)
    assert "const LANGUAGES = { en, tr, de, es };" in (FOLDER / "texts.js").read_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_exactly_what_english_says(language: str) -> None:
    texts = texts_of(language)
    assert list(texts) == list(ENGLISH)
    for key, english in ENGLISH.items():
        text = texts[key]
        assert type(text) is type(english), key
        assert placeholders(text) == placeholders(english), key
        if isinstance(text, dict):
            assert set(text) == PLURALS[language], key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_text(language: str) -> None:
    for key, text in texts_of(language).items():
        for form in [text] if isinstance(text, str) else text.values():
            assert form == form.strip() != "", key
            assert not re.search(r"[<>&`]|\.\.\.|  ", form), f"{key}: markup, or bad typing"
            assert "'" not in form, f"{key}: ’ is the apostrophe"


def test_what_is_said_in_other_words_ends_as_english_does() -> None:
    """A sentence stays one, a heading too: the screens look the same in every language."""
    for language in LANGUAGES:
        for key, text in texts_of(language).items():
            english = ENGLISH[key]
            if isinstance(text, str) and isinstance(english, str):
                assert text.endswith(("?", ".", "…", ":")) == english.endswith(("?", ".", "…", ":")), key


@pytest.mark.parametrize("file", sorted(path.name for path in FOLDER.glob("*.js")))
def test_no_text_is_left_in_the_code(file: str) -> None:
    code = NOT_SHOWN.sub("", (FOLDER / file).read_text())
    for literal in LITERAL.findall(code):
        text = re.sub(r"\$\{[^}]*\}", "", literal)[1:-1]
        if text not in NAMES:
            assert not re.search(r"[^\W\d_]{2,} |^[A-Z][a-z]+\W*$|[’…“”]", text), literal


class _Page(HTMLParser):
    """What a browser would show of the page before any script has run."""

    def __init__(self) -> None:
        super().__init__()
        self.within: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "link", "img", "input", "path", "circle"}:
            self.within.append(tag)
        self.seen += [
            value for name, value in attrs if name in {"aria-label", "title", "placeholder"} and value
        ]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.within:
            while self.within.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if data.strip() and "noscript" not in self.within:
            self.seen.append(data.strip())


def test_no_text_is_left_in_the_page() -> None:
    page, written = _Page(), (FOLDER / "index.html").read_text()
    page.feed(written)
    assert set(page.seen) == {"radius-push"}  # the product's name, until the script runs
    without_script = re.findall(
        r"<p(?: lang=\"(\w+)\")?>[^<]*JavaScript", (FOLDER / "index.html").read_text()
    )
    assert without_script == ["", "tr", "de", "es"]


def test_every_text_is_named_somewhere() -> None:
    """A text that nobody shows is one that four people translate for nothing."""
    code = "".join(path.read_text() for path in FOLDER.glob("*.js")) + (FOLDER / "index.html").read_text()
    named = set(re.findall(r'\btexts\.(\w+)|data-text="(\w+)"', code))
    fixed = {name for pair in named for name in pair if name}
    made = re.findall(r"`(\w*)\$\{[^}]*\}(\w*)`", code)
    parts = [(before, after) for before, after in made if before or after]
    unnamed = [
        key
        for key in ENGLISH
        if key not in fixed
        and not any(key.startswith(before) and key.endswith(after) for before, after in parts)
    ]
    assert unnamed == []
    assert fixed - {"js"} <= set(ENGLISH)
