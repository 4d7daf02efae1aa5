"""What follows from the policies, in words an admin reads before the first login."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from radius_push.model import Client
from radius_push.shapes import REFUSE, Policy, Profile

_MOST_SHOWN = 4
_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a login ends that no policy admits."""

    profile: Profile | None
    """None: it is refused."""
    why: str


def without_second_factor(profile: Profile) -> bool:
    """Is it the password alone?"""
    return "none" in profile.methods


def by_default(client: Client, *, profiles: Mapping[str, Profile], policies: Iterable[Policy]) -> Reached:
    """Where a client's people come whom no policy admits.

    A policy names its profile for every client and for ever; `refuse` is listed by every client. A profile
    without a second factor is opened by a policy or by `otherwise`, never by itself.
    """
    first = profiles[client.profiles[0]]
    named = any(policy.profile == REFUSE or policy.profile in client.profiles for policy in policies)
    if not named and not without_second_factor(first):
        return Reached(first, f"no policy names a profile of {client.name}: {first.name} is for everybody")
    if client.otherwise is not None and client.otherwise != REFUSE:
        return Reached(
            profiles[client.otherwise], f"no policy admits: {client.name} has otherwise {client.otherwise}"
        )
    if not named:
        return Reached(None, f"{first.name} has no second factor: only a policy or otherwise opens it")
    said = "has no otherwise" if client.otherwise is None else f"has otherwise {REFUSE}"
    return Reached(None, f"no policy admits: {client.name} {said}")


def consequences(
    *, clients: Mapping[str, Client], profiles: Mapping[str, Profile], policies: Sequence[Policy]
) -> tuple[str, ...]:
    """What happens to whom, client by client: `fw1: whoever no policy admits is refused`."""
    return tuple(
        f"{client.name}: {sentence}"
        for client in clients.values()
        for sentence in _of_client(client, profiles, policies)
    )


def _of_client(client: Client, profiles: Mapping[str, Profile], policies: Sequence[Policy]) -> Iterator[str]:
    reached = by_default(client, profiles=profiles, policies=policies)
    named = any(policy.profile == REFUSE or policy.profile in client.profiles for policy in policies)
    whoever = "whoever no policy admits" if named else "everybody"
    if reached.profile is None:
        yield f"{whoever} is refused" + ("" if named else f" ({reached.why})")
    else:
        alone = " by password alone" if without_second_factor(reached.profile) else ""
        yield (
            f"{whoever} gets {reached.profile.name}{alone}"
            if named
            else (f"{reached.profile.name} is for everybody{alone}")
        )
        yield from _not_listed(client, reached.profile, profiles, whoever)
    yield from _opened_without_second_factor(client, profiles, policies)
    yield from _never_reached(client, reached, policies)
    yield from _not_from_the_login(client, profiles)


def _not_listed(
    client: Client, reached: Profile, profiles: Mapping[str, Profile], whoever: str
) -> Iterator[str]:
    asked = dict.fromkeys(each for name in client.profiles for each in profiles[name].fallback_auth_profiles)
    for directory in asked:
        if directory not in reached.fallback_auth_profiles:
            yield f"{whoever} of {directory} is refused: {reached.name} does not list {directory}"


def _opened_without_second_factor(
    client: Client, profiles: Mapping[str, Profile], policies: Sequence[Policy]
) -> Iterator[str]:
    for policy in policies:
        meant = policy.clients is None or client.name in policy.clients
        if meant and policy.profile in client.profiles and without_second_factor(profiles[policy.profile]):
            yield f"policy {policy.name} lets people in by password alone ({policy.profile})"


def _not_from_the_login(client: Client, profiles: Mapping[str, Profile]) -> Iterator[str]:
    for name in client.profiles:
        if profiles[name].device_on_login_address == "forbid":
            yield (
                f"{name} takes no yes from a phone at the sign-in's own address: in a home network every "
                "phone has it, and must be on mobile data"
            )


def _never_reached(client: Client, reached: Reached, policies: Sequence[Policy]) -> Iterator[str]:
    opened = {
        policy.profile for policy in policies if policy.clients is None or client.name in policy.clients
    }
    if reached.profile is not None:
        opened.add(reached.profile.name)
    for name in client.profiles:
        if name not in opened:
            yield f"nobody gets {name}: no policy leads there"


def shown(values: Sequence[str]) -> str:
    """Values of a person for a line of text: quoted, without control characters, not too many."""
    return some(
        repr(value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…") for value in values
    )


def some(texts: Iterable[str]) -> str:
    """`a, b, c, d and 12 more`."""
    every = list(texts)
    more = len(every) - _MOST_SHOWN
    return ", ".join(every[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
