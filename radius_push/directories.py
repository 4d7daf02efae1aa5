"""The open directories of a running server, and how other settings exchange them under held logins."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from radius_push.opening import open_directories, open_for_serving, what_a_directory_knows
from radius_push.ports import Clock, Directory
from radius_push.shapes import Settings

RETIREMENT = 60.0
"""Seconds until a directory that a reload replaced is closed."""


class Directories:
    """By authentication profile: `open`."""

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.open: dict[str, Directory] = open_directories(settings, clock=clock)
        self._retired: set[Directory] = set()
        self._retiring: set[asyncio.Task[None]] = set()

    def prepare(self, settings: Settings) -> dict[str, Directory]:
        """The open ones where nothing changed that they know of, new ones elsewhere: for `use` or `drop`."""
        made: dict[str, Directory] = {}
        for name in settings.authentication_profiles:
            same = what_a_directory_knows(self._settings, name) == what_a_directory_knows(settings, name)
            made[name] = (
                self.open[name]
                if same and name in self.open
                else open_for_serving(settings, name, clock=self._clock)
            )
        return made

    async def drop(self, prepared: Mapping[str, Directory]) -> None:
        """The new settings are not used after all."""
        for directory in set(prepared.values()) - set(self.open.values()):
            await directory.close()

    def use(self, settings: Settings, prepared: dict[str, Directory]) -> bool:
        """From now on. Those that are replaced are closed once nobody may still ask them. Were there any?"""
        replaced = {one for name, one in self.open.items() if prepared.get(name) is not one}
        self._settings, self.open = settings, prepared
        for directory in replaced:
            self._retire(directory)
        return bool(replaced)

    async def close(self) -> None:
        for task in self._retiring:
            task.cancel()
        for directory in (*self.open.values(), *self._retired):
            await directory.close()

    def _retire(self, directory: Directory) -> None:
        """Close it once the logins that may still ask it have gone on."""

        async def later() -> None:
            await asyncio.sleep(RETIREMENT)
            self._retired.discard(directory)
            await directory.close()

        self._retired.add(directory)
        task = asyncio.create_task(later(), name=f"retire {directory.name}")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)
