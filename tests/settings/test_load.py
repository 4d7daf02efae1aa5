"""A good settings file says exactly what was written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from ipaddress import ip_address, ip_network
from pathlib import Path

from radius_push.gateway import GroupsIn
from radius_push.model import Client, Secret
from radius_push.settings import SAMPLE_PASSWORD_HASH, describe, load
from radius_push.settings.changes import needs_restart
from radius_push.shapes import (
    AddressCondition,
    AttributeCondition,
    Endpoint,
    Enrollment,
    LdapProfile,
    LocalProfile,
    LocalUser,
    PhoneListener,
    Policy,
    Profile,
    RequestCondition,
    Texts,
    Value,
)
from tests.settings.files import ENVIRON, GOOD, HASH, SECRET, changed, good, written

SAMPLE = Path(__file__).parents[2] / "config" / "radius-push.yaml"


def test_the_good_file_becomes_shapes(tmp_path: Path) -> None:
    settings = good(tmp_path, GOOD)
    assert settings.file == str(tmp_path / "radius-push.yaml")
    assert settings.store == str(tmp_path / "state.db")
    assert settings.authentication == (Endpoint(ip_address("127.0.0.1"), 1812),)
    assert settings.phone == PhoneListener(Endpoint(ip_address("127.0.0.1"), 8443), "http://localhost:8443")
    assert settings.methods == {"push"}
    assert settings.clients == {
        "fw1": Client(
            "fw1",
            (ip_network("10.0.0.11"),),
            (Secret(SECRET),),
            ("staff-push",),
            patience=60.0,
            patience_said=True,
        )
    }
    assert settings.authentication_profiles == {
        "corp": LdapProfile(
            "corp",
            ("ldaps://dc1.example.com",),
            "dc=example,dc=com",
            "cn=reader,dc=example,dc=com",
            Secret("ldap-password-canary"),
        ),
        "local": LocalProfile("local", {"zoe": LocalUser("zoe", HASH, {"group_name": ("admins",)})}),
    }
    assert settings.profiles == {"staff-push": Profile("staff-push", ("push",), ("corp", "local"))}
    condition = AttributeCondition("department", (Value("exact", "IT"),))
    assert settings.policies == (Policy("IT", "staff-push", "corp", (condition,)),)
    assert settings.enrollment == Enrollment()
    assert settings.trusted_proxies == ()
    assert settings.reject_delay == 1.0
    assert settings.warnings == ()


def test_every_key_of_a_policy(tmp_path: Path) -> None:
    settings = good(
        tmp_path,
        GOOD
        + """\
  - name: contractors
    profile: staff-push
    authentication_profile: local
    clients: fw1
    attribute: group_name
    none_of: ["/home/.*/", {exact: "/home/x"}, "a*", off]
    when:
      - {attribute: title, values: 0123}
      - {user_address: ["198.51.100.0/24", "2001:db8::/32"]}
    request: {Connect-Info: "vpn-*"}
    until: 2027-06-30
    reply: {Session-Timeout: 36000, Filter-Id: ["{title}", "vpn-{{x}}"]}
  - {name: nobody else, profile: refuse, authentication_profile: local}
""",
    )
    contractors, refuse = settings.policies[1:]
    assert contractors == Policy(
        "contractors",
        "staff-push",
        "local",
        (
            AttributeCondition(
                "group_name",
                (
                    Value("regex", "home/.*"),
                    Value("exact", "/home/x"),
                    Value("wildcard", "a*"),
                    Value("exact", "off"),
                ),
                none_of=True,
            ),
            AttributeCondition("title", (Value("exact", "0123"),)),
            AddressCondition((ip_network("198.51.100.0/24"), ip_network("2001:db8::/32"))),
            RequestCondition("Connect-Info", (Value("wildcard", "vpn-*"),)),
        ),
        clients=("fw1",),
        until=date(2027, 6, 30),
        reply=(("Session-Timeout", "36000"), ("Filter-Id", "{title}"), ("Filter-Id", "vpn-{{x}}")),
    )
    assert refuse == Policy("nobody else", "refuse", "local")


def test_every_key_of_a_client_and_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "new.secret").write_text("new-secret-of-more-than-16\n")
    (tmp_path / "new.secret").chmod(0o600)
    settings = good(
        tmp_path,
        changed(
            ("clients:\n", """\
