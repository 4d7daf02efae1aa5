"""Groups on their way to a gateway: none is lost or becomes another, and what cannot be told is a reject."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push.gateway import GroupsIn
from radius_push.model import Reason
from radius_push.policy import Admitted, Decision, NotRead, Refused
from radius_push.policy.groups import place, unfit
from radius_push.policy.template import NotComputed
from tests.policy.test_decide import client, decided, having, rule

EACH = GroupsIn("Fortinet-Group-Name")
JOINED = GroupsIn("Class", "OU={groups};", 253)


def told(*groups: str, where: GroupsIn | None, **attributes: tuple[str, ...]) -> Decision:
    at = replace(client(), groups_in=where)
    policy = rule(having("department", "IT"), groups=groups, reply=(("Class", "x"),))
    return decided(policy, at=at, attributes={"department": ("IT",), **attributes})


def reply_of(decision: Decision) -> tuple[tuple[str, str], ...]:
    assert isinstance(decision, Admitted), decision
    return decision.reply


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("{group}", ("staff", "vpn")),
        ("OU={group};", ("OU=staff;", "OU=vpn;")),
        ("{groups}", ("staff;vpn",)),
        ("OU={groups};", ("OU=staff;vpn;",)),
        ("CTXSUserGroups={groups}", ("CTXSUserGroups=staff;vpn",)),
    ],
)
def test_each_form(form: str, values: tuple[str, ...]) -> None:
    placed = place(("staff", "vpn", "staff"), GroupsIn("Class", form))
    assert placed == tuple(("Class", value) for value in values)


def test_groups_go_before_the_reply_and_add_to_it() -> None:
    decision = told("staff", "{department}", "m-{matched}", where=JOINED)
    assert reply_of(decision) == (("Class", "OU=staff;IT;m-IT;"), ("Class", "x"))


@pytest.mark.parametrize(
    ("made", "value", "reply"),
    [
        ("OU={title};", "x;OU=admins", None),
        ("a;{title}", "x;b", None),
        ("OU={matched};", "x;OU=admins", None),
        ("{title}", "OU=x;", "OU=x;"),
        ("{title}", "0x4f553d61646d696e73", None),
        ("0{title}", "x41", None),
        ("0x{title}", "41", "0x41"),
        ("OU={title}", "0x41", "OU=0x41"),
    ],
)
def test_a_persons_value_is_one_value_and_no_more_than_its_text(
    made: str, value: str, reply: str | None
) -> None:
    policy = rule(having("title", "*"), reply=(("Class", made),))
    decision = decided(policy, attributes={"title": (value,)})
    if reply is not None:
        assert reply_of(decision) == (("Class", reply),)
    else:
        assert isinstance(decision, Refused)
        assert decision.reason is Reason.REPLY_NOT_COMPUTED


def test_a_client_that_says_nowhere_gets_a_reject() -> None:
    decision = told("staff", where=None)
    assert isinstance(decision, Refused)
    assert decision.reason is Reason.REPLY_NOT_COMPUTED
    assert decision.detail == "IT: groups: nothing says where fw1 looks for groups"


@pytest.mark.parametrize(
    ("group", "where", "why"),
    [
        ("{title}", EACH, "{title} has no values, and takes exactly one"),
        ("{mail}", EACH, "{mail} has 2 values, and takes exactly one"),
        ("{cn}", JOINED, "group 'a;b' holds ;, which ends a group in OU={groups};"),
        ("{cn}", GroupsIn("Class", "OU={group};"), "group 'a;b' holds ;, which ends a group in OU={group};"),
        ("{sn}", EACH, "248 octets for group"),
        ("{blank}", JOINED, "a group without a name"),
        ("{hex}", EACH, "'0x6f75' looks like octets in hexadecimal digits"),
    ],
)
def test_what_cannot_be_told_is_a_reject(group: str, where: GroupsIn, why: str) -> None:
    values: dict[str, tuple[str, ...]] = {
        "mail": ("a", "b"), "cn": ("a;b",), "sn": ("é" * 124,), "blank": (" ",), "hex": ("0x6f75",),
    }  # fmt: skip
    decision = told("staff", group, where=where, **values)
    assert isinstance(decision, Refused)
    assert decision.reason is Reason.REPLY_NOT_COMPUTED
    assert why in decision.detail


def test_one_group_where_one_is_read() -> None:
    one = GroupsIn("Mikrotik-Group", only_one=True)
    assert place(("a", "a"), one) == (("Mikrotik-Group", "a"),)
    with pytest.raises(NotComputed, match="takes one group, and there are 2"):
        place(("a", "b"), one)


def test_a_semicolon_harms_nobody_where_each_group_has_an_attribute() -> None:
    assert place(("a;b",), EACH) == (("Fortinet-Group-Name", "a;b"),)


def test_an_attribute_that_was_not_read_is_silence() -> None:
    at = replace(client(), groups_in=EACH)
    decision = decided(rule(groups=("{title}",)), at=at, unread=frozenset({"title"}))
    assert isinstance(decision, NotRead)


def test_a_group_may_be_called_like_a_hole() -> None:
    assert place(("{group}", "{groups}"), EACH) == (
        ("Fortinet-Group-Name", "{group}"),
        ("Fortinet-Group-Name", "{groups}"),
    )


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80), max_size=30),
    st.sampled_from(["{groups}", "OU={groups};", "CTXSUserGroups={groups}"]),
    st.sampled_from([247, 253]),
)
def test_joined_groups_are_split_between_groups_and_none_is_lost(
    groups: list[str], form: str, room: int
) -> None:
    where = GroupsIn("Class", form, room)
    good = [group for group in groups if not unfit(group, where)]
    before, _, after = form.partition("{groups}")
    found: list[str] = []
    for name, value in place(good, where):
        assert name == "Class"
        assert len(value.encode()) <= room
        assert value.startswith(before)
        assert value.endswith(after)
        found += value.removeprefix(before).removesuffix(after).split(";")
    assert found == list(dict.fromkeys(good))
