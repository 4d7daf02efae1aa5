"""`radius-push backup` and `restore`: everything the server knows in one file, and back."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from radius_push import __version__
from radius_push.cli.enroll import issuer
from radius_push.cli.options import config_option, could_not_run, json_option, load_settings
from radius_push.ports import DoorClosed

file_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@file_argument
@config_option
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@json_option
def backup(*, file: Path, config: Path, force: bool, as_json: bool) -> None:
    """Write the store and its keys to FILE, also while the server runs. Keep FILE as secret as they are."""
    from radius_push.store.backup import back_up

    store = Path(load_settings(config).store)
    try:
        made = back_up(store, file, version=__version__, by=issuer(), at=time.time(), force=force)
    except DoorClosed as problem:
        could_not_run(str(problem))
    if as_json:
        click.echo(json.dumps({"file": str(file), "rows": made.rows, "head": made.head}))
    else:
        click.echo(f"{file}: the store and its keys, {made.rows} rows of evidence, the chain is whole")


@click.command()
@file_argument
@config_option
@click.option("--force", is_flag=True, help="Set aside the store that is there.")
@json_option
def restore(*, file: Path, config: Path, force: bool, as_json: bool) -> None:
    """Put a backup in place of the store. No server may run on it; afterwards no phone is trusted until
    `radius-push devices confirm ID`."""
    from radius_push.store.restore import restore as bring_back

    store = Path(load_settings(config).store)
    try:
        back = bring_back(file, store, by=issuer(), at=time.time(), force=force)
    except DoorClosed as problem:
        could_not_run(str(problem))
    aside = None if back.replaced is None else str(back.replaced)
    if as_json:
        click.echo(json.dumps({"made_at": back.backup.made_at, "devices": back.devices, "set_aside": aside}))
        return
    made = datetime.fromtimestamp(back.backup.made_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    click.echo(f"{store} is as it was at {made}.")
    if aside is not None:
        click.echo(f"What was there is in {aside}.")
    waiting = "1 phone waits" if back.devices == 1 else f"{back.devices} phones wait"
    click.echo(
        f"{waiting} to be confirmed: see `radius-push devices`, then `radius-push devices confirm ID...`"
    )
