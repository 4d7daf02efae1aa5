"""What every page of the portal has around its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from radius_push.web.portal_pages.markup import Markup, element, text, together
from radius_push.web.portal_pages.texts import LANGUAGES


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at a page."""

    language: str
    form: str = field(repr=False)
    """What each form must send back."""
    account: str | None = None
    """None: nobody is signed in."""

    @property
    def texts(self) -> Mapping[str, str]:
        return LANGUAGES[self.language]

    def say(self, key: str, **facts: str) -> str:
        """The sentence, with the facts in it; they are escaped with it."""
        return self.texts[key].format_map(facts)


def page(reader: Reader, title: str, *content: str, news: str | None = None) -> str:
    """A whole page. `title`: its heading, as text. `news`: where to go when there are any, looked for by the
    script."""
    signed_in = text("")
    if reader.account is not None:
        signed_in = together(
            element("span", reader.say("signed_in_as", account=reader.account), class_="account"),
            post(reader, "/sign-out", element("button", reader.say("sign_out"), class_="plain")),
        )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} – radius-push"),
        element("link", rel="stylesheet", href="/portal.css"),
        element("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
        element("script", src="/portal.js", type="module"),
    )
    body = element(
        "body",
        element("a", reader.say("skip"), href="#content", class_="skip"),
        element("header", element("span", "radius-push", class_="app"), signed_in),
        element("main", element("h1", title), *content, id="content", data_news=news),
    )
    return f"<!doctype html>\n{element('html', head, body, lang=reader.language)}\n"


def paragraph(words: str, kind: str = "") -> Markup:
    return element("p", words, class_=kind or None)


def notice(words: str | None, *, wrong: bool = False) -> Markup:
    """What became of what was done last; screen readers say it."""
    if words is None:
        return text("")
    return element("p", words, class_="wrong" if wrong else "done", role="alert" if wrong else "status")


def post(reader: Reader, action: str, *inside: str, **hidden: str) -> Markup:
    """A form. `hidden`: fields that it sends along."""
    carried = [
        element("input", type="hidden", name=name, value=value)
        for name, value in {"form": reader.form, **hidden}.items()
    ]
    return element("form", *carried, *inside, method="post", action=action)


def button(words: str, *, kind: str = "main") -> Markup:
    return element("button", words, type="submit", class_=kind)


def leads(words: str, href: str, *, kind: str = "button") -> Markup:
    return element("a", words, href=href, class_=kind)


def moment(at: float) -> Markup:
    """A time in UTC, which the script writes as the browser would."""
    when = datetime.fromtimestamp(at, UTC)
    return element("time", f"{when:%Y-%m-%d %H:%M} UTC", datetime=f"{when:%Y-%m-%dT%H:%M:%SZ}")


def trouble(reader: Reader, key: str) -> str:
    """Why there is nothing else to see."""
    return page(
        reader,
        reader.say("trouble_title"),
        paragraph(reader.say(key)),
        leads(reader.say("back"), "/"),
    )
