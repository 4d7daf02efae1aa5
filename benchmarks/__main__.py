"""`make bench`: what one radius-push does on this machine, as a table.

    .venv/bin/python -m benchmarks            about 5 minutes
    .venv/bin/python -m benchmarks --quick    a minute, smaller crowds

The server is `radius-push serve`, a process of its own; this process is gateways and phones. Exit code 1 if
any login ended otherwise than it must.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import uvloop

from benchmarks import machine
from benchmarks.floods import floods
from benchmarks.load import Load, NoCompiler
from benchmarks.measures import NotAsItMustBe, Row, codec, held, password_alone, whole_logins
from benchmarks.people import until_people_see
from benchmarks.pushes import pushes
from benchmarks.rivals import beside_freeradius
from benchmarks.site import OPEN_FILES, site
from radius_push.radius.dictionary_files import load_dictionary


async def play(folder: Path, *, quick: bool) -> AsyncIterator[Row]:
    dictionary = load_dictionary()
    small, large = (300, 600) if quick else (1000, 5000)
    seconds = 3.0 if quick else 10.0
    yield codec(dictionary, seconds=seconds / 3)
    load = Load.build(folder)
    async for row in beside_freeradius(_new(folder, "rivals"), load, seconds=seconds / 2):
        yield row
    async for row in floods(_new(folder, "floods"), load, seconds=seconds / 2):
        yield row
    async with site(_new(folder, "rates"), people=small) as there:
        yield await password_alone(there, dictionary, people=128, seconds=seconds)
        yield await whole_logins(there, dictionary, people=128, seconds=seconds)
    async for row in until_people_see(_new(folder, "people"), dictionary, logins=20 if quick else 100):
        yield row
    async for row in pushes(_new(folder, "pushes"), count=100 if quick else 500):
        yield row
    for count, streams, approvals in ((small, True, 100.0), (large, False, 200.0)):
        # Each a server of its own, so that its memory tells of these held logins alone.
        async with site(_new(folder, f"{count} held"), people=count) as there:
            async for row in held(there, dictionary, count=count, streams=streams, approvals=approvals):
                yield row


def _new(folder: Path, name: str) -> Path:
    place = folder / name
    place.mkdir()
    return place


async def show(folder: Path, *, quick: bool) -> None:
    print(f"{machine.line(folder)}\n\n| what | figure | how |\n| --- | --- | --- |", flush=True)
    async for row in play(folder, quick=quick):
        print(f"| {row.what} | {row.figure} | {row.how} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What radius-push does here.")
    parser.add_argument("--quick", action="store_true", help="a minute, smaller crowds")
    parser.add_argument(
        "--folder", type=Path, help="where the store is to lie; default: the temporary folder"
    )
    words = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    began, failed = time.perf_counter(), 0
    with tempfile.TemporaryDirectory(prefix="radius-push-bench-", dir=words.folder) as folder:
        try:
            uvloop.run(show(Path(folder), quick=words.quick))
        except* (NotAsItMustBe, NoCompiler) as wrong:
            print(f"\nNo figure counts: {wrong.exceptions[0]}", file=sys.stderr)
            failed = 1
    print(
        f"\nIn {time.perf_counter() - began:.0f} s. Passwords cost next to nothing here (argon2's cheapest)."
    )
    return failed


if __name__ == "__main__":
    sys.exit(main())
