"""`radius-push doctor`: does everything hold that a login needs, and what mends what does not?"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radius_push.cli.columns import Columns
from radius_push.cli.invitation import plain
from radius_push.cli.options import config_option, could_not_run, expect_readable, json_option

if TYPE_CHECKING:
    from radius_push.doctor import Finding, Line, Patient
    from radius_push.model import Secret
    from radius_push.settings import Checked

HEADINGS = ("WAY", "FROM", "TO", "PORT", "BY", "FOR")
LONGEST_TOKEN = 4096
_WORDS = {"ok": "ok", "warning": "look", "wrong": "WRONG"}


@click.command()
@config_option
@click.option("--network", is_flag=True, help="Only print what a firewall has to let through; try nothing.")
@click.option(
    "--device", metavar="ID", help="Try Apple's and Google's push services with this phone's kept addresses."
)
@click.option(
    "--apns-token",
    metavar="-",
    type=click.Choice(["-"]),
    help="Try Apple's with the device token on standard input. It gets a real test push.",
)
@json_option
def doctor(*, config: Path, network: bool, device: str | None, apns_token: str | None, as_json: bool) -> None:
    """Look at everything that a login needs, try every way out, and say what mends what does not hold.

    What `check --online` does, and: the store, its keys, disk and clock; the servers; certificates; each host
    that must be reached, by name, TCP (or the proxy) and TLS; Google's dry run, and a real push to an Apple
    device of your choice. Each try takes 10 s at most, all at once.
    """
    from radius_push.settings import SettingsError, load_with_places

    expect_readable(config)
    try:
        checked = load_with_places(config, environ=os.environ)
    except SettingsError as mistakes:
        _mistakes(mistakes, as_json=as_json)
        sys.exit(1)
    if network:
        _print_lines(checked, as_json=as_json)
        return
    token = _token() if apns_token else None
    found = asyncio.run(_examine(checked, device=device, token=token))
    for each in found:
        click.echo(json.dumps(asdict(each)) if as_json else in_words(each))
    if not as_json:
        click.echo(_conclusion(found))
    sys.exit(1 if any(each.what == "wrong" for each in found) else 0)


async def _examine(checked: Checked, *, device: str | None, token: Secret | None) -> list[Finding]:
    from radius_push.doctor import Patient, examine
    from radius_push.doctor.doors import open_doors
    from radius_push.server import LoopClock

    clock = LoopClock()
    whole = None if device is None else await _device(checked, device)
    async with open_doors(checked.settings.push, clock=clock) as doors:
        patient: Patient = Patient(whole, token)
        return await examine(checked, clock=clock, doors=doors, patient=patient)


async def _device(checked: Checked, typed: str) -> str:
    """The whole id. Ends the verb with exit code 2 if there is no such phone."""
    from radius_push.cli.devices import device_by
    from radius_push.ports import DoorClosed
    from radius_push.server import LoopClock
    from radius_push.store.sqlite import SqliteStore

    path, found = Path(checked.settings.store), None
    if await asyncio.to_thread(path.exists):
        try:
            store = SqliteStore.open(path, clock=LoopClock(), on_event=lambda _at, _event: None)
        except DoorClosed as problem:
            could_not_run(str(problem))
        try:
            found = await device_by(store, typed)
        finally:
            await store.close()
    if found is None:
        could_not_run(f"there is no phone with the id {plain(typed)}: see `radius-push devices`")
    return found.id


def _token() -> Secret:
    """One line on standard input: on the command line everybody on this machine could read it."""
    from radius_push.model import Secret

    typed = (
        str(click.prompt("Device token", hide_input=True))
        if sys.stdin.isatty()
        else sys.stdin.readline(LONGEST_TOKEN + 1)
    ).strip()
    if not typed or len(typed) > LONGEST_TOKEN or not typed.isascii():
        could_not_run("no device token on standard input")
    return Secret(typed.encode("ascii"))


def _mistakes(mistakes: Exception, *, as_json: bool) -> None:
    if as_json:
        said = {
            "what": "wrong",
            "about": "settings",
            "says": str(mistakes),
            "mend": "see `radius-push check`",
        }
        click.echo(json.dumps(said))
    else:
        click.echo(str(mistakes))


def _print_lines(checked: Checked, *, as_json: bool) -> None:
    from radius_push.doctor import lines_of

    lines = lines_of(checked.settings)
    if as_json:
        for line in lines:
            click.echo(json.dumps(as_values(line)))
    else:
        click.echo(table(lines))


def as_values(line: Line) -> dict[str, object]:
    """For JSON."""
    return {
        "channel": line.channel,
        "direction": line.direction,
        "from": line.source,
        "to": line.to,
        "port": line.port,
        "protocol": line.protocol,
        "for": line.purpose,
        "by_proxy": line.by_proxy,
    }


def table(lines: tuple[Line, ...]) -> str:
    rows = [
        (line.direction, line.source, line.to, str(line.port), line.protocol, line.purpose) for line in lines
    ]
    return Columns(HEADINGS, rows).table()


def in_words(found: Finding) -> str:
    mend = f"\n       -> {plain(found.mend)}" if found.mend and found.what != "ok" else ""
    return f"{_WORDS[found.what]:<6} {found.about}: {plain(found.says)}{mend}"


def _conclusion(found: list[Finding]) -> str:
    wrong = sum(each.what == "wrong" for each in found)
    look = sum(each.what == "warning" for each in found)
    if not wrong and not look:
        return "\nAll is well."
    return f"\n{wrong} wrong, {look} to look at, {len(found) - wrong - look} ok."
