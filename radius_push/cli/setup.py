"""`radius-push setup`: from an installed package to a server that can be started."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radius_push.cli.options import could_not_run, json_option, with_config
from radius_push.cli.start_as import as_called, start_as, this_command
from radius_push.radius.presets import PRESETS

if TYPE_CHECKING:
    from radius_push.setup import Site

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--user", default="radius-push", show_default=True, help="The system user that the server is.")
@click.option(
    "--config-dir", type=FOLDER, default="/etc/radius-push", show_default=True, help="Where the settings lie."
)
@click.option(
    "--state-dir",
    type=FOLDER,
    default="/var/lib/radius-push",
    show_default=True,
    help="Where store and keys lie.",
)
@click.option("--systemd", is_flag=True, help="Also install the unit, for this radius-push.")
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="fortigate",
    show_default=True,
    help="The kind of gateway whose client the first settings show, to be filled in.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
def setup(
    *,
    user: str,
    config_dir: Path,
    state_dir: Path,
    systemd: bool,
    preset: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make the server's user, folders, keys and first settings. What is there is never changed over.

    Run it as root; run it again whenever you like.
    """
    from radius_push.ports import DoorClosed
    from radius_push.setup import Site, Step, install

    if os.geteuid() != 0 and not dry_run:
        could_not_run(
            "`setup` makes a user and folders for it: run it as root, or with --dry-run to see what it does"
        )
    site = Site(
        user,
        config_dir.absolute(),
        state_dir.absolute(),
        this_command(),
        Path(sys.executable),
        systemd=systemd,
        preset=preset,
    )
    steps: list[dict[str, object]] = []

    def tell(step: Step) -> None:
        changes = step.do is not None
        steps.append({"step": step.says, "changes": changes, "look": step.look})
        if not as_json:
            there = "look" if step.look else "ok"
            click.echo(f"  {'would' if dry_run and changes else 'now' if changes else there:5}  {step.says}")

    try:
        password = install(site, dry=dry_run, tell=tell)
    except DoorClosed as problem:
        could_not_run(str(problem))
    if dry_run:
        password = None
    if as_json:
        click.echo(json.dumps({"steps": steps, "config": str(site.config), "password": password}))
        return
    click.echo("\nNothing was changed." if dry_run else _next(site, password))


def _next(site: Site, password: str | None) -> str:
    where, command = with_config(site.config), as_called(site.command)
    lines = []
    if password is not None:
        lines += [
            "",
            "The first user is alice. Her password, shown once and kept nowhere:",
            "",
            f"  {password}",
        ]
    lines += [
        "",
        "Next:",
        f"  {command} check{where}         what the settings mean; edit them for your gateways",
        *_start(site, f"{command} serve{where}"),
        f"  {command} enroll alice{where}  her phone",
        f"  {command} try-login alice{where}",
    ]
    return "\n".join(lines)


def _start(site: Site, serve: str) -> list[str]:
    """What starts the server here, or what must be done before anything can."""
    from radius_push.setup import in_the_way

    if site.systemd:
        return ["  systemctl enable --now radius-push"]
    why = in_the_way(site.user, command=site.command, interpreter=site.interpreter)
    if why is None:
        return [f"  {start_as(site.user, serve)}        (--systemd installs a service)"]
    return [
        f"  The server cannot be started from here: {why}.",
        "  Install radius-push where every user can read it, such as /opt/radius-push",
        "  (docs/how-to/install.md), and run the setup of that one.",
    ]
