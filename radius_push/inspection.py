"""What good settings lead to outside the file: the file of places, and the directories (`check --online`)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from radius_push import policy
from radius_push.directory.ldap import LdapDirectory
from radius_push.directory.ldap_inspection import Finding
from radius_push.notify.mail import MailDoor
from radius_push.opening import open_directory
from radius_push.places import PlacesUnusable, read_places
from radius_push.ports import Clock
from radius_push.settings import Checked, Path
from radius_push.shapes import AttributeCondition, LdapProfile, LocalProfile, Settings

MAIL_SECONDS = 10.0
"""For the mail server to answer."""


@dataclass(frozen=True, slots=True)
class Said:
    what: Literal["good", "look", "bad"]
    line: str
    """`corp-ldap: ...` where it is good, else `FILE:LINE:COL: path: what is wrong; the mend`."""
    by: Literal["directories", "mail server"] = "directories"
    """Who was asked."""


def look_at_places(checked: Checked, *, now: float) -> Said | None:
    """Of the file of places, if the settings name one. A server serves without it all the same."""
    path = checked.settings.places
    if path is None:
        return None
    try:
        return Said("good", f"places of addresses by {read_places(path, now=now)}")
    except PlacesUnusable as problem:
        return Said("bad", str(checked.mistake(("server", "places"), str(problem))))


async def look_at_mail(checked: Checked) -> Said | None:
    """Of the mail server, if the settings name one: connect, log in, send nothing."""
    server = checked.settings.mail
    if server is None:
        return None
    try:
        door = MailDoor(server, seconds=MAIL_SECONDS)
        problem = await door.inspect()
        await door.close()
    except OSError as error:
        problem = error.strerror or str(error)
    where = f"{server.host}:{server.port}"
    if not problem:
        how = "in clear text" if server.security == "none" else "over TLS"
        who = "" if server.user is None else f", and {server.user} may in"
        return Said("good", f"mail: {where} answers {how}{who}", by="mail server")
    return Said("bad", str(checked.mistake(("server", "mail"), f"{where}: {problem}")), by="mail server")


async def inspect(checked: Checked, *, clock: Clock) -> tuple[Said, ...]:
    """Ask the mail server and all directories at once: what is good, then what is not, in the order of the
    file."""
    mail, directories = await asyncio.gather(look_at_mail(checked), _directories(checked, clock=clock))
    said = (*directories, *([] if mail is None else [mail]))
    return (*(each for each in said if each.what == "good"), *(each for each in said if each.what != "good"))


async def _directories(checked: Checked, *, clock: Clock) -> tuple[Said, ...]:
    profiles = checked.settings.authentication_profiles
    asked = await asyncio.gather(*(_ask(checked.settings, name, clock=clock) for name in profiles))
    found = [(name, finding) for name, findings in zip(profiles, asked, strict=True) for finding in findings]
    good = [Said("good", f"{name}: {finding.sentence}") for name, finding in found if finding.what == "good"]
    places = sorted(
        (checked.mistake(place, finding.sentence), finding.what)
        for name, finding in found
        if finding.what != "good"
        for place in _places(checked, name, finding.path)
    )
    return (*good, *(Said(what, str(mistake)) for mistake, what in places))


async def _ask(settings: Settings, name: str, *, clock: Clock) -> tuple[Finding, ...]:
    match settings.authentication_profiles[name]:
        case LocalProfile(users=users):
            count = f"{len(users)} user" + ("" if len(users) == 1 else "s")
            return (Finding("good", (), f"{count} in the settings"),)
        case LdapProfile() as profile:
            try:
                directory = open_directory(profile, settings.policies, clock=clock, last=False)
            except OSError as problem:
                why = problem.strerror or str(problem)
                return (Finding("bad", ("ca_file",), f"holds no certificates: {why}"),)
            try:
                return await directory.inspect() if isinstance(directory, LdapDirectory) else ()
            finally:
                await directory.close()


def _places(checked: Checked, name: str, path: tuple[str | int, ...]) -> Iterator[Path]:
    match path:
        case ("group", str(group)):
            yield from _places_of_group(checked, name, group)
        case _:
            yield "authentication_profiles", name, *path


def _places_of_group(checked: Checked, name: str, group: str) -> Iterator[Path]:
    """Every value of the policies that names this group."""
    for at, each in enumerate(checked.settings.policies):
        if each.authentication_profile != name:
            continue
        for number, condition in enumerate(each.conditions):
            if not isinstance(condition, AttributeCondition):
                continue
            if condition.attribute.casefold() not in policy.DN_ATTRIBUTES:
                continue
            for position, value in enumerate(condition.values):
                if value.kind == "exact" and value.text == group:
                    yield checked.value_path(policy=at, condition=number, value=position)
