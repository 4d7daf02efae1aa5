"""Open files: how many this process may have, and how many of them phones may use up.

Every connection of a phone is one, and so is every connection to a directory: strangers must never have all.
"""

from __future__ import annotations

import contextlib
import logging
import resource
from dataclasses import replace

from radius_push.ports import DoorClosed
from radius_push.shapes import Limits
from radius_push.web.phone import PhoneLimits

logger = logging.getLogger("radius_push")

RESERVE = 512
"""For RADIUS, directories, push services, the store and the log."""
MOST = 65536


class TooFewFiles(DoorClosed):
    """Nothing would be left for phones."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"this process may open only {limit} files, and {RESERVE} of them are kept for everything but "
            "phones: raise its limit (`ulimit -n`, or LimitNOFILE of its service)"
        )


def raise_limit() -> int:
    """Take as many as the process may give itself, up to `MOST`; how many it may open now."""
    soft, hard = (
        MOST if n == resource.RLIM_INFINITY else n for n in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    if soft >= min(hard, MOST):
        return soft
    with contextlib.suppress(OSError, ValueError):  # then the phones have fewer
        _, kept = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, MOST), kept))
        return min(hard, MOST)
    return soft


def limits_for_phones(files: int) -> PhoneLimits:
    """What phones may use of so many open files. Raises TooFewFiles."""
    usual = PhoneLimits()
    if files - RESERVE < 1:
        raise TooFewFiles(files)
    if files - RESERVE >= usual.connections:
        return usual
    limits = usual.at_most(files - RESERVE)
    logger.warning(
        "phones may have %d connections at once, not %d: this process may open only %d files (`ulimit -n`), "
        "and %d are kept for RADIUS and the directories",
        limits.connections,
        usual.connections,
        files,
        RESERVE,
    )
    return limits


def limits_for_streams(files: int, limits: Limits, *, listeners: int) -> Limits:
    """What gateways' connections may use: half of what is not kept, over so many listeners. One client's
    share of them stays."""
    room = max((files - RESERVE) // 2 // max(listeners, 1), 1)
    if limits.connections <= room:
        return limits
    logger.warning(
        "server.limits.connections: %d at each listener, not %d: this process may open only %d files "
        "(`ulimit -n`)",
        room,
        limits.connections,
        files,
    )
    one_client = max(limits.connections_per_client * room // limits.connections, 1)
    return replace(limits, connections=room, connections_per_client=one_client)
