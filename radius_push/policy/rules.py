"""The policies made ready to decide: every value prepared once, every mistake found at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from radius_push.dn import fold
from radius_push.policy import template
from radius_push.policy.self_writable import self_writable
from radius_push.policy.template import Template
from radius_push.policy.values import BadValue, Group, Pattern, is_bare, pattern
from radius_push.shapes import (
    REFUSE,
    AddressCondition,
    AttributeCondition,
    AuthenticationProfile,
    LdapProfile,
    Policy,
    Profile,
    RequestCondition,
    Value,
)

DN_ATTRIBUTES = frozenset(
    name.casefold()
    for name in ("memberOf", "isMemberOf", "manager", "owner", "member", "uniqueMember", "seeAlso",
                 "secretary", "distinguishedName", "entryDN")
)  # fmt: skip
"""Attributes of an LDAP directory whose values are distinguished names."""

_HOLD_SECRETS = frozenset(
    name.casefold()
    for name in ("userPassword", "authPassword", "unicodePwd", "dBCSPwd", "ntPwdHistory", "lmPwdHistory",
                 "sambaNTPassword", "sambaLMPassword", "sambaPasswordHistory", "ipaNTHash", "ntPassword",
                 "lmPassword", "pwdHistory", "krbPrincipalKey", "ms-Mcs-AdmPwd", "msLAPS-Password",
                 "password_hash", "nt_hash", "clear_password", "User-Password", "CHAP-Password",
                 "MS-CHAP-Response", "MS-CHAP2-Response",
                 "Message-Authenticator", "EAP-Message", "State")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a policy, and where in it."""

    policy: int
    path: tuple[str | int, ...]
    """Into shapes.Policy: `("conditions", 0, "values", 2)`, `("reply", 1)`, `("profile",)`."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on an attribute of the person or of the request."""

    attribute: str
    """As the admin wrote it."""
    key: str
    """Casefolded."""
    patterns: tuple[Pattern, ...]
    none_of: bool
    of_request: bool
    is_dn: bool


