"""`radius-push test-phone`: be a phone, from the command line."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click

from radius_push.cli.options import could_not_run, json_option
from radius_push.test_phone import Card, NobodyAsked, PhoneRefused, SoftwarePhone, Unreachable

DEFAULT = "~/.config/radius-push/test-phone.json"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType[float]):
    """Seconds, written with a unit."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,6})(ms|s|m|h)", str(value))
        if found is None:
            self.fail(f"{value!r} is not a duration: write it with its unit, as in 60s", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


phone_option = click.option(
    "--phone",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT,
    show_default=True,
    help="The file that holds this phone's key.",
)
ca_option = click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False),
    help="PEM file of the authority that signed the server's certificate.",
)
count_option = click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many.")
timeout_option = click.option(
    "--timeout", type=Duration(), default="60s", show_default=True, help="How long to wait for each."
)


@click.group()
def test_phone() -> None:
    """A phone in software, for tests, demos and load."""


@test_phone.command()
@click.argument("link", required=False)
@click.option("--code", help="The typed code, in place of a link.")
@click.option("--url", help="Where the phone side is, with --code.")
@click.option("--name", default="test phone", show_default=True, help="What the phone calls itself.")
@phone_option
@ca_option
@json_option
def enrol(
    *,
    link: str | None,
    code: str | None,
    url: str | None,
    name: str,
    phone: Path,
    ca_file: str | None,
    as_json: bool,
) -> None:
    """Become somebody's phone, by a LINK or by --code and --url. Prints the code for the issuer."""
    if link is not None and code is None and url is None:
        by: str | tuple[str, str] = link
    elif link is None and code is not None and url is not None:
        by = (url.rstrip("/"), code)
    else:
        raise click.UsageError("give a LINK, or both --code and --url")
    file = phone.expanduser()

    async def work() -> None:
        new = await SoftwarePhone.enrol(by, name=name, ca_file=ca_file)
        await new.close()
        new.save(file)
        told = {
            "device": new.enrolled.device,
            "account": new.enrolled.account,
            "confirmation_code": new.confirmation_code,
        }
        _say(told, f"{told['account']}: this phone's code is {told['confirmation_code']}", as_json=as_json)

    _run(work)


@test_phone.command()
@phone_option
@ca_option
@count_option
@timeout_option
@json_option
def approve(*, phone: Path, ca_file: str | None, count: int, timeout: float, as_json: bool) -> None:
    """Wait for a request and say yes."""
    _answer(phone, ca_file, approve=True, count=count, timeout=timeout, as_json=as_json)


@test_phone.command()
@phone_option
@ca_option
@count_option
@timeout_option
@json_option
def deny(*, phone: Path, ca_file: str | None, count: int, timeout: float, as_json: bool) -> None:
    """Wait for a request and say no."""
    _answer(phone, ca_file, approve=False, count=count, timeout=timeout, as_json=as_json)


@test_phone.command()
@phone_option
@ca_option
@count_option
@timeout_option
@json_option
def wait(*, phone: Path, ca_file: str | None, count: int, timeout: float, as_json: bool) -> None:
    """Wait for requests and show them, answering none."""

    async def work() -> None:
        async with _load(phone, ca_file) as ours:
            shown: set[str] = set()
            for _ in range(count):
                card = await ours.next_question(seconds=timeout, but=shown)
                shown.add(card["id"])
                _say(card, _in_words(card), as_json=as_json)

    _run(work)


def _answer(
    phone: Path, ca_file: str | None, *, approve: bool, count: int, timeout: float, as_json: bool
) -> None:
    async def work() -> None:
        async with _load(phone, ca_file) as ours:
            for _ in range(count):
                card = await ours.next_question(seconds=timeout)
                outcome = await ours.answer(card, approve=approve)
                _say(card | {"outcome": outcome}, f"{outcome}: {_in_words(card)}", as_json=as_json)

    _run(work)


def _load(phone: Path, ca_file: str | None) -> SoftwarePhone:
    file = phone.expanduser()
    try:
        return SoftwarePhone.load(file, ca_file=ca_file)
    except FileNotFoundError:
        could_not_run(f"no phone in {file}: `radius-push test-phone enrol LINK` first, or --phone FILE")


def _in_words(card: Card) -> str:
    address = card["address"] or "an address that the gateway did not report"
    return f"{card['login']} {card['account']} at {card['client']} from {address}"


def _say(told: dict[str, Any], words: str, *, as_json: bool) -> None:
    click.echo(json.dumps(told) if as_json else words)


def _run(work: Callable[[], Awaitable[None]]) -> None:
    """Exit 1: the server said no, or nobody asked. Exit 2: it could not be tried."""

    async def main() -> None:
        await work()

    try:
        asyncio.run(main())
    except (PhoneRefused, NobodyAsked) as no:
        click.echo(str(no), err=True)
        sys.exit(1)
    except (Unreachable, OSError, ValueError) as problem:
        could_not_run(str(problem))
