"""`radius-push check`: what a settings file means, or every mistake in it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from radius_push.cli.options import DEFAULT, config_option, json_option


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@config_option
@json_option
def check(*, file: Path | None, config: Path, as_json: bool) -> None:
    """Say what the settings mean, or every mistake in them. FILE, or --config."""
    from radius_push.settings import SettingsError, describe, load

    if file is not None and str(config) != DEFAULT and config != file:
        raise click.UsageError("name the file once: as the argument, or with --config")
    try:
        settings = load(file or config, environ=os.environ)
    except SettingsError as mistakes:
        lines = [str(mistake) for mistake in mistakes.mistakes]
        click.echo(json.dumps({"good": False, "mistakes": lines}) if as_json else "\n".join(lines))
        sys.exit(1)
    text = describe(settings)
    if as_json:
        click.echo(json.dumps({"good": True, "says": text.splitlines(), "warnings": list(settings.warnings)}))
    else:
        click.echo(text)
