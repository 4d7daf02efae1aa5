"""The user's address, as each gateway hides it."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from radius_push.radius.user_address import parse, user_address
from tests.radius.packets import STRICT

GATEWAY = ip_address("10.0.0.11")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.5", "203.0.113.5"),
        (" 203.0.113.5 ", "203.0.113.5"),
        ("203.0.113.5[4500]", "203.0.113.5"),
        ("203.0.113.5:51820", "203.0.113.5"),
        ("ip=203.0.113.5", "203.0.113.5"),
        ("IP=203.0.113.5:443", "203.0.113.5"),
        ("2001:db8::5", "2001:db8::5"),
        ("2001:DB8:0:0:0:0:0:5", "2001:db8::5"),
        ("2001:db8::5[4500]", "2001:db8::5"),
        ("[2001:db8::5]", "2001:db8::5"),
        ("[2001:db8::5]:443", "2001:db8::5"),
        ("2001:db8::5:4500", "2001:db8::5:4500"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("[::ffff:203.0.113.5]:443", "203.0.113.5"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_found_in_what_gateways_write(text: str, address: str) -> None:
    assert parse(text) == ip_address(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00-11-22-33-44-55",
        "00:11:22:33:44:55",
        "0011.2233.4455",
        "001122334455",
        "00:11:22:33:44:55:66:77",
        "02-00-5E-10-00-00-00-01:corp-wifi",
        "vpn.example.com",
        "+49 30 1234567",
        "3405803781",
        "203.0.113",
        "203.0.113.256",
        "203.0.113.05",
        "203.0.113.5/32",
        "203.0.113.5:",
        "203.0.113.5[]",
        "203.0.113.5 10.0.0.1",
        "[2001:db8::5",
        "２０３.0.113.5",
        "ip=",
        "0xcb007105",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("attributes", "address"),
    [
        ({}, None),
        ({"Calling-Station-Id": ("203.0.113.5",)}, "203.0.113.5"),
        ({"Tunnel-Client-Endpoint": ("203.0.113.4",), "Calling-Station-Id": ("203.0.113.5",)}, "203.0.113.4"),
        (
            {"Cisco-AVPair": ("ip:source-ip=203.0.113.3",), "Tunnel-Client-Endpoint": ("203.0.113.4",)},
            "203.0.113.3",
        ),
        (
            {
                "PaloAlto-Client-Source-IP": ("203.0.113.2",),
                "Cisco-AVPair": ("ip:source-ip=203.0.113.3",),
                "Calling-Station-Id": ("203.0.113.5",),
            },
            "203.0.113.2",
        ),
        ({"Cisco-AVPair": ("mdm-tlv=device-mac=1", "IP:Source-IP=203.0.113.3")}, "203.0.113.3"),
        ({"Cisco-AVPair": ("profile=203.0.113.3",)}, None),
        (
            {"Tunnel-Client-Endpoint": ("host.example",), "Calling-Station-Id": ("203.0.113.5",)},
            "203.0.113.5",
        ),
        ({"Calling-Station-Id": ("00-11-22-33-44-55",)}, None),
        ({"Calling-Station-Id": ("10.0.0.11",)}, None),
        ({"Calling-Station-Id": ("::ffff:10.0.0.11",)}, None),
        ({"Calling-Station-Id": ("192.0.2.1",), "NAS-IP-Address": ("192.0.2.1",)}, None),
        ({"Calling-Station-Id": ("2001:db8::1",), "NAS-IPv6-Address": ("2001:db8::1",)}, None),
        ({"Calling-Station-Id": ("10.0.0.11", "203.0.113.5")}, "203.0.113.5"),
        ({"Calling-Station-Id": ("0.0.0.0",)}, None),
        ({"Calling-Station-Id": ("::",)}, None),
        ({"Calling-Station-Id": ("224.0.0.1",)}, None),
        ({"Calling-Station-Id": ("ff02::1",)}, None),
        ({"Calling-Station-Id": ("255.255.255.255",)}, None),
        ({"Framed-IP-Address": ("203.0.113.5",)}, None),
        ({"Calling-Station-Id": ("127.0.0.1",)}, "127.0.0.1"),
        ({"Calling-Station-Id": ("::1",)}, "::1"),
    ],
)
def test_the_users_address_is_looked_for_in_the_general_order(
    attributes: dict[str, tuple[str, ...]], address: str | None
) -> None:
    found = user_address(attributes, client=STRICT, gateway=GATEWAY)
    assert (str(found.address) if found else None) == address
    assert found is None or found.own
