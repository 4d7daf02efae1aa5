"""The play of `radius-push simulate`: who is in it, and how it is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from radius_push.cli.enroll import expect_room, find_person, issuer
from radius_push.cli.invitation import plain
from radius_push.cli.options import could_not_run, no_store
from radius_push.cli.try_login import Why, last_end, refusals
from radius_push.client import Login, Speaker
from radius_push.lent_phone import lent_phone
from radius_push.model import Address, Client, Secret
from radius_push.opening import keys_of
from radius_push.own_clients import servers_to_ask, simulating
from radius_push.ports import DoorClosed
from radius_push.radius.packet import load_dictionary
from radius_push.radius.preset import Preset
from radius_push.server import LoopClock
from radius_push.shapes import PhoneListener, Settings
from radius_push.simulate.gateway import Gateway, attributes
from radius_push.simulate.person import Person, Try, signs_in
from radius_push.simulation import Ring, Told, play
from radius_push.store.keys import Keys
from radius_push.store.sqlite import SqliteStore
from radius_push.test_phone import PhoneRefused, SoftwarePhone, Unreachable

VERDICTS = {"accepted": "let in", "rejected": "refused", None: "no answer"}


@dataclass(frozen=True, slots=True)
class Play:
    """Everything of it but the password."""

    settings: Settings
    preset: Preset
    gateway: Gateway
    person: Person
    user: str
    phone: PhoneListener
    keys: Keys
    client: Client
    servers: tuple[tuple[str, int], ...]
    address: Address
    ca_file: str | None
    as_json: bool

    @classmethod
    def open(
        cls,
        settings: Settings,
        preset: Preset,
        gateway: Gateway,
        person: Person,
        *,
        user: str,
        servers: tuple[tuple[str, int], ...],
        address: Address,
        ca_file: str | None,
        as_json: bool,
    ) -> Play:
        """Ends the verb if this installation can't play it."""
        if not Path(settings.store).exists():
            no_store(Path(settings.store))
        phone = settings.phone
        if phone is None:
            could_not_run(f"{settings.file}: `server.listen.phone` is missing, so no phone can play along")
        try:
            keys = keys_of(settings, create=False)
            client = simulating(settings, keys, preset.name)
            servers = servers or tuple(servers_to_ask(settings, gateway.servers))
        except (DoorClosed, OSError) as problem:
            could_not_run(str(problem))
        return cls(
            settings, preset, gateway, person, user, phone, keys, client, servers, address, ca_file, as_json
        )

    def announce(self) -> None:
        if self.as_json:
            return
        asked = ", then ".join(f"{host} port {port}" for host, port in self.servers)
        click.echo(f"{self.preset.title}: {in_words(self.gateway)}")
        if self.gateway.timers.assumed:
            click.echo(f"  assumed: {'; '.join(self.gateway.timers.assumed)}")
        click.echo(f"asking {asked} as client {self.client.name} ...")

    async def run(self, password: str) -> Told:
        """Raises Refused if the user may have no phone; ends the verb for whatever else stands in its way."""
        _leave_by_sigterm()
        try:
            return await self._run(password)
        except Unreachable as problem:
            could_not_run(
                f"no phone can play along: {problem}. Does `radius-push serve` run? Is --ca-file wanted?"
            )
        except (DoorClosed, PhoneRefused, OSError, ValueError) as problem:
            could_not_run(str(problem))

    async def _run(self, password: str) -> Told:
        clock = LoopClock()
        person = await find_person(self.settings, self.user, only=None, clock=clock)
        # The evidence rows are the record; this process has no log of its own.
        store = SqliteStore.open(Path(self.settings.store), clock=clock, on_event=lambda _at, _event: None)
        try:
            await expect_room(store, person, limit=self.settings.enrollment.devices_per_user)
            lent = lent_phone(
                store,
                person,
                url=self.phone.url,
                name="simulate",
                pepper=self.keys.pepper,
                clock=clock,
                by=f"{issuer()}, simulate",
                ca_file=self.ca_file,
            )
            async with lent as phone, self._speaker(password) as speaker:
                return await self._watched(store, phone, speaker)
        finally:
            await store.close()

    async def _watched(self, store: SqliteStore, phone: SoftwarePhone, speaker: Speaker) -> Told:
        before = await last_end(store)
        told = await play(
            signs_in(self.person, self.gateway),
            speaker=speaker,
            phone=phone,
            person=self.person,
            client=self.client.name,
            on_ring=self._on_ring,
        )
        whys = await refusals(store, user=self.user, client=self.client.name, after=before)
        self._tell(told, speaker, whys[::-1])
        return told

    def _speaker(self, password: str) -> Speaker:
        """Always sealed, as its built-in client wants it."""
        said = attributes(self.preset, self.gateway.timers, address=self.address, client=self.client)
        return Speaker(
            Login(self.user, Secret(password), self.client.secrets[0], said),
            servers=self.servers,
            source=str(self.client.networks[0].network_address),
            dictionary=load_dictionary(self.settings.dictionaries),
        )

    def _on_ring(self, ring: Ring) -> None:
        if self.as_json:
            return
        if ring.answered_at is None:
            there = ring.address or "an address that the gateway does not report"
            click.echo(f"{ring.at:6.1f} s  the phone rings: a sign-in from {there} (login {ring.login})")
        else:
            thumb, said = "Yes" if self.person.approves else "No", (ring.answer or "").replace("_", " ")
            click.echo(f"{ring.answered_at:6.1f} s  {plain(self.user)} taps {thumb}: {plain(said)}")

    def _tell(self, told: Told, speaker: Speaker, whys: list[Why]) -> None:
        if self.as_json:
            click.echo(json.dumps(as_value(told, whys)))
            return
        for number, each in enumerate(told.tries, 1):
            which = f"sign-in {number}: " if len(told.tries) > 1 else ""
            click.echo(f"{which}{in_words_of(each)}")
        for host, port in sorted(speaker.nobody_listens):
            click.echo(f"  nothing listens on {host} port {port}")
        for why in whys:
            for line in why.lines():
                click.echo(f"  {line}")
        click.echo(
            f"{counted(len(told.rings), 'ring')}, {counted(told.packets, 'Access-Request')}, "
            f"{counted(told.accepts, 'Access-Accept')}"
        )