@dataclass(frozen=True, slots=True)
class Rule:
    policy: Policy
    conditions: tuple[Matcher | AddressCondition, ...]
    reply: tuple[tuple[str, Template], ...]
    groups: tuple[Template, ...]
    matched_by: int | None
    """Which condition `{matched}` comes from."""

    @property
    def needs(self) -> frozenset[str]:
        """Casefolded attributes of the person that its reply is made of."""
        return frozenset().union(
            *(made.attributes for made in (*self.groups, *(made for _, made in self.reply)))
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """All policies, top to bottom, and the profiles they lead to."""

    rules: tuple[Rule, ...]
    profiles: Mapping[str, Profile]


def compile(
    policies: Sequence[Policy],
    *,
    profiles: Mapping[str, Profile],
    authentication_profiles: Mapping[str, AuthenticationProfile],
) -> Rules | tuple[Mistake, ...]:
    """Make rules of policies, or say everything that is wrong with them."""
    rules: list[Rule] = []
    mistakes: list[Mistake] = []
    seen: dict[str, int] = {}
    for index, policy in enumerate(policies):
        first = seen.setdefault(policy.name, index)
        if first != index:
            mistakes.append(Mistake(index, ("name",), f"policies[{first}] is called {policy.name} already"))
        directory = authentication_profiles.get(policy.authentication_profile)
        maker = _Maker(index, policy, directory)
        mistakes += _wrong_names(index, policy, profiles, authentication_profiles)
        rules.append(maker.rule())
        mistakes += maker.mistakes
    return tuple(mistakes) or Rules(tuple(rules), profiles)


def needed_attributes(policies: Iterable[Policy], authentication_profile: str) -> frozenset[str]:
    """Casefolded names of what a directory must read of a person for its policies."""
    needed: set[str] = set()
    for policy in _of(policies, authentication_profile):
        needed |= {c.attribute.casefold() for c in policy.conditions if isinstance(c, AttributeCondition)}
        for text in (*policy.groups, *(text for _, text in policy.reply)):
            needed |= template.read(text).attributes
    return frozenset(needed)


def bare_group_names(policies: Iterable[Policy], authentication_profile: str) -> frozenset[str]:
    """Group names, as written, that an LDAP directory must look for under its `group_base_dn`."""
    return frozenset(
        value.text
        for policy in _of(policies, authentication_profile)
        for condition in policy.conditions
        if isinstance(condition, AttributeCondition) and condition.attribute.casefold() in DN_ATTRIBUTES
        for value in condition.values
        if is_bare(value)
    )


def _of(policies: Iterable[Policy], authentication_profile: str) -> Iterator[Policy]:
    return (policy for policy in policies if policy.authentication_profile == authentication_profile)


def _wrong_names(
    index: int,
    policy: Policy,
    profiles: Mapping[str, Profile],
    directories: Mapping[str, AuthenticationProfile],
) -> Iterator[Mistake]:
    directory = policy.authentication_profile
    if directory not in directories:
        yield Mistake(index, ("authentication_profile",), f"no authentication profile is called {directory}")
    if policy.profile == REFUSE:
        return
    profile = profiles.get(policy.profile)
    if profile is None:
        yield Mistake(index, ("profile",), f"no profile is called {policy.profile}")
    elif directory in directories and directory not in profile.fallback_auth_profiles:
        listed = ", ".join(profile.fallback_auth_profiles)
        yield Mistake(
            index,
            ("authentication_profile",),
            f"{directory} is not one of {profile.name}'s fallback_auth_profiles ({listed}); "
            f"add it there or name another",
        )


class _Maker:
    """Makes one rule, and keeps what it stumbled over."""

    def __init__(self, index: int, policy: Policy, directory: AuthenticationProfile | None) -> None:
        self._index = index
        self._policy = policy
        self._directory = directory
        self.mistakes: list[Mistake] = []

    def rule(self) -> Rule:
        conditions = tuple(self._condition(at, each) for at, each in enumerate(self._policy.conditions))
        matched_by = next(
            (
                at
                for at, each in enumerate(self._policy.conditions)
                if isinstance(each, AttributeCondition) and not each.none_of
            ),
            None,
        )
        reply = tuple(
            (name, self._template(("reply", at), text, matched_by))
            for at, (name, text) in enumerate(self._policy.reply)
        )
        groups = tuple(
            self._template(("groups", at), text, matched_by) for at, text in enumerate(self._policy.groups)
        )
        return Rule(self._policy, conditions, reply, groups, matched_by)

    def _condition(
        self, at: int, condition: AttributeCondition | AddressCondition | RequestCondition
    ) -> Matcher | AddressCondition:
        match condition:
            case AddressCondition():
                return condition
            case AttributeCondition(attribute, values, none_of):
                is_dn = isinstance(self._directory, LdapProfile) and attribute.casefold() in DN_ATTRIBUTES
                return self._matcher(at, attribute, values, none_of=none_of, of_request=False, is_dn=is_dn)
            case RequestCondition(attribute, values):
                return self._matcher(at, attribute, values, none_of=False, of_request=True, is_dn=False)

    def _matcher(
        self,
        at: int,
        attribute: str,
        values: tuple[Value, ...],
        *,
        none_of: bool,
        of_request: bool,
        is_dn: bool,
    ) -> Matcher:
        if attribute.casefold() in _HOLD_SECRETS:
            self._wrong(("conditions", at, "attribute"), f"{attribute} holds secrets; no policy may read it")
        if not of_request:
            self._not_self_written(("conditions", at, "attribute"), attribute)
        if not values:
            self._wrong(("conditions", at, "values"), "no value at all; the condition could never decide")
        patterns = [self._pattern(at, number, value, is_dn) for number, value in enumerate(values)]
        good = tuple(each for each in patterns if each is not None)
        return Matcher(attribute, fold(attribute), good, none_of, of_request, is_dn)

    def _pattern(self, at: int, number: int, value: Value, is_dn: bool) -> Pattern | None:
        path = ("conditions", at, "values", number)
        try:
            found = pattern(value, is_dn=is_dn)
        except BadValue as error:
            self._wrong(path, str(error))
            return None
        if isinstance(found, Group):
            self._findable(path, found)
        return found

    def _findable(self, path: tuple[str | int, ...], group: Group) -> None:
        directory = self._directory
        if isinstance(directory, LdapProfile) and directory.group_base_dn is None:
            self._wrong(
                path,
                f"{group.shown} is a bare group name, and {directory.name} has no group_base_dn to find it; "
                f"add group_base_dn there, or write the whole name: CN={group.shown},OU=...",
            )

    def _template(self, path: tuple[str | int, ...], text: str, matched_by: int | None) -> Template:
        try:
            made = template.read(text)
        except BadValue as error:
            self._wrong(path, str(error))
            return Template(())
        if made.needs_matched and matched_by is None:
            self._wrong(path, "{matched} needs a condition with attribute and values in this policy")
        for secret in sorted(made.attributes & _HOLD_SECRETS):
            self._wrong(path, f"{secret} holds secrets; no reply may carry it")
        for attribute in sorted(made.attributes):
            self._not_self_written(path, attribute)
        return made

    def _not_self_written(self, path: tuple[str | int, ...], attribute: str) -> None:
        directory = self._directory
        if isinstance(directory, LdapProfile) and not directory.self_writable and self_writable(attribute):
            self._wrong(
                path,
                f"people may write their own {attribute}, and so choose what they get; use an attribute that "
                f"they cannot write, or set self_writable: accepted for {directory.name}",
            )

    def _wrong(self, path: tuple[str | int, ...], sentence: str) -> None:
        self.mistakes.append(Mistake(self._index, path, sentence))
