"""Everything that has to hold so that a login works, looked at and tried: what is wrong, and its mend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from radius_push.doctor import at_home
from radius_push.doctor.apps import ApnsTry, FcmTry, try_apns, try_fcm
from radius_push.doctor.finding import SECONDS, Finding
from radius_push.doctor.network import HERE, Line, lines_of
from radius_push.doctor.reaching import LookUp, look_up, try_line
from radius_push.inspection import inspect, look_at_places
from radius_push.model import Secret
from radius_push.ports import Clock, DoorClosed, Store
from radius_push.settings import Checked
from radius_push.shapes import Settings
from radius_push.store.sqlite import SqliteStore
from radius_push.waking import AppAddress, BrowserAddress, PushAddress

if TYPE_CHECKING:
    from radius_push.inspection import Said

__all__ = ["Doors", "Finding", "Line", "Patient", "examine", "lines_of"]


@dataclass(frozen=True, slots=True)
class Doors:
    """To the push services of apps; None: not set up."""

    apns: ApnsTry | None = None
    fcm: FcmTry | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """Which phone is tried."""

    device: str | None = None
    """Its id: the addresses that are kept of it."""
    apns_token: Secret | None = None
    """In place of a kept one."""


async def examine(
    checked: Checked,
    *,
    clock: Clock,
    doors: Doors,
    patient: Patient = Patient(),
    look_up: LookUp = look_up,
) -> list[Finding]:
    """All at once, each for `SECONDS` at most. Never raises for what is wrong."""
    settings = checked.settings
    found = [Finding("warning", "settings", each) for each in settings.warnings]
    found = found or [Finding("ok", "settings", f"{settings.file}: good")]
    async with _store_of(settings, clock=clock, found=found) as store:
        addresses = [] if store is None else await _addresses(store)
        home, said, lines, apps = await asyncio.gather(
            _home(settings, store, clock=clock),
            _bounded(inspect(checked, clock=clock)),
            _lines(settings, addresses, look_up),
            _apps(settings, doors, patient, addresses),
        )
    return [*found, *home, *_places(checked, clock=clock), *said, *lines, *apps]


@asynccontextmanager
async def _store_of(
    settings: Settings, *, clock: Clock, found: list[Finding]
) -> AsyncIterator[SqliteStore | None]:
    path = Path(settings.store)
    try:
        if not await asyncio.to_thread(path.exists):
            found.append(
                Finding("warning", "store", f"{path} is not there yet", "`radius-push serve` makes it")
            )
            yield None
            return
        store = SqliteStore.open(path, clock=clock, on_event=lambda _at, _event: None)
    except DoorClosed as problem:
        found.append(Finding("wrong", "store", str(problem), "see docs/how-to/backup.md"))
        yield None
        return
    except PermissionError:
        found.append(
            Finding("wrong", "store", f"{path} is not for us to read", "run this as root, or as its owner")
        )
        yield None
        return
    try:
        yield store
    finally:
        await store.close()


async def _home(settings: Settings, store: Store | None, *, clock: Clock) -> list[Finding]:
    found = [at_home.look_at_disk(settings)]
    if store is not None:
        found.append(await at_home.look_at_store(store, path=settings.store))
        found.append(at_home.look_at_clock(store))
        found.append(at_home.look_at_keys(settings))
        found += await at_home.look_at_servers(store, settings)
    return [*found, *at_home.look_at_certificates(settings, clock=clock)]


async def _bounded(asking: Awaitable[tuple[Said, ...]]) -> list[Finding]:
    """What `check --online` says."""
    words = {"good": "ok", "look": "warning", "bad": "wrong"}
    try:
        async with asyncio.timeout(2 * SECONDS):
            said = await asking
    except TimeoutError:
        return [Finding("wrong", "directories", "did not answer in time", "see the lines of the network")]
    return [
        Finding("ok" if word == "ok" else "warning" if word == "warning" else "wrong", "online", each.line)
        for each in said
        for word in (words[each.what],)
    ]


def _places(checked: Checked, *, clock: Clock) -> list[Finding]:
    said = look_at_places(checked, now=clock.now())
    if said is None:
        return []
    return [Finding("ok" if said.what == "good" else "warning", "places", said.line)]


# --- the network -----------------------------------------------------------------------------------------


async def _lines(settings: Settings, addresses: Iterable[PushAddress], look_up: LookUp) -> list[Finding]:
    hosts = {str(urlsplit(each.endpoint).hostname) for each in addresses if isinstance(each, BrowserAddress)}
    proxy = settings.push.proxy
    tries: list[Awaitable[Finding]] = []
    for line in lines_of(settings):
        if line.direction == "in":
            continue
        used = sorted(host for host in hosts if _is_of(host, line))
        matters = line.channel != "web_push" or bool(used)
        tries += [
            try_line(line, host, proxy=proxy, matters=matters, look_up=look_up)
            for host in dict.fromkeys([*used, *line.tries])
        ]
    return [*await asyncio.gather(*tries, *_our_pages(settings, look_up))]


def _is_of(host: str, line: Line) -> bool:
    if line.channel != "web_push":
        return False
    return host.endswith(line.to[1:]) if line.to.startswith("*.") else host == line.to


def _our_pages(settings: Settings, look_up: LookUp) -> list[Awaitable[Finding]]:
    """From here a name may lead elsewhere than from a phone: so nothing of it is wrong for certain."""
    tries: list[Awaitable[Finding]] = []
    for about, url in at_home.our_pages(settings):
        parts = urlsplit(url)
        host, secure = str(parts.hostname), parts.scheme == "https"
        line = Line(
            "phones" if about == "phones" else "portal",
            "out",
            HERE,
            host,
            parts.port or (443 if secure else 80),
            "tcp",
            f"{url}, as seen from here",
            tls="tls" if secure else "",
        )
        tries.append(try_line(line, host, proxy=None, matters=False, look_up=look_up))
    return tries


# --- apps ------------------------------------------------------------------------------------------------


async def _apps(
    settings: Settings, doors: Doors, patient: Patient, addresses: Iterable[PushAddress]
) -> list[Finding]:
    kept = {
        each.channel: each.token
        for each in addresses
        if isinstance(each, AppAddress) and each.device == patient.device
    }
    tries: list[Awaitable[Finding]] = []
    if settings.push.apns is not None and doors.apns is not None:
        token = patient.apns_token or kept.get("apns")
        tries.append(try_apns(doors.apns, settings.push, token, named=patient.device is not None))
    if settings.push.fcm is not None and doors.fcm is not None:
        tries.append(try_fcm(doors.fcm, settings.push, kept.get("fcm")))
    return [*await asyncio.gather(*tries)]


async def _addresses(store: Store) -> list[PushAddress]:
    """Of everybody's trusted phones."""
    people = dict.fromkeys(device.person for device in await store.devices())
    return [each for person in people for each in await store.push_addresses_of(person)]
