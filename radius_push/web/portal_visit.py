"""One request to the portal: who asks, with which cookies, and whether its form is one of ours."""

from __future__ import annotations

import asyncio
import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web

from radius_push.model import Address, Secret
from radius_push.web.portal_pages.page import Reader
from radius_push.web.portal_pages.texts import chosen

LONGEST_FORM = 8192
MOST_FIELDS = 8
_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


class Trouble(Exception):
    """Answered with a page that says why; `key` is of a sentence, and holds nothing that was sent to us."""

    def __init__(self, status: int, key: str) -> None:
        super().__init__(key)
        self.status = status
        self.key = key


class NotSignedIn(Exception):
    """There is no session, or none any more."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of a request before any of it is believed."""

    request: web.Request = field(repr=False)
    caller: Address | None
    language: str
    form: Mapping[str, str] = field(default_factory=dict, repr=False)

    def field(self, name: str) -> str:
        """A field of the form, which must be there."""
        if name not in self.form:
            raise Trouble(400, "trouble_request")
        return self.form[name]

    @property
    def address(self) -> str | None:
        return None if self.caller is None else str(self.caller)


async def read_form(request: web.Request, *, seconds: float) -> dict[str, str]:
    """A small form as browsers send it, each field once. Raises Trouble."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise Trouble(415, "trouble_request")
    try:
        async with asyncio.timeout(seconds):
            octets = await request.read()
        pairs = parse_qsl(
            octets.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(octets),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except TimeoutError:
        raise Trouble(408, "trouble_request") from None
    except web.HTTPRequestEntityTooLarge:
        raise Trouble(413, "trouble_request") from None
    except ValueError:  # no form, or not UTF-8
        raise Trouble(400, "trouble_request") from None
    if len(dict(pairs)) != len(pairs):
        raise Trouble(400, "trouble_request")
    return dict(pairs)


def expect_own_page(request: web.Request, url: str) -> None:
    """A form must come from a page of ours: browsers say so, and no page of another site can say it for them.
    Raises Trouble."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None and site != "same-origin":
        raise Trouble(403, "trouble_form")
    if origin != url and not (origin in (None, "null") and site == "same-origin"):
        raise Trouble(403, "trouble_form")


class Cookies:
    """What browsers hold: a visit, with which the sign-in form came, and a session. Both are 32 random
    octets; here only keyed hashes of them are kept."""

    def __init__(self, *, url: str, pepper: Secret) -> None:
        self._pepper = pepper
        self._secure = url.startswith("https:")
        # Browsers take the prefix only with Secure, and that only by TLS.
        prefix = "__Host-" if self._secure else ""
        self._visit, self._session = f"{prefix}radius-push-visit", f"{prefix}radius-push-portal"

    def visit(self, request: web.Request) -> str | None:
        return _well_formed(request.cookies.get(self._visit))

    def session(self, request: web.Request) -> str | None:
        return _well_formed(request.cookies.get(self._session))

    def give_visit(self, response: web.StreamResponse, value: str) -> None:
        self._give(response, self._visit, value)

    def give_session(self, response: web.StreamResponse, value: str) -> None:
        self._give(response, self._session, value)

    def take_session(self, response: web.StreamResponse) -> None:
        response.del_cookie(self._session, path="/", secure=self._secure, httponly=True, samesite="Strict")

    def mark(self, value: str) -> bytes:
        """As the store knows it."""
        return self._keyed(b"cookie", value)

    def form(self, value: str) -> str:
        """What the forms of this browser's pages send back."""
        return base64.urlsafe_b64encode(self._keyed(b"form", value)).decode().rstrip("=")

    def expect_form(self, visit: Visit, value: str | None) -> None:
        """Raises Trouble if it is not a form of the browser that holds this cookie."""
        said = visit.form.get("form", "").encode()
        if value is None or not hmac.compare_digest(said, self.form(value).encode()):
            raise Trouble(403, "trouble_form")

    def _keyed(self, purpose: bytes, value: str) -> bytes:
        text = b"radius-push portal " + purpose + b" v1\0" + value.encode()
        return hmac.digest(self._pepper.reveal(), text, "sha256")

    def _give(self, response: web.StreamResponse, name: str, value: str) -> None:
        response.set_cookie(name, value, path="/", secure=self._secure, httponly=True, samesite="Strict")


def new_value(octets: bytes) -> str:
    """32 random octets as a cookie holds them."""
    if len(octets) != 32:
        raise ValueError("a cookie holds 32 octets")
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def language_of(request: web.Request) -> str:
    return chosen(request.headers.get("Accept-Language", ""))


def stranger(visit: Visit, form: str = "") -> Reader:
    return Reader(visit.language, form)


def shown(page: str, *, status: int = 200) -> web.Response:
    return web.Response(text=page, content_type="text/html", charset="utf-8", status=status)


def go(path: str) -> web.Response:
    """After a form: so that the page that follows can be loaded again."""
    return web.Response(status=303, headers={"Location": path})


def _well_formed(value: str | None) -> str | None:
    return value if value is not None and _VALUE.fullmatch(value) else None
