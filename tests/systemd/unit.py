"""The unit file, read as far as the tests need it."""

from __future__ import annotations

from pathlib import Path

UNIT = Path(__file__).parent.parent.parent / "systemd" / "radius-push.service"


def values(text: str, key: str) -> list[str]:
    """What each `KEY=` line says, in order."""
    lines = (line.strip() for line in text.splitlines())
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]
