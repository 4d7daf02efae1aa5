"""`radius-push check`: what a settings file means, or every mistake in it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radius_push.cli.invitation import plain
from radius_push.cli.options import DEFAULT, config_option, expect_readable, json_option

if TYPE_CHECKING:
    from radius_push.inspection import Said
    from radius_push.settings import Checked


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@config_option
@click.option(
    "--online", is_flag=True, help="Also ask the directories, with the service accounts, and the mail server."
)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of settings files, for editors.")
@json_option
def check(*, file: Path | None, config: Path, online: bool, schema: bool, as_json: bool) -> None:
    """Say what the settings mean, or every mistake in them. FILE, or --config."""
    from radius_push.settings import SettingsError, describe, load_with_places

    if schema:
        from radius_push.settings.json_schema import json_schema

        click.echo(json.dumps(json_schema(), indent=2))
        return
    if file is not None and str(config) != DEFAULT and config != file:
        raise click.UsageError("name the file once: as the argument, or with --config")
    expect_readable(file or config)
    try:
        checked = load_with_places(file or config, environ=os.environ)
    except SettingsError as mistakes:
        lines = [str(mistake) for mistake in mistakes.mistakes]
        click.echo(json.dumps({"good": False, "mistakes": lines}) if as_json else str(mistakes))
        sys.exit(1)
    text = describe(checked.settings)
    warnings = list(checked.settings.warnings)
    places = _places(checked)
    said = _ask(checked) if online else ()
    good = all(each.what != "bad" for each in (*said, *places))
    if as_json:
        asked = {"online": [{"what": each.what, "says": each.line} for each in said]} if online else {}
        wrong = {"mistakes": [each.line for each in places if each.what == "bad"]} if not good else {}
        found = [each.line for each in places if each.what == "good"]
        says = {"good": good, "says": [*text.splitlines(), *found], "warnings": warnings}
        click.echo(json.dumps({**says, **wrong, **asked}))
    else:
        click.echo("\n".join([text, *_found(places), *_lines(said)]))
    sys.exit(0 if good else 1)


def _places(checked: Checked) -> tuple[Said, ...]:
    from radius_push.inspection import look_at_places
    from radius_push.server import LoopClock

    said = look_at_places(checked, now=LoopClock().now()) if checked.settings.places is not None else None
    return () if said is None else (said,)


def _found(places: tuple[Said, ...]) -> Iterator[str]:
    for each in places:
        title = "Phones are shown" if each.what == "good" else "Serves, but shows phones no places"
        yield from ("", f"{title}:", f"  {plain(each.line)}")


def _ask(checked: Checked) -> tuple[Said, ...]:
    from radius_push.inspection import inspect
    from radius_push.server import LoopClock

    return asyncio.run(inspect(checked, clock=LoopClock()))


def _lines(said: tuple[Said, ...]) -> Iterator[str]:
    for title, what, by in (
        ("The directories say", "good", "directories"),
        ("The mail server says", "good", "mail server"),
        ("Look at", "look", "directories"),
        ("What the directories say is wrong", "bad", "directories"),
        ("What the mail server says is wrong", "bad", "mail server"),
    ):
        found = [plain(each.line) for each in said if (each.what, each.by) == (what, by)]
        if found:
            yield from ("", f"{title}:", *(f"  {line}" for line in found))
