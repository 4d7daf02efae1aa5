"""What systemd is told: ready, stopping, still alive. Without systemd: nothing (sd_notify(3))."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping

from radius_push.ports import DoorClosed

logger = logging.getLogger("radius_push")


class Supervisor:
    """Whoever started us and wants to hear how we are; nobody, if `address` is None.

    `address`: of a datagram socket, a path or `@` and an abstract name. `interval`: seconds within which
    a sign of life is expected, None if none is.
    """

    def __init__(self, address: str | None, *, interval: float | None = None) -> None:
        self._address = address
        self.interval = interval
        self._status = ""

    @classmethod
    def of(cls, environ: Mapping[str, str], *, pid: int) -> Supervisor:
        """NOTIFY_SOCKET, and WATCHDOG_USEC unless WATCHDOG_PID says that it is meant for another process."""
        address = environ.get("NOTIFY_SOCKET", "")
        microseconds = environ.get("WATCHDOG_USEC", "")
        meant = environ.get("WATCHDOG_PID", str(pid)) == str(pid)
        watched = meant and microseconds.isascii() and microseconds.isdecimal() and int(microseconds) > 0
        return cls(
            address if address.startswith(("/", "@")) else None,
            interval=int(microseconds) / 1_000_000 if watched else None,
        )

    def ready(self, status: str) -> None:
        """Every door is open: what waits for this service may go on."""
        self._status = status
        self.tell("READY=1", f"STATUS={status}")

    def stopping(self) -> None:
        self.tell("STOPPING=1", "STATUS=draining")

    def tell(self, *lines: str) -> None:
        """Say these `NAME=VALUE` lines. That nobody hears them must not stop a login."""
        if self._address is None:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)
                line.sendto("\n".join(lines).encode(), address)
        except OSError as problem:
            logger.warning("systemd was not told %s: %s", lines[0], problem)

    async def reassure(self, answers: Callable[[], Awaitable[object]]) -> None:
        """For ever: a sign of life every half interval, as long as `answers` does what it says within the
        other half. It runs in the event loop, so its silence means that loop or store hang."""
        if self.interval is None:
            return
        half = self.interval / 2
        unwell = False
        while True:
            await asyncio.sleep(half)
            try:
                async with asyncio.timeout(half):
                    await answers()
            except (DoorClosed, TimeoutError) as problem:
                unwell = True
                why = str(problem) or f"nothing within {half:g} s"
                self.tell(f"STATUS=the store does not answer: {why}"[:200].replace("\n", " "))
                continue
            self.tell("WATCHDOG=1", *([f"STATUS={self._status}"] if unwell else []))
            unwell = False
