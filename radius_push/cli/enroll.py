"""`radius-push enroll USER`: invite a phone, show the way in, and type the code that it shows."""

from __future__ import annotations

import asyncio
import getpass
import os
import secrets
import socket
import sys
from ipaddress import ip_address
from pathlib import Path

import click

from radius_push.cli.invitation import Card, plain
from radius_push.cli.options import config_option, could_not_run, json_option, load_settings
from radius_push.enrollment import TRIES, Shown, confirm, confirm_unseen, invite, link, wait_for_phone
from radius_push.model import Ambiguous, Device, Down, Person, Unknown
from radius_push.ports import Clock, DoorClosed, Store
from radius_push.shapes import Endpoint, PhoneListener, Settings


class Refused(Exception):
    """This user gets no invitation; the text says why."""


@click.command()
@click.argument("user")
@config_option
@click.option("--authentication-profile", "only", metavar="NAME", help="Ask only this one who USER is.")
@click.option("--no-confirm", is_flag=True, help="Trust the phone without its code. For automation.")
@json_option
def enroll(*, user: str, config: Path, only: str | None, no_confirm: bool, as_json: bool) -> None:
    """Add a phone for USER: shows a QR code, a link and a code to type, and waits for the phone."""
    from radius_push.server import LoopClock

    settings = load_settings(config)
    phone = settings.phone
    if phone is None:
        could_not_run(f"{settings.file}: `server.listen.phone` is missing, so a phone has nowhere to go")
    if only is not None and only not in settings.authentication_profiles:
        could_not_run(f"{settings.file}: there is no authentication profile {only!r}")
    clock = LoopClock()
    with asyncio.Runner() as runner:
        try:
            person = runner.run(find_person(settings, user, only=only, clock=clock))
            store = _open(settings, clock=clock)
            try:
                desk = Desk(runner, store, settings, clock=clock, card=Card(as_json=as_json, page=phone.url))
                good = desk.enrol(person, phone, no_confirm=no_confirm)
            finally:
                runner.run(store.close())
        except Refused as why:
            click.echo(why, err=True)
            good = False
        except DoorClosed as problem:
            could_not_run(str(problem))
    sys.exit(0 if good else 1)


class Desk:
    """Where the issuer sits: what waits runs in the loop, what asks them outside of it."""

    def __init__(
        self, runner: asyncio.Runner, store: Store, settings: Settings, *, clock: Clock, card: Card
    ) -> None:
        self._runner = runner
        self._store = store
        self._settings = settings
        self._clock = clock
        self._card = card
        self._by = issuer()

    def enrol(self, person: Person, phone: PhoneListener, *, no_confirm: bool) -> bool:
        """The whole enrolment; True if the phone is trusted at its end. Raises DoorClosed, Refused."""
        shown = self._runner.run(self._invite(person, phone))
        try:
            if phone.endpoint is not None and not answers(phone.endpoint):
                self._card.warn(
                    f"Nothing answers at {phone.endpoint}, where phones come: start `radius-push serve`."
                )
            self._card.show(person, shown, link=link(phone.url, shown))
            device = self._runner.run(
                wait_for_phone(self._store, shown.invitation, person=person.key, clock=self._clock)
            )
            if device is None:
                self._card.end("expired", "No phone came. The link and the code are of no more use.")
                return False
            if no_confirm:
                return self._trust_unseen(person, device)
            return self._confirm(person, device)
        except (KeyboardInterrupt, click.Abort):
            self._card.left(shown)
            sys.exit(2)

    async def _invite(self, person: Person, phone: PhoneListener) -> Shown:
        from radius_push.store.keys import keys_folder, load_keys

        keys = load_keys(keys_folder(Path(self._settings.store)), create=True)
        kept = await self._store.phone_origin()
        if kept not in (None, phone.url):
            raise DoorClosed(
                f"phones were enrolled at {kept}, and {self._settings.file} now says {phone.url}: "
                f"put the old address back, or start `serve` once with --forget-phones"
            )
        await expect_room(self._store, person, limit=self._settings.enrollment.devices_per_user)
        return await invite(
            self._store,
            person=person,
            lifetime=self._settings.enrollment.shown_code,
            pepper=keys.pepper,
            by=self._by,
            now=self._clock.now(),
            token=secrets.token_bytes(16),
            code_octets=secrets.token_bytes(5),
        )

    def _trust_unseen(self, person: Person, device: Device) -> bool:
        outcome = self._runner.run(
            confirm_unseen(self._store, device.invitation, by=self._by, now=self._clock.now())
        )
        return self._card.confirmed(outcome, person, device)

    def _confirm(self, person: Person, device: Device) -> bool:
        self._card.arrived(device)
        tries = TRIES
        while True:
            typed = self._card.ask()
            outcome = self._runner.run(
                confirm(self._store, device.invitation, typed, by=self._by, now=self._clock.now())
            )
            if outcome != "wrong":
                return self._card.confirmed(outcome, person, device)
            tries -= 1
            self._card.wrong(tries_left=tries)


async def expect_room(store: Store, person: Person, *, limit: int) -> None:
    """May they have one more phone? Raises Refused."""
    if len(await store.devices_of(person.key)) >= limit:
        raise Refused(
            f"{plain(person.username)} has {limit} phones already (devices_per_user): see "
            f"`radius-push devices {plain(person.username)}`, then `radius-push devices remove ID`"
        )


def answers(endpoint: Endpoint) -> bool:
    """Does anything listen there? A person at a terminal waits no longer than a second for that."""
    address = endpoint.address
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == 4 else "::1")
    try:
        with socket.create_connection((str(address), endpoint.port), timeout=1.0):
            return True
    except OSError:
        return False


async def find_person(settings: Settings, user: str, *, only: str | None, clock: Clock) -> Person:
    """Ask the authentication profiles in file order who this is; the first that knows them speaks."""
    from radius_push.opening import open_directory

    asked = [only] if only is not None else list(settings.authentication_profiles)
    for name in asked:
        profile = settings.authentication_profiles[name]
        directory = open_directory(profile, settings.policies, clock=clock, last=False)
        try:
            found = await directory.find(user)
        finally:
            await directory.close()
        match found:
            case Person():
                return found
            case Ambiguous():
                raise Refused(f"{name}: {user!r} fits more than one entry; write it so that one fits")
            case Down(detail):
                # It might know them: another directory's user of that name would be somebody else.
                raise DoorClosed(
                    f"{name} could not be asked ({detail}); --authentication-profile NAME asks another one"
                )
            case Unknown():
                pass
    raise Refused(f"nobody knows {user!r}; asked: {', '.join(asked)}")


def _open(settings: Settings, *, clock: Clock) -> Store:
    from radius_push.store.sqlite import SqliteStore

    # The evidence row is the record; this process has no log of its own.
    return SqliteStore.open(Path(settings.store), clock=clock, on_event=lambda _at, _event: None)


def issuer() -> str:
    """Who types: the login name, behind sudo the one before it."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return f"user id {os.getuid()}"
