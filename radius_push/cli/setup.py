"""`radius-push setup`: from an installed package to a server that can be started."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import click

from radius_push.cli.options import could_not_run, json_option
from radius_push.radius.presets import PRESETS

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
        _this_command(),
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
    click.echo(
        "\nNothing was changed." if dry_run else _next(site.config, password, user=user, systemd=systemd)
    )


def _next(config: Path, password: str | None, *, user: str, systemd: bool) -> str:
    where = "" if str(config) == "/etc/radius-push/radius-push.yaml" else f" --config {config}"
    lines = []
    if password is not None:
        lines += [
            "",
            "The first user is alice. Her password, shown once and kept nowhere:",
            "",
            f"  {password}",
        ]
    start = (
        "systemctl enable --now radius-push"
        if systemd
        else f"sudo -u {user} radius-push serve{where}        (--systemd installs a service)"
    )
    lines += [
        "",
        "Next:",
        f"  radius-push check{where}         what the settings mean; edit them for your gateways",
        f"  {start}",
        f"  radius-push enroll alice{where}  her phone",
        f"  radius-push try-login alice{where}",
    ]
    return "\n".join(lines)


def _this_command() -> Path:
    """The radius-push that runs now, by the path it was called by."""
    found = shutil.which(sys.argv[0]) or sys.argv[0]
    return Path(found).absolute()
