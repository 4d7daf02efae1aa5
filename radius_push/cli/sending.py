"""`radius-push enroll --mail`: invitations to one or to many, and what became of each."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radius_push.cli.columns import day_and_time
from radius_push.cli.enroll import expect_origin, issuer, open_store
from radius_push.cli.invitation import only_here, plain
from radius_push.cli.options import could_not_run
from radius_push.model import Ambiguous, Person, Unknown
from radius_push.ports import DoorClosed
from radius_push.shapes import PhoneListener, Settings

if TYPE_CHECKING:
    from radius_push.inviting import Done, People

LARGEST_FILE = 1_000_000
"""Octets."""
WORDS = {
    "sent": "sent",
    "would_send": "would be sent",
    "has_phone": "has a phone already",
    "invited_before": "was invited before, and that is still good",
    "too_many_devices": "has as many phones as allowed",
    "no_address": "has no mail address",
    "failed": "not sent",
}

COUNTED = WORDS | {
    "has_phone": "with a phone already",
    "invited_before": "invited before",
    "too_many_devices": "with as many phones as allowed",
    "no_address": "without a mail address",
}
"""Behind a number, of one or of many."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; one of `user`, `group` and `file`."""

    user: str | None
    group: str | None
    file: Path | None
    only: str | None
    skip_unknown: bool
    again: bool
    dry_run: bool
    asks_code: bool
    as_json: bool


class NotAll(Exception):
    """Somebody of those who were named can't be invited, so nobody is; the lines say who and why."""


def send_invitations(settings: Settings, phone: PhoneListener, wish: Wish) -> bool:
    """True if everybody who was named has a phone, or an invitation."""
    from radius_push.directory.ldap_members import NoGroup

    if settings.mail is None:
        could_not_run(f"{settings.file}: `server.mail` is missing, so nobody can be written to")
    if only_here(phone.url):
        _expect_trial(settings.file, phone.url, mail_host=settings.mail.host)
    try:
        return asyncio.run(_send(settings, phone, wish))
    except (NotAll, NoGroup) as why:
        click.echo(f"{why}\nNothing was sent." if wish.file or wish.group else str(why), err=True)
        return False
    except DoorClosed as problem:
        could_not_run(str(problem))


def _expect_trial(file: str, url: str, *, mail_host: str) -> None:
    """Links to this machine may go to a mail server on it, where somebody tries this out; they are not sent
    to people elsewhere."""
    from radius_push.settings.mail import LEADS_NOWHERE, is_here

    why = f"{file}: server.listen.phone.url: {url} {LEADS_NOWHERE}"
    if not is_here(mail_host):
        could_not_run(f"{why}. Nothing was sent.")
    click.echo(f"{why}.", err=True)


async def _send(settings: Settings, phone: PhoneListener, wish: Wish) -> bool:
    from radius_push.inviting import Inviter, People
    from radius_push.server import LoopClock
    from radius_push.store.keys import keys_folder, load_keys

    assert settings.mail is not None  # noqa: S101  # looked at before
    clock = LoopClock()
    known = People(settings, only=wish.only, clock=clock)
    try:
        people, left_out = await _people(known, wish)
    finally:
        await known.close()
    keys = load_keys(keys_folder(Path(settings.store)), create=True)
    store = open_store(settings, clock=clock)
    inviter = Inviter(
        settings,
        server=settings.mail,
        page=phone.url,
        store=store,
        pepper=keys.pepper,
        clock=clock,
        by=issuer(),
        asks_code=wish.asks_code,
    )
    try:
        await expect_origin(store, phone, settings)
        looked = await inviter.look(people, again=wish.again)
        done = looked if wish.dry_run else await inviter.send(looked)
    finally:
        await inviter.close()
        await store.close()
    _tell(done, left_out, wish)
    return all(each.good for each in done) and not (left_out and wish.file)


# --- who -------------------------------------------------------------------------------------------------


async def _people(known: People, wish: Wish) -> tuple[list[Person], list[str]]:
    """And what is left out, in words. Raises NotAll, NoGroup, DoorClosed."""
    if wish.group is not None:
        members = await known.members(wish.group)
        return list(members.people), [f"{plain(each)}: no person, not followed" for each in members.others]
    if wish.file is not None:
        return await _of_file(known, wish.file, skip_unknown=wish.skip_unknown)
    found = await known.find(wish.user or "")
    if isinstance(found, Person):
        return [found], []
    raise NotAll(_why_not(found, wish.user or ""))


async def _of_file(known: People, file: Path, *, skip_unknown: bool) -> tuple[list[Person], list[str]]:
    people: dict[str, Person] = {}
    wrong: list[str] = []
    for number, name in _names(file):
        found = await known.find(name)
        if isinstance(found, Person):
            people.setdefault(str(found.key), found)
        else:
            wrong.append(f"{file}:{number}: {_why_not(found, name)}")
    if wrong and not skip_unknown:
        raise NotAll("\n".join([*wrong, "--skip-unknown leaves them out."]))
    return list(people.values()), wrong


def _names(file: Path) -> list[tuple[int, str]]:
    """Line number and name. Raises NotAll."""
    from radius_push.inviting import MOST_PEOPLE

    try:
        with file.open("rb") as opened:
            octets = opened.read(LARGEST_FILE + 1)
        text = octets.decode("utf-8-sig")
    except OSError as problem:
        could_not_run(f"{file} cannot be read: {(problem.strerror or 'unknown').lower()}")
    except UnicodeDecodeError as problem:
        line = octets[: problem.start].count(b"\n") + 1
        raise NotAll(f"{file}:{line}: this is not UTF-8") from None
    lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines()]
    names = [(number, name) for number, name in enumerate(lines, 1) if name]
    if len(octets) > LARGEST_FILE or len(names) > MOST_PEOPLE:
        raise NotAll(f"{file} names more than {MOST_PEOPLE} people: take several files")
    if not names:
        raise NotAll(f"{file} names nobody")
    return names


def _why_not(found: object, name: str) -> str:
    match found:
        case Ambiguous():
            return f"{plain(name)!r} fits more than one entry; write it so that one fits"
        case Unknown():
            return f"nobody knows {plain(name)!r}"
    return f"{plain(name)!r} could not be looked up"


# --- what became of them -----------------------------------------------------------------------------------


def _tell(done: Sequence[Done], left_out: Sequence[str], wish: Wish) -> None:
    counts = Counter(each.result for each in done)
    if wish.as_json:
        for each in done:
            click.echo(json.dumps({
                "user": each.person.username, "person": str(each.person.key), "result": each.result,
                "detail": each.detail, "expires_at": each.expires_at,
            }))  # fmt: skip
        click.echo(json.dumps({"summary": dict(counts), "left_out": list(left_out)}))
        return
    for each in done:
        until = f", until {day_and_time(each.expires_at)}" if each.expires_at is not None else ""
        detail = f": {plain(each.detail)}" if each.detail else ""
        click.echo(f"{plain(each.person.username)}: {WORDS[each.result]}{detail}{until}")
    for line in left_out:
        click.echo(f"left out: {line}")
    people = "1 person" if len(done) == 1 else f"{len(done)} people"
    click.echo(f"\n{people}: " + ", ".join(f"{counts[each]} {COUNTED[each]}" for each in counts))
    if counts["sent"] and wish.asks_code:
        click.echo("`radius-push enroll --pending` shows whose phone waits for its six digits.")
