"""What a phone is told of an address: what kind it is, and what it has in common with others."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from radius_push.factors.facts import Facts, address_in, kind_of, same_address, same_network, shown
from radius_push.factors.question import state, statement
from radius_push.model import Place
from tests.factors.signing import NOW, a_device, a_question


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("198.51.100.7", "public"),
        ("9.255.255.255", "public"),
        ("10.0.0.0", "private"),
        ("172.15.255.255", "public"),
        ("172.31.255.255", "private"),
        ("172.32.0.0", "public"),
        ("192.168.7.7", "private"),
        ("100.63.255.255", "public"),
        ("100.64.0.1", "shared"),
        ("100.127.255.255", "shared"),
        ("100.128.0.0", "public"),
        ("127.0.0.1", "loopback"),
        ("169.254.1.1", "link_local"),
        ("2001:db8::1", "public"),
        ("fd00::1", "private"),
        ("fe80::1", "link_local"),
        ("::1", "loopback"),
    ],
)
def test_an_address_says_what_kind_of_network_it_is_from(address: str, kind: str) -> None:
    assert kind_of(ip_address(address)) == kind


@pytest.mark.parametrize(
    ("user", "phone", "same"),
    [
        ("198.51.100.7", "198.51.100.7", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("198.51.100.7", "::ffff:198.51.100.7", True),
        ("2001:db8:0:1::7", "2001:db8:0:1:ffff::8", True),
        ("2001:db8:0:1::7", "2001:db8:0:2::7", False),
        ("198.51.100.7", "2001:db8::7", None),
        ("127.0.0.1", "127.0.0.1", None),
        ("fe80::1", "fe80::2", None),
        (None, "198.51.100.7", None),
        ("198.51.100.7", None, None),
        (None, None, None),
    ],
)
def test_one_network_is_one_ipv4_address_or_one_ipv6_64(
    user: str | None, phone: str | None, same: bool | None
) -> None:
    found = None if phone is None else ip_address(phone)
    assert same_network(address_in(user), found) is same


@pytest.mark.parametrize(
    ("user", "earlier", "same"),
    [
        ("198.51.100.7", "198.51.100.7", True),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("2001:db8::1", "2001:DB8:0::1", True),
        ("2001:db8::1", "2001:db8::2", False),
        (None, None, None),
        ("198.51.100.7", None, None),
        ("console", "console", None),
    ],
)
def test_unknown_addresses_are_never_alike(user: str | None, earlier: str | None, same: bool | None) -> None:
    assert same_address(address_in(user), address_in(earlier)) is same


def test_a_card_carries_the_facts_and_an_answer_signs_none_of_them() -> None:
    place = Place({"en": "Vienna"}, {"en": "Austria"}, "AT")
    question = a_question()
    facts = {question.id: Facts("public", place, True, False)}
    cards = state(a_device(), [question], now=NOW + 1, facts=facts)["questions"]
    assert cards[0]["facts"] == {  # type: ignore[index]
        "network": "public",
        "place": {"city": {"en": "Vienna"}, "country": {"en": "Austria"}, "country_code": "AT"},
        "same_network_as_this_phone": True,
        "same_address_as_last_login": False,
        "not_from_here": False,
    }
    signed = statement(question, device="d", origin="https://o", purpose="approve", late="no")
    assert not {"facts", *shown(Facts())} & signed.keys()
    assert signed["address"] == "198.51.100.7"


def test_what_cannot_be_told_is_null() -> None:
    told = shown(Facts())
    assert told.pop("not_from_here") is False  # a yes is refused only where it is known
    assert set(told.values()) == {None}
