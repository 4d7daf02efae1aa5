"""What several verbs share: where the settings are, and how a verb says that it could not run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from radius_push.shapes import Settings

DEFAULT = "/etc/radius-push/radius-push.yaml"

config_option = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT,
    show_default=True,
    help="The settings file.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON value a line, for programs.")


def load_settings(config: Path) -> Settings:
    """The checked settings; mistakes are printed and end the verb with exit code 2."""
    from radius_push.settings import SettingsError, load

    try:
        return load(config, environ=os.environ)
    except SettingsError as mistakes:
        could_not_run(str(mistakes))


def could_not_run(why: str) -> NoReturn:
    click.echo(why, err=True)
    sys.exit(2)
