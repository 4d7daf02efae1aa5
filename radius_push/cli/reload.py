"""`radius-push reload`: let the running server serve by the settings file as it is now."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radius_push.cli.invitation import plain
from radius_push.cli.options import config_option, could_not_run, json_option

if TYPE_CHECKING:
    from radius_push.store.sqlite import SqliteStore

PATIENCE = 30.0
"""Seconds until the server must have said what it made of the file."""
LOOK_EVERY = 0.1


@click.command("reload")
@config_option
@json_option
def reload_settings(*, config: Path, as_json: bool) -> None:
    """Check the file, signal the server, wait until it serves by it, and say what changed.

    Exit code 1: the file has mistakes, or wants what only a restart can do; then nothing has changed.
    """
    from radius_push.server import LoopClock
    from radius_push.settings import SettingsError, load
    from radius_push.store.sqlite import SqliteStore

    try:
        settings = load(config, environ=os.environ)
    except SettingsError as mistakes:
        tell(False, [str(mistake) for mistake in mistakes.mistakes], as_json=as_json)
        sys.exit(1)
    file = Path(settings.store)
    if not file.exists():
        could_not_run(f"there is no store at {file}: no server runs by these settings")

    owner = file.stat().st_uid

    async def run() -> bool:
        store = SqliteStore.open(file, clock=LoopClock(), on_event=lambda _at, _event: None)
        try:
            good, lines = await signal_and_wait(store, owner=owner)
        finally:
            await store.close()
        tell(good, lines, as_json=as_json)
        return good

    sys.exit(0 if asyncio.run(run()) else 1)


async def signal_and_wait(store: SqliteStore, *, owner: int) -> tuple[bool, list[str]]:
    last, process = 0, None
    async for number, _, kind, body in store.evidence():
        last = number
        if kind in ("server_started", "server_stopped"):
            process = body.get("pid")
    if not isinstance(process, int):
        could_not_run("no server runs on this store")
    try:
        # What holds this number is looked at and signalled as one and the same process.
        handle = os.pidfd_open(process)
        if not serves(process, owner=owner):
            could_not_run("no server runs on this store")
        signal.pidfd_send_signal(handle, signal.SIGHUP)
    except ProcessLookupError:
        could_not_run("no server runs on this store")
    except PermissionError:
        could_not_run(f"process {process} belongs to another user: run this as root, or as that user")
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                async for _, _, kind, body in store.evidence(after=last):
                    if kind == "settings_loaded":
                        return True, as_lines(body.get("changes"))
                    if kind == "settings_refused":
                        return False, as_lines(body.get("mistakes"))
                await asyncio.sleep(LOOK_EVERY)
    except TimeoutError:
        could_not_run(f"process {process} did not say within {PATIENCE:g} s what it made of the file")


def as_lines(value: object) -> list[str]:
    """What the server wrote, fit for a terminal."""
    return [plain(str(each)) for each in value] if isinstance(value, list | tuple) else []


def serves(process: int, *, owner: int) -> bool:
    """Is this process id a radius-push server of the store's owner? A signal to anything else could end it,
    and the number stands in a file that the owner may write."""
    try:
        if Path(f"/proc/{process}").stat().st_uid != owner:
            return False
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"serve" in words and any(b"radius-push" in word or b"radius_push" in word for word in words)


def tell(good: bool, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"reloaded": good, "changes" if good else "mistakes": lines}))
    elif good:
        click.echo("\n".join(["The server serves by these settings now.", *(lines or ["Nothing changed."])]))
    else:
        click.echo("\n".join([*lines, "Nothing changed: the server serves by the settings it had."]))
