"""What several verbs share: where the settings are, and how a verb says that it could not run."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from radius_push.ports import Clock, DoorClosed, Store
from radius_push.shapes import Settings

T = TypeVar("T")

DEFAULT = "/etc/radius-push/radius-push.yaml"

config_option = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT,
    show_default=True,
    help="The settings file.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON value a line, for programs.")


def load_settings(config: Path) -> Settings:
    """The checked settings; mistakes are printed and end the verb with exit code 2."""
    from radius_push.settings import SettingsError, load

    expect_readable(config)
    try:
        return load(config, environ=os.environ)
    except SettingsError as mistakes:
        could_not_run(str(mistakes))


def served_as(settings: Settings, name: str | None) -> Settings:
    """The settings of the server of that name, None the first; a wrong one ends the verb with exit code 2."""
    from radius_push.settings import more_servers

    try:
        return settings if name is None else more_servers.served_as(settings, name)
    except KeyError:
        known = ", ".join([settings.name, *settings.more_servers])
        could_not_run(f"{settings.file}: no server is called {name!r}; there are: {known}")


def with_store(config: Path, work: Callable[[Store, Clock], Awaitable[T]]) -> T:
    """Do `work` with the store of these settings. Without one nothing is made, and the verb says so."""
    from radius_push import server
    from radius_push.store.sqlite import SqliteStore

    file = Path(load_settings(config).store)
    if not file.exists():
        no_store(file)
    clock = server.LoopClock()

    async def run() -> T:
        store = SqliteStore.open(file, clock=clock, on_event=lambda _at, _event: None)
        try:
            return await work(store, clock)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except DoorClosed as problem:
        could_not_run(str(problem))


def expect_readable(config: Path) -> None:
    """End the verb with exit code 2 if there is no such file, or it is not for us to read."""
    try:
        with config.open("rb"):
            return
    except FileNotFoundError:
        if str(config) != DEFAULT:
            could_not_run(f"{config}: there is no such file")
        could_not_run(
            f"{DEFAULT} is not there. Name a file (`radius-push check FILE`, elsewhere --config FILE), "
            "or copy config/radius-push.yaml there"
        )
    except OSError as problem:
        could_not_run(f"{config} cannot be read: {(problem.strerror or 'unknown').lower()}")


def with_config(config: Path) -> str:
    """What a verb that is named to the admin needs after it, to mean the same file."""
    return "" if str(config) == DEFAULT else f" --config {shlex.quote(str(config))}"


def ask_password() -> str:
    """Typed, or one line on standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")


def no_store(file: Path) -> NoReturn:
    """A verb that needs what `serve` has made."""
    could_not_run(f"there is no store at {file} yet: `radius-push serve` makes it")


def could_not_run(why: str) -> NoReturn:
    click.echo(why, err=True)
    sys.exit(2)
