"""From checked settings to the things behind the doors: keys, rules, directories."""

from __future__ import annotations

import errno
from pathlib import Path

from radius_push import policy
from radius_push.directory.ldap import LdapDirectory
from radius_push.directory.local import LocalDirectory
from radius_push.ports import Clock, Directory, DoorClosed
from radius_push.radius.wire import Code
from radius_push.shapes import (
    AuthenticationProfile,
    Endpoint,
    LdapProfile,
    Policy,
    Settings,
)
from radius_push.store.keys import Keys, load_keys


class CannotListen(DoorClosed):
    """An address of the settings can't be had: the place in the settings, why, and the mend."""

    def __init__(self, place: str, endpoint: Endpoint, error: OSError, *, udp: bool) -> None:
        super().__init__(f"{place}: {_why_not(endpoint, error, udp=udp)}")


def _why_not(endpoint: Endpoint, error: OSError, *, udp: bool) -> str:
    where = f"{endpoint}/{'udp' if udp else 'tcp'}"
    match error.errno:
        case errno.EADDRINUSE if udp:
            return f"{where} is in use (another radius-push or a FreeRADIUS? `ss -lunp` tells)"
        case errno.EADDRINUSE:
            return f"{where} is in use (another radius-push or a web server? `ss -ltnp` tells)"
        case errno.EADDRNOTAVAIL:
            return f"{endpoint.address} is not an address of this machine (`ip address` tells which are)"
        case errno.EACCES | errno.EPERM:
            return (
                f"{where} is not allowed: ports under 1024 need root or CAP_NET_BIND_SERVICE; "
                "or take a higher port"
            )
        case errno.EAFNOSUPPORT:
            return f"{where}: this machine has no IPv{endpoint.address.version}"
    return f"{where}: {error.strerror or error}"


def keys_of(settings: Settings, *, create: bool) -> Keys:
    """The keys beside the store."""
    return load_keys(Path(settings.store).parent / "keys", create=create)


def rules_of(settings: Settings) -> policy.Rules:
    """The compiled policies; settings were checked, so a mistake here is ours."""
    rules = policy.compile(
        settings.policies,
        profiles=settings.profiles,
        authentication_profiles=settings.authentication_profiles,
    )
    if not isinstance(rules, policy.Rules):
        raise TypeError("settings were checked with other rules than these")
    return rules


def mail_attributes(settings: Settings) -> frozenset[str]:
    """What an enrolment asks a directory beside what logins do."""
    return frozenset() if settings.mail is None else frozenset({settings.mail.attribute})


def open_directories(settings: Settings, *, clock: Clock) -> dict[str, Directory]:
    return {name: open_for_serving(settings, name, clock=clock) for name in settings.authentication_profiles}


def open_for_serving(settings: Settings, name: str, *, clock: Clock) -> Directory:
    """As logins ask it, and the portal."""
    return open_directory(
        settings.authentication_profiles[name],
        settings.policies,
        clock=clock,
        last=is_last(settings, name),
        also=_also_served(settings),
    )


def _also_served(settings: Settings) -> frozenset[str]:
    """Where people are written to is asked for where they add phones by themselves."""
    return frozenset() if settings.portal is None else mail_attributes(settings)


def what_a_directory_knows(settings: Settings, name: str) -> tuple[object, ...]:
    """All that decides what the open directory does: if it is the same, so may the directory be."""
    return (
        settings.authentication_profiles.get(name),
        policy.needed_attributes(settings.policies, name),
        policy.bare_group_names(settings.policies, name),
        is_last(settings, name),
        _also_served(settings),
    )


def is_last(settings: Settings, name: str) -> bool:
    """Does no client ask another directory after this one, for a name that this one does not know?"""
    for client in settings.clients.values():
        profiles = [settings.profiles[profile] for profile in client.profiles]
        order = list(dict.fromkeys(each for profile in profiles for each in profile.fallback_auth_profiles))
        if name in order[:-1]:
            return False
    return True


def open_directory(
    profile: AuthenticationProfile,
    policies: tuple[Policy, ...],
    *,
    clock: Clock,
    last: bool,
    also: frozenset[str] = frozenset(),
) -> Directory:
    """`also`: attributes to ask for beside those that policies and replies need."""
    if isinstance(profile, LdapProfile):
        return LdapDirectory(
            profile,
            attributes=policy.needed_attributes(policies, profile.name) | also,
            group_names=policy.bare_group_names(policies, profile.name),
            clock=clock,
        )
    return LocalDirectory(profile, last=last)


def where_else(settings: Settings) -> dict[int, str]:
    """What a gateway that asks the wrong port is to do, by the packet's code."""
    asks, reports = (" or ".join(map(str, ports)) for ports in (settings.authentication, settings.accounting))
    mend = f"let the gateway send it to {reports}"
    if not reports:
        mend = "add server.listen.accounting, or switch accounting off at the gateway"
    return {Code.ACCOUNTING_REQUEST: mend, Code.ACCESS_REQUEST: f"let the gateway send it to {asks}"}
