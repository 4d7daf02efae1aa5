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
@click.argument("user", required=False)
@config_option
@click.option("--authentication-profile", "only", metavar="NAME", help="Ask only this one who USER is.")
@click.option("--no-confirm", is_flag=True, help="Trust the phone without its code. For automation.")
@click.option("--mail", is_flag=True, help="Send link and code by mail, and wait for nobody.")
@click.option("--group", metavar="GROUP", help="With --mail: all direct members of this group.")
@click.option(
    "--from-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --mail: all users of this file, one name a line; # begins a comment.",
)
@click.option("--skip-unknown", is_flag=True, help="With --from-file: leave out whom nobody knows.")
@click.option("--again", is_flag=True, help="With --mail: also who has a phone, or an invitation already.")
@click.option("--dry-run", is_flag=True, help="With --mail: say who would be sent one, and send nothing.")
@click.option("--pending", "show_pending", is_flag=True, help="Show who was invited and has not come.")
@click.option("--confirm", "type_code", is_flag=True, help="Type the six digits that USER's phone shows.")
@json_option
def enroll(
    *,
    user: str | None,
    config: Path,
    only: str | None,
    no_confirm: bool,
    mail: bool,
    group: str | None,
    from_file: Path | None,
    skip_unknown: bool,
    again: bool,
    dry_run: bool,
    show_pending: bool,
    type_code: bool,
    as_json: bool,
) -> None:
    """Add a phone for USER: shows a QR code, a link and a code to type, and waits for the phone. Or send link
    and code by mail, to one or to many; see who has not come yet; type the code of somebody who has."""
    from radius_push.cli.invited import confirm_later, pending
    from radius_push.cli.sending import Wish, send_invitations

    one = user is not None and group is None and from_file is None
    if show_pending or type_code:
        if mail or no_confirm or again or dry_run or skip_unknown or group or from_file or only:
            raise click.UsageError("--pending and --confirm go with no other option but --config and --json")
        if show_pending == type_code or type_code != one:
            raise click.UsageError("either `enroll --pending`, or `enroll --confirm USER`")
        sys.exit(
            0 if (confirm_later(config, user or "", as_json) if one else pending(config, as_json)) else 1
        )
    if [user, group, from_file].count(None) != 2 or not (mail or one):
        raise click.UsageError("whom? USER; or --mail with one of USER, --group GROUP and --from-file FILE")
    if (not mail and (again or dry_run)) or (skip_unknown and from_file is None):
        raise click.UsageError("--again and --dry-run go with --mail, --skip-unknown with --from-file")
    settings, phone = _settings_for_phones(config, only)
    if mail:
        wish = Wish(user, group, from_file, only, skip_unknown, again, dry_run, not no_confirm, as_json)
        sys.exit(0 if send_invitations(settings, phone, wish) else 1)
    sys.exit(0 if _show(settings, phone, str(user), only=only, no_confirm=no_confirm, as_json=as_json) else 1)


def _settings_for_phones(config: Path, only: str | None) -> tuple[Settings, PhoneListener]:
    settings = load_settings(config)
    phone = settings.phone
    if phone is None:
        could_not_run(f"{settings.file}: `server.listen.phone` is missing, so a phone has nowhere to go")
    if only is not None and only not in settings.authentication_profiles:
        could_not_run(f"{settings.file}: there is no authentication profile {only!r}")
    return settings, phone


def _show(
    settings: Settings, phone: PhoneListener, user: str, *, only: str | None, no_confirm: bool, as_json: bool
) -> bool:
    """One person, who is at hand."""
    from radius_push.server import LoopClock

    clock = LoopClock()
    with asyncio.Runner() as runner:
        try:
            person = runner.run(find_person(settings, user, only=only, clock=clock))
            store = open_store(settings, clock=clock)
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
    return good


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
        from radius_push.inviting import address_of
        from radius_push.store.keys import keys_folder, load_keys

        keys = load_keys(keys_folder(Path(self._settings.store)), create=True)
        await expect_origin(self._store, phone, self._settings)
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
            mail=address_of(self._settings, person),
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


async def expect_origin(store: Store, phone: PhoneListener, settings: Settings) -> None:
    """Do phones still know us by this address? Raises DoorClosed."""
    kept = await store.phone_origin()
    if kept not in (None, phone.url):
        raise DoorClosed(
            f"phones were enrolled at {kept}, and {settings.file} now says {phone.url}: "
            f"put the old address back, or start `serve` once with --forget-phones"
        )


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
    from radius_push.opening import mail_attributes, open_directory

    asked = [only] if only is not None else list(settings.authentication_profiles)
    for name in asked:
        profile = settings.authentication_profiles[name]
        directory = open_directory(
            profile, settings.policies, clock=clock, last=False, also=mail_attributes(settings)
        )
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


def open_store(settings: Settings, *, clock: Clock) -> Store:
    from radius_push.store.sqlite import SqliteStore

    # The evidence row is the record; this process has no log of its own.
    return SqliteStore.open(Path(settings.store), clock=clock, on_event=lambda _at, _event: None)


def issuer() -> str:
    """Who types: the login name, behind sudo the one before it."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return f"user id {os.getuid()}"
