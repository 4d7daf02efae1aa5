"""The other end of NOTIFY_SOCKET: a real datagram socket that a test reads, as systemd does."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path


class Hearing:
    def __init__(self, line: socket.socket, address: str) -> None:
        self._line = line
        self.address = address
        """As NOTIFY_SOCKET says it."""

    async def next(self) -> dict[str, str]:
        """The next datagram, as soon as there is one."""
        return _fields(await asyncio.get_running_loop().sock_recv(self._line, 4096))

    def heard(self) -> list[dict[str, str]]:
        """All that has come and was not read."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(_fields(self._line.recv(4096)))
        return found

    async def until(self, name: str) -> dict[str, str]:
        """The next datagram that holds this name."""
        while name not in (told := await self.next()):
            pass
        return told


@contextlib.contextmanager
def hearing(folder: Path | None) -> Iterator[Hearing]:
    """A socket in `folder`, or without one in the abstract namespace."""
    abstract = folder is None
    name = f"radius-push-test-{secrets.token_hex(8)}" if folder is None else str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.setblocking(False)
        line.bind(f"\0{name}" if abstract else name)
        yield Hearing(line, f"@{name}" if abstract else name)


def _fields(datagram: bytes) -> dict[str, str]:
    return dict(line.split("=", 1) for line in datagram.decode().splitlines())
