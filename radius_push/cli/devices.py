"""`radius-push devices`: which phones are trusted, what they are called, and how one stops to be."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from radius_push.cli.biometrics import confirm_biometrics, forget, in_a_word, waits
from radius_push.cli.columns import Columns, day_and_time
from radius_push.cli.enroll import issuer
from radius_push.cli.invitation import plain
from radius_push.cli.options import config_option, json_option, with_store
from radius_push.enrollment import clean_name
from radius_push.events import DeviceRemoved, DeviceRenamed
from radius_push.model import Device, DeviceState
from radius_push.ports import Clock, Store
from radius_push.waking import Channel, PushReach, Speed

HEADINGS = (
    "ID", "USER", "PERSON", "PHONE", "STATE", "SINCE", "BIOMETRICS", "ANSWERED", "PUSH", "SEEN",
    "RING", "RECEIPT",
)  # fmt: skip
"""The last two are for people: JSON has `speed` instead."""

SHORTEST_PREFIX = 4
"""So many characters of an id may stand for it, if no other id begins so."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the words of the verb ask for: `USER`, nothing, `remove ID`, `rename ID NAME`, `confirm ID...`, or
    `forget-biometrics ID`."""

    user: str | None = None
    remove: str | None = None
    confirm: tuple[str, ...] = ()
    forget: str | None = None
    rename: tuple[str, str] | None = None

    @classmethod
    def parse(cls, words: Sequence[str]) -> Wanted:
        match list(words):
            case []:
                return cls()
            case ["remove"]:
                raise click.UsageError("which phone? `devices` shows the ids, then `devices remove ID`")
            case ["remove", id]:
                return cls(remove=id)
            case ["forget-biometrics", id]:
                return cls(forget=id)
            case ["rename", id, *named] if named:
                return cls(rename=(id, " ".join(named)))
            case ["rename", *_]:
                raise click.UsageError("which phone, and what is its name? `devices rename ID NAME`")
            case ["confirm", id, *others]:
                return cls(confirm=(id, *others))
            case [user] if not user.startswith("-"):
                return cls(user=user)
        raise click.UsageError(
            "either `devices`, `devices USER`, `devices remove ID`, `devices rename ID NAME`, "
            "`devices confirm ID...` or `devices forget-biometrics ID`"
        )


# An id may begin with a dash, and is no option then.
@click.command(
    options_metavar="[OPTIONS] [USER | remove ID | rename ID NAME | confirm ID... | forget-biometrics ID]",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("words", nargs=-1, metavar="")
@config_option
@json_option
def devices(*, words: tuple[str, ...], config: Path, as_json: bool) -> None:
    """List the phones (of USER), or remove the one whose ID begins so: it can answer no more from then on.
    `rename` gives it another name. After a restore `confirm` trusts those with these IDs again; of a phone
    whose new fingerprint or face waits it asks for the six digits that the phone shows. `forget-biometrics`
    takes them away."""
    wanted = Wanted.parse(words)
    digits: list[Device] = []

    async def work(store: Store, clock: Clock) -> bool:
        if wanted.remove is not None:
            return await _remove(store, wanted.remove, at=clock.now(), as_json=as_json)
        if wanted.rename is not None:
            return await _rename(store, *wanted.rename, at=clock.now(), as_json=as_json)
        if wanted.confirm:
            good, asks = await _confirm(store, wanted.confirm, at=clock.now(), as_json=as_json)
            digits.extend(asks)
            return good
        if wanted.forget is not None:
            return await forget(store, await device_by(store, wanted.forget), at=clock.now(), as_json=as_json)
        return await _list(store, wanted.user, as_json=as_json)

    good = with_store(config, work)
    for device in digits:
        good &= confirm_biometrics(config, device, as_json=as_json)
    sys.exit(0 if good else 1)


async def _list(store: Store, user: str | None, *, as_json: bool) -> bool:
    found = [device for device in await store.devices() if user is None or is_of(device, user)]
    answered = await store.last_answers()
    reach = await store.push_reach()
    known = await store.biometrics()
    speeds = await store.push_speed()
    rows = [
        (
            *_cells(device),
            in_a_word(known.get(device.id)),
            day_and_time(answered.get(device.id)),
            *_pushed(reach.get(device.id)),
            *_seconds(speeds.get(device.id, {})),
        )
        for device in found
    ]
    if as_json:
        for device, row in zip(found, rows, strict=True):
            told = dict(zip(map(str.lower, HEADINGS[:-2]), row[:-2], strict=True))
            numbers = {channel: asdict(each) for channel, each in speeds.get(device.id, {}).items()}
            click.echo(json.dumps({**told, "speed": numbers}))
    elif found:
        click.echo(Columns(HEADINGS, rows).table())
    else:
        click.echo("No phones." if user is None else f"No phones of {plain(user)}.")
    return True


async def _remove(store: Store, typed: str, *, at: float, as_json: bool) -> bool:
    device = await device_by(store, typed)
    removed = device is not None and await store.remove_device(
        device.id, at=at, event=DeviceRemoved(str(device.person), device.id, by=issuer())
    )
    if as_json:
        click.echo(json.dumps({"removed": removed, "device": device.id if device else typed}))
    elif device is None or not removed:
        click.echo(
            f"There is no phone with the id {plain(typed)}: see `radius-push devices`.{_hint(typed)}",
            err=True,
        )
    else:
        click.echo(f"Removed {plain(device.name)!r} of {plain(device.username)}: it can answer no more.")
    return removed


async def _rename(store: Store, typed: str, name: str, *, at: float, as_json: bool) -> bool:
    """Also true of a phone that is called so already."""
    device, name = await device_by(store, typed), clean_name(name)
    if device is None or device.state is DeviceState.REMOVED:
        if as_json:
            click.echo(json.dumps({"renamed": False, "device": typed}))
        else:
            click.echo(
                f"There is no phone with the id {plain(typed)}: see `radius-push devices`.{_hint(typed)}",
                err=True,
            )
        return False
    event = DeviceRenamed(str(device.person), device.id, name, by=issuer())
    await store.rename_device(device.id, name=name, person=None, at=at, event=event)
    if as_json:
        click.echo(json.dumps({"renamed": True, "device": device.id, "name": name}))
    else:
        click.echo(f"{plain(device.name)!r} of {plain(device.username)} is called {plain(name)!r} now.")
    return True


async def device_by(store: Store, typed: str) -> Device | None:
    """The phone with this id, or the only one whose id begins so."""
    if (found := await store.device(typed)) is not None:
        return found
    if len(typed) < SHORTEST_PREFIX:
        return None
    fits = [device for device in await store.devices() if device.id.startswith(typed)]
    if len(fits) > 1:
        raise click.UsageError(f"{len(fits)} phones have an id that begins with {plain(typed)}: type more")
    return fits[0] if fits else None


def _hint(typed: str) -> str:
    short = len(typed) < SHORTEST_PREFIX
    return f" The beginning of an id takes at least {SHORTEST_PREFIX} characters." if short else ""


async def _confirm(
    store: Store, ids: Sequence[str], *, at: float, as_json: bool
) -> tuple[bool, list[Device]]:
    """Those that wait since a restore, at once; and the phones whose six digits are to be asked for."""
    asks: list[Device] = []
    good = True
    for id in ids:
        device = await device_by(store, id)
        if device is not None and await waits(store, device):
            asks.append(device)
            continue
        confirmed = device is not None and await store.confirm_restored(device.id, by=issuer(), at=at)
        if as_json:
            click.echo(json.dumps({"confirmed": confirmed, "device": id if device is None else device.id}))
        elif device is None or not confirmed:
            click.echo(
                f"No phone with the id {plain(id)} waits since a restore, or with a new fingerprint or face."
                f"{'' if device else _hint(id)}",
                err=True,
            )
        else:
            click.echo(f"Confirmed {plain(device.name)!r} of {plain(device.username)}.")
        good &= confirmed
    return good, asks


def _pushed(reach: PushReach | None) -> tuple[str | None, str | None]:
    """By which push service it is rung, or since when no more; and when a push reached it last."""
    if reach is None:
        return None, None
    services = list(reach.services)
    if not services and reach.gone_at is not None:
        services.append(f"gone since {day_and_time(reach.gone_at)}")
    elif services:
        services += [f"{channel} gone" for channel in reach.gone if channel not in reach.channels]
    return ", ".join(services) or None, day_and_time(reach.seen_at)


def _seconds(speeds: Mapping[Channel, Speed]) -> tuple[str | None, str | None]:
    """Medians: until the push service was asked, and from there until the device said that it has come."""
    names = {channel: f"{channel} " if len(speeds) > 1 else "" for channel in speeds}

    def cell(values: Mapping[Channel, int | None]) -> str | None:
        said = (
            f"{names[each]}{ms / 1000:.{1 if ms >= 1000 else 2}f} s"
            for each, ms in values.items()
            if ms is not None
        )
        return ", ".join(said) or None

    return (
        cell({channel: each.ring for channel, each in speeds.items()}),
        cell({channel: each.receipt for channel, each in speeds.items()}),
    )


def is_of(device: Device, user: str) -> bool:
    return user.casefold() in (device.username.casefold(), str(device.person).casefold())


def _cells(device: Device) -> tuple[str | None, ...]:
    return (
        device.id,
        device.username,
        str(device.person),
        device.name,
        device.state.value,
        day_and_time(device.created_at),
    )