client_defaults: {otherwise: refuse, patience: 90s, profiles: staff-push}
clients:
"""),
            ("    secret: {env: FW1}\n    profiles: [staff-push]\n    patience: 60s\n", """\
    secret: [{file: new.secret}, {env: FW1}]
    otherwise: staff-push
    require_message_authenticator: no
    password_encoding: cp1251
  fw2: {addresses: ["2001:db8::/64", 10.0.0.0/24], secret: {env: FW1}}
"""),
        ),
    )  # fmt: skip
    fw1, fw2 = settings.clients.values()
    assert fw1.secrets == (Secret("new-secret-of-more-than-16"), Secret(SECRET))
    assert (fw1.otherwise, fw1.patience, fw1.require_message_authenticator) == ("staff-push", 90.0, "no")
    assert fw1.password_encoding == "cp1251"
    assert fw2.networks == (ip_network("2001:db8::/64"), ip_network("10.0.0.0/24"))
    assert (fw2.otherwise, fw2.profiles, fw2.require_message_authenticator) == (
        "refuse",
        ("staff-push",),
        "yes",
    )


def test_a_gateway_that_takes_one_group_takes_one_in_another_place_too(tmp_path: Path) -> None:
    settings = good(
        tmp_path,
        changed(
            ("    patience: 60s\n", "    preset: cisco-asa\n    groups_in: {attribute: ASA-Group-Policy}\n")
        ),
    )
    assert settings.clients["fw1"].groups_in == GroupsIn("ASA-Group-Policy", only_one=True)


def test_every_key_of_the_server_and_a_profile(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("pem")
        (tmp_path / name).chmod(0o600)
    settings = good(
        tmp_path,
        changed(
            ("sqlite://state.db", "sqlite:///var/lib/radius-push/state.db"),
            ('["127.0.0.1:1812"]', '["10.0.0.5:1812", "[::1]:0"]'),
            ('"http://localhost:8443"}',
             """"https://MFA.example.com:443/", tls: {certificate: cert.pem, key: {file: key.pem}}}
  enrollment: {shown_code: 5m, devices_per_user: 3}
  trusted_proxies: [10.0.1.0/28, 2001:db8::1]
  reject_delay: 500ms"""),
            ("fallback_auth_profiles: [corp, local]}",
             "fallback_auth_profiles: [corp, local], timeout: 2m, texts: {timeout: Too late., denied: No.}}"),
            ("patience: 60s", "patience: 10m"),
        ),
    )  # fmt: skip
    assert settings.store == "/var/lib/radius-push/state.db"
    assert [str(each) for each in settings.authentication] == ["10.0.0.5:1812", "[::1]:0"]
    assert settings.phone is not None
    assert settings.phone.url == "https://mfa.example.com"
    assert (settings.phone.certificate, settings.phone.key) == (
        str(tmp_path / "cert.pem"),
        str(tmp_path / "key.pem"),
    )
    assert settings.enrollment == Enrollment(300.0, 3)
    assert settings.trusted_proxies == (ip_network("10.0.1.0/28"), ip_network("2001:db8::1"))
    assert settings.reject_delay == 0.5
    profile = settings.profiles["staff-push"]
    assert (profile.timeout, profile.texts) == (120.0, Texts("Too late.", "No."))


def test_every_key_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("pem")
    settings = good(
        tmp_path,
        changed(
            ("ldaps://dc1.example.com]", """ldap://dc1.example.com, "ldap://[2001:db8::1]:3389"]
    start_tls: yes
    ca_file: ca.pem
    user_filter: "(&(objectClass=person)(|(uid={username})(mail={username})))"
    group_base_dn: ou=groups,dc=example,dc=com
    id_attribute: objectGUID
    connect_timeout: 1s
    receive_timeout: 2.5s
    emergency: no"""),
            ("    type: local\n", "    type: local\n    emergency: yes\n"),
            ("bind_dn: cn=reader,dc=example,dc=com", "bind_dn: reader@corp.example"),
        ),
    )  # fmt: skip
    corp, local = settings.authentication_profiles.values()
    assert isinstance(corp, LdapProfile)
    assert corp.urls == ("ldap://dc1.example.com", "ldap://[2001:db8::1]:3389")
    assert (corp.start_tls, corp.check_certificate, corp.emergency) == (True, True, False)
    assert corp.ca_file == str(tmp_path / "ca.pem")
    assert (corp.group_base_dn, corp.id_attribute) == ("ou=groups,dc=example,dc=com", "objectGUID")
    assert (corp.connect_timeout, corp.receive_timeout) == (1.0, 2.5)
    assert corp.bind_dn == "reader@corp.example"
    assert local.emergency


def test_users_may_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    written(tmp_path, f"Zoë: {{password_hash: '{HASH}', EMail: zoe@example.com}}\n", "users.yaml")
    text = (
        GOOD[: GOOD.index("    users:\n")]
        + "    users_file: users.yaml\n"
        + GOOD[GOOD.index("profiles:\n  st") :]
    )
    local = good(tmp_path, text).authentication_profiles["local"]
    assert isinstance(local, LocalProfile)
    assert local.users == {"zoë": LocalUser("Zoë", HASH, {"email": ("zoe@example.com",)})}


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    settings = good(
        tmp_path,
        changed(
            ("  fw1:\n", "  fw1: &gateway\n"),
            ("authentication_profiles:\n  corp", """\
  fw2: {<<: *gateway, addresses: [10.0.0.12], patience: 70s}
