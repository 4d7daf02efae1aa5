"""`radius-push serve`: the server itself, in the foreground."""

from __future__ import annotations

import logging
import pwd
import signal
import sys
from pathlib import Path
from typing import Literal

import click

from radius_push.cli.options import config_option, could_not_run, load_settings, served_as, with_config
from radius_push.cli.start_as import as_called, start_as, this_command


@click.command()
@config_option
@click.option("--name", metavar="NAME", help="Be this one of `server.more_servers`, beside the first server.")
@click.option(
    "--forget-phones", is_flag=True, help="Give up the phone side's old address and every device with it."
)
@click.option(
    "--trust-clock", is_flag=True, help="The clock is right, though the evidence holds later times."
)
@click.option("--verbose", is_flag=True, help="Also say what is of use only when looking for a fault.")
@click.option(
    "--log",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Log lines for people, or JSON for programs.",
)
def serve(
    *,
    config: Path,
    name: str | None,
    forget_phones: bool,
    trust_clock: bool,
    verbose: bool,
    form: Literal["text", "json"],
) -> None:
    """Answer the VPN gateways, until SIGTERM or Ctrl-C."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the server knows what to do with it
    import uvloop

    from radius_push.observe import log
    from radius_push.ports import DoorClosed
    from radius_push.serving import serve as run

    settings = served_as(load_settings(config), name)
    log.set_up(level=logging.DEBUG if verbose else logging.INFO, form=form)
    for warning in settings.warnings:
        log.logger.warning("%s", warning)
    try:
        if said := root_for_another(Path(settings.store), config):
            log.logger.warning("%s", said)
        uvloop.run(run(settings, forget_phones=forget_phones, trust_clock=trust_clock))
    except (DoorClosed, OSError) as problem:
        could_not_run(f"radius-push could not start: {problem}")


def root_for_another(store: Path, config: Path) -> str | None:
    """What root is told that serves from a store of another user. It works, and what it makes is theirs; but
    it is root whom a fault in here would make powerful, and `reload` signals the store's user alone."""
    from radius_push.setup import in_the_way
    from radius_push.store.ownership import runs_for

    owner = runs_for(store.parent)
    if owner is None:
        return None
    try:
        user = pwd.getpwuid(owner).pw_name
    except KeyError:
        user, mend = f"user id {owner}", "run it as that user"
    else:
        start = start_as(user, f"{as_called(this_command())} serve{with_config(config.absolute())}")
        why = in_the_way(user, command=this_command(), interpreter=Path(sys.executable))
        mend = f"end it and start the service, or `{start}`"
        if why is not None:
            mend = f"end it, and install it where that user can start it (docs/how-to/install.md): {why}"
    return (
        f"THIS SERVES AS ROOT, and its store {store} belongs to {user}, which it should run as: what it does "
        f"is done with root's rights, and `radius-push reload` will not signal it; {mend}"
    )
