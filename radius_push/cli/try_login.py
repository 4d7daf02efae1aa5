"""`radius-push try-login`: a login through the real socket, as a gateway would send it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import click

from radius_push.cli.options import config_option, could_not_run, json_option, load_settings


@click.command("try-login")
@click.argument("user")
@config_option
@json_option
@click.option("--address", help="The user's address, as a gateway would report it (Calling-Station-Id).")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for the answer.")
def try_login(*, user: str, config: Path, as_json: bool, address: str | None, timeout: float) -> None:
    """Ask the running server as a gateway does; the password is typed, or one line on standard input.

    Exit code 0: accepted. 1: rejected. 2: no answer.
    """
    from radius_push.client import ask
    from radius_push.opening import speaking_as
    from radius_push.ports import DoorClosed
    from radius_push.radius.packet import load_dictionary

    settings = load_settings(config)
    password = (
        click.prompt("Password", hide_input=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\r\n")
    )
    try:
        server, client = speaking_as(settings)
    except (DoorClosed, OSError) as problem:
        could_not_run(str(problem))
    request = [("NAS-Identifier", "try-login"), *([("Calling-Station-Id", address)] if address else [])]
    if not as_json:
        click.echo(f"asking {server[0]} port {server[1]} as client {client.name} ...")
    reply = asyncio.run(
        ask(
            server=server,
            secret=client.secrets[0],
            username=user,
            password=password,
            attributes=request,
            timeout=timeout,
            tries=1,
            dictionary=load_dictionary(),
        )
    )
    if reply is None:
        if as_json:
            click.echo(json.dumps({"verdict": "no answer"}))
        could_not_run(f"no answer within {timeout:g} s: is the server running, and what does its log say?")
    verdict = {2: "accepted", 3: "rejected"}.get(reply.code, f"code {reply.code}")
    if as_json:
        click.echo(
            json.dumps({"verdict": verdict, "seconds": round(reply.seconds, 3), "reply": reply.attributes})
        )
    else:
        click.echo(f"{verdict} after {reply.seconds:.1f} s")
        for name, values in reply.attributes.items():
            for value in values:
                click.echo(f"  {name} = {value}")
    sys.exit(0 if reply.code == 2 else 1)
