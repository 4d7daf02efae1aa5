"""A server as a process: started, told to reload or to stop by signals, and watched by systemd."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

from radius_push import events
from radius_push.hush import place_of
from radius_push.observe.systemd import Supervisor
from radius_push.ports import DoorClosed, StoreDown
from radius_push.server import NeedsRestart, Server
from radius_push.settings import SettingsError, load
from radius_push.settings.more_servers import served_as
from radius_push.shapes import Settings

logger = logging.getLogger("radius_push")

MOST_MISTAKES = 50
"""Of a refused file in the evidence; `check` says all."""


async def serve(settings: Settings, *, forget_phones: bool = False, trust_clock: bool = False) -> None:
    """Run until SIGTERM or SIGINT; systemd, if it started us, hears how we are."""
    supervisor = Supervisor.of(os.environ, pid=os.getpid())
    server = Server(settings)
    stop = asyncio.Event()
    loop, hang_up = asyncio.get_running_loop(), asyncio.Event()
    # Before the start: a SIGHUP that comes while it lasts would end the process.
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    loop.add_signal_handler(signal.SIGHUP, hang_up.set)
    await server.start(forget_phones=forget_phones, trust_clock=trust_clock)
    radius = listening(server)
    phone = f"; phones at {settings.phone.url}" if settings.phone and settings.phone.endpoint else ""
    phone += f"; the portal at {settings.portal.url}" if settings.portal else ""
    logger.info("ready: RADIUS authentication on %s%s", radius, phone)
    supervisor.ready(f"RADIUS authentication on {radius}{phone}")
    held = 0
    try:
        watch = asyncio.create_task(server.broken(), name="watch the listeners")
        alive = asyncio.create_task(supervisor.reassure(server.answers), name="signs of life for systemd")
        stopping = asyncio.create_task(stop.wait(), name="wait for a signal")
        reloading = asyncio.create_task(reload_at(hang_up, server), name="reload at SIGHUP")
        await asyncio.wait({watch, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            watch.result()
    finally:
        supervisor.stopping()
        for task in (watch, alive, stopping, reloading):
            task.cancel()
        held = await server.stop()
    logger.info("stopped; %d held logins got no answer", held)


def listening(server: Server) -> str:
    """`127.0.0.1 port 1812; RadSec on 0.0.0.0 port 2083`."""
    ways = {
        "": server.authentication,
        "accounting on ": server.accounting,
        "TCP on ": server.tcp,
        "RadSec on ": server.radsec,
    }
    return "; ".join(
        way + ", ".join(f"{host} port {port}" for host, port in addresses)
        for way, addresses in ways.items()
        if addresses
    )


async def reload_at(hang_up: asyncio.Event, server: Server) -> None:
    """At each SIGHUP read the settings file again; one with mistakes changes nothing."""
    while True:
        await hang_up.wait()
        hang_up.clear()
        try:
            settings = await asyncio.to_thread(load, Path(server.settings.file), environ=os.environ)
            await server.reload(mine(settings, server.settings.name))
            for warning in settings.warnings:
                logger.warning("%s", warning)
        except SettingsError as wrong:
            await note_refusal(server, tuple(str(mistake) for mistake in wrong.mistakes[:MOST_MISTAKES]))
        except (NeedsRestart, DoorClosed, OSError) as problem:
            await note_refusal(server, (str(problem),))
        except Exception as fault:  # noqa: BLE001 - a fault of ours must not end reloading for good
            logger.error("reloading failed: %s at %s", type(fault).__name__, place_of(fault))
            await note_refusal(server, (f"a fault of radius-push: {type(fault).__name__}",))


def mine(settings: Settings, name: str) -> Settings:
    """What the file now says of this server. Raises NeedsRestart if it does not name it any more."""
    try:
        return served_as(settings, name)
    except KeyError:
        raise NeedsRestart((f"server.more_servers.{name}",)) from None


async def note_refusal(server: Server, mistakes: tuple[str, ...]) -> None:
    try:
        await server.store.record(events.SettingsRefused(mistakes, server.settings.name))
    except StoreDown as problem:
        logger.error("the settings were not reloaded, and that could not be noted: %s", problem)
