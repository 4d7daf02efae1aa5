"""The pages before somebody is signed in."""

from __future__ import annotations

from radius_push.web.portal_pages.markup import element
from radius_push.web.portal_pages.page import Reader, button, leads, notice, page, paragraph, post


def sign_in(reader: Reader, *, said: str | None = None, wrong: bool = True) -> str:
    """`said`: the key of a sentence about what happened last. What was typed is never shown again: so the
    page is the same whoever was meant."""
    return page(
        reader,
        reader.say("in_title"),
        paragraph(reader.say("in_lead"), "lead"),
        notice(None if said is None else reader.say(said), wrong=wrong),
        post(
            reader,
            "/sign-in",
            _field(reader.say("in_username"), name="username", autocomplete="username"),
            _field(
                reader.say("in_password"), name="password", autocomplete="current-password", type="password"
            ),
            button(reader.say("in_button")),
        ),
    )


def needs_invitation(reader: Reader) -> str:
    return page(
        reader,
        reader.say("invited_title"),
        paragraph(reader.say("invited_text"), "lead"),
        leads(reader.say("back"), "/"),
    )


def waiting(reader: Reader, *, code: str) -> str:
    """While the phones are asked; the script goes on by itself, and the button without it. `code`: the four
    digits that stand on the phones, too."""
    return page(
        reader,
        reader.say("wait_title"),
        paragraph(reader.say("wait_text"), "lead"),
        paragraph(code, "code"),
        paragraph(reader.say("wait_time")),
        leads(reader.say("wait_next"), "/wait"),
        news="/wait",
    )


def not_let_in(reader: Reader, *, denied: bool) -> str:
    word = "wait_denied" if denied else "wait_over"
    return page(
        reader,
        reader.say(f"{word}_title"),
        paragraph(reader.say(word), "lead"),
        leads(reader.say("in_try_again"), "/"),
    )


def _field(label: str, *, name: str, autocomplete: str, type: str = "text") -> str:
    return element(
        "label",
        element("span", label),
        element(
            "input",
            name=name,
            type=type,
            autocomplete=autocomplete,
            autocapitalize="none",
            spellcheck="false",
            maxlength="1024",
            required=True,
        ),
        class_="field",
    )
