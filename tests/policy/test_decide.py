"""Who gets which profile: the rules of a login, each by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push import policy
from radius_push.model import Client, Person, PersonKey, Reason, Secret
from radius_push.policy import Admitted, Decision, Facts, NotRead, Refused
from radius_push.shapes import (
    REFUSE,
    AddressCondition,
    AttributeCondition,
    AuthenticationProfile,
    Condition,
    LdapProfile,
    LocalProfile,
    Policy,
    Profile,
    RequestCondition,
    Value,
)

LDAP, LOCAL = "corp-ldap", "local-admins"
DIRECTORIES: dict[str, AuthenticationProfile] = {
    LDAP: LdapProfile(
        LDAP, ("ldaps://dc1",), "dc=c", "cn=r,dc=c", Secret("x"), group_base_dn="ou=groups,dc=c"
    ),
    LOCAL: LocalProfile(LOCAL, {}),
}
PUSH = Profile("staff-push", ("push",), (LDAP, LOCAL))
OTHER = Profile("other-push", ("push",), (LDAP,))
ALONE = Profile("password-only", ("none",), (LDAP, LOCAL))
PROFILES = {each.name: each for each in (PUSH, OTHER, ALONE)}
TODAY = date(2026, 11, 1)


def client(*profiles: str, otherwise: str | None = None, name: str = "fw1") -> Client:
    return Client(
        name, (ip_network("10.0.0.1"),), (Secret("x" * 16),), profiles or ("staff-push",), otherwise=otherwise
    )


def values(*texts: str) -> tuple[Value, ...]:
    made = []
    for text in texts:
        if text.startswith("/"):
            made.append(Value("regex", text[1:-1]))
        else:
            made.append(Value("wildcard" if "*" in text else "exact", text))
    return tuple(made)


def having(attribute: str, *texts: str, none_of: bool = False) -> AttributeCondition:
    return AttributeCondition(attribute, values(*texts), none_of=none_of)


def rule(
    *conditions: Condition,
    name: str = "IT",
    profile: str = "staff-push",
    by: str = LDAP,
    clients: tuple[str, ...] | None = None,
    until: date | None = None,
    reply: tuple[tuple[str, str], ...] = (),
    groups: tuple[str, ...] = (),
) -> Policy:
    return Policy(name, profile, by, conditions, clients=clients, until=until, reply=reply, groups=groups)


def decided(
    *policies: Policy,
    at: Client | None = None,
    by: str = LDAP,
    attributes: Mapping[str, tuple[str, ...]] | None = None,
    unread: frozenset[str] = frozenset(),
    groups: Mapping[str, tuple[str, ...]] | None = None,
    address: str | None = None,
    request: Mapping[str, tuple[str, ...]] | None = None,
    today: date = TODAY,
    sealed: bool = True,
    its_own: bool = True,
) -> Decision:
    rules = policy.compile(policies, profiles=PROFILES, authentication_profiles=DIRECTORIES)
    assert isinstance(rules, policy.Rules), rules
    person = Person(
        PersonKey(by, "1"), "alice", "uid=alice,dc=c", attributes or {}, unread=unread, groups=groups or {}
    )
    ip = None if address is None else ip_address(address)
    return policy.decide(rules, Facts(person, at or client(), ip, request or {}, today, sealed, its_own))


def profile_of(decision: Decision) -> str:
    assert isinstance(decision, Admitted), decision
    return decision.profile.name


def reason_of(decision: Decision) -> Reason:
    assert isinstance(decision, Refused), decision
    return decision.reason


# --- which policy ----------------------------------------------------------------------------------


def test_the_first_match_decides() -> None:
    first = rule(having("department", "IT"), name="one", profile="other-push")
    second = rule(name="two")
    decision = decided(
        first, second, at=client("staff-push", "other-push"), attributes={"department": ("it",)}
    )
    assert isinstance(decision, Admitted)
    assert (decision.profile.name, decision.policy) == ("other-push", "one")


def test_a_policy_of_a_profile_that_the_client_does_not_list_is_passed_over() -> None:
    decision = decided(rule(profile="other-push"), rule(name="two"))
    assert isinstance(decision, Admitted)
    assert decision.policy == "two"
    assert decision.trace[0] == "IT: fw1 does not list other-push: miss"


def test_a_policy_of_another_authentication_profile_is_passed_over() -> None:
    assert reason_of(decided(rule(by=LOCAL), by=LDAP)) is Reason.NO_POLICY


def test_a_policy_without_conditions_admits_everybody_of_its_authentication_profile() -> None:
    assert profile_of(decided(rule())) == "staff-push"


def test_refuse_counts_as_listed_by_every_client() -> None:
    refuse = rule(having("memberof", "cn=contractors,dc=c"), name="contractors", profile=REFUSE)
    decision = decided(refuse, rule(name="all"), attributes={"memberof": ("CN=Contractors,DC=C",)})
    assert decision == Refused(Reason.REFUSED_BY_POLICY, "contractors", decision.trace)


# --- whom no policy admits -------------------------------------------------------------------------


def test_when_no_policy_names_a_profile_of_the_client_its_first_profile_is_for_everybody() -> None:
    decision = decided(rule(profile="other-push"), at=client("staff-push", "password-only", otherwise=REFUSE))
    assert isinstance(decision, Admitted)
    assert (decision.profile, decision.policy) == (PUSH, None)
    assert decision.trace[-1] == "no policy names a profile of fw1: staff-push is for everybody"


def test_when_one_does_and_none_matches_the_login_is_refused() -> None:
    decision = decided(rule(having("department", "IT")))
    assert reason_of(decision) is Reason.NO_POLICY
    assert decision.trace[-1] == "no policy admits: fw1 has no otherwise"


def test_when_one_does_and_none_matches_otherwise_says_where_to() -> None:
    at = client("staff-push", "other-push", otherwise="other-push")
    assert profile_of(decided(rule(having("department", "IT")), at=at)) == "other-push"


def test_otherwise_may_be_refuse() -> None:
    assert reason_of(decided(rule(having("x", "y")), at=client(otherwise=REFUSE))) is Reason.NO_POLICY


@pytest.mark.parametrize(
    "named",
    [
        rule(clients=("another",)),
        rule(until=date(2020, 1, 1)),
        rule(by=LOCAL),
        rule(AddressCondition((ip_network("192.0.2.0/24"),))),
        rule(RequestCondition("Connect-Info", values("vpn-*"))),
        rule(profile=REFUSE, until=date(2020, 1, 1)),
    ],
    ids=["clients", "until", "authentication_profile", "when", "request", "refuse"],
)
def test_a_policy_names_its_profile_for_every_client_and_for_ever(named: Policy) -> None:
    assert reason_of(decided(named)) is Reason.NO_POLICY


def test_a_profile_so_reached_must_list_the_directory_that_spoke() -> None:
    at = client("staff-push", "other-push", otherwise="other-push")
    decision = decided(rule(), at=at, by=LOCAL)
    assert reason_of(decision) is Reason.DIRECTORY_NOT_LISTED
    assert reason_of(decided(at=client("other-push"), by=LOCAL)) is Reason.DIRECTORY_NOT_LISTED


def test_a_profile_without_a_second_factor_is_never_reached_by_default() -> None:
    assert reason_of(decided(at=client("password-only"))) is Reason.NO_POLICY
    assert reason_of(decided(at=client("password-only", "staff-push"))) is Reason.NO_POLICY


def test_a_profile_without_a_second_factor_is_reached_by_a_policy_or_by_otherwise_and_says_so() -> None:
    by_policy = decided(rule(profile="password-only"), at=client("password-only"))
    by_otherwise = decided(at=client("password-only", otherwise="password-only"))
    assert profile_of(by_policy) == profile_of(by_otherwise) == "password-only"
    assert by_policy.trace[-1] == "password-only has no second factor: the password alone"


# --- conditions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("IT", "it", True),
        ("IT", "IT ", False),
        ("STRASSE", "straße", True),
        ("IT", "ＩＴ", True),
        ("Eng-*", "eng-core", True),
        ("Eng-*", "xEng-core", False),
        ("*eng*", "xEng-core", True),
        ("E.g", "Eng", False),
        ("E.*", "Eng", False),
        ("a＊", "abc", False),
        ("/Ops-(EU|US)/", "ops-eu", True),
        ("/Ops-(EU|US)/", "ops-eu2", False),
        ("/ops/", "xops", False),
        ("/a.b/", "a\nb", True),
    ],
)
def test_values_fit_whole_and_without_regard_to_case(pattern: str, value: str, fits: bool) -> None:
    decision = decided(rule(having("department", pattern)), attributes={"department": (value,)})
    assert isinstance(decision, Admitted) is fits


def test_one_of_several_values_is_enough() -> None:
    assert (
        profile_of(decided(rule(having("Mail", "b@c")), attributes={"mail": ("a@c", "B@c")})) == "staff-push"
    )


def test_all_conditions_must_hold() -> None:
    both = rule(having("department", "IT"), having("title", "Chief"))
    assert isinstance(decided(both, attributes={"department": ("IT",)}), Refused)
    assert isinstance(decided(both, attributes={"department": ("IT",), "title": ("Chief",)}), Admitted)


def test_none_of_holds_when_the_attribute_is_absent() -> None:
    no_interns = rule(having("title", "Intern", none_of=True))
    assert isinstance(decided(no_interns), Admitted)
    assert isinstance(decided(no_interns, attributes={"title": ("Chief",)}), Admitted)
    assert isinstance(decided(no_interns, attributes={"title": ("Chief", "INTERN")}), Refused)


def test_a_user_address_must_be_known_and_lie_inside() -> None:
    inside = rule(AddressCondition((ip_network("198.51.100.0/24"), ip_network("2001:db8::/32"))))
    assert isinstance(decided(inside, address="198.51.100.7"), Admitted)
    assert isinstance(decided(inside, address="2001:db8::1"), Admitted)
    assert isinstance(decided(inside, address="192.0.2.1"), Refused)
    assert isinstance(decided(inside, address=None), Refused)


def test_the_request_itself_may_be_asked() -> None:
    vpn = rule(RequestCondition("Connect-Info", values("vpn-*")))
    assert isinstance(decided(vpn, request={"Connect-Info": ("VPN-1",)}), Admitted)
    assert isinstance(decided(vpn, request={"Connect-Info": ("wifi",)}), Refused)
    assert isinstance(decided(vpn), Refused)


def test_until_includes_its_day_and_no_longer() -> None:
    ends = rule(until=TODAY)
    assert isinstance(decided(ends, today=TODAY), Admitted)
    assert isinstance(decided(ends, today=date(2026, 11, 2)), Refused)


def test_clients_narrow_a_policy() -> None:
    assert isinstance(decided(rule(clients=("fw1", "fw2"))), Admitted)
    assert isinstance(decided(rule(clients=("fw2",))), Refused)


# --- what could not be read ------------------------------------------------------------------------


def test_an_attribute_that_could_not_be_read_is_not_a_miss() -> None:
    decision = decided(rule(having("department", "IT")), rule(name="all"), unread=frozenset({"department"}))
    assert isinstance(decision, NotRead)
    assert decision.attribute == "department"


def test_it_matters_only_to_a_policy_that_needs_it() -> None:
    unread = frozenset({"department"})
    not_here = rule(having("department", "IT"), clients=("fw2",))
    ended = rule(having("department", "IT"), name="ended", until=date(2020, 1, 1))
    elsewhere = rule(having("department", "IT"), name="elsewhere", by=LOCAL)
    misses_anyway = rule(having("department", "IT"), having("title", "Chief"), name="misses")
    decision = decided(not_here, ended, elsewhere, misses_anyway, rule(name="all"), unread=unread)
    assert isinstance(decision, Admitted)
    assert decision.policy == "all"


def test_a_value_over_1_kb_is_an_attribute_that_was_not_read() -> None:
    big = ("IT", "x" * 1025)
    assert isinstance(decided(rule(having("department", "IT")), attributes={"department": big}), NotRead)
    assert isinstance(
        decided(rule(having("department", "IT", none_of=True)), attributes={"department": big}), NotRead
    )


# --- distinguished names ---------------------------------------------------------------------------

VPN = "CN=VPN Users,OU=Groups,DC=c"


def in_group(*texts: str, none_of: bool = False) -> Policy:
    return rule(having("memberOf", *texts, none_of=none_of))


def test_distinguished_names_compare_parsed() -> None:
    assert isinstance(
        decided(in_group("cn=vpn users, ou=groups, dc=c"), attributes={"memberof": (VPN,)}), Admitted
    )
    assert isinstance(
        decided(in_group(VPN), attributes={"memberof": (r"cn=VPN\20Users,ou=groups,dc=C",)}), Admitted
    )


def test_a_star_does_not_cross_a_comma_of_a_dn() -> None:
    wild = in_group("CN=VPN*,DC=c")
    assert isinstance(decided(wild, attributes={"memberof": ("cn=VPN Users,dc=c",)}), Admitted)
    assert isinstance(decided(wild, attributes={"memberof": (VPN,)}), Refused)


def test_an_escaped_comma_does_not_make_a_part() -> None:
    forged = r"cn=VPN\,OU=Groups,ou=people,dc=c"
    assert isinstance(
        decided(in_group("cn=VPN,ou=Groups,*,dc=c"), attributes={"memberof": (forged,)}), Refused
    )
    assert isinstance(decided(in_group("/cn=.*,ou=groups,.*/"), attributes={"memberof": (forged,)}), Refused)
    assert isinstance(
        decided(in_group("cn=VPN*,ou=people,dc=c"), attributes={"memberof": (forged,)}), Admitted
    )


def test_an_escaped_star_is_a_star() -> None:
    wild = in_group(r"cn=\2a*,dc=c")
    assert isinstance(decided(wild, attributes={"memberof": ("cn=*a,dc=c",)}), Admitted)
    assert isinstance(decided(wild, attributes={"memberof": ("cn=ba,dc=c",)}), Refused)


def test_a_star_may_stand_for_a_whole_part() -> None:
    assert isinstance(decided(in_group("*,ou=groups,dc=c"), attributes={"memberof": (VPN,)}), Admitted)


def test_a_bare_name_is_the_one_group_that_carries_it() -> None:
    mine = {"memberof": (VPN,)}
    bare = in_group("VPN Users")
    assert isinstance(decided(bare, attributes=mine, groups={"vpn users": (VPN.lower(),)}), Admitted)
    two = decided(bare, attributes=mine, groups={"vpn users": (VPN, "cn=VPN Users,ou=old,dc=c")})
    assert isinstance(two, Refused)
    assert "2 groups are called VPN Users, and it takes exactly one" in two.trace[0]
    assert isinstance(decided(bare, attributes=mine, groups={"vpn users": ()}), Refused)
    assert isinstance(
        decided(bare, attributes=mine, groups={"vpn users": ("cn=vpn users,ou=x,dc=c",)}), Refused
    )


def test_a_second_group_of_the_same_name_switches_no_refusal_off() -> None:
    banned = rule(having("memberOf", "VPN Users"), name="banned", profile="refuse")
    two = {"vpn users": (VPN, "cn=VPN Users,ou=old,dc=c")}
    mine = decided(banned, rule(name="all"), attributes={"memberof": (VPN,)}, groups=two)
    assert reason_of(mine) is Reason.REFUSED_BY_POLICY
    others = decided(banned, rule(name="all"), attributes={"memberof": ("cn=x,dc=c",)}, groups=two)
    assert isinstance(others, Admitted)


def test_a_bare_name_that_means_two_groups_excludes_nobody_for_certain() -> None:
    excluded = in_group("VPN Users", none_of=True)
    two = {"vpn users": (VPN, "cn=VPN Users,ou=old,dc=c")}
    assert isinstance(decided(excluded, attributes={"memberof": ("cn=x,dc=c",)}, groups=two), Refused)
    assert isinstance(decided(excluded, groups=two), Admitted)


def test_a_bare_name_that_nobody_looked_up_is_not_read() -> None:
    assert isinstance(decided(in_group("VPN Users"), attributes={"memberof": (VPN,)}), NotRead)


def test_a_value_that_is_no_dn_is_not_read() -> None:
    assert isinstance(decided(in_group(VPN), attributes={"memberof": ("VPN Users",)}), NotRead)


def test_local_users_have_no_distinguished_names() -> None:
    plain = rule(having("memberOf", "VPN Users"), by=LOCAL)
    assert isinstance(decided(plain, by=LOCAL, attributes={"memberof": ("vpn users",)}), Admitted)


# --- the reply -------------------------------------------------------------------------------------


def replying(text: str, *conditions: Condition) -> Policy:
    return rule(*conditions, reply=(("Filter-Id", text),))


def test_a_template_takes_the_one_value_of_an_attribute() -> None:
    decision = decided(replying("vpn-{Department}-{{x}}"), attributes={"department": ("IT",)})
    assert isinstance(decision, Admitted)
    assert decision.reply == (("Filter-Id", "vpn-IT-{x}"),)


@pytest.mark.parametrize("found", [(), ("IT", "HR")])
def test_a_template_over_no_value_or_several_is_a_refusal(found: tuple[str, ...]) -> None:
    decision = decided(replying("{department}"), attributes={"department": found} if found else {})
    assert reason_of(decision) is Reason.REPLY_NOT_COMPUTED


def test_a_template_over_an_attribute_that_was_not_read_says_nothing() -> None:
    assert isinstance(decided(replying("{department}"), unread=frozenset({"department"})), NotRead)


def test_matched_is_the_value_that_fitted_the_first_condition_with_values() -> None:
    made = replying("{matched}", having("title", "Intern", none_of=True), having("department", "E*"))
    decision = decided(made, attributes={"department": ("IT", "Eng-Core")})
    assert isinstance(decision, Admitted)
    assert decision.reply == (("Filter-Id", "Eng-Core"),)


# --- the trace -------------------------------------------------------------------------------------


def test_the_trace_says_of_each_policy_whether_and_why() -> None:
    decision = decided(
        rule(having("department", "IT", "Eng-*"), name="IT uses push"),
        rule(having("department", "S*"), name="sales", until=TODAY),
        rule(name="never asked"),
        attributes={"department": ("Sales",)},
    )
    assert decision.trace == (
        "IT uses push: department is 'Sales', none of IT, Eng-*: miss",
        "sales: department is 'Sales', fits S*: hit, staff-push",
    )


def test_the_trace_is_one_line_a_policy_however_strange_the_values() -> None:
    decision = decided(rule(having("x", "y")), attributes={"x": ("a\nb\x1b[31m", *("z" * 900,) * 50)})
    assert "\n" not in decision.trace[0]
    assert "\x1b" not in decision.trace[0]
    assert len(decision.trace[0]) < 500


# --- fail closed -----------------------------------------------------------------------------------

WORDS = st.sampled_from(["IT", "it", "Sales", "Eng-1", "x"])
CONDITIONS = st.one_of(
    st.builds(
        lambda name, found, none_of: having(name, *found, none_of=none_of),
        st.sampled_from(["department", "title"]),
        st.lists(st.sampled_from(["IT", "Eng-*", "/S.*/"]), min_size=1, max_size=2),
        st.booleans(),
    ),
    st.just(AddressCondition((ip_network("192.0.2.0/24"),))),
)
POLICIES = st.lists(
    st.builds(
        lambda conditions, by, until, clients: rule(*conditions, by=by, until=until, clients=clients),
        st.lists(CONDITIONS, max_size=2),
        st.sampled_from([LDAP, LOCAL]),
        st.sampled_from([None, date(2020, 1, 1), TODAY]),
        st.sampled_from([None, ("fw1",), ("fw2",)]),
    ),
    min_size=1,
    max_size=4,
).map(lambda made: [Policy(f"p{at}", *_rest(each)) for at, each in enumerate(made)])


def _rest(of: Policy) -> tuple[Any, ...]:
    return (of.profile, of.authentication_profile, of.conditions, of.clients, of.until, of.reply)


@given(
    POLICIES,
    st.dictionaries(
        st.sampled_from(["department", "title"]), st.lists(WORDS, min_size=1, max_size=2).map(tuple)
    ),
    st.sampled_from([None, "192.0.2.1", "198.51.100.1"]),
    st.frozensets(st.sampled_from(["department", "title"])),
)
def test_nobody_is_admitted_when_no_policy_matches_and_there_is_no_otherwise(
    policies: list[Policy],
    attributes: dict[str, tuple[str, ...]],
    address: str | None,
    unread: frozenset[str],
) -> None:
    decision = decided(*policies, attributes=attributes, address=address, unread=unread)
    if isinstance(decision, Admitted):
        found = next(each for each in policies if each.name == decision.policy)
        assert found.authentication_profile == LDAP
        assert found.until in (None, TODAY)
        assert found.clients in (None, ("fw1",))
        assert decision.trace[-1].startswith(f"{found.name}: ")


# --- packets that bear no Message-Authenticator ------------------------------------------------------


def test_what_an_unsealed_packet_says_opens_nothing_and_still_refuses() -> None:
    home = AddressCondition((ip_network("198.51.100.0/24"),))
    vpn = RequestCondition("Connect-Info", values("vpn-*"))
    said: dict[str, Any] = {"address": "198.51.100.7", "request": {"Connect-Info": ("vpn-ssl",)}}
    for condition in (home, vpn):
        assert isinstance(decided(rule(condition), **said), Admitted)
        unsealed = decided(rule(condition), **said, sealed=False)
        assert reason_of(unsealed) is Reason.NO_POLICY
        assert "bears no Message-Authenticator" in unsealed.trace[0]
        refusing = decided(rule(condition, profile="refuse"), rule(name="all"), **said, sealed=False)
        assert reason_of(refusing) is Reason.REFUSED_BY_POLICY


def test_an_address_from_elsewhere_opens_nothing_and_still_refuses() -> None:
    home = AddressCondition((ip_network("198.51.100.0/24"),))
    elsewhere = decided(rule(home), address="198.51.100.7", its_own=False)
    assert reason_of(elsewhere) is Reason.NO_POLICY
    assert "198.51.100.7 stands where this kind of gateway is not known to put it" in elsewhere.trace[0]
    refusing = rule(home, profile="refuse"), rule(name="all")
    assert reason_of(decided(*refusing, address="198.51.100.7", its_own=False)) is Reason.REFUSED_BY_POLICY


@pytest.mark.parametrize(
    ("networks", "accepted", "believed"),
    [
        (("10.0.0.0/29",), False, True),
        (("10.0.0.1", "10.0.1.1", "10.0.2.0/29"), False, True),
        (("10.0.0.1", "10.0.0.0/28"), False, False),
        (("10.0.0.0/8",), False, False),
        (("10.0.0.0/8",), True, True),
        (("2001:db8::/125",), False, True),
        (("2001:db8::/64",), False, False),
    ],
)
def test_a_client_wider_than_a_29_opens_nothing_by_address(
    networks: tuple[str, ...], accepted: bool, believed: bool
) -> None:
    home = AddressCondition((ip_network("198.51.100.0/24"),))
    at = replace(client(), networks=tuple(map(ip_network, networks)), shared_secret_prefix=accepted)
    decision = decided(rule(home), at=at, address="198.51.100.7")
    assert isinstance(decision, Admitted if believed else Refused)
    refusing = decided(rule(home, profile="refuse"), rule(name="all"), at=at, address="198.51.100.7")
    assert reason_of(refusing) is Reason.REFUSED_BY_POLICY
