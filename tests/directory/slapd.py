"""A real OpenLDAP server of one's own: seeded, with TLS, frozen and thawed at will."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

from radius_push.model import Secret
from radius_push.shapes import LdapProfile
from tests.directory.certificates import Authority

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # as in radius_push.directory.ldap_connection
    import ldap3

BASE = "dc=example,dc=test"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
SERVICE_DN = f"cn=radius-push,{BASE}"
SERVICE_PASSWORD = "service-canary-5a1f"
ADMIN_DN = f"cn=admin,{BASE}"
ADMIN_PASSWORD = "admin-canary-77c0"
ALICE_PASSWORD = "alice-canary-91d2"
BOB_PASSWORD = "bob-canary-0e3b"
ZOE_PASSWORD = "pässwörd-€-пароль"

_CONFIG = """\
dn: cn=config
objectClass: olcGlobal
cn: config
olcAllows: bind_anon_cred bind_anon_dn
olcTLSCACertificateFile: {ca}
olcTLSCertificateFile: {certificate}
olcTLSCertificateKeyFile: {key}

dn: cn=module,cn=config
objectClass: olcModuleList
cn: module
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb
olcModuleLoad: memberof

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif
include: file:///etc/ldap/schema/cosine.ldif
include: file:///etc/ldap/schema/inetorgperson.ldif

dn: olcDatabase=mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: mdb
olcSuffix: {base}
olcRootDN: {admin}
olcRootPW: {admin_password}
olcDbDirectory: {database}
olcDbNoSync: TRUE
olcDbIndex: objectClass,uid,mail,cn eq
olcAccess: to attrs=userPassword by anonymous auth by * none
olcAccess: to * by users read by * none

dn: olcOverlay=memberof,olcDatabase={{1}}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcMemberOf
olcOverlay: memberof
olcMemberOfRefint: TRUE
"""


class Slapd:
    """alice (IT, in the group vpn), bob (Sales), two people with one mail, zoe with a password that is
    not ASCII, two groups called twin; it also calls binds without a password a success."""

    def __init__(self, *, address: str = "127.0.0.1", more_addresses: tuple[str, ...] = ()) -> None:
        """Listens on all of them; the certificate is for `address` and localhost only."""
        self.address = address
        self._more = more_addresses
        self.port = self.tls_port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Clear text and StartTLS."""
        return f"ldap://{self.address}:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://{self.address}:{self.tls_port}"

    def start(self, folder: Path) -> None:
        """Makes certificates, configuration and data in `folder`, and serves when it returns."""
        if shutil.which("slapd", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
            raise AssertionError("slapd is missing: run tools/setup test")
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config").mkdir()
        (folder / "database").mkdir()
        authority = Authority(folder)
        self.ca_file = str(authority.file)
        server = authority.issue("localhost", self.address)
        ldif = _CONFIG.format(
            ca=authority.file, certificate=server.certificate, key=server.key, base=BASE, admin=ADMIN_DN,
            admin_password=ADMIN_PASSWORD, database=folder / "database",
        )  # fmt: skip
        subprocess.run(
            ["/usr/sbin/slapadd", "-F", str(folder / "config"), "-n", "0"],
            input=ldif.encode(), check=True, capture_output=True,
        )  # fmt: skip
        self.port, self.tls_port = _free_port(self.address), _free_port(self.address)
        self.resume()
        self._seed()

    def resume(self) -> None:
        """Serve (again) on the same ports with the data that is there."""
        urls = [
            f"{scheme}://{address}:{port}"
            for address in (self.address, *self._more)
            for scheme, port in (("ldap", self.port), ("ldaps", self.tls_port))
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["/usr/sbin/slapd", "-d", "stats", "-F", str(self._folder / "config"), "-h", " ".join(urls)],
                stdout=log, stderr=log,
            )  # fmt: skip
        ends = time.monotonic() + 20
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > ends:
                self.stop()
                raise AssertionError(f"slapd did not start:\n{self.log()}")
            time.sleep(0.01)

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.address, self.tls_port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def freeze(self) -> None:
        """It accepts connections (the kernel does) and says nothing."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)
        # The signal is on its way when `kill` returns; wait until every thread stands.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """One line per operation: `conn=1000 op=0 BIND dn=...`."""
        return (self._folder / "log").read_text(errors="replace")

    def binds(self, dn: str = "") -> int:
        """How many bind requests (for this name) it has seen."""
        return sum(f'BIND dn="{dn}' in line and "method=" in line for line in self.log().splitlines())

    def profile(self, **changes: Any) -> LdapProfile:
        """Settings that reach it over StartTLS, with the service account."""
        settings: dict[str, Any] = {
            "name": "corp-ldap",
            "urls": (self.url,),
            "base_dn": PEOPLE,
            "bind_dn": SERVICE_DN,
            "bind_password": Secret(SERVICE_PASSWORD),
            "group_base_dn": GROUPS,
            "ca_file": self.ca_file,
            "start_tls": True,
        }
        return LdapProfile(**(settings | changes))

    def admin(self) -> Any:
        """An ldap3 connection that may change everything. Unbind it."""
        connection: Any = ldap3.Connection(
            ldap3.Server(self.address, port=self.port, get_info=ldap3.NONE), ADMIN_DN, ADMIN_PASSWORD
        )
        assert connection.bind(), connection.result
        return connection

    def _seed(self) -> None:
        admin = self.admin()
        for dn, classes, attributes in _seed_data():
            assert admin.add(dn, classes, attributes), (dn, admin.result)
        admin.unbind()


def person(uid: str, **attributes: Any) -> tuple[str, list[str], dict[str, Any]]:
    """DN, object classes and attributes of an entry under PEOPLE."""
    plain = {"uid": uid, "cn": uid.capitalize(), "sn": uid.capitalize()}
    return f"uid={uid},{PEOPLE}", ["inetOrgPerson"], plain | attributes


def group(cn: str, *members: str, under: str = GROUPS) -> tuple[str, list[str], dict[str, Any]]:
    """The same for a group of people by their uid."""
    return f"cn={cn},{under}", ["groupOfNames"], {"member": [f"uid={uid},{PEOPLE}" for uid in members]}


def _seed_data() -> list[tuple[str, list[str], dict[str, Any]]]:
    def unit(name: str, under: str) -> tuple[str, list[str], dict[str, Any]]:
        return f"ou={name},{under}", ["organizationalUnit"], {}

    shared = "shared@example.test"
    return [
        (BASE, ["dcObject", "organization"], {"o": "Example"}),
        unit("people", BASE),
        unit("groups", BASE),
        unit("east", GROUPS),
        unit("west", GROUPS),
        (
            SERVICE_DN,
            ["applicationProcess", "simpleSecurityObject"],
            {"userPassword": SERVICE_PASSWORD},
        ),
        person(
            "alice", departmentNumber="IT", title="Engineer", mail="alice@example.test",
            mobile=["+49 1", "+49 2"], userPassword=ALICE_PASSWORD,
        ),
        person("bob", departmentNumber="Sales", mail="bob@example.test", userPassword=BOB_PASSWORD),
        person("carol", mail=shared, userPassword="carol-canary-33aa"),
        person("carola", mail=shared, userPassword="carola-canary-33ab"),
        person("zoe", mail="zoe@example.test", userPassword=ZOE_PASSWORD),
        group("vpn", "alice", "carol"),
        group("twin", "alice", under=f"ou=east,{GROUPS}"),
        group("twin", "bob", under=f"ou=west,{GROUPS}"),
    ]  # fmt: skip


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
