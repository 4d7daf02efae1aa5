"""The clients that radius-push has of its own: where they are, and where the admin's go before them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from radius_push.model import Secret
from radius_push.own_clients import client_table, servers_to_ask, simulating, speaking_as, speaks_from
from radius_push.ports import DoorClosed
from radius_push.radius.presets import PRESETS
from radius_push.settings import load
from radius_push.shapes import Endpoint, MoreServer, Settings, is_our_own
from radius_push.store.keys import Keys

SECRET = Secret("what only the server and its verbs know")
KEYS = Keys(pepper=Secret("p"), try_login_secret=SECRET, vapid=Secret("v"), tag=Secret("t"))
TEXT = """
server: {store: "sqlite://db", listen: {authentication: [LISTEN]}}
clients:
  one: {addresses: [ADDRESSES], secret: 0123456789abcdef, profiles: [all]}
authentication_profiles:
  first: {type: local, users: {}}
profiles:
  all: {methods: [none], fallback_auth_profiles: [first]}
  none: {methods: [none], fallback_auth_profiles: [first]}
"""


def settings(folder: Path, *, addresses: str = "192.0.2.1", listen: str = '"127.0.0.1:1812"') -> Settings:
    file = folder / "settings.yaml"
    file.write_text(TEXT.replace("ADDRESSES", addresses).replace("LISTEN", listen))
    return load(file, environ={})


def test_each_preset_has_a_loopback_address_of_its_own() -> None:
    addresses = {speaks_from(preset) for preset in PRESETS}
    assert len(addresses) == len(PRESETS)
    assert all(address.is_loopback for address in addresses)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_simulated_gateway_is_what_its_preset_says_but_always_sealed(preset: str, tmp_path: Path) -> None:
    row = PRESETS[preset]
    client = simulating(settings(tmp_path), KEYS, preset)
    assert is_our_own(client.name)
    assert client.require_message_authenticator == "yes"
    assert (client.preset, client.patience, client.accepts) == (preset, row.patience, frozenset(row.accepts))
    assert (client.user_address, client.groups_in) == (row.user_address, row.groups_in)
    assert client.secrets == (SECRET,)
    assert (client.profiles, client.otherwise) == (("all", "none"), "refuse")
    assert [str(each) for each in client.networks] == [f"{speaks_from(preset)}/32"]


@pytest.mark.parametrize("theirs", ["127.0.0.0/8", "127.82.80.0/24", "127.82.80.3"])
def test_an_address_of_the_admins_is_never_ours(theirs: str, tmp_path: Path) -> None:
    found = settings(tmp_path, addresses=theirs)
    here = speaks_from("fortigate")
    assert str(here) == "127.82.80.3"
    client = client_table(found, KEYS).find(here)
    assert client is not None
    assert client.name == "one"
    with pytest.raises(DoorClosed, match=r"belongs to client one: take it out of `clients\.one\.addresses`"):
        simulating(found, KEYS, "fortigate")


def test_nobody_else_is_met_at_those_addresses_than_by_try_login_before(tmp_path: Path) -> None:
    table = client_table(settings(tmp_path), KEYS)
    other = table.find(ip_address("127.82.80.200"))
    assert other is not None
    assert other.name == "try-login"
    assert table.find(ip_address("192.0.2.200")) is None


def test_try_login_asks_as_the_client_that_has_its_address(tmp_path: Path) -> None:
    assert speaking_as(settings(tmp_path), KEYS)[1].name == "try-login"
    assert speaking_as(settings(tmp_path, addresses="127.0.0.1"), KEYS)[1].name == "one"


def test_servers_are_the_first_listeners_by_ipv4(tmp_path: Path) -> None:
    found = settings(tmp_path, listen='"[::1]:1812", "0.0.0.0:1812", "192.0.2.9:1645"')
    assert servers_to_ask(found, 1) == [("127.0.0.1", 1812)]
    assert servers_to_ask(found, 2) == [("127.0.0.1", 1812), ("192.0.2.9", 1645)]
    more = replace(found, more_servers={"b": MoreServer((Endpoint(ip_address("192.0.2.10"), 1812),))})
    assert servers_to_ask(more, 2) == [("127.0.0.1", 1812), ("192.0.2.10", 1812)]
    assert servers_to_ask(more, 3)[2] == ("192.0.2.9", 1645)
    with pytest.raises(DoorClosed, match="listen at 2 IPv4 addresses for logins; name 3 by --server"):
        servers_to_ask(found, 3)
