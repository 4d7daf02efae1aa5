# ruff: noqa: E501 - a row of a table is a line
"""Every preset, through a settings file: a request in the shape of that gateway, and what it comes to.

The requests are built from what is known of each gateway; none was captured from a vendor's box.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address
from pathlib import Path

import pytest

from radius_push import policy
from radius_push.gateway import USER_ADDRESS_ORDER, GroupsIn
from radius_push.model import Accepted, Address, Client, Person, PersonKey
from radius_push.proofs import pap
from radius_push.radius import attributes as names
from radius_push.radius import mschap
from radius_push.radius.asking import read_reply
from radius_push.radius.packet import AccessRequest, read_request, write_reply
from radius_push.radius.preset import Preset
from radius_push.radius.presets import GENERIC, PRESETS, STANDARD
from radius_push.radius.user_address import Reported, as_reported, user_address
from radius_push.radius.wire import attribute, seal_request
from radius_push.settings import load
from tests.radius.packets import AUTHENTICATOR, dictionary
from tests.settings.files import ENVIRON, GOOD, HASH, written

GATEWAY = ip_address("10.0.0.11")
HOME = "203.0.113.5"
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Row:
    sends: Pairs
    address: str | None
    own: bool
    patience: float
    groups: tuple[str, ...]
    """What the reply carries for the groups `staff` and `vpn`, or for `staff` alone if it takes one."""
    where: str | None
    proof: str = "pap"
    seal: str = "yes"


VPN: Pairs = (("NAS-Port-Type", "Virtual"), ("Service-Type", "Framed-User"))
ROWS = {
    "generic": Row((("Calling-Station-Id", HOME),), HOME, True, 30, (), None),
    "cisco-asa": Row(
        (*VPN, ("Called-Station-Id", "192.0.2.1"), ("Calling-Station-Id", "10.9.9.9"), ("Tunnel-Client-Endpoint", "10.8.8.8"), ("Cisco-AVPair", "mdm-tlv=device-platform=win"), ("Cisco-AVPair", f"ip:source-ip={HOME}")),
        HOME, True, 60, ("OU=staff;",), "Class"),
    "fortigate": Row(
        (*VPN, ("NAS-Identifier", "FGT60F"), ("Connect-Info", "vpn-ssl"), ("Acct-Session-Id", "5e2f"), ("Calling-Station-Id", HOME)),
        HOME, True, 60, ("staff", "vpn"), "Fortinet-Group-Name"),
    "fortigate-ipsec": Row(
        (*VPN, ("Connect-Info", "vpn-ikev2"), ("Fortinet-Client-IP-Address", HOME)),
        HOME, True, 60, ("staff", "vpn"), "Fortinet-Group-Name"),
    "globalprotect": Row(
        (("NAS-Identifier", "push-profile"), ("Calling-Station-Id", "10.1.1.1"), ("PaloAlto-Client-Source-IP", HOME), ("PaloAlto-Client-OS", "Windows")),
        HOME, True, 25, ("staff", "vpn"), "PaloAlto-User-Group"),
    "checkpoint": Row((("NAS-IP-Address", "10.0.0.11"), ("Service-Type", "Login-User")), None, False, 60, ("staff", "vpn"), "Class"),
    "netscaler": Row((("NAS-IP-Address", "10.0.0.11"), ("Calling-Station-Id", HOME)), HOME, True, 60, ("CTXSUserGroups=staff;vpn",), "Class"),
    "openvpn": Row((("NAS-Identifier", "OpenVpn"), ("NAS-Port", "1"), ("Calling-Station-Id", HOME)), HOME, True, 60, ("staff", "vpn"), "Class", seal="auto"),
    "pfsense": Row((("NAS-Identifier", "pfSense"), ("Called-Station-Id", "10.0.0.11"), ("Calling-Station-Id", f"{HOME}:1194")), HOME, True, 20, ("staff;vpn",), "Class"),
    "opnsense": Row((("Service-Type", "Login-User"), ("NAS-Identifier", "63953d3fe3402"), ("NAS-Port", "0"), ("NAS-Port-Type", "Ethernet")), None, False, 20, ("staff;vpn",), "Class"),
    "mikrotik": Row((*VPN, ("NAS-Identifier", "MikroTik"), ("Calling-Station-Id", HOME)), HOME, True, 30, ("staff",), "Mikrotik-Group"),
    "sophos": Row((("NAS-Identifier", "ssl"), ("Calling-Station-Id", HOME)), HOME, False, 60, ("staff", "vpn"), "Filter-Id"),
    "ivanti": Row((("NAS-Identifier", "ics"), ("Calling-Station-Id", "10.1.1.1"), ("Tunnel-Client-Endpoint", HOME)), HOME, True, 60, ("staff", "vpn"), "Filter-Id"),
    "sonicwall": Row((("NAS-Port", "0"), ("Calling-Station-Id", HOME)), HOME, True, 60, ("staff", "vpn"), "Filter-Id"),
    "watchguard": Row((("NAS-IP-Address", "10.0.0.11"), ("NAS-Port", "0")), None, False, 60, ("staff", "vpn"), "Filter-Id"),
    "rras": Row(
        (*VPN, ("Tunnel-Type:0", "PPTP"), ("Calling-Station-Id", HOME), ("Tunnel-Client-Endpoint", HOME), ("MS-RAS-Vendor", "311")),
        HOME, True, 60, ("staff", "vpn"), "Class", proof="ms-chapv2"),
    "strongswan": Row((*VPN, ("NAS-Identifier", "strongSwan"), ("Called-Station-Id", "10.0.0.11[4500]"), ("Calling-Station-Id", f"{HOME}[4500]")), HOME, True, 30, ("staff", "vpn"), "Class"),
    "ocserv": Row((*VPN, ("NAS-Identifier", "ocserv"), ("NAS-Port", "4711"), ("Connect-Info", "Open AnyConnect VPN Agent"), ("Calling-Station-Id", HOME)), HOME, True, 60, ("OU=staff;vpn",), "Class", seal="auto"),
    "softether": Row((*VPN, ("Calling-Station-Id", HOME), ("Tunnel-Client-Endpoint", HOME)), HOME, True, 15, (), None, seal="auto"),
}  # fmt: skip


def test_every_preset_has_a_row() -> None:
    assert set(ROWS) == set(PRESETS)


def base(preset: str) -> str:
    """Where a gateway brings no PAP, an LDAP directory could prove nobody: local users then."""
    if "pap" in PRESETS[preset].accepts:
        return GOOD
    local = GOOD.replace("[corp, local]", "[local]").replace("_profile: corp", "_profile: local")
    return local.replace(f'password_hash: "{HASH}"', "nt_hash: 8846f7eaee8fb117ad06bdd830b7586c")


def client_of(folder: Path, *lines: str, preset: str = "generic") -> Client:
    """The client of a settings file whose gateway says this."""
    text = base(preset).replace("    patience: 60s\n", "".join(f"    {line}\n" for line in lines))
    settings = load(written(folder, text), environ=ENVIRON)
    return settings.clients["fw1"]


def rules_of(folder: Path, preset: str, *groups: str) -> tuple[Client, policy.Rules]:
    text = base(preset).replace("    patience: 60s\n", f"    preset: {preset}\n")
    if groups:
        text += f"    groups: [{', '.join(groups)}]\n"
    settings = load(written(folder, text), environ=ENVIRON)
    rules = policy.compile(
        settings.policies,
        profiles=settings.profiles,
        authentication_profiles=settings.authentication_profiles,
    )
    assert isinstance(rules, policy.Rules)
    return settings.clients["fw1"], rules


def request_of(row: Row, client: Client) -> AccessRequest:
    secret = client.secrets[0]
    body = attribute(names.USER_NAME, b"alice")
    if row.proof == "pap":
        body += attribute(names.USER_PASSWORD, pap.hide(b"hunter2", secret, AUTHENTICATOR))
    else:
        for vendor_type, octets in ((11, bytes(16)), (25, bytes(50))):
            inside = attribute(vendor_type, octets)
            body += attribute(names.VENDOR_SPECIFIC, names.MICROSOFT.to_bytes(4, "big") + inside)
    for name, text in row.sends:
        body += names.encode(name, text, dictionary())
    datagram = seal_request(
        identifier=7, authenticator=AUTHENTICATOR, secret=secret, attributes=body, sign=row.seal == "yes"
    )
    return read_request(datagram, client=client, dictionary=dictionary(), seal_required=row.seal == "yes")


@pytest.mark.parametrize("preset", ROWS)
def test_a_request_in_the_shape_of_each_gateway(preset: str, tmp_path: Path) -> None:
    row = ROWS[preset]
    where = PRESETS[preset].groups_in
    groups = () if where is None else ("staff",) if where.only_one else ("staff", "vpn")
    client, rules = rules_of(tmp_path, preset, *groups)
    request = request_of(row, client)

    assert client.patience == row.patience
    assert client.require_message_authenticator == row.seal
    assert request.proof in client.accepts
    found = user_address(request.attributes, client=client, gateway=GATEWAY)
    assert found == (Reported(ip_address(row.address), row.own) if row.address else None)

    speaks = rules.rules[0].policy.authentication_profile
    person = Person(PersonKey(speaks, "1"), "alice", "uid=alice", {"department": ("IT",)})
    facts = policy.Facts(person, client, None, request.attributes, date(2027, 1, 1))
    decision = policy.decide(rules, facts)
    assert isinstance(decision, policy.Admitted)
    octets = write_reply(request, Accepted(decision.reply, mschap.PLACEHOLDER), dictionary=dictionary())
    code, told = read_reply(
        octets,
        identifier=7,
        authenticator=request.authenticator,
        secret=client.secrets[0],
        dictionary=dictionary(),
    )
    assert code == 2
    told = {name: texts for name, texts in told.items() if not name.startswith("MS-MPPE-Encryption-")}
    assert told == ({row.where: tuple(shown(row.where, group) for group in row.groups)} if row.where else {})


def shown(name: str, text: str) -> str:
    """Class is octets, and read as such."""
    known = dictionary().named(name)
    assert known is not None
    return "0x" + text.encode().hex() if known.type == "octets" else text


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_what_a_preset_names_is_in_the_dictionary(preset: Preset) -> None:
    for name in preset.user_address:
        assert dictionary().named(name) is not None
    if preset.groups_in is not None:
        known = dictionary().named(preset.groups_in.attribute)
        assert known is not None
        assert preset.groups_in.room == (STANDARD if isinstance(known.key, int) else STANDARD - 6)


def test_what_a_client_says_goes_before_its_preset(tmp_path: Path) -> None:
    client = client_of(
        tmp_path,
        "preset: fortigate",
        "patience: 40s",
        "accepts: [pap, chap]",
        "require_message_authenticator: auto",
        "password_encoding: cp1251",
        "user_address: Tunnel-Client-Endpoint",
        "groups_in: {attribute: Filter-Id, form: 'g={groups}'}",
        "shared_secret_prefix: accepted",
    )
    assert client.preset == "fortigate"
    assert client.patience == 40
    assert client.accepts == {"pap", "chap"}
    assert client.require_message_authenticator == "auto"
    assert client.password_encoding == "cp1251"
    assert client.user_address == ("Tunnel-Client-Endpoint",)
    assert client.groups_in == GroupsIn("Filter-Id", "g={groups}")
    assert client.shared_secret_prefix


def test_a_client_without_a_preset_is_generic_and_safe(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    assert (client.preset, client.patience, client.require_message_authenticator) == (GENERIC, 30, "yes")
    assert client.accepts == {"pap"}
    assert client.user_address == USER_ADDRESS_ORDER


def test_none_means_that_no_attribute_is_the_users_address(tmp_path: Path) -> None:
    client = client_of(tmp_path, "preset: cisco-asa", "user_address: none")
    said = {"Calling-Station-Id": (HOME,)}
    assert user_address(said, client=client, gateway=GATEWAY) is None


@pytest.mark.parametrize("address", ["203.0.113.5", "2001:db8::5"])
@pytest.mark.parametrize("preset", PRESETS)
def test_an_address_is_reported_as_such_a_gateway_does(preset: str, address: str, tmp_path: Path) -> None:
    client = client_of(tmp_path, f"preset: {preset}", preset=preset)
    at: Address = ip_address(address)
    name, text = as_reported(at, client=client)
    found = user_address({name: (text,)}, client=client, gateway=GATEWAY)
    assert found == Reported(at, own=bool(PRESETS[preset].user_address))
    names.encode(name, text, dictionary())
