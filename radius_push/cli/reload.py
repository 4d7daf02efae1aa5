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

from radius_push import events
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
            good, lines = in_words(await signal_and_wait(store, owner=owner))
        finally:
            await store.close()
        tell(good, lines, as_json=as_json)
        return good

    sys.exit(0 if asyncio.run(run()) else 1)


Said = dict[str, tuple[bool, list[str]]]
"""What each server made of the file: taken or not, and the lines it said."""


async def signal_and_wait(store: SqliteStore, *, owner: int) -> Said:
    """Of every server that runs on this store."""
    before = await store.evidence_before(None, kinds=events.kinds(), most=1)
    last = before[0][0] if before else 0
    asked = [name for name, process in (await store.servers()).items() if signalled(process, owner=owner)]
    if not asked:
        could_not_run("no server runs on this store")
    said: Said = {}
    try:
        async with asyncio.timeout(PATIENCE):
            while len(said) < len(asked):
                async for number, _, kind, body in store.evidence(after=last):
                    last, server = number, str(body.get("server"))
                    if kind == "settings_loaded":
                        said.setdefault(server, (True, as_lines(body.get("changes"))))
                    elif kind == "settings_refused":
                        said.setdefault(server, (False, as_lines(body.get("mistakes"))))
                await asyncio.sleep(LOOK_EVERY)
    except TimeoutError:
        silent = ", ".join(name for name in asked if name not in said)
        could_not_run(
            f"did not say within {PATIENCE:g} s what it made of the file: the server {plain(silent)}"
        )
    return said


def signalled(process: int, *, owner: int) -> bool:
    """False: no server of this store runs there."""
    try:
        # What holds this number is looked at and signalled as one and the same process.
        handle = os.pidfd_open(process)
        if not serves(process, owner=owner):
            not_its_own(process, owner=owner)
            return False
        signal.pidfd_send_signal(handle, signal.SIGHUP)
    except ProcessLookupError:
        return False
    except PermissionError:
        could_not_run(f"process {process} belongs to another user: run this as root, or as that user")
    return True


def in_words(said: Said) -> tuple[bool, list[str]]:
    """Of all of them as of one; where they differ, each line with its server's name."""
    good = all(taken for taken, _ in said.values())
    told = [lines for taken, lines in said.values() if taken == good]
    if all(lines == told[0] for lines in told) and len(told) == len(said):
        return good, told[0]
    return good, [
        f"{plain(name)}: {line}"
        for name, (taken, lines) in said.items()
        for line in (lines if taken == good else ["serves by the new settings"])
    ]


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


def not_its_own(process: int, *, owner: int) -> None:
    """Ends the verb if a server runs there as another user than owns the store: as root, after `setup`."""
    try:
        runs_as = Path(f"/proc/{process}").stat().st_uid
    except OSError:
        return
    if runs_as != owner and serves(process, owner=runs_as):
        could_not_run(
            f"the server (process {process}) runs as user id {runs_as}, and its store belongs to user id "
            f"{owner}, which it should run as. If it is yours: `kill -HUP {process}` does the same, and its "
            "log says what changed"
        )


def tell(good: bool, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"reloaded": good, "changes" if good else "mistakes": lines}))
    elif good:
        click.echo("\n".join(["The server serves by these settings now.", *(lines or ["Nothing changed."])]))
    else:
        click.echo("\n".join([*lines, "Nothing changed: the server serves by the settings it had."]))