authentication_profiles:
  corp"""),
        ),
    )  # fmt: skip
    fw2 = settings.clients["fw2"]
    assert (fw2.networks, fw2.patience, fw2.profiles) == ((ip_network("10.0.0.12"),), 70.0, ("staff-push",))
    assert fw2.secrets == (Secret(SECRET),)


def test_scalars_are_read_as_written(tmp_path: Path) -> None:
    settings = good(
        tmp_path, changed(("values: [IT]", "values: [off, NO, 0123, 1_000, 12:30, ~, 2027-01-01]"))
    )
    (condition,) = settings.policies[0].conditions
    assert isinstance(condition, AttributeCondition)
    assert [each.text for each in condition.values] == [
        "off",
        "NO",
        "0123",
        "1_000",
        "12:30",
        "~",
        "2027-01-01",
    ]


def test_the_sample_file_works_as_it_is() -> None:
    settings = load(SAMPLE, environ={})
    assert [str(each) for each in settings.authentication] == ["127.0.0.1:1812"]
    assert settings.phone is not None
    assert settings.phone.url == "http://localhost:8443"
    assert settings.store == str(SAMPLE.parent / "state" / "radius-push.db")
    local = settings.authentication_profiles["local-users"]
    assert isinstance(local, LocalProfile)
    assert local.users["alice"].password_hash == SAMPLE_PASSWORD_HASH


def test_check_says_what_there_is_and_what_follows(tmp_path: Path) -> None:
    assert (
        describe(good(tmp_path, GOOD))
        == f"""\
{tmp_path}/radius-push.yaml: good
  1 client, 2 authentication profiles, 1 local user, 1 profile, 1 policy
  RADIUS authentication on 127.0.0.1:1812
  phones open http://localhost:8443, served on 127.0.0.1:8443

What follows from it:
  fw1: whoever no policy admits is refused"""
    )


def test_check_ends_with_what_to_look_at(tmp_path: Path) -> None:
    text = describe(good(tmp_path, changed(("patience: 60s", "patience: 20s"))))
    assert text.endswith(
        f"""
Look at:
  {tmp_path}/radius-push.yaml:12:15: clients.fw1.patience: phones get 15s for staff-push, not its 45s, \
as the gateway waits 20s; raise its time-out there, and patience here, \
or give it a profile with `timeout: 15s`"""
    )


def test_settings_show_no_secret(tmp_path: Path) -> None:
    shown = repr(good(tmp_path, GOOD))
    assert SECRET not in shown
    assert ENVIRON["LDAP"] not in shown
    assert HASH not in shown


def test_accounting_has_ports_of_its_own_and_a_new_one_takes_a_restart(tmp_path: Path) -> None:
    where = 'authentication: ["127.0.0.1:1812"]'
    settings = good(tmp_path, changed((where, f'{where}\n    accounting: ["127.0.0.1:1813", "[::1]:1813"]')))
    assert [str(each) for each in settings.accounting] == ["127.0.0.1:1813", "[::1]:1813"]
    assert "RADIUS accounting on [::1]:1813" in describe(settings)
    without = replace(settings, accounting=())
    assert needs_restart(without, settings) == ("server.listen.accounting",)
