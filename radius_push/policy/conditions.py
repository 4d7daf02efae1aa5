"""Does one condition of a policy hold for this person, address and request, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from radius_push import dn
from radius_push.model import Address, Person
from radius_push.policy.rules import Matcher
from radius_push.policy.values import Exactly, Group, Pattern, Subject, subject
from radius_push.policy.words import shown, some
from radius_push.shapes import AddressCondition


@dataclass(frozen=True, slots=True)
class Held:
    why: str
    matched: str | None = None
    """The value that fitted, as the directory wrote it."""


@dataclass(frozen=True, slots=True)
class Missed:
    why: str


@dataclass(frozen=True, slots=True)
class Unread:
    """It cannot be said: the attribute was not read, or holds what no value may be."""

    attribute: str


Outcome = Held | Missed | Unread


UNSEALED = "it asks what the packet says, and the packet bears no Message-Authenticator"
NOT_ITS_OWN = "stands where this kind of gateway is not known to put it: see user_address of the client"
MANY = "is wider than a /29, and does not say shared_secret_prefix: accepted: each gateway speaks for all"


def of_the_packet(condition: Matcher | AddressCondition) -> bool:
    """Does it ask what the gateway's packet says, and not who the person is?"""
    return isinstance(condition, AddressCondition) or condition.of_request


def holds(
    condition: Matcher | AddressCondition,
    *,
    person: Person,
    address: Address | None,
    request: Mapping[str, tuple[str, ...]],
    refusing: bool,
) -> Outcome:
    """Ask one condition. `request` maps RADIUS attribute names to values as text. `refusing`: of a policy
    that refuses, where doubt is no way out."""
    if isinstance(condition, AddressCondition):
        return _address(condition, address)
    if condition.of_request:
        by_key = {dn.fold(name): values for name, values in request.items()}
        return _attribute(condition, by_key.get(condition.key, ()), person, refusing=refusing)
    if condition.key in person.unread:
        return Unread(condition.attribute)
    return _attribute(condition, person.attributes.get(condition.key, ()), person, refusing=refusing)


def _address(condition: AddressCondition, address: Address | None) -> Outcome:
    networks = some(str(network) for network in condition.networks)
    if address is None:
        return Missed(f"the gateway told no user address, and it must lie in {networks}")
    if any(address in network for network in condition.networks):
        return Held(f"user address {address} lies in {networks}")
    return Missed(f"user address {address} lies outside {networks}")


def _attribute(matcher: Matcher, values: tuple[str, ...], person: Person, *, refusing: bool) -> Outcome:
    patterns = some(each.shown for each in matcher.patterns)
    if not values:
        said = f"{matcher.attribute} is absent"
        return Held(f"{said}, so none of {patterns}") if matcher.none_of else Missed(said)
    subjects = [subject(value, is_dn=matcher.is_dn) for value in values]
    readable = [each for each in subjects if each is not None]
    if len(readable) < len(subjects):
        return Unread(matcher.attribute)
    compared = _compare(matcher, readable, person)
    if compared.fitting is not None:
        value, pattern = compared.fitting
        fits = f"{matcher.attribute} is {shown((value,))}, fits {pattern.shown}"
        return Missed(f"{fits}, which is excluded") if matcher.none_of else Held(fits, value)
    if compared.unknown:
        return Unread(matcher.attribute)
    said = f"{matcher.attribute} is {shown(values)}, none of {patterns}"
    if compared.unsure:
        namesake = _namesake(matcher, readable)
        if refusing and namesake is not None:
            # Whoever can make a second group of that name must not be able to switch a ban off.
            return Held(f"{matcher.attribute} is {shown((namesake,))}, and {'; '.join(compared.unsure)}")
        # Also for none_of: a name that means no group, or two, excludes nobody for certain.
        return Missed(f"{said} ({'; '.join(compared.unsure)})")
    return Held(said) if matcher.none_of else Missed(said)


def _namesake(matcher: Matcher, subjects: list[Subject]) -> str | None:
    """A value of the person's that names a group by one of the bare names of the policy."""
    names = {dn.fold(pattern.shown) for pattern in matcher.patterns if isinstance(pattern, Group)}
    for each in subjects:
        if any(dn.fold(value) in names for _, value in dn.first_rdn(each.value)):
            return each.value
    return None


@dataclass(slots=True)
class _Compared:
    """What comparing an attribute's values with all patterns brought."""

    fitting: tuple[str, Pattern] | None = None
    unsure: list[str] = field(default_factory=list)
    unknown: bool = False


def _compare(matcher: Matcher, subjects: list[Subject], person: Person) -> _Compared:
    compared = _Compared()
    for pattern in matcher.patterns:
        ready = _resolve(pattern, person, compared) if isinstance(pattern, Group) else pattern
        if ready is None:
            continue
        for each in subjects:
            if ready.fits(each):
                compared.fitting = each.value, pattern
                return compared
    return compared


def _resolve(group: Group, person: Person, compared: _Compared) -> Exactly | None:
    """The one group that carries this name, as the directory found it."""
    found = person.groups.get(group.shown.casefold())
    if found is None:
        compared.unknown = True
        return None
    try:
        names = {dn.normal(each) for each in found}
    except ValueError:
        compared.unknown = True
        return None
    if len(names) != 1:
        compared.unsure.append(
            f"{len(names) or 'no'} groups are called {group.shown}, and it takes exactly one"
        )
        return None
    return Exactly(group.shown, names.pop())