def _leave_by_sigterm() -> None:
    """As by Ctrl-C: the phone is taken back."""
    task = asyncio.current_task()
    with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def in_words(gateway: Gateway) -> str:
    return ", ".join(_said(gateway))


def _said(gateway: Gateway) -> Iterator[str]:
    timers = gateway.timers
    yield f"{timers.seconds:g} s" if timers.tries == 1 else f"{timers.tries} tries of {timers.seconds:g} s"
    if timers.growth != 1:
        yield f"each {timers.growth:g} times longer"
    if timers.cut_off is not None:
        yield f"{timers.cut_off:g} s for the whole sign-in"
    if timers.logins > 1:
        yield f"{timers.logins} logins for one sign-in"
    yield "by " + ", then ".join(gateway.protocols)


def in_words_of(each: Try) -> str:
    return f"{VERDICTS[each.answer]} after {each.seconds:.1f} s"


def counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def as_value(told: Told, whys: list[Why]) -> dict[str, Any]:
    return {
        "let_in": told.let_in,
        "sign_ins": [
            {"verdict": VERDICTS[each.answer], "seconds": round(each.seconds, 1)} for each in told.tries
        ],
        "rings": [
            {"at": round(ring.at, 1), "login": ring.login, "address": ring.address, "answer": ring.answer}
            for ring in told.rings
        ],
        "access_requests": told.packets,
        "access_accepts": told.accepts,
        "reasons": [{"login": why.login, "reason": why.reason, "details": why.details} for why in whys],
    }
