"""What the directories say of good settings: `check --online`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from radius_push import policy
from radius_push.directory.ldap import LdapDirectory
from radius_push.directory.ldap_inspection import Finding
from radius_push.ports import Clock
from radius_push.settings import Checked, Path
from radius_push.shapes import AttributeCondition, LdapProfile, LocalProfile, Settings


@dataclass(frozen=True, slots=True)
class Said:
    what: Literal["good", "look", "bad"]
    line: str
    """`corp-ldap: ...` where it is good, else `FILE:LINE:COL: path: what is wrong; the mend`."""


async def inspect(checked: Checked, *, clock: Clock) -> tuple[Said, ...]:
    """Ask all directories at once; what they said, in the order of the file."""
    profiles = checked.settings.authentication_profiles
    asked = await asyncio.gather(*(_ask(checked.settings, name, clock=clock) for name in profiles))
    return tuple(
        said
        for name, findings in zip(profiles, asked, strict=True)
        for finding in findings
        for said in _said(checked, name, finding)
    )


async def _ask(settings: Settings, name: str, *, clock: Clock) -> tuple[Finding, ...]:
    match settings.authentication_profiles[name]:
        case LocalProfile(users=users):
            count = f"{len(users)} user" + ("" if len(users) == 1 else "s")
            return (Finding("good", (), f"{count} in the settings"),)
        case LdapProfile() as profile:
            try:
                directory = LdapDirectory(
                    profile,
                    attributes=policy.needed_attributes(settings.policies, name),
                    group_names=policy.bare_group_names(settings.policies, name),
                    clock=clock,
                )
            except OSError as problem:
                return (
                    Finding("bad", ("ca_file",), f"holds no certificates: {problem.strerror or problem}"),
                )
            try:
                return await directory.inspect()
            finally:
                await directory.close()


def _said(checked: Checked, name: str, finding: Finding) -> Iterator[Said]:
    if finding.what == "good":
        yield Said("good", f"{name}: {finding.sentence}")
        return
    match finding.path:
        case ("group", str(group)):
            places = list(_places_of_group(checked, name, group))
        case _:
            places = [("authentication_profiles", name, *finding.path)]
    for place in places:
        yield Said(finding.what, str(checked.mistake(place, finding.sentence)))


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
