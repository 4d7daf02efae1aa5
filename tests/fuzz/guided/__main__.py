"""`make fuzz MINUTES=10`: every harness for its share of the time, and a table of what was done."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.guided.saved import saved
from tests.fuzz.guided.table import HARNESSES

KEPT = Path(".fuzz")
"""The grown corpus and what crashed: not in the repository."""
LONGEST = 4200
_DONE = re.compile(rb"^#(\d+)\s+DONE\s+cov: (\d+) ft: (\d+) corp: (\d+)", re.MULTILINE)
_NEW = re.compile(rb"^stat::new_units_added:\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """What one harness did."""

    name: str
    executions: int
    edges: int
    features: int
    corpus: int
    new_units: int
    seconds: float
    failed: bool


def main() -> int:
    arguments = _arguments()
    each = max(1, round(arguments.minutes * 60 / len(arguments.harnesses)))
    runs = []
    for name in arguments.harnesses:
        print(f"{name}: {each} s", flush=True)
        runs.append(_run(name, each))
    _print(runs)
    return int(any(run.failed for run in runs))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for all harnesses together")
    parser.add_argument("harnesses", nargs="*", default=list(HARNESSES), help=", ".join(HARNESSES))
    arguments = parser.parse_args()
    if unknown := set(arguments.harnesses) - set(HARNESSES):
        parser.error(f"no such harness: {', '.join(sorted(unknown))}")
    return arguments


def _run(name: str, seconds: int) -> Run:
    corpus, seeds, crashes = (KEPT / name / part for part in ("corpus", "seeds", "crashes"))
    shutil.rmtree(seeds, ignore_errors=True)
    for folder in (corpus, seeds, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    _write(seeds, [*HARNESSES[name].seeds(), *saved(name)])
    flags = [
        *(f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=10", "-rss_limit_mb=1024"),
        *("-print_final_stats=1", f"-artifact_prefix={crashes}/", str(corpus), str(seeds)),
    ]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.guided.one", name, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        at = done.stdout.find(b"=== Uncaught")
        sys.stdout.buffer.write(done.stdout[at:] if at >= 0 else done.stdout[-4000:])
        print(f"{name}: FAILED. The input lies in {crashes}; add it to regressions/{name}.hex with its mend.")
    return _read(name, done.stdout, time.monotonic() - began, failed=bool(done.returncode))


def _write(folder: Path, inputs: Iterable[bytes]) -> None:
    for number, octets in enumerate(inputs):
        (folder / f"{number:04}").write_bytes(octets)


def _read(name: str, told: bytes, seconds: float, *, failed: bool) -> Run:
    done, new = _DONE.search(told), _NEW.search(told)
    executions, edges, features, corpus = map(int, done.groups()) if done else (0, 0, 0, 0)
    new_units = int(new[1]) if new else 0
    return Run(name, executions, edges, features, corpus, new_units, seconds, failed)


def _print(runs: list[Run]) -> None:
    line = "{:<10} {:>12} {:>7} {:>9} {:>7} {:>6} {:>5}  {}"
    print(line.format("harness", "executions", "edges", "features", "corpus", "new", "s", ""))
    for run in runs:
        counts = (f"{run.executions:,}", run.edges, run.features, run.corpus, run.new_units)
        print(line.format(run.name, *counts, round(run.seconds), "FAILED" if run.failed else ""))
    executions, seconds = sum(run.executions for run in runs), sum(run.seconds for run in runs)
    failed = sum(run.failed for run in runs)
    print(f"{executions:,} executions in {seconds:.0f} s; {failed} of {len(runs)} harnesses failed")


if __name__ == "__main__":
    sys.exit(main())
