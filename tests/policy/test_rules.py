"""Every mistake in a policy is found when it is compiled, and the consequences are said in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radius_push import policy
from radius_push.model import Client
from radius_push.shapes import (
    REFUSE,
    AttributeCondition,
    Condition,
    LdapProfile,
    Policy,
    RequestCondition,
    Value,
)
from tests.policy.test_decide import (
    ALONE,
    DIRECTORIES,
    LDAP,
    LOCAL,
    OTHER,
    PROFILES,
    client,
    having,
    rule,
    values,
)


def sentences(*policies: Policy) -> list[tuple[tuple[str | int, ...], str]]:
    made = policy.compile(policies, profiles=PROFILES, authentication_profiles=DIRECTORIES)
    assert not isinstance(made, policy.Rules)
    return [((each.policy, *each.path), each.sentence) for each in made]


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (having("department", "/(/"), "not a regular expression of RE2: missing ): ("),
        (having("department", "/(?=a)b/"), "not a regular expression of RE2: invalid perl operator: (?="),
        (having("department", r"/(a)\1/"), r"not a regular expression of RE2: invalid escape sequence: \1"),
        (
            having("department", "/" + "a" * 257 + "/"),
            "longer than 256 characters; split it into several values",
        ),
        (having("department", "a" * 256 + "*"), "longer than 256 characters; split it into several values"),
        (
            having("department", ""),
            "an empty value fits nothing; to say that an attribute is absent use none_of",
        ),
        (
            having("memberOf", "VPN-*"),
            "a name with * is no distinguished name; write CN=VPN-*,OU=Groups,DC=example,DC=com",
        ),
        (
            having("memberOf", "cn=a,b"),
            "not a distinguished name: each part is written type=value; write it as the directory shows it",
        ),
    ],
)
def test_a_value_that_can_not_be_a_rule(condition: Condition, sentence: str) -> None:
    assert sentences(rule(condition)) == [((0, "conditions", 0, "values", 0), sentence)]


def test_a_pattern_that_would_take_much_memory_is_refused() -> None:
    ((_, sentence),) = sentences(rule(having("department", "/(((a{100}){100}){100})/")))
    assert sentence.startswith("not a regular expression of RE2: ")


def test_a_bare_group_name_needs_a_place_to_find_it() -> None:
    directory = DIRECTORIES[LDAP]
    assert isinstance(directory, LdapProfile)
    without = {LDAP: replace(directory, group_base_dn=None)}
    made = policy.compile(
        [rule(having("memberOf", "VPN"))], profiles={"staff-push": OTHER}, authentication_profiles=without
    )
    assert isinstance(made, tuple)
    assert made[0].sentence == (
        "VPN is a bare group name, and corp-ldap has no group_base_dn to find it; "
        "add group_base_dn there, or write the whole name: CN=VPN,OU=..."
    )


@pytest.mark.parametrize("attribute", ["userPassword", "unicodePwd", "MS-MCS-admpwd"])
def test_no_policy_reads_a_password(attribute: str) -> None:
    ((path, sentence),) = sentences(rule(having(attribute, "x")))
    assert path == (0, "conditions", 0, "attribute")
    assert sentence == f"{attribute} holds secrets; no policy may read it"


def test_no_policy_reads_the_password_of_a_request_or_replies_with_one() -> None:
    assert sentences(
        rule(
            RequestCondition("User-Password", values("*")),
            reply=(("Filter-Id", "a"), ("Class", "{userPassword}")),
        )
    ) == [
        ((0, "conditions", 0, "attribute"), "User-Password holds secrets; no policy may read it"),
        ((0, "reply", 1), "userpassword holds secrets; no reply may carry it"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a{b", "a lone {; write {attribute}, or {{ for the character itself"),
        ("a}b", "a lone }; write {attribute}, or }} for the character itself"),
        ("{}", "a lone {; write {attribute}, or {{ for the character itself"),
        ("{matched}", "{matched} needs a condition with attribute and values in this policy"),
    ],
)
def test_a_reply_that_can_not_be_computed(text: str, sentence: str) -> None:
    assert sentences(rule(having("a", "b", none_of=True), reply=(("Filter-Id", text),))) == [
        ((0, "reply", 0), sentence)
    ]


def test_names_must_lead_somewhere_and_one_mistake_hides_no_other() -> None:
    assert sentences(
        rule(having("a", "/(/"), profile="staf"),
        rule(by="corp"),
        rule(name="c", profile="other-push", by=LOCAL),
        rule(name="d", profile=REFUSE, by="corp"),
    ) == [
        ((0, "profile"), "no profile is called staf"),
        ((0, "conditions", 0, "values", 0), "not a regular expression of RE2: missing ): ("),
        ((1, "name"), "policies[0] is called IT already"),
        ((1, "authentication_profile"), "no authentication profile is called corp"),
        (
            (2, "authentication_profile"),
            "local-admins is not one of other-push's fallback_auth_profiles (corp-ldap); add it there or name another",  # noqa: E501
        ),
        ((3, "authentication_profile"), "no authentication profile is called corp"),
    ]


# --- what a directory must read --------------------------------------------------------------------


def test_a_directory_reads_what_conditions_and_replies_need_and_nothing_else() -> None:
    policies = [
        rule(
            having("Department", "IT"),
            having("title", "x", none_of=True),
            reply=(("Class", "{mail}-{matched}"),),
        ),
        rule(RequestCondition("Connect-Info", values("x")), name="b"),
        rule(having("group_name", "admins"), name="c", by=LOCAL),
    ]
    assert policy.needed_attributes(policies, LDAP) == {"department", "title", "mail"}
    assert policy.needed_attributes(policies, LOCAL) == {"group_name"}


def test_bare_group_names_are_those_on_attributes_that_hold_names() -> None:
    policies = [
        rule(having("memberOf", "VPN", "cn=a,dc=c", "cn=b*,dc=c", "/cn=c.*/")),
        rule(having("title", "Chief"), name="b"),
        rule(AttributeCondition("manager", (Value("exact", "Boss"),)), name="c"),
        rule(having("memberOf", "Locals"), name="d", by=LOCAL),
    ]
    assert policy.bare_group_names(policies, LDAP) == {"VPN", "Boss"}


# --- in words --------------------------------------------------------------------------------------


def said(*policies: Policy, clients: tuple[Client, ...]) -> tuple[str, ...]:
    return policy.consequences(
        clients={each.name: each for each in clients}, profiles=PROFILES, policies=policies
    )


def test_consequences_are_said_client_by_client() -> None:
    it = rule(having("department", "IT"))
    assert said(
        it,
        clients=(
            client(),
            client("other-push", name="fw2"),
            client("staff-push", "password-only", otherwise="password-only", name="fw3"),
            client("password-only", name="fw4"),
        ),
    ) == (
        "fw1: whoever no policy admits is refused",
        "fw2: other-push is for everybody",
        "fw3: whoever no policy admits gets password-only by password alone",
        "fw4: everybody is refused (password-only has no second factor: only a policy or otherwise opens it)",
        "fw4: nobody gets password-only: no policy leads there",
    )


def test_consequences_name_whom_a_profile_does_not_list() -> None:
    assert said(rule(), clients=(client("staff-push", "other-push", otherwise="other-push"),)) == (
        "fw1: whoever no policy admits gets other-push",
        "fw1: whoever no policy admits of local-admins is refused: other-push does not list local-admins",
    )


def test_consequences_name_each_policy_that_opens_a_profile_without_a_second_factor() -> None:
    open_door = rule(name="legacy", profile=ALONE.name)
    assert said(open_door, clients=(client("staff-push", "password-only"),)) == (
        "fw1: whoever no policy admits is refused",
        "fw1: policy legacy lets people in by password alone (password-only)",
        "fw1: nobody gets staff-push: no policy leads there",
    )
