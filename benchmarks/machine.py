"""The machine in one line, and how busy a process keeps it."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from pathlib import Path


def line(folder: Path) -> str:
    """What the figures were measured on; `folder` is where the store lies."""
    return ", ".join(
        (
            _processor(),
            f"{len(os.sched_getaffinity(0))} cores",
            f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
            f"Linux {platform.release().split('-')[0]}",
            f"Python {platform.python_version()}",
            f"fsync {_fsync_seconds(folder) * 1000:.2f} ms",
            f"load average before {os.getloadavg()[0]:.1f}",
        )
    )


def memory(pid: int) -> int:
    """Resident octets."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def processor_seconds(pid: int) -> float:
    """User and system time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    for row in Path("/proc/cpuinfo").read_text().splitlines():
        if row.startswith("model name"):
            return row.partition(":")[2].strip()
    return platform.machine()


def _fsync_seconds(folder: Path) -> float:
    """The median of fifty: what each commit waits for."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took)
