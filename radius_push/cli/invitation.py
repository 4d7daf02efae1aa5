"""How an invitation looks: for a person at a terminal, or one JSON value a line for a program."""

from __future__ import annotations

import io
import json
import re
import sys
from datetime import UTC, datetime
from urllib.parse import urlsplit

import click

from radius_push.enrollment import Shown
from radius_push.model import Device, Person
from radius_push.phone_store import Confirmation

WORDS: dict[Confirmation, str] = {
    "given_up": "Too many wrong codes: the phone was not added. `radius-push enroll` starts again.",
    "not_pending": "The phone no longer waits: it was removed, or a newer invitation took its place.",
}


class Card:
    """What the issuer sees. With `as_json` sentences go to standard error, values to standard output."""

    def __init__(self, *, as_json: bool, page: str) -> None:
        self._as_json = as_json
        self._page = page

    def show(self, person: Person, shown: Shown, *, link: str) -> None:
        if self._as_json:
            self._value(
                link=link,
                page=self._page,
                code=shown.code,
                invitation=shown.invitation,
                person=str(person.key),
                expires_at=shown.expires_at,
            )
            return
        self._say(f"{plain(person.username)} ({person.key.authentication_profile}) may add one phone.\n")
        if sys.stdout.isatty() and not only_here(self._page):
            self._say(qr(link))
        if only_here(self._page):
            self._say(f"  Open it in a browser on this machine:  {link}")
            self._say(f"  Or open {self._page} there and type:  {shown.code}")
            self._say(f"  On another machine: `ssh -L {tunnel(self._page)} SERVER` there, then the link.\n")
        else:
            self._say(f"  Scan this with the phone, or open there:  {link}")
            self._say(f"  Or open {self._page} on the phone and type:  {shown.code}\n")
        self._say(f"Link and code work once, until {clock_time(shown.expires_at)}. Waiting for the phone ...")

    def warn(self, sentence: str) -> None:
        click.echo(sentence, err=True)

    def arrived(self, device: Device) -> None:
        self._say(f"\nThe phone {plain(device.name)!r} is here.")

    def ask(self) -> str:
        return ask_digits(err=self._as_json)

    def wrong(self, *, tries_left: int) -> None:
        self._say(f"That is not what the phone shows. Tries left: {tries_left}")

    def confirmed(self, outcome: Confirmation, person: Person, device: Device) -> bool:
        """Tell how it ended; True if the phone is trusted."""
        good = outcome == "confirmed"
        done = f"{plain(device.name)!r} is now a phone of {plain(person.username)} (device {device.id})."
        self.end(outcome, done if good else WORDS[outcome], device)
        return good

    def left(self, shown: Shown) -> None:
        self.end(
            "left",
            f"\nLeft before the end. Nothing was withdrawn: link and code expire by themselves at "
            f"{clock_time(shown.expires_at)}, and a phone without its code typed stays untrusted.",
        )

    def end(self, result: str, sentence: str, device: Device | None = None) -> None:
        self._say(sentence)
        if self._as_json:
            self._value(
                result=result,
                device=device.id if device else None,
                name=device.name if device else None,
            )

    def _say(self, sentence: str) -> None:
        click.echo(sentence, err=self._as_json)

    def _value(self, **values: object) -> None:
        click.echo(json.dumps(values))


def ask_digits(*, err: bool) -> str:
    """Six digits; anything else is asked again, and is no try."""
    while True:
        typed: str = click.prompt("Type the 6-digit code the phone shows", type=str, err=err)
        if re.fullmatch(r"[0-9]{6}", digits := re.sub(r"[\s-]", "", typed)):
            return digits
        click.echo("Those are not six digits.", err=err)


def qr(link: str) -> str:
    """The link as a QR code in half blocks, black on white whatever colours the terminal has."""
    import segno

    text = io.StringIO()
    segno.make(link, error="m", micro=False).terminal(out=text, compact=True, border=2)
    return "".join(f"\x1b[97;40m{line}\x1b[0m\n" for line in text.getvalue().splitlines())


def only_here(page: str) -> bool:
    """Phones elsewhere can't come to a page on localhost: a QR code would lead them nowhere."""
    return urlsplit(page).hostname in ("localhost", "127.0.0.1", "::1")


def tunnel(page: str) -> str:
    """What `ssh -L` takes so that the page has the same address on the other machine."""
    parts = urlsplit(page)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{port}:{host}:{port}"


def plain(text: str) -> str:
    """Text from elsewhere, fit for a terminal: what cannot be printed is shown as `?`."""
    return "".join(c if c.isprintable() else "?" for c in text)


def clock_time(at: float) -> str:
    """UTC seconds as the terminal's local time of day."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%H:%M:%S")
