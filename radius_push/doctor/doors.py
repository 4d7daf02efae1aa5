"""The doors to Apple's and Google's push services, open for as long as they are tried."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from radius_push.doctor import Doors
from radius_push.ports import Clock
from radius_push.push.apns import ApnsDoor
from radius_push.push.fcm import FcmDoor
from radius_push.push_shapes import Push


@asynccontextmanager
async def open_doors(settings: Push, *, clock: Clock) -> AsyncIterator[Doors]:
    """They connect when they are asked, not before."""
    apns, fcm = ApnsDoor(settings, clock=clock), FcmDoor(settings, clock=clock)
    try:
        yield Doors(apns, fcm)
    finally:
        await apns.close()
        await fcm.close()
