"""What lies on this machine: the store and its keys, the disk, the clock, the server, the certificates."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

from radius_push.doctor.certificates import look_at
from radius_push.doctor.finding import SECONDS, Finding
from radius_push.opening import keys_of
from radius_push.ports import Clock, DoorClosed, Store
from radius_push.settings.more_servers import served_as
from radius_push.shapes import Settings

LITTLE, TOO_LITTLE = 2**30, 100 * 2**20
"""Octets that are free where the store lies."""


def look_at_keys(settings: Settings) -> Finding:
    try:
        keys_of(settings, create=False)
    except DoorClosed as problem:
        return Finding("wrong", "keys", str(problem), "see docs/how-to/backup.md")
    return Finding("ok", "keys", f"all there beside {settings.store}, and for their owner alone")


def look_at_disk(settings: Settings) -> Finding:
    folder = Path(settings.store).absolute().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    says = f"{free / 2**20:.0f} MB free at {folder}"
    if free < TOO_LITTLE:
        return Finding("wrong", "disk", says, "make room: without it nobody is let in")
    if free < LITTLE:
        return Finding("warning", "disk", says, "make room, or keep evidence for less long: server.retention")
    return Finding("ok", "disk", says)


async def look_at_store(store: Store, *, path: str) -> Finding:
    """Can it be written now? Nothing is."""
    try:
        async with asyncio.timeout(SECONDS):
            await store.record()
    except TimeoutError:
        return Finding(
            "wrong", "store", f"{path} is locked for {SECONDS:g} s already", "who holds it? `fuser` tells"
        )
    except DoorClosed as problem:
        return Finding("wrong", "store", str(problem), "is the disk full, or read-only?")
    return Finding("ok", "store", f"{path} can be read and written")


def look_at_clock(store: Store) -> Finding:
    behind = store.clock_behind()
    if behind:
        return Finding(
            "wrong",
            "clock",
            f"{behind:.0f} s behind the latest evidence",
            "set it right (`timedatectl`). If it is right, start `serve` once with --trust-clock",
        )
    return Finding("ok", "clock", "not behind the evidence")


async def look_at_servers(store: Store, settings: Settings) -> list[Finding]:
    """Those that stand in the store, and whether they live."""
    started = await store.servers()
    if not started:
        mend = "`systemctl start radius-push`, or `radius-push serve`"
        return [Finding("warning", "server", "none runs on this store", mend)]
    return [_alive(name, process) for name, process in started.items()] + [
        Finding("warning", "server", f"{name} does not run", f"`radius-push serve --name {name}`")
        for name in settings.more_servers
        if name not in started
    ]


def _alive(name: str, process: int) -> Finding:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        says = f"{name} ended without a word: process {process} is gone"
        return Finding("wrong", "server", says, "start it again. Its log, or `journalctl`, says why it ended")
    except PermissionError:
        pass
    return Finding("ok", "server", f"{name} runs, process {process}")


def look_at_certificates(settings: Settings, *, clock: Clock) -> Iterator[Finding]:
    for about, listener in (("phones", settings.phone), ("portal", settings.portal)):
        if listener is None:
            continue
        found = look_at(
            listener,
            about=about,
            side="phone" if about == "phones" else "portal",
            now=clock.now(),
            trust=ssl.create_default_context,
        )
        if found is not None:
            yield found


def our_pages(settings: Settings) -> Iterator[tuple[str, str]]:
    """What browsers open, by the name of the side."""
    served = served_as(settings, settings.name)
    for about, listener in (("phones", served.phone), ("portal", served.portal)):
        if listener is not None:
            yield about, listener.url
