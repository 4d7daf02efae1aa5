"""`radius-push simulate`: play a kind of gateway against the running server, and show what a person sees."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import click

from radius_push.cli.enroll import Refused
from radius_push.cli.options import ask_password, config_option, could_not_run, json_option, load_settings
from radius_push.cli.play import Play
from radius_push.cli.try_login import Address
from radius_push.radius.presets import PRESETS
from radius_push.simulate.gateway import Gateway, like
from radius_push.simulate.person import PAUSE, Person

AT_HOME = "203.0.113.9"
"""An address of RFC 5737: nobody's."""
SOON = 3.0
MOST_SERVERS = 4
Endpoint = tuple[str, int]


class Server(click.ParamType[Endpoint]):
    name = "address:port"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Endpoint:
        host, _, port = str(value).rpartition(":")
        try:
            good = ip_address(host).version == 4 and 0 < int(port) < 65536
        except ValueError:
            good = False
        if not good:
            self.fail("write an IPv4 address and a port, as 127.0.0.1:1812", param, ctx)
        return host, int(port)


_seconds = click.FloatRange(0, 3600)


@click.command()
@click.argument("preset", type=click.Choice(list(PRESETS)), metavar="PRESET")
@click.option(
    "--user", required=True, help="Who signs in: best a user for tests, as all phones of USER ring."
)
@config_option
@json_option
@click.option(
    "--approve-after", type=_seconds, metavar="SECONDS", help="Yes, so long after each ring.  [default: 3]"
)
@click.option("--deny", is_flag=True, help="No, 3 seconds after each ring.")
@click.option("--deny-after", type=_seconds, metavar="SECONDS", help="No, so long after each ring.")
@click.option("--ignore", is_flag=True, help="Nobody taps.")
@click.option(
    "--again",
    type=click.IntRange(0, 20),
    default=0,
    show_default=True,
    help="How often the person signs in again after a failure.",
)
@click.option("--pause", type=_seconds, default=PAUSE, show_default=True, help="Seconds until they do.")
@click.option("--factory", is_flag=True, help="The gateway as shipped, not as its preset says to set it.")
@click.option(
    "--auto-protocols", is_flag=True, help="After a reject it asks by the next protocol (FortiOS `auto`)."
)
@click.option(
    "--servers",
    type=click.IntRange(1, MOST_SERVERS),
    default=1,
    show_default=True,
    help="How many servers it knows: those of the settings, in order.",
)
@click.option("--server", "named", type=Server(), multiple=True, help="One of its servers; may be repeated.")
@click.option(
    "--address",
    type=Address(),
    default=AT_HOME,
    show_default=True,
    help="The user's address, reported as such a gateway does.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False),
    help="PEM file of the authority that signed the phone side's certificate.",
)
def simulate(
    *,
    preset: str,
    user: str,
    config: Path,
    as_json: bool,
    approve_after: float | None,
    deny: bool,
    deny_after: float | None,
    ignore: bool,
    again: int,
    pause: float,
    factory: bool,
    auto_protocols: bool,
    servers: int,
    named: tuple[Endpoint, ...],
    address: str,
    ca_file: str | None,
) -> None:
    """Play such a gateway, its timers and quirks, against the running server, and a phone that answers.

    Shows what the person would have seen. The phone is a software one that USER has until the play ends.
    The password is typed, or one line on standard input. Exit code 0: let in. 1: not. 2: could not run.
    """
    taps = Taps(approve_after, deny, deny_after, ignore)
    settings = load_settings(config)
    play = Play.open(
        settings,
        PRESETS[preset],
        _gateway(preset, factory=factory, servers=len(named) or servers, auto_protocols=auto_protocols),
        taps.person(again=again, pause=pause),
        user=user,
        servers=named,
        address=ip_address(address),
        ca_file=ca_file,
        as_json=as_json,
    )
    password = ask_password()
    play.announce()
    try:
        told = asyncio.run(play.run(password))
    except Refused as why:
        could_not_run(str(why))
    except asyncio.CancelledError:
        could_not_run("Left.")
    sys.exit(0 if told.let_in else 1)


@dataclass(frozen=True, slots=True)
class Taps:
    """What was said of the person's thumb."""

    approve_after: float | None
    deny: bool
    deny_after: float | None
    ignore: bool

    def person(self, *, again: int, pause: float) -> Person:
        said = [self.approve_after is not None, self.deny, self.deny_after is not None, self.ignore]
        if sum(said) > 1:
            raise click.UsageError("one of --approve-after, --deny, --deny-after and --ignore")
        if self.ignore:
            return Person(None, again=again, pause=pause)
        after = next((each for each in (self.approve_after, self.deny_after) if each is not None), SOON)
        return Person(not (self.deny or self.deny_after is not None), after, again=again, pause=pause)


def _gateway(preset: str, *, factory: bool, servers: int, auto_protocols: bool) -> Gateway:
    gateway = like(PRESETS[preset], factory=factory, servers=servers, every_protocol=auto_protocols)
    if gateway is None:
        raise click.UsageError(f"how a {preset} asks as shipped is not known: leave out --factory")
    if auto_protocols and len(gateway.protocols) == 1:
        raise click.UsageError(f"a {preset} is not known to try the next protocol after a reject")
    return gateway
