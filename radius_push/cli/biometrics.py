"""The fingerprints and faces of phones at a terminal: which phone has one, its code, and its end."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from radius_push.cli.enroll import issuer
from radius_push.cli.invitation import ask_digits, plain
from radius_push.cli.options import with_store
from radius_push.enrollment import TRIES, confirm_credential
from radius_push.model import Biometrics, Device, DeviceState
from radius_push.phone_store import Confirmation
from radius_push.ports import Clock, Store

_WORDS: dict[Confirmation, str] = {
    "given_up": "Too many wrong codes: it was given up. The person sets it up again in the app.",
    "not_pending": "It no longer waits: the phone was removed, or its person set up another one or none.",
}


def in_a_word(known: Biometrics | None) -> str | None:
    """`on`, `on (synced)`, `waits`, or both; None: none."""
    if known is None:
        return None
    active = known.active and ("on (synced)" if known.active.synced else "on")
    return ", ".join(word for word in (active, known.waiting and "waits") if word)


async def waits(store: Store, device: Device) -> bool:
    """Is it an active phone whose new fingerprint or face waits for its code?"""
    return device.state is DeviceState.ACTIVE and (await store.biometrics_of(device.id)).waiting is not None


def confirm_biometrics(config: Path, device: Device, *, as_json: bool) -> bool:
    """Ask for the six digits that the phone shows, until they are right or too often wrong. Who is asked may
    leave at any time: the store is open only while it is needed."""
    whose = f"{plain(device.name)!r} of {plain(device.username)}"
    click.echo(f"{whose} has a new fingerprint or face.", err=as_json)
    tries = TRIES
    while True:
        word = with_store(config, _typed(device, ask_digits(err=as_json)))
        if word != "wrong":
            break
        tries -= 1
        click.echo(f"That is not what the phone shows. Tries left: {tries}", err=as_json)
    confirmed = word == "confirmed"
    if as_json:
        click.echo(json.dumps({"confirmed": confirmed, "device": device.id}))
    else:
        click.echo(f"Confirmed the fingerprint or face of {whose}." if confirmed else _WORDS[word])
    return confirmed


def _typed(device: Device, digits: str) -> Callable[[Store, Clock], Awaitable[Confirmation]]:
    async def work(store: Store, clock: Clock) -> Confirmation:
        return await confirm_credential(store, device.id, digits, by=issuer(), now=clock.now())

    return work


async def forget(store: Store, device: Device | None, *, at: float, as_json: bool) -> bool:
    forgotten = device is not None and await store.forget_credentials(device.id, by=issuer(), at=at)
    if as_json:
        click.echo(json.dumps({"forgotten": forgotten, "device": device and device.id}))
    elif device is None or not forgotten:
        click.echo("No such phone has a fingerprint or face: see `radius-push devices`.", err=True)
    else:
        click.echo(f"{plain(device.name)!r} of {plain(device.username)} has no fingerprint or face any more.")
    return forgotten
