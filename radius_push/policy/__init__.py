"""Who gets which profile: policies are compiled once, and one pure function decides every login.

rules = policy.compile(settings.policies, profiles=..., authentication_profiles=...)
decision = policy.decide(rules, Facts(person, client, address, request, today))
"""

from __future__ import annotations

from radius_push.policy.decide import Admitted, Decision, Facts, NotRead, Refused, decide
from radius_push.policy.rules import (
    DN_ATTRIBUTES,
    Mistake,
    Rules,
    bare_group_names,
    needed_attributes,
)
from radius_push.policy.rules import compile as compile  # noqa: A004 - policies are compiled
from radius_push.policy.self_writable import self_writable
from radius_push.policy.words import consequences

__all__ = [
    "DN_ATTRIBUTES",
    "Admitted",
    "Decision",
    "Facts",
    "Mistake",
    "NotRead",
    "Refused",
    "Rules",
    "bare_group_names",
    "compile",
    "consequences",
    "decide",
    "needed_attributes",
    "self_writable",
]
