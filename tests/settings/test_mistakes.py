# ruff: noqa: E501 - a mistake is one line here, as it is on the screen
"""What is wrong, where, and how to mend it: the exact sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.files import GOOD, HASH, changed, mistakes, warnings, written

DOTS = "{username}"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        # words
        ("    patience: 60s", "    pacience: 60s", "12:5: clients.fw1.pacience: unknown key, did you mean 'patience'?"),
        ("    attribute:", "    atribute:", "30:5: policies[0].atribute: unknown key, did you mean 'attribute'?"),
        ("methods: {push: {}}", "methods: {push: {}}\npolices: []",
         "7:1: polices: unknown key, did you mean 'policies'?"),
        ("name: IT", "name: IT\n    name: HR", "28:5: policies[0].name: written twice, here and in line 27; keep one of them"),
        ("  fw1:\n", "  fw1: {}\n  fw1:\n", None),
        ("attribute: department", 'attribute: "memberOf;x"',
         "30:16: policies[0].attribute: not the name of an attribute: letters, digits, - and _"),
        ("  fw1:\n", "  try-login:\n", "8:3: clients.try-login: is the name of radius-push's own client; take another"),
        ("  fw1:\n", "  simulate-x:\n",
         "8:3: clients.simulate-x: is the name of radius-push's own client; take another"),
        ('authentication: ["127.0.0.1:1812"]',
         'authentication: ["127.0.0.1:1812"]\n    accounting: ["127.0.0.1:1813", "127.0.0.1:1812"]',
         "5:36: server.listen.accounting[1]: is where Access-Requests come in; accounting takes another port, as 1813"),
        # scalars
        ("patience: 60s", "patience: 60", "12:15: clients.fw1.patience: a duration needs a unit: write 60s (or ms, m, h, d)"),
        ("server:", "server:\n  enrollment: {sent_invitation: 3}",
         "2:33: server.enrollment.sent_invitation: a duration needs a unit: write 3h (or ms, s, m, d)"),
        ("server:", "server:\n  reject_delay: 99999",
         "2:17: server.reject_delay: a duration needs a unit: ms, s, m, h or d; and it must lie between 0s and 5s"),
        ("server:", "server:\n  mail: {security: none, from: vpn@example.com}", "2:9: server.mail.host: is missing"),
        ("patience: 60s", "patience: soon", "12:15: clients.fw1.patience: not a duration; write 500ms, 45s, 10m, 12h or 3d"),
        ("patience: 60s", "patience: 5s", "12:15: clients.fw1.patience: must lie between 6s and 1h"),
        ("patience: 60s", "patience:", "12:14: clients.fw1.patience: is empty"),
        ("patience: 60s", "patience: [60s]", "12:15: clients.fw1.patience: must be one text, not a list"),
        ("patience: 60s", "require_message_authenticator: often",
         "12:36: clients.fw1.require_message_authenticator: write yes, no or auto"),
        ("patience: 60s", "password_encoding: rot13",
         "12:24: clients.fw1.password_encoding: not a text encoding that is known; write latin-1, cp1251 or utf-8"),
        ("patience: 60s", "password_encoding: idna",
         "12:24: clients.fw1.password_encoding: not a text encoding that is known; write latin-1, cp1251 or utf-8"),
        ("patience: 60s", "short_secret: yes",
         "12:19: clients.fw1.short_secret: takes only the word accepted; leave the key out otherwise"),
        # the server
        ("sqlite://state.db", "state.db", "2:10: server.store: write sqlite:// and a path: sqlite:///var/lib/radius-push/state.db"),
        ("sqlite://state.db", "postgresql://db", "2:10: server.store: postgresql is not in this version; write sqlite:// and a path"),
        ("sqlite://state.db", "sqlite://state.db\n  trusted_proxies: 0.0.0.0/0",
         "3:20: server.trusted_proxies: would believe everybody; write the proxy's own address"),
        ("sqlite://state.db", "sqlite://state.db\n  trusted_proxies: [10.0.1.1, proxy.example.com]",
         "3:31: server.trusted_proxies[1]: not an address or prefix; write 10.0.0.11, 10.0.0.0/28 or 2001:db8::/64"),
        ('["127.0.0.1:1812"]', '["127.0.0.1"]',
         "4:22: server.listen.authentication[0]: write ADDRESS:PORT, as 10.0.0.5:1812 or [2001:db8::5]:1812"),
        ('["127.0.0.1:1812"]', "localhost:1812",
         "4:21: server.listen.authentication: must be an address, not a name: 10.0.0.5:1812 or [2001:db8::5]:1812"),
        ('["127.0.0.1:1812"]', "[]", "4:21: server.listen.authentication: must not be empty"),
        ('"http://localhost:8443"', "http://mfa.example.com",
         "5:45: server.listen.phone.url: http only on localhost, to try it; write https"),
        ('"http://localhost:8443"', "https://mfa.example.com/app",
         "5:45: server.listen.phone.url: write an https origin without a path: https://mfa.example.com"),
        ('"http://localhost:8443"', "https://u@mfa.example.com",
         "5:45: server.listen.phone.url: write an https origin without a path: https://mfa.example.com"),
        ('"http://localhost:8443"', '"http://localhost:8443", tls: {}',
         None),
        ("methods: {push: {}}", "methods: {}",
         "25:25: profiles.staff-push.methods: push is not switched on; write push: {} under methods"),
        ("methods: {push: {}}", "methods: {push: {}, none: {}}", "6:21: methods.none: needs no switching on; remove it"),
        ("methods: {push: {}}", "methods: {push: {}, totp: {}}", "6:21: methods.totp: not in this version; only push is"),
        ("methods: {push: {}}", "methods: {push: {contact: me}}",
         "6:27: methods.push.contact: write mailto:vpn@example.com or an https address"),
        # clients
        ("[10.0.0.11]", "[10.0.0.11/24]",
         "9:17: clients.fw1.addresses[0]: has host bits set; write 10.0.0.0/24, or one address without a prefix"),
        ("[10.0.0.11]", "[fw.example.com]",
         "9:17: clients.fw1.addresses[0]: not an address or prefix; write 10.0.0.11, 10.0.0.0/28 or 2001:db8::/64"),
        ("[10.0.0.11]", '["::ffff:10.0.0.11"]',
         "9:17: clients.fw1.addresses[0]: write the IPv4 address itself, without ::ffff:"),
        ("{env: FW1}", "{env: NOPE}", "10:13: clients.fw1.secret: the environment has no NOPE; set it for the service"),
        ("{env: FW1}", "{env: EMPTY}", "10:13: clients.fw1.secret: the environment has no EMPTY; set it for the service"),
        ("{env: FW1}", "[{env: FW1}, {fil: a}]",
         "10:26: clients.fw1.secret[1]: write {file: PATH}, {env: NAME} or the secret itself as one text"),
        ("{env: FW1}", "testing123",
         "10:13: clients.fw1.secret: shorter than 16 octets; make it longer, or write short_secret: accepted"),
        ("[staff-push]\n", "[staf-push]\n", "11:16: clients.fw1.profiles[0]: no profile is called staf-push; there are: staff-push"),
        ("patience: 60s", "otherwise: other",
         "12:16: clients.fw1.otherwise: other is not one of its profiles (staff-push); or write refuse"),
        ("  fw1:\n", "  fw one:\n",
         "8:3: clients.fw one: a name has letters, digits, - and _, begins with a letter or digit, 64 at most"),
        # directories
        ("type: ldap", "type: ldpa", "15:11: authentication_profiles.corp.type: must be ldap or local, did you mean 'ldap'?"),
        ("    type: ldap\n", "", "15:5: authentication_profiles.corp.type: is missing; write ldap or local"),
        ("ldaps://dc1.example.com", "ldap://dc1.example.com",
         "16:12: authentication_profiles.corp.urls[0]: passwords in clear text; write ldaps:// or start_tls: yes, or clear_text: accepted"),
        ("ldaps://dc1.example.com", "ldaps://dc1.example.com/dc=x",
         "16:12: authentication_profiles.corp.urls[0]: write ldaps://dc1.example.com or ldap://dc1.example.com:389, without a path"),
        ("    base_dn:", "    start_tls: yes\n    base_dn:",
         "16:12: authentication_profiles.corp.urls[0]: ldaps is TLS already; start_tls is for ldap://, remove one of them"),
        ("base_dn: dc=example,dc=com", "base_dn: example.com",
         "17:14: authentication_profiles.corp.base_dn: not a distinguished name: each part is written type=value; write dc=example,dc=com"),
        ("    base_dn:", '    user_filter: "(uid={user})"\n    base_dn:',
         f"17:18: authentication_profiles.corp.user_filter: must hold {DOTS}, and no other braces: (uid={DOTS})"),
        ("    base_dn:", '    user_filter: "(|(uid={username})(mail={username})"\n    base_dn:',
         f"17:18: authentication_profiles.corp.user_filter: its parentheses do not pair up: (uid={DOTS})"),
        ("    base_dn:", '    user_filter: "(uid={username})(x=y)"\n    base_dn:',
         f"17:18: authentication_profiles.corp.user_filter: its parentheses do not pair up: (uid={DOTS})"),
        ("    base_dn:", "    certificate: no\n    base_dn:",
         "17:18: authentication_profiles.corp.certificate: takes only the word unchecked; leave the key out otherwise"),
        ("    base_dn:", "    ca_file: nowhere.pem\n    base_dn:", None),
        ("group_name: [admins]", "password: hunter2-canary",
         "23:114: authentication_profiles.local.users.zoe.password: no attribute: write password_hash (`radius-push hash-password` makes it)"),
        ("group_name: [admins]", "group_name: [{a: b}]",
         "23:127: authentication_profiles.local.users.zoe.group_name[0]: must be one text, not a mapping"),
        ("group_name: [admins]", "a: x, A: y",
         "23:120: authentication_profiles.local.users.zoe.A: an attribute written twice: case does not count"),
        ("group_name: [admins]", "username: z",
         "23:114: authentication_profiles.local.users.zoe.username: is the user's name by itself; remove it"),
        (f'"{HASH}"', "hunter2-canary",
         "23:28: authentication_profiles.local.users.zoe.password_hash: not an argon2id hash; `radius-push hash-password` prints one"),
        ("    users:\n", "    users_file: a.yaml\n    users:\n",
         "22:17: authentication_profiles.local.users_file: users stand here already; keep one of the two"),
        ("      zoe:", f'      ZOE: {{password_hash: "{HASH}"}}\n      zoe:',
         "24:7: authentication_profiles.local.users.zoe: the same name as ZOE in line 23: case does not count"),
        # profiles
        ("methods: [push]", "methods: [push, sms]",
         "25:32: profiles.staff-push.methods[1]: sms is not in this version; push and none are"),
        ("methods: [push]", "methods: [pusch]", "25:26: profiles.staff-push.methods[0]: no such method, did you mean 'push'?"),
        ("methods: [push]", "methods: [push, none]",
         "25:25: profiles.staff-push.methods: none stands alone: beside another method it would be the way around it"),
        ("[corp, local]", "[corp, locl]",
         "25:64: profiles.staff-push.fallback_auth_profiles[1]: no authentication profile is called locl; there are: corp, local"),
        ("[corp, local]", "[local]",
         "29:29: policies[0].authentication_profile: corp is not one of staff-push's fallback_auth_profiles (local); add it there or name another"),
        ("[corp, local]}", '[corp, local], texts: {denied: "a\\nb"}}',
         "25:88: profiles.staff-push.texts.denied: must be one line of at most 200 octets, as gateways show no more"),
        ("  staff-push: {", "  refuse: {methods: [none], fallback_auth_profiles: [corp]}\n  staff-push: {",
         "25:3: profiles.refuse: refuse has a meaning of its own; take another name"),
        # policies
        ("    profile: staff-push\n", "    profile: staf-push\n",
         "28:14: policies[0].profile: no profile is called staf-push; there are: staff-push, refuse"),
        ("authentication_profile: corp\n", "authentication_profile: corpo\n",
         "29:29: policies[0].authentication_profile: no authentication profile is called corpo; there are: corp, local"),
        ("    attribute: department\n", "", "30:5: policies[0].values: of which attribute? add attribute: NAME"),
        ("    values: [IT]\n", "", "30:5: policies[0].attribute: which values? add values: [...] or none_of: [...]"),
        ("values: [IT]", "values: [IT]\n    none_of: [HR]",
         "32:5: policies[0].none_of: values or none_of; write the other as its own item of when"),
        ("values: [IT]", "values: [IT]\n    when: [{}]",
         "32:12: policies[0].when[0]: says nothing; write {attribute: ..., values: [...]} or {user_address: [...]}"),
        ("values: [IT]", "values: [IT]\n    when: [{atribute: a, values: [b]}]",
         "32:13: policies[0].when[0].atribute: unknown key, did you mean 'attribute'?"),
        ("values: [IT]", 'values: [IT, "/(/"]', "31:18: policies[0].values[1]: not a regular expression of RE2: missing ): ("),
        ("values: [IT]", "values: [IT, /home/x]",
         "31:18: policies[0].values[1]: begins like a regular expression and has no end; write /.../, or {exact: ...} for a text"),
        ("    attribute: department\n    values: [IT]", "    attribute: memberOf\n    values: VPN",
         "31:13: policies[0].values: VPN is a bare group name, and corp has no group_base_dn to find it; add group_base_dn there, or write the whole name: CN=VPN,OU=..."),
        ("values: [IT]", "values: [IT]\n    until: 30.6.2027", "32:12: policies[0].until: not a day; write 2027-06-30"),
        ("values: [IT]", "values: [IT]\n    clients: [fw9]", "32:15: policies[0].clients[0]: no client is called fw9; there are: fw1"),
        ("values: [IT]", "values: [IT]\n    reply: {Filtr-Id: a}",
         "32:13: policies[0].reply.Filtr-Id: no RADIUS attribute is called Filtr-Id, did you mean 'Filter-Id'?"),
        ("values: [IT]", "values: [IT]\n    reply: {Session-Timeout: [1, ten]}",
         "32:34: policies[0].reply.Session-Timeout[1]: 'ten' is neither a number nor one of its names"),
        ("values: [IT]", "values: [IT]\n    reply: {Session-Timeout: 'x{department}'}",
         "32:30: policies[0].reply.Session-Timeout: 'x1' is neither a number nor one of its names"),
        ("values: [IT]", "values: [IT]\n    reply: {Message-Authenticator: a}",
         "32:36: policies[0].reply.Message-Authenticator: the server alone decides about this one"),
        ("values: [IT]", "values: [IT]\n    request: {Conect-Info: a}",
         "32:15: policies[0].request.Conect-Info: no RADIUS attribute is called so, did you mean 'Connect-Info'?"),
        ("values: [IT]", "values: [IT]\n    request: {User-Password: a}",
         "32:30: policies[0].request.User-Password: User-Password holds secrets; no policy may read it"),
        ("values: [IT]\n", "values: [IT]\n  - {name: IT, profile: refuse, authentication_profile: corp}\n",
         "32:12: policies[1].name: policies[0] is called IT already"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_and_its_mend(
    tmp_path: Path, old: str, new: str, sentence: str | None
) -> None:
    found = mistakes(tmp_path, changed((old, new)))
    if sentence is None:
        assert found
    else:
        assert found == [sentence]


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    for key in (
        "    secret: {env: FW1}\n",
        "    addresses: [10.0.0.11]\n",
        "    bind_password: {env: LDAP}\n",
    ):
        (sentence,) = mistakes(tmp_path, changed((key, "")))
        assert sentence.endswith(f"{key.strip().partition(':')[0]}: is missing")


def test_sections_that_are_missing_are_all_named(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "policies: []\n") == [
        "1:1: authentication_profiles: is missing",
        "1:1: clients: is missing",
        "1:1: profiles: is missing",
        "1:1: server: is missing",
    ]
    assert mistakes(tmp_path, "- a\n") != []
    assert mistakes(tmp_path, "") != []


def test_push_needs_a_place_where_phones_come_in(tmp_path: Path) -> None:
    phone = '    phone: {address: "127.0.0.1:8443", url: "http://localhost:8443"}\n'
    assert mistakes(tmp_path, changed((phone, ""))) == [
        "24:25: profiles.staff-push.methods: asks phones, and none can come in; add server.listen.phone"
    ]


def test_a_template_that_no_local_user_can_fill_is_warned_of(tmp_path: Path) -> None:
    local = '    authentication_profile: local\n    attribute: group_name\n    values: [admins]\n    reply: {Filter-Id: "%s"}\n'
    corp = "    authentication_profile: corp\n    attribute: department\n    values: [IT]\n"
    assert warnings(tmp_path, changed((corp, local % "{group_nam}-{username}-{matched}"))) == [
        "32:24: policies[0].reply.Filter-Id: no user of local has {group_nam}: all are refused, did you mean 'group_name'?"
    ]
    assert warnings(tmp_path, changed((corp, local % "{Group_Name}"))) == []
    assert warnings(tmp_path, changed((corp, corp + '    reply: {Filter-Id: "{nowhere}"}\n'))) == []


def test_an_address_has_one_client(tmp_path: Path) -> None:
    second = "  fw2: {addresses: [10.0.0.0/24, 10.0.0.11/32], secret: {env: FW1}, profiles: [staff-push]}\n"
    assert mistakes(
        tmp_path, changed(("authentication_profiles:\n  corp", f"{second}authentication_profiles:\n  corp"))
    ) == [
        "13:34: clients.fw2.addresses[1]: 10.0.0.11 belongs to fw1 already (line 9); an address has one client"
    ]


def test_a_policy_that_no_client_reaches(tmp_path: Path) -> None:
    other = "  other: {methods: [push], fallback_auth_profiles: [corp]}\n"
    text = changed(
        ("policies:\n", f"{other}policies:\n"), ("    profile: staff-push\n", "    profile: other\n")
    )
    assert mistakes(tmp_path, text) == [
        "29:14: policies[0].profile: no client lists other: this policy admits nobody"
    ]
    narrowed = text.replace("    values: [IT]", "    values: [IT]\n    clients: [fw1]")
    assert mistakes(tmp_path, narrowed) == [
        "33:15: policies[0].clients[0]: fw1 does not list other; add it to fw1's profiles"
    ]


def test_the_sample_password_is_for_this_machine_only(tmp_path: Path) -> None:
    sample = Path(__file__).parents[2] / "config" / "radius-push.yaml"
    text = sample.read_text().replace(
        '[127.0.0.1, "::1"]', "[127.0.0.1, 10.0.0.0/24]\n    short_secret: accepted"
    )
    (sentence,) = mistakes(tmp_path, text)
    assert sentence.endswith(
        "authentication_profiles.local-users.users.alice.password_hash: the sample's password, which everybody "
        "knows, and this-machine is not on this machine; make your own with `radius-push hash-password`"
    )


def test_one_mistake_hides_no_other(tmp_path: Path) -> None:
    text = changed(
        ("[10.0.0.11]", "[x, 10.0.0.11, 10.0.0.11]"),
        ("{env: FW1}", "short-canary"),
        ("patience: 60s", "pacience: 60"),
        ("type: ldap", "type: ldab"),
        ("base_dn: dc=example,dc=com", "base_dn: x"),
        ("methods: [push]", "methods: [pus]"),
        ("name: IT", "nam: IT"),
        ("values: [IT]", 'values: [/x, IT, "/(/"]\n    clients: [fw9]\n    reply: {Filtr-Id: a}'),
    )
    paths = [each.split(": ")[1] for each in mistakes(tmp_path, text)]
    assert paths == [
        "clients.fw1.addresses[0]",
        "clients.fw1.addresses[2]",
        "clients.fw1.secret",
        "clients.fw1.pacience",
        "authentication_profiles.corp.type",
        "authentication_profiles.corp.base_dn",
        "profiles.staff-push.methods[0]",
        "policies[0].nam",
        "policies[0].values[0]",
        "policies[0].values[2]",
        "policies[0].clients[0]",
        "policies[0].reply.Filtr-Id",
    ]


def test_a_mistake_in_the_users_file_names_that_file(tmp_path: Path) -> None:
    users = written(tmp_path, "zoe: {pasword_hash: hunter2-canary}\n", "users.yaml")
    text = (
        GOOD[: GOOD.index("    users:\n")]
        + "    users_file: users.yaml\n"
        + GOOD[GOOD.index("profiles:\n  st") :]
    )
    assert mistakes(tmp_path, text) == [
        f"{users}:1:6: zoe.password_hash: is missing; or write nt_hash or clear_password",
        f"{users}:1:7: zoe.pasword_hash: no attribute: write password_hash (`radius-push hash-password` makes it)",
    ]
    users.unlink()
    (sentence,) = mistakes(tmp_path, text)
    assert sentence.endswith(f"users_file: {users}: cannot be read: no such file or directory")


# --- files of secrets ------------------------------------------------------------------------------


def test_a_secret_file_must_be_there_and_hold_something(tmp_path: Path) -> None:
    text = changed(("{env: FW1}", "{file: fw.secret}"))
    place = "10:13: clients.fw1.secret"
    assert mistakes(tmp_path, text) == [
        f"{place}: cannot read {tmp_path}/fw.secret: no such file or directory"
    ]
    written(tmp_path, "\n", "fw.secret").chmod(0o600)
    assert mistakes(tmp_path, text) == [f"{place}: {tmp_path}/fw.secret is empty"]
    written(tmp_path, "x" * 4097, "fw.secret")
    assert mistakes(tmp_path, text) == [f"{place}: {tmp_path}/fw.secret is longer than 4 kB"]


@pytest.mark.parametrize("octets", [b"\xef\xbb\xbf%s\n", b"%s\n\n", b"%s \n", b" %s"])
def test_a_secret_with_what_nobody_sees_in_it_is_a_warning(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "fw.secret").write_bytes(octets % b"a-secret-of-22-octets!")
    (tmp_path / "fw.secret").chmod(0o600)
    (said,) = warnings(tmp_path, changed(("secret: {env: FW1}", "secret: {file: fw.secret}")))
    assert said.startswith("10:13: clients.fw1.secret: ")
    assert "which is then part of the secret; write it alone, in one line" in said
    assert "a-secret-of" not in said


def test_a_secret_that_everybody_can_read_is_a_warning(tmp_path: Path) -> None:
    file = written(tmp_path, "a-secret-of-enough-octets\n", "fw.secret")
    file.chmod(0o644)
    text = changed(("{env: FW1}", "{file: fw.secret}"))
    assert warnings(tmp_path, text) == [
        f"10:13: clients.fw1.secret: {file} is open to everybody on this machine; chmod o= it"
    ]
    file.chmod(0o640)
    assert warnings(tmp_path, text) == []


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        ("{env: FW1}", "a-plain-secret-of-enough-octets",
         "10:13: clients.fw1.secret: a secret that all who read this file see; write {file: PATH} or {env: NAME} instead"),
        ("[10.0.0.11]", "[0.0.0.0/0]", "9:17: clients.fw1.addresses[0]: every address there is; name the gateway's own"),
        ("ldaps://dc1.example.com]", "ldap://dc1.example.com]\n    clear_text: accepted",
         "16:12: authentication_profiles.corp.urls[0]: PASSWORDS GO OVER THE NETWORK IN CLEAR TEXT; use ldaps:// or start_tls"),
        ("    base_dn:", "    certificate: unchecked\n    base_dn:",
         "17:18: authentication_profiles.corp.certificate: THE CERTIFICATE IS NOT CHECKED: whoever sits between reads every password; use ca_file"),
        ("methods: [push]", "methods: [none]",
         "25:25: profiles.staff-push.methods: NO SECOND FACTOR: the password alone lets people in"),
        ("methods: {push: {}}", "methods: {push: {allow_endpoints: [http://localhost:9000]}}",
         "6:36: methods.push.allow_endpoints[0]: not TLS, so for tests only"),
        ('"127.0.0.1:8443", url: "http://localhost:8443"', '"127.0.0.1:8443", url: "https://mfa.example.com"',
         "6:17: methods.push: without a contact Apple refuses every notification; write contact: mailto:vpn@example.com"),
        ('"127.0.0.1:8443", url: "http://localhost:8443"}\nmethods: {push: {}}',
         '"10.0.0.5:8443", url: "https://mfa.example.com"}\nmethods: {push: {contact: "https://example.com/vpn"}}',
         "5:22: server.listen.phone.address: speaks plain HTTP beyond this machine: a proxy must speak TLS for it, or add tls"),
        ("patience: 60s", "patience: 49s",
         "12:15: clients.fw1.patience: phones get 44s for staff-push, not its 45s, as the gateway waits 49s; raise its time-out there, and patience here, or give it a profile with `timeout: 44s`"),
    ],
)  # fmt: skip
def test_what_is_allowed_and_dangerous_is_said_aloud(
    tmp_path: Path, old: str, new: str, warning: str
) -> None:
    assert warnings(tmp_path, changed((old, new))) == [warning]


def test_a_short_secret_is_accepted_by_name_and_on_loopback(tmp_path: Path) -> None:
    text = changed(("{env: FW1}", "{env: FW1}\n    short_secret: accepted"))
    assert warnings(tmp_path, text, {"FW1": "short", "LDAP": "x"}) == []
    loopback = changed(("[10.0.0.11]", '[127.0.0.0/8, "::1"]'))
    assert warnings(tmp_path, loopback, {"FW1": "short", "LDAP": "x"}) == []


# --- secrets stay secret ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{env: FW1}", "c4nary"),
        ("{env: FW1}", "[c4nary]"),
        ("{env: FW1}", "[[c4nary]]"),
        ("{env: FW1}", "{c4nary}"),
        ("{env: FW1}", "{fil: c4nary}"),
        ("{env: FW1}", "{file: {c4nary: x}}"),
        ("{env: FW1}", "*c4nary"),
        ("{env: FW1}", "!c4nary x"),
        ("{env: FW1}", "{env: FW1}\n    c4nary-x9: 1"),
        ("{env: FW1}", "'c4nary"),
        ("{env: FW1}", "%c4nary"),
        ("{env: FW1}", "@c4nary"),
        ("{env: FW1}", '"\\xc4nary"'),
        ("{env: LDAP}", "[c4nary]"),
        ("{env: LDAP}", "{x: c4nary}"),
        (f'"{HASH}"', "$argon2i$c4nary"),
        (f'"{HASH}"', "[c4nary]"),
        (f'"{HASH}"', "{c4nary: c4nary}"),
        ("group_name: [admins]", "password: c4nary"),
        ("group_name: [admins]", "pasword_hash: c4nary"),
    ],
)  # fmt: skip
def test_no_mistake_repeats_a_secret(tmp_path: Path, old: str, new: str) -> None:
    assert "c4nary" not in "\n".join(mistakes(tmp_path, changed((old, new))))


def test_no_mistake_repeats_a_secret_of_a_file_or_of_the_environment(tmp_path: Path) -> None:
    file = written(tmp_path, "c4nary", "fw.secret")
    file.chmod(0o600)
    assert "c4nary" not in "\n".join(mistakes(tmp_path, changed(("{env: FW1}", "{file: fw.secret}"))))
    assert "c4nary" not in "\n".join(mistakes(tmp_path, GOOD, {"FW1": "c4nary", "LDAP": "c4nary"}))


def test_tls_needs_both_files_and_an_https_url(tmp_path: Path) -> None:
    url = '"http://localhost:8443"'
    assert mistakes(tmp_path, changed((url, f"{url}, tls: {{certificate: nowhere.pem}}"))) == [
        "5:45: server.listen.phone.url: tls is configured, so phones open https; write https://...",
        "5:75: server.listen.phone.tls.key: is missing",
        f"5:89: server.listen.phone.tls.certificate: cannot read {tmp_path}/nowhere.pem: no such file or directory",
    ]


# --- what a gateway reports ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "warning"),
    [
        ("addresses: [10.0.0.11]", None),
        ("addresses: [10.0.0.8/29]", None),
        ("addresses: [10.0.0.0/24]\n    shared_secret_prefix: accepted", None),
        ("addresses: [10.0.0.0/24]",
         "32:27: policies[0].when[0].user_address: never fits through fw1: wider than a /29, so that any of many gateways could report any address; name its gateways, or write shared_secret_prefix: accepted there"),
        ("addresses: [10.0.0.11]\n    preset: watchguard",
         "33:27: policies[0].when[0].user_address: never fits through fw1: no attribute is known in which such a gateway sends the user's address; if yours does, name it in user_address there"),
        ("addresses: [10.0.0.11]\n    preset: watchguard\n    user_address: Calling-Station-Id", None),
        ("addresses: [10.0.0.11]\n    user_address: none",
         "33:27: policies[0].when[0].user_address: never fits through fw1: no attribute is known in which such a gateway sends the user's address; if yours does, name it in user_address there"),
        ("addresses: [10.0.0.11]\n    preset: ocserv",
         "28:5: policies[0]: asks what the packet says, so it never fits a packet of fw1 that bears no Message-Authenticator"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", ["staff-push", "refuse"])
def test_a_policy_that_asks_where_people_are(
    tmp_path: Path, client: str, warning: str | None, profile: str
) -> None:
    text = changed(
        ("addresses: [10.0.0.11]", client),
        ("profile: staff-push\n    auth", f"profile: {profile}\n    auth"),
        ("    values: [IT]\n", "    values: [IT]\n    when: [{user_address: [203.0.113.0/24]}]\n"),
    )
    assert warnings(tmp_path, text) == ([warning] if warning and profile != "refuse" else [])


def test_the_users_address_is_named_as_requests_show_it(tmp_path: Path) -> None:
    text = changed(("    patience: 60s", "    user_address: [Calling-Station-Id, Ascend-Not-There]"))
    (said,) = mistakes(tmp_path, text)
    assert said.startswith(
        "12:40: clients.fw1.user_address[1]: no RADIUS attribute is called Ascend-Not-There"
    )


def test_a_gateway_that_waits_too_short_for_a_person_is_told_what_to_set_there(tmp_path: Path) -> None:
    said, _ = warnings(tmp_path, changed(("patience: 60s", "preset: softether")))
    assert said == (
        "9:5: clients.fw1.patience: 15s is too short for a person: let the gateway wait 20s at least. "
        "SoftEther VPN Server: Stable Edition: write `patience: 10s`. PAP users: no MS-CHAPv2 (L2TP, SSTP clients)."
    )
    (said,) = warnings(tmp_path, changed(("patience: 60s", "patience: 20s")))
    assert "too short" not in said
