"""`radius-push sessions`: who is in, as the gateways tell, since when and by which login."""

from __future__ import annotations

import json
from pathlib import Path

import click

from radius_push.cli.columns import Columns, day_and_time
from radius_push.cli.invitation import plain
from radius_push.cli.options import config_option, json_option, load_settings, with_store
from radius_push.observe import sessions as observed
from radius_push.ports import Clock, Store
from radius_push.sessions import Session

HEADINGS = (
    "USER",
    "CLIENT",
    "NAS",
    "ADDRESS",
    "INSIDE",
    "SINCE",
    "LAST NEWS",
    "IN",
    "OUT",
    "LOGIN",
    "PERSON",
)
ENDED = ("ENDED", "BY")
LAST = 20
MOST = 10_000
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


@click.command()
@config_option
@json_option
@click.option("--all", "ended_too", is_flag=True, help="Those that ended, too.")
@click.option("--user", metavar="U", help="Only this one: a user name, or a person as `users` shows it.")
@click.option("--client", metavar="C", help="Only through this client.")
@click.option(
    "--last",
    metavar="N",
    type=click.IntRange(0, MOST),
    help=f"How many.  [default: every live one, {LAST} with --all]",
)
def sessions(
    *, config: Path, as_json: bool, ended_too: bool, user: str | None, client: str | None, last: int | None
) -> None:
    """One line for each live session, oldest first: who, where from, since when, and the code of the login
    that it came from, found by the user name.

    Gateways tell of sessions by RADIUS accounting. One that stopped telling keeps its line: LAST NEWS says
    since when.
    """
    settings = load_settings(config)
    if client is not None and client not in settings.clients:  # it may have been there once: look on
        there_are = ", ".join(settings.clients)
        click.echo(f"No client is called {plain(client)} now; there are: {there_are}", err=True)
    if not settings.accounting:
        click.echo("Accounting is not taken: there is no server.listen.accounting.", err=True)
    most = last if last is not None else LAST if ended_too else MOST

    async def work(store: Store, clock: Clock) -> list[Session]:
        return await observed.newest(store, live=not ended_too, user=user, client=client, most=most)

    found = with_store(config, work)
    if as_json:
        for each in found:
            click.echo(json.dumps(values(each)))
    elif found:
        headings = HEADINGS + ENDED if ended_too else HEADINGS
        rows = [cells(each) if ended_too else cells(each)[: len(HEADINGS)] for each in found]
        click.echo(Columns(headings, rows).table())
    else:
        click.echo("No sessions." if ended_too else "No live sessions.")


def values(each: Session) -> dict[str, object]:
    """For JSON."""
    traffic = each.traffic
    return {
        "user": each.username,
        "client": each.key.client,
        "nas": each.key.nas,
        "session": each.key.id,
        "live": each.ended_at is None,
        "address": each.address,
        "framed": list(each.framed),
        "port": each.port,
        "started": each.started_at,
        "last_news": each.heard_at,
        "ended": each.ended_at,
        "ended_by": each.ended_by,
        "cause": each.cause,
        "seconds": traffic.seconds,
        "octets_in": traffic.octets_in,
        "octets_out": traffic.octets_out,
        "packets_in": traffic.packets_in,
        "packets_out": traffic.packets_out,
        "login": each.login,
        "person": each.person,
    }


def cells(each: Session) -> tuple[str | None, ...]:
    """One session under all of the headings."""
    by = {"on": "accounting-on", "off": "accounting-off"}.get(each.ended_by or "", each.ended_by)
    return (
        each.username,
        each.key.client,
        each.key.nas,
        each.address,
        " ".join(each.framed),
        day_and_time(each.started_at),
        day_and_time(each.heard_at),
        size(each.traffic.octets_in),
        size(each.traffic.octets_out),
        each.login,
        each.person,
        day_and_time(each.ended_at),
        " ".join(filter(None, (by, each.cause))),
    )


def size(octets: int | None) -> str | None:
    """`1.5 MB`: of 1000, as networks are counted."""
    if octets is None:
        return None
    amount, unit = float(octets), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{octets} B" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"
