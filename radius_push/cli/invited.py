"""`radius-push enroll --pending` and `--confirm`: who was invited, and the six digits of who has come."""

from __future__ import annotations

import json
from pathlib import Path

import click

from radius_push.cli.columns import Columns, day_and_time
from radius_push.cli.enroll import issuer
from radius_push.cli.invitation import WORDS, Card, plain
from radius_push.cli.options import with_store
from radius_push.enrollment import TRIES, confirm
from radius_push.model import Device, Invitation
from radius_push.ports import Clock, Store

HEADINGS = ("USER", "PERSON", "HOW", "INVITED", "UNTIL", "STATE")


def pending(config: Path, as_json: bool) -> bool:
    """Show what is open."""

    async def work(store: Store, clock: Clock) -> bool:
        found = await store.open_invitations()
        if as_json:
            for each, device in found:
                click.echo(json.dumps(_value(each, device, now=clock.now())))
        elif found:
            rows = [_cells(each, device, now=clock.now()) for each, device in found]
            click.echo(Columns(HEADINGS, rows).table())
        else:
            click.echo("Nobody is invited.")
        return True

    return with_store(config, work)


def _state(invitation: Invitation, device: Device | None, *, now: float) -> str:
    if device is not None:
        return "waits_for_code"
    return "not_come" if now < invitation.expires_at else "expired"


def _cells(invitation: Invitation, device: Device | None, *, now: float) -> tuple[str | None, ...]:
    state = _state(invitation, device, now=now)
    words = {"not_come": "has not come", "expired": "expired", "waits_for_code": "waits for its code"}[state]
    return (
        plain(invitation.username),
        str(invitation.person),
        _how(invitation),
        day_and_time(invitation.invited_at),
        day_and_time(invitation.expires_at),
        f"{plain(device.name)!r} {words}" if device is not None else words,
    )


def _value(invitation: Invitation, device: Device | None, *, now: float) -> dict[str, object]:
    return {
        "user": invitation.username,
        "person": str(invitation.person),
        "invitation": invitation.id,
        "how": _how(invitation),
        "invited_at": invitation.invited_at,
        "mailed_at": invitation.mailed_at,
        "expires_at": invitation.expires_at,
        "state": _state(invitation, device, now=now),
        "device": device.id if device is not None else None,
        "name": device.name if device is not None else None,
        "wrong_codes": invitation.wrong_codes,
        "wrong_passwords": invitation.wrong_passwords,
    }


def _how(invitation: Invitation) -> str:
    if not invitation.sent:
        return "shown"
    return "mailed" if invitation.mailed_at is not None else "not sent yet"


def confirm_later(config: Path, user: str, as_json: bool) -> bool:
    """The person reads the digits over the telephone. True if the phone is trusted."""

    async def who(store: Store, clock: Clock) -> list[tuple[Invitation, Device]]:
        return [
            (each, device)
            for each, device in await store.open_invitations()
            if device is not None
            and user.casefold() in (each.username.casefold(), str(each.person).casefold())
        ]

    waiting = with_store(config, who)
    if len(waiting) > 1:
        people = " and ".join(str(each.person) for each, _ in waiting)
        raise click.UsageError(f"{plain(user)!r} is {people}: type which")
    if not waiting:
        click.echo(f"No phone of {plain(user)} waits for its code: see `enroll --pending`.", err=True)
        return False
    return _ask(config, *waiting[0], card=Card(as_json=as_json, page=""))


def _ask(config: Path, invitation: Invitation, device: Device, *, card: Card) -> bool:
    tries = TRIES - invitation.wrong_codes
    card.arrived(device)
    while True:
        typed = card.ask()

        async def say(store: Store, clock: Clock, typed: str = typed) -> str:
            return await confirm(store, invitation.id, typed, by=issuer(), now=clock.now())

        outcome = with_store(config, say)
        if outcome != "wrong":
            break
        tries -= 1
        card.wrong(tries_left=tries)
    good = outcome == "confirmed"
    done = f"{plain(device.name)!r} is now a phone of {plain(device.username)} (device {device.id})."
    failed = WORDS["given_up" if outcome == "given_up" else "not_pending"]
    card.end(outcome, done if good else failed, device)
    return good
