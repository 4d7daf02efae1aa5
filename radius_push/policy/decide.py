"""Which profile a login gets, and why: the one function behind real logins and every explanation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from radius_push.model import Address, Client, Person, Reason
from radius_push.policy import template
from radius_push.policy.conditions import (
    MANY,
    NOT_ITS_OWN,
    UNSEALED,
    Held,
    Missed,
    Unread,
    holds,
    of_the_packet,
)
from radius_push.policy.groups import place
from radius_push.policy.rules import Matcher, Rule, Rules
from radius_push.policy.template import NotComputed
from radius_push.policy.words import by_default, some, without_second_factor
from radius_push.shapes import REFUSE, AddressCondition, Profile


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a login when the password was right."""

    person: Person
    client: Client
    address: Address | None
    """The user's own, as the gateway reports it."""
    request: Mapping[str, tuple[str, ...]]
    """RADIUS attribute name -> values as text."""
    today: date
    """UTC."""
    sealed: bool = True
    """The request bore a valid Message-Authenticator. Without one, anybody on the path can change what it
    says: that opens nothing, and is believed only by a policy that refuses."""
    address_is_its_own: bool = True
    """The address stood where this kind of gateway is known to put it."""


@dataclass(frozen=True, slots=True)
class Admitted:
    profile: Profile
    policy: str | None
    """None: by `otherwise`, or because no policy names any of the client's profiles."""
    reply: tuple[tuple[str, str], ...]
    trace: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Reason
    detail: str
    trace: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotRead:
    """A policy needs an attribute that the directory could not read: nothing may be said."""

    attribute: str
    trace: tuple[str, ...]


Decision = Admitted | Refused | NotRead


@dataclass(frozen=True, slots=True)
class _Hit:
    why: str
    matched: str | None = None


def decide(rules: Rules, facts: Facts) -> Decision:
    """Walk the policies top to bottom; the first that fits decides."""
    trace: list[str] = []
    for rule in rules.rules:
        name = rule.policy.name
        match _judge(rule, facts):
            case Missed(why):
                trace.append(f"{name}: {why}: miss")
            case Unread(attribute):
                trace.append(f"{name}: {attribute} could not be read: nothing is said")
                return NotRead(attribute, tuple(trace))
            case _Hit(why, matched):
                trace.append(f"{name}: {why}: hit, {rule.policy.profile}")
                return _apply(rule, rules, facts, matched=matched, trace=tuple(trace))
    return _unmatched(rules, facts, tuple(trace))


def _unmatched(rules: Rules, facts: Facts, trace: tuple[str, ...]) -> Decision:
    client = facts.client
    reached = by_default(client, profiles=rules.profiles, policies=[rule.policy for rule in rules.rules])
    trace = (*trace, reached.why)
    if reached.profile is None:
        return Refused(Reason.NO_POLICY, reached.why, trace)
    return _reach(reached.profile, facts, policy=None, reply=(), trace=trace)


def _apply(
    rule: Rule, rules: Rules, facts: Facts, *, matched: str | None, trace: tuple[str, ...]
) -> Decision:
    policy = rule.policy
    if policy.profile == REFUSE:
        return Refused(Reason.REFUSED_BY_POLICY, policy.name, trace)
    for attribute in sorted(rule.needs & facts.person.unread):
        return NotRead(attribute, (*trace, f"{policy.name}: {attribute} could not be read: nothing is said"))
    try:
        reply = (*_groups(rule, facts, matched), *_reply(rule, facts, matched))
    except NotComputed as error:
        detail = f"{policy.name}: {error}"
        return Refused(Reason.REPLY_NOT_COMPUTED, detail, (*trace, detail))
    return _reach(rules.profiles[policy.profile], facts, policy=policy.name, reply=reply, trace=trace)


def _groups(rule: Rule, facts: Facts, matched: str | None) -> tuple[tuple[str, str], ...]:
    """The groups, where this client looks for them; they go before the rest of the reply."""
    if not rule.groups:
        return ()
    where = facts.client.groups_in
    if where is None:
        raise NotComputed(f"groups: nothing says where {facts.client.name} looks for groups")
    try:
        return place(
            [
                template.fill(made, attributes=facts.person.attributes, matched=matched)
                for made in rule.groups
            ],
            where,
        )
    except NotComputed as error:
        raise NotComputed(f"groups: {error}") from None


def _reply(rule: Rule, facts: Facts, matched: str | None) -> Iterator[tuple[str, str]]:
    for name, made in rule.reply:
        try:
            yield name, template.fill(made, attributes=facts.person.attributes, matched=matched)
        except NotComputed as error:
            raise NotComputed(f"{name}: {error}") from None


def _reach(
    profile: Profile,
    facts: Facts,
    *,
    policy: str | None,
    reply: tuple[tuple[str, str], ...],
    trace: tuple[str, ...],
) -> Decision:
    directory = facts.person.key.authentication_profile
    if directory not in profile.fallback_auth_profiles:
        detail = f"{profile.name} does not list {directory}"
        return Refused(Reason.DIRECTORY_NOT_LISTED, detail, (*trace, f"{detail}: refused"))
    if without_second_factor(profile):
        trace = (*trace, f"{profile.name} has no second factor: the password alone")
    return Admitted(profile, policy, reply, trace)


def _judge(rule: Rule, facts: Facts) -> _Hit | Missed | Unread:
    """Does a policy fit? What misses for certain goes before what could not be read."""
    elsewhere = _elsewhere(rule, facts)
    if elsewhere:
        return Missed(elsewhere)
    refusing = rule.policy.profile == REFUSE
    outcomes = [
        holds(
            each,
            person=facts.person,
            address=facts.address,
            request=facts.request,
            refusing=refusing,
        )
        if refusing or (doubt := _doubt(each, facts)) is None
        else Missed(doubt)
        for each in rule.conditions
    ]
    for outcome in outcomes:
        if isinstance(outcome, Missed):
            return outcome
    for outcome in outcomes:
        if isinstance(outcome, Unread):
            return outcome
    held = [outcome for outcome in outcomes if isinstance(outcome, Held)]
    why = "; ".join(outcome.why for outcome in held) or f"everybody of {rule.policy.authentication_profile}"
    return _Hit(why, None if rule.matched_by is None else held[rule.matched_by].matched)


def _doubt(condition: Matcher | AddressCondition, facts: Facts) -> str | None:
    """Why what the packet says is not enough to let anybody in; None if it is."""
    if not of_the_packet(condition):
        return None
    if not facts.sealed:
        return UNSEALED
    if not isinstance(condition, AddressCondition) or facts.address is None:
        return None
    if not facts.address_is_its_own:
        return f"user address {facts.address} {NOT_ITS_OWN}"
    if facts.client.may_be_many:
        return f"{facts.client.name} {MANY}"
    return None


def _elsewhere(rule: Rule, facts: Facts) -> str:
    """Why a policy is not about this login at all; empty if it is."""
    policy, client = rule.policy, facts.client
    spoke = facts.person.key.authentication_profile
    if policy.authentication_profile != spoke:
        return f"for people of {policy.authentication_profile}, and {spoke} spoke"
    if policy.profile != REFUSE and policy.profile not in client.profiles:
        return f"{client.name} does not list {policy.profile}"
    if policy.clients is not None and client.name not in policy.clients:
        return f"only for {some(policy.clients)}, not for {client.name}"
    if policy.until is not None and facts.today > policy.until:
        return f"ended with {policy.until.isoformat()}"
    return ""
