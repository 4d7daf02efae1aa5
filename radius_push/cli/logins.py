"""`radius-push logins`: who logged in, who did not and why; with `--follow` as it happens."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from radius_push.cli.columns import Columns, day_and_time
from radius_push.cli.invitation import plain
from radius_push.cli.options import config_option, could_not_run, json_option, load_settings, with_store
from radius_push.observe import logins as observed
from radius_push.observe.logins import Outcome
from radius_push.ports import Clock, Store

HEADINGS = (
    "TIME", "CODE", "USER", "CLIENT", "ADDRESS", "VERDICT", "PROFILE", "METHOD", "PHONE", "SECONDS",
)  # fmt: skip
LEAST = (20, 6, 12, 12, 15, 23, 20, 6, 12)
"""Characters, so that lines which come later stand under the first ones."""
LAST = 20
MOST = 10_000


def _seconds(_ctx: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """A duration, as the settings write it."""
    from radius_push.settings.scalars import duration

    if value is None:
        return None
    try:
        return duration(1.0, 10 * 366 * 86400.0)(value)
    except ValueError as mistake:
        raise click.BadParameter(str(mistake)) from None


@click.command()
@config_option
@json_option
@click.option("--follow", is_flag=True, help="Go on as logins are asked and end, until Ctrl-C.")
@click.option("--user", metavar="U", help="Only this one: a user name, or a person as `users` shows it.")
@click.option("--client", metavar="C", help="Only through this client.")
@click.option(
    "--since", metavar="AGO", callback=_seconds, help="All of the last 30m, 12h, 3d, instead of the last 20."
)
@click.option("--last", metavar="N", type=click.IntRange(0, MOST), help=f"How many.  [default: {LAST}]")
def logins(
    *,
    config: Path,
    as_json: bool,
    follow: bool,
    user: str | None,
    client: str | None,
    since: float | None,
    last: int | None,
) -> None:
    """One line for each of the last logins, oldest first: who, through which gateway, how it ended and why.

    `radius-push trace CODE` tells the whole of one.
    """
    settings = load_settings(config)
    if client is not None and client not in settings.clients:  # it may have been there once: look on
        there_are = ", ".join(settings.clients)
        click.echo(f"No client is called {plain(client)} now; there are: {there_are}", err=True)
    file = Path(settings.store)
    most = last if last is not None else LAST if since is None else MOST

    async def work(store: Store, clock: Clock) -> None:
        opened = identity(file)
        wanted = await observed.wanted(
            store, user=user, client=client, since=None if since is None else clock.now() - since
        )
        upto = await observed.newest_number(store)
        found = await observed.newest(store, wanted, most=most, upto=upto)
        outcomes = [await observed.outcome(store, login, now=clock.now()) for login in found]
        page = Page(outcomes, as_json=as_json, follow=follow)
        if follow:
            async for login in observed.follow(
                store, wanted, after=upto, still_there=lambda: identity(file) == opened
            ):
                page.add(await observed.outcome(store, login, now=clock.now()))
            could_not_run("the store was replaced: start this again")

    try:
        with_store(config, work)
    except KeyboardInterrupt:
        sys.exit(0)


def identity(file: Path) -> tuple[int, int] | None:
    """Device and inode: another one under the same name is another file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Page:
    """What is printed: those that there are at once, others as they come."""

    def __init__(self, outcomes: list[Outcome], *, as_json: bool, follow: bool) -> None:
        self._as_json = as_json
        self._columns = Columns(HEADINGS, [cells(each) for each in outcomes], least=LEAST if follow else ())
        if as_json:
            for each in outcomes:
                self.add(each)
        elif outcomes or follow:
            click.echo(self._columns.table())
        else:
            click.echo("No logins.")

    def add(self, outcome: Outcome) -> None:
        click.echo(json.dumps(outcome.values()) if self._as_json else self._columns.line(cells(outcome)))


def cells(outcome: Outcome) -> tuple[str | None, ...]:
    """One login under the headings."""
    login = outcome.login
    profile, policy = login.text("profile"), login.text("policy")
    return (
        day_and_time(login.ended or login.steps[0].at),
        login.code,
        login.text("username"),
        login.text("client"),
        login.text("address"),
        " ".join(filter(None, (outcome.verdict, outcome.reason, "contested" if login.contested else None))),
        f"{profile} ({policy})" if profile and policy else profile,
        outcome.method,
        outcome.device.name if outcome.device else None,
        None if outcome.seconds is None else f"{outcome.seconds:.1f}",
    )
