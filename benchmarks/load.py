"""The compiled gateway of `load.c`: built once into a temporary folder, run as often as a measure likes."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SOURCE = Path(__file__).with_name("load.c")

Flood = Literal["right", "wrong-password", "wrong-seal", "garbage"]


class NoCompiler(Exception):
    """There is no `cc` here."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server on 127.0.0.1, and who it knows."""

    port: int
    secret: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What one run of the load met."""

    seconds: float
    begun: int
    sent: int
    """Packets, retransmissions among them."""
    accepts: int
    rejects: int
    others: int
    forged: int
    """Replies with a wrong seal."""
    again: int
    """Packets sent once more, because there was no answer in time."""
    lost: int
    """Requests that no try got an answer for."""
    p50_ms: float
    p99_ms: float
    most_ms: float
    cpu_seconds: float

    @property
    def replies(self) -> int:
        return self.accepts + self.rejects


class Load:
    """The program, compiled."""

    def __init__(self, program: Path) -> None:
        self._program = program

    @classmethod
    def build(cls, folder: Path) -> Load:
        compiler = shutil.which("cc")
        if compiler is None:
            raise NoCompiler("no `cc`: the load client of benchmarks/load.c can't be built (install gcc)")
        program = folder / "load"
        subprocess.run([compiler, "-O2", "-o", program, SOURCE, "-lm"], check=True)
        return cls(program)

    async def ask(
        self, target: Target, *, source: str, outstanding: int, seconds: float, patience: float = 1.0
    ) -> Tally:
        """So many requests in flight for so long; each is sent again every `patience` seconds, 5 times."""
        return await self._run(
            target, source, seconds, f"--outstanding={outstanding}", f"--patience={patience}"
        )

    @asynccontextmanager
    async def flooding(
        self, target: Target, flood: Flood, *, source: str, seconds: float
    ) -> AsyncIterator[asyncio.Task[Tally]]:
        """As many packets as the machine sends; the tally is there when the flood ends."""
        task = asyncio.create_task(self._run(target, source, seconds, f"--flood={flood}"), name=flood)
        try:
            yield task
        finally:
            await asyncio.wait({task})

    async def _run(self, target: Target, source: str, seconds: float, *more: str) -> Tally:
        process = await asyncio.create_subprocess_exec(
            self._program,
            f"--to={target.port}",
            f"--from={source}",
            f"--secret={target.secret}",
            f"--user={target.user}",
            f"--password={target.password}",
            f"--seconds={seconds}",
            *more,
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"the load client ended with {process.returncode}")
        return Tally(**json.loads(told))
