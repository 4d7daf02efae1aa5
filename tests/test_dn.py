"""Distinguished names compare by their parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_push import dn


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=VPN Users,OU=Groups,DC=Example,DC=com", "cn=vpn users,ou=groups,dc=example,dc=com"),
        ("cn=a, ou=b ,dc=c", "cn=a,ou=b,dc=c"),
        (r"cn=Smith\, John,dc=c", r"CN=smith\2C john,dc=c"),
        (r"cn=Gr\c3\bcn", "cn=grün"),
        ("cn=ﬁsh", "cn=fish"),
        ("cn=a  b", "cn=a b"),
        (r"cn=\ a\ ,dc=c", "cn=a,dc=c"),
        ("cn=a+uid=b,dc=c", "UID=b+CN=a,dc=c"),
        ("2.5.4.3=a", "cn=a"),
        ("OID.2.5.4.3=a", "commonName=a"),
        ("cn=#04026869", "cn=hi"),
        ("cn=#0c02c3bc", "cn=ü"),
        ("", "  "),
    ],
)
def test_the_same_name_however_it_is_written(one: str, other: str) -> None:
    assert dn.same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cn=a,dc=c", "cn=b,dc=c"),
        ("cn=a,dc=c", "ou=a,dc=c"),
        ("cn=a,dc=c", "dc=c,cn=a"),
        (r"cn=x\,ou=admins,dc=c", "cn=x,ou=admins,dc=c"),
        ("cn=a+uid=b,dc=c", "cn=a,uid=b,dc=c"),
        (r"cn=a\+uid\=b,dc=c", "cn=a+uid=b,dc=c"),
        ("cn=a", ""),
    ],
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert not dn.same(one, other)


@pytest.mark.parametrize(
    "text",
    ["cn", "cn=a,", ",", "=a", "cn=a,,dc=c", "cn=a;dc=c", 'cn="a"', "cn=a\\", "cn=a\\q", "cn=#zz", "cn=#0",
     "c n=a", "1.=a", r"cn=\ff", "cn=a\x00b", "cn=<b>", "VPN Users", "\ud800=a", "cn=\ud800"],
)  # fmt: skip
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        dn.parse(text)


def test_under_is_the_base_itself_or_beneath_it() -> None:
    base = "OU=Groups,DC=example,DC=com"
    assert dn.under("cn=a,ou=groups,dc=example,dc=com", base)
    assert dn.under("cn=a,ou=x,ou=groups, dc=example,dc=com", base)
    assert dn.under(base, base)
    assert dn.under("cn=a", "")
    assert not dn.under("ou=groups,dc=example,dc=org", base)
    assert not dn.under("dc=com", base)
    assert not dn.under(r"cn=a\,ou=groups,dc=example,dc=com", base)


def test_the_first_part_is_given_as_a_person_would_write_it() -> None:
    assert dn.first_rdn(r"CN=Smith\, John,dc=c") == (("cn", "Smith, John"),)
    with pytest.raises(ValueError, match="no first part"):
        dn.first_rdn("")


def test_the_parts_of_the_canonical_form_are_counted_by_its_commas() -> None:
    assert dn.normal(r"CN=a\,b\+c\=d,DC=c") == r"cn=a\2cb\2bc\3dd,dc=c"


VALUES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


def escaped(value: str) -> str:
    return "".join(f"\\{octet:02x}" for octet in value.encode())


@given(st.lists(st.tuples(st.sampled_from(["cn", "OU", "dc", "uid"]), VALUES), min_size=1, max_size=4))
def test_any_value_survives_escaping_and_no_value_adds_a_part(parts: list[tuple[str, str]]) -> None:
    text = ",".join(f"{name}={escaped(value)}" for name, value in parts)
    assert dn.parse(text) == tuple(((name.lower(), value),) for name, value in parts)
    assert len(dn.normal(text).split(",")) == len(parts)
    assert dn.same(text, text.upper())


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_a_value_error(text: str) -> None:
    try:
        canonical = dn.normal(text)
    except ValueError:
        return
    assert len(dn.parse(canonical)) == len(dn.parse(text))
