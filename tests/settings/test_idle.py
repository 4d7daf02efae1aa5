"""Policies that decide nothing are said, and those that decide something are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.files import GOOD, warnings

LOCAL = "profile: staff-push, authentication_profile: local"
BAN = "{name: ban, profile: refuse, authentication_profile: local, attribute: group_name, values: [banned]}"
SECOND = "  fw2: {addresses: [10.0.0.12], secret: {env: FW1}, profiles: [%s], patience: 60s}\nauthentication_"


def said(folder: Path, *policies: str, second: str = "") -> list[str]:
    text = GOOD[: GOOD.index("policies:")] + "policies:\n" + "".join(f"  - {each}\n" for each in policies)
    if second:
        text = text.replace("authentication_", SECOND % second, 1)
        text = text.replace(
            "policies:\n", "  other: {methods: [push], fallback_auth_profiles: [local]}\npolicies:\n"
        )
    return [each.split(": ", 1)[1] for each in warnings(folder, text)]


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("attribute: grup_name, values: [x]",
         "policies[0].values: no user of local has grup_name: never fits, did you mean 'group_name'?"),
        ("attribute: rank, none_of: [x]", "policies[0].none_of: no user of local has rank: holds for all"),
        ("when: [{attribute: rank, none_of: [x]}]",
         "policies[0].when[0].none_of: no user of local has rank: holds for all"),
        ("attribute: Group_Name, values: [x]", ""),
        ("attribute: username, values: [x]", ""),
    ],
)  # fmt: skip
def test_what_no_local_user_has_is_a_slip(tmp_path: Path, condition: str, sentence: str) -> None:
    found = said(tmp_path, f"{{name: a, {LOCAL}, {condition}}}")
    assert found == ([sentence] if sentence else [])


NEVER = "policies[1]: never looked at: all above is for everybody of local"


@pytest.mark.parametrize(
    ("above", "second", "sentence"),
    [
        (f"{{name: all, {LOCAL}}}", "", NEVER),
        ("{name: all, profile: refuse, authentication_profile: local}", "", NEVER),
        (f"{{name: all, {LOCAL}, clients: [fw1]}}", "", NEVER),
        (f"{{name: all, {LOCAL}, until: 2099-01-01}}", "", ""),
        (f"{{name: all, {LOCAL}, attribute: group_name, values: [x]}}", "", ""),
        ("{name: all, profile: staff-push, authentication_profile: corp}", "", ""),
        (f"{{name: all, {LOCAL}}}", "other", ""),
        (f"{{name: all, {LOCAL}}}", "staff-push", NEVER),
        (f"{{name: all, {LOCAL}, clients: [fw1]}}", "staff-push", ""),
    ],
)
def test_below_a_policy_for_everybody_nothing_is_looked_at(
    tmp_path: Path, above: str, second: str, sentence: str
) -> None:
    assert said(tmp_path, above, BAN, second=second) == ([sentence] if sentence else [])
