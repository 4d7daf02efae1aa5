# ruff: noqa: E501 - a mistake is one line here, as it is on the screen
"""Somebody writes the value that a policy asks for into their own entry: no such policy is taken unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from radius_push.policy.self_writable import self_writable
from tests.settings.files import changed, good, mistakes

DEPARTMENT = "    attribute: department\n    values: [IT]\n"


@pytest.mark.parametrize(
    "attribute",
    ["mobile", "telephoneNumber", "TELEPHONENUMBER", "l", "c", "st", "info", "pager", "wWWHomePage"],
)
def test_a_policy_on_such_an_attribute_is_refused(tmp_path: Path, attribute: str) -> None:
    for condition in ("values: [x]", "none_of: [x]"):
        text = changed((DEPARTMENT, f"    attribute: {attribute}\n    {condition}\n"))
        (sentence,) = mistakes(tmp_path, text)
        assert sentence.startswith(f"30:16: policies[0].attribute: people may write their own {attribute}")


def test_so_it_is_among_several_conditions_and_in_a_reply(tmp_path: Path) -> None:
    more = "    when: [{attribute: mobile, values: [x]}]\n    reply: {Filter-Id: 'role-{Pager}'}\n"
    assert [
        each.partition(": people")[0] for each in mistakes(tmp_path, changed((DEPARTMENT, DEPARTMENT + more)))
    ] == [
        "32:24: policies[0].when[0].attribute",
        "33:24: policies[0].reply.Filter-Id",
    ]


def test_the_admin_may_say_that_nobody_can_write_them(tmp_path: Path) -> None:
    mobile = (DEPARTMENT, "    attribute: mobile\n    values: [x]\n")
    assert good(
        tmp_path, changed(mobile, ("    type: ldap\n", "    type: ldap\n    self_writable: accepted\n"))
    )
    assert mistakes(
        tmp_path, changed(mobile, ("    type: ldap\n", "    type: ldap\n    self_writable: yes\n"))
    ) == [
        "16:20: authentication_profiles.corp.self_writable: takes only the word accepted; leave the key out otherwise"
    ]


def test_local_users_write_nothing(tmp_path: Path) -> None:
    text = changed(
        ("    authentication_profile: corp\n", "    authentication_profile: local\n"),
        (DEPARTMENT, "    attribute: mobile\n    values: [x]\n"),
    )
    assert good(tmp_path, text)


@pytest.mark.parametrize(
    "attribute",
    ["memberOf", "department", "departmentNumber", "title", "mail", "employeeType", "ou", "cn", "uid"],
)
def test_what_the_organisation_writes_may_be_asked_for(attribute: str) -> None:
    assert not self_writable(attribute)


def test_nobody_becomes_another_by_writing_their_id(tmp_path: Path) -> None:
    text = changed(("    type: ldap\n", "    type: ldap\n    id_attribute: mobile\n"))
    assert mistakes(tmp_path, text) == [
        "16:19: authentication_profiles.corp.id_attribute: people may write their own mobile, and so become another; name one that they cannot write"
    ]
