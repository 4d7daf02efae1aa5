"""What was worth keeping: inputs that once broke a promise, and the smallest ones that reach far."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "regressions"


def saved(name: str) -> list[bytes]:
    """The inputs of one harness: a line of hexadecimal digits each; `#` begins a remark."""
    path = FOLDER / f"{name}.hex"
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    return [bytes.fromhex(line.partition("#")[0]) for line in lines if not line.startswith("#")]
