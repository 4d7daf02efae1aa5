"""What another settings file changes: in words for the admin, never with a value that may be secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from radius_push.settings.more_servers import place
from radius_push.shapes import Endpoint, Settings

_RESTART = {
    "store": "server.store",
    "authentication": "server.listen.authentication",
    "accounting": "server.listen.accounting",
    "phone": "server.listen.phone",
    "portal": "server.listen.portal",
    "tcp": "server.listen.tcp",
    "metrics": "server.listen.metrics",
}
"""What is opened once: a running server cannot exchange it under its held logins."""


def needs_restart(old: Settings, new: Settings) -> tuple[str, ...]:
    """The settings that differ and can't be changed by a reload."""
    found = [name for field, name in _RESTART.items() if getattr(old, field) != getattr(new, field)]
    if _radsec_at(old) != _radsec_at(new):
        found.append("server.listen.radsec.address")
    return tuple(place(new, name) for name in found)


def _radsec_at(settings: Settings) -> tuple[Endpoint, ...]:
    return settings.radsec.endpoints if settings.radsec else ()


def differences(old: Settings, new: Settings) -> tuple[str, ...]:
    """`clients.fw: changed (patience, profiles)`, `profiles.sms: new`, `policies: ...`; () if nothing."""
    found: list[str] = []
    for section in ("clients", "authentication_profiles", "profiles"):
        found += _named(section, getattr(old, section), getattr(new, section))
    policies = [{policy.name: policy for policy in settings.policies} for settings in (old, new)]
    found += _named("policies", *policies)
    kept = [[name for name in names if name in policies[0] and name in policies[1]] for names in policies]
    if kept[0] != kept[1]:
        found.append("policies: in another order")
    if old.methods != new.methods:
        found.append("methods: changed")
    if old.enrollment != new.enrollment:
        found.append(f"server.enrollment: changed ({', '.join(_differing(old.enrollment, new.enrollment))})")
    if old.mail != new.mail:
        found.append(f"server.mail: changed ({', '.join(_differing(old.mail, new.mail))})")
    if old.trusted_proxies != new.trusted_proxies:
        found.append("server.trusted_proxies: changed")
    if old.places != new.places:
        found.append("server.places: changed")
    if old.push != new.push:
        names = _differing(old.push.web_push, new.push.web_push) + _differing(old.push, new.push)
        names = [name for name in names if name != "web_push"]
        found.append(f"methods.push: changed ({', '.join(names)})")
    if old.radsec != new.radsec:
        found.append(f"server.listen.radsec: changed ({', '.join(_differing(old.radsec, new.radsec))})")
    if old.retention != new.retention:
        found.append(f"server.retention: evidence for {new.retention.evidence / 86400:g}d")
    if old.limits != new.limits:
        found.append(f"server.limits: changed ({', '.join(_differing(old.limits, new.limits))})")
    if old.ring_limit != new.ring_limit:
        found.append(f"server.ring_limit: changed ({', '.join(_differing(old.ring_limit, new.ring_limit))})")
    if old.late_window != new.late_window:
        found.append(f"server.late_window: now {new.late_window:g}s")
    if old.reject_delay != new.reject_delay:
        found.append(f"server.reject_delay: now {new.reject_delay:g}s")
    found += _named("server.more_servers", old.more_servers, new.more_servers)
    if old.dictionaries != new.dictionaries:
        found.append("server.dictionaries: changed")
    return tuple(found)


def _named(section: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    gone = [f"{section}.{name}: removed" for name in old if name not in new]
    came = [f"{section}.{name}: new" for name in new if name not in old]
    changed = [
        f"{section}.{name}: changed ({', '.join(_differing(old[name], new[name]))})"
        for name in new
        if name in old and old[name] != new[name]
    ]
    return gone + came + changed


def _differing(old: object, new: object) -> list[str]:
    """The names of the fields that differ; a changed kind is one too."""
    if type(old) is not type(new) or not is_dataclass(old) or isinstance(old, type):
        return ["type"]
    found = [field.name for field in fields(old) if getattr(old, field.name) != getattr(new, field.name)]
    return list(dict.fromkeys("patience" if name == "patience_said" else name for name in found))
