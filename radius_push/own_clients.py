"""The clients that radius-push has of its own: who `try-login` and `simulate` ask as."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network
from itertools import zip_longest

from radius_push.client_table import ClientTable
from radius_push.gateway import GroupsIn
from radius_push.model import PROOFS, Address, Client
from radius_push.ports import DoorClosed
from radius_push.radius.presets import PRESETS, STANDARD
from radius_push.settings.clients import of_preset
from radius_push.shapes import OUR_OWN_CLIENT, Endpoint, Settings, simulated
from radius_push.store.keys import Keys

OUR_OWN_PATIENCE = 65.0
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_FIRST_SIMULATED = IPv4Address("127.82.80.1")


def client_table(settings: Settings, keys: Keys) -> ClientTable:
    """The admin's clients, and our own from addresses that none of theirs contains."""
    theirs = ClientTable(settings.clients.values())
    ours = [*_for_try_login(settings, keys, theirs), *_for_simulate(settings, keys, theirs)]
    return ClientTable([*settings.clients.values(), *ours]) if ours else theirs


def _for_try_login(settings: Settings, keys: Keys, theirs: ClientTable) -> list[Client]:
    taken = {network for client in settings.clients.values() for network in client.networks}
    networks = {network for network in LOOPBACK if network not in taken}
    for endpoint in settings.authentication:
        if not endpoint.address.is_unspecified and theirs.find(endpoint.address) is None:
            networks.add(ip_network(endpoint.address))
    if not networks:
        return []
    client = Client(
        name=OUR_OWN_CLIENT,
        networks=tuple(networks),
        secrets=(keys.try_login_secret,),
        profiles=tuple(settings.profiles),
        otherwise="refuse",
        patience=OUR_OWN_PATIENCE,
        accepts=frozenset(PROOFS),
        groups_in=GroupsIn("Filter-Id", "{group}", STANDARD),  # somewhere, so that they are shown
    )
    return [client]


# --- simulate --------------------------------------------------------------------------------------


def speaks_from(preset: str) -> IPv4Address:
    """The loopback address of a simulated gateway: each kind has one of its own."""
    return _FIRST_SIMULATED + list(PRESETS).index(preset)


def _for_simulate(settings: Settings, keys: Keys, theirs: ClientTable) -> list[Client]:
    """One for each preset, with all that follows from the preset, but sealed: without a seal anybody on
    this machine could ask as one of them, and make directories count wrong passwords."""
    return [
        replace(
            of_preset(
                simulated(preset),
                preset,
                network=ip_network(speaks_from(preset)),
                secret=keys.try_login_secret,
                profiles=tuple(settings.profiles),
                otherwise="refuse",
            ),
            require_message_authenticator="yes",
        )
        for preset in PRESETS
        if theirs.find(speaks_from(preset)) is None
    ]


def simulating(settings: Settings, keys: Keys, preset: str) -> Client:
    """The client that a simulated gateway speaks as. Raises DoorClosed."""
    here = speaks_from(preset)
    client = client_table(settings, keys).find(here)
    if client is None or client.name != simulated(preset):
        whose = "nobody" if client is None else client.name
        raise DoorClosed(
            f"a simulated {preset} speaks from {here}, and that address belongs to client {whose}: "
            f"take it out of `clients.{whose}.addresses`"
        )
    return client


def servers_to_ask(settings: Settings, count: int) -> list[tuple[str, int]]:
    """The first IPv4 listener of each server, then their others; the first so many. Raises DoorClosed."""
    listens = [settings.authentication, *(more.authentication for more in settings.more_servers.values())]
    listeners = [_by_ipv4(endpoints) for endpoints in listens]
    found = [each for nth in zip_longest(*listeners) for each in nth if each is not None]
    if len(found) < count:
        raise DoorClosed(
            f"{settings.file}: its servers listen at {len(found) or 'no'} IPv4 "
            f"address{'' if len(found) == 1 else 'es'} for logins; name {count} by --server ADDRESS:PORT"
        )
    return found[:count]


def _by_ipv4(endpoints: Iterable[Endpoint]) -> list[tuple[str, int]]:
    return [(str(_reached_at(each)), each.port) for each in endpoints if each.address.version == 4]


# --- try-login -------------------------------------------------------------------------------------


def speaking_as(settings: Settings, keys: Keys) -> tuple[tuple[str, int], Client]:
    """Where `try-login` asks, and as which client: the one that contains its source address."""
    endpoint = settings.authentication[0]
    address = _reached_at(endpoint)
    client = client_table(settings, keys).find(address)
    if client is None:
        raise DoorClosed(f"no client contains {address}, from where this machine would ask")
    return (str(address), endpoint.port), client


def _reached_at(endpoint: Endpoint) -> Address:
    address = endpoint.address
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == 4 else "::1")
    return address
