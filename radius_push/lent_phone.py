"""A phone in software that somebody has for the time of a play, and not a moment longer."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from radius_push import enrollment
from radius_push.events import DeviceRemoved
from radius_push.model import Person, Secret
from radius_push.ports import Clock, DoorClosed, Store
from radius_push.test_phone import SoftwarePhone

LIFETIME = 60.0
"""Seconds in which it must have come. It comes at once."""


@asynccontextmanager
async def lent_phone(
    store: Store,
    person: Person,
    *,
    url: str,
    name: str,
    pepper: Secret,
    clock: Clock,
    by: str,
    ca_file: str | None = None,
) -> AsyncIterator[SoftwarePhone]:
    """Enrol it through the running server, trust it, and remove it at the end, however that comes. All of it
    is evidence.

    Raises DoorClosed if phones know another address, or this one was not trusted; PhoneRefused; Unreachable.
    """
    kept = await store.phone_origin()
    if kept not in (None, url):
        raise DoorClosed(f"phones were enrolled at {kept}, and the settings say {url}")
    shown = await enrollment.invite(
        store,
        person=person,
        lifetime=LIFETIME,
        pepper=pepper,
        by=by,
        now=clock.now(),
        token=secrets.token_bytes(16),
        code_octets=secrets.token_bytes(5),
    )
    async with await SoftwarePhone.enrol(enrollment.link(url, shown), name=name, ca_file=ca_file) as phone:
        try:
            code = phone.confirmation_code
            word = await enrollment.confirm(store, shown.invitation, code, by=by, now=clock.now())
            if word != "confirmed":
                raise DoorClosed(f"the phone that was to play along was not trusted: {word}")
            yield phone
        finally:
            device = phone.enrolled.device
            removed = DeviceRemoved(str(person.key), device, by=by)
            await store.remove_device(device, at=clock.now(), event=removed)
