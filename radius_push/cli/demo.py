"""`radius-push demo`: whole logins on loopback, told as they happen."""

from __future__ import annotations

import asyncio
import sys

import click


@click.command()
@click.option("--no-browser", is_flag=True, help="Don't offer the phone link, also on a terminal.")
def demo(*, no_browser: bool) -> None:
    """Play whole logins on this machine: approved, wrong password, denied, timed out."""
    from radius_push.demo import play

    person_there = sys.stdin.isatty() and sys.stdout.isatty() and not no_browser
    sys.exit(asyncio.run(play(person_there=person_there)))
