"""LDAP away, LDAP frozen, a real server and a real slapd: who still gets in, and who notices nothing."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.directory.slapd import ALICE_PASSWORD, PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd
from tests.interop.lab import RADIUS_PUSH, SECRET, Lab, Program, free_port, needed

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"
DEADLINE = 5.0
"""Seconds, of the directory: `receive_timeout`."""
SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen: {{authentication: ["127.0.0.1:{radius}"]}}
clients:
  office: {{addresses: [127.0.0.1], secret: "{secret}", profiles: [staff], otherwise: staff, patience: 60s}}
  lab: {{addresses: [127.0.0.2], secret: "{secret}", profiles: [robots], otherwise: robots, patience: 60s}}
authentication_profiles:
  corp-ldap:
    type: ldap
    urls: ["{ldap}"]
    start_tls: yes
    ca_file: {ca}
    base_dn: {people}
    bind_dn: {service}
    bind_password: "{service_password}"
    receive_timeout: {deadline:g}s
  admins: {{type: local, emergency: yes, users: {{zed: {{password_hash: "{hash}"}}}}}}
  machines: {{type: local, users: {{robot: {{password_hash: "{hash}"}}}}}}
profiles:
  staff: {{methods: [none], fallback_auth_profiles: [corp-ldap, admins]}}
  robots: {{methods: [none], fallback_auth_profiles: [machines]}}
"""


@dataclass
class Site:
    lab: Lab
    slapd: Slapd
    server: Program
    radius: int

    def login(
        self, user: str, password: str, *, source: str = "127.0.0.1", wait: int = 12
    ) -> tuple[str, float]:
        """`Access-Accept`, `Access-Reject` or `silence`, and after how many seconds."""
        packet = self.lab.folder / f"packet-{len(self.lab.programs)}.txt"
        packet.write_text(
            f'User-Name="{user}", User-Password="{password}", Message-Authenticator=0x00, '
            f"Packet-Src-IP-Address={source}\n"
        )
        began = time.monotonic()
        where = f"127.0.0.1:{self.radius}"
        options = ("-x", "-f", str(packet), "-t", str(wait), "-r", "1")
        program = self.lab.start("radclient", "radclient", *options, where, "auth", SECRET)
        program.process.wait(wait + 10)
        seconds = time.monotonic() - began
        for code in ("Access-Accept", "Access-Reject"):
            if f"Received {code}" in program.said():
                return code, seconds
        return "silence", seconds

    def everybody_gets_in(self) -> None:
        assert self.login("alice", ALICE_PASSWORD)[0] == "Access-Accept"
        assert self.login("zed", PASSWORD)[0] == "Access-Accept"
        assert self.login("robot", PASSWORD, source="127.0.0.2")[0] == "Access-Accept"


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    needed("radclient", "slapd")
    lab, slapd = Lab(tmp_path_factory.mktemp("outages")), Slapd()
    try:
        slapd.start(lab.folder / "slapd")
        radius = free_port(socket.SOCK_DGRAM)
        hashed = subprocess.run(
            [RADIUS_PUSH, "hash-password"], input=f"{PASSWORD}\n", capture_output=True, text=True, check=True
        ).stdout.strip()
        config = lab.folder / "radius-push.yaml"
        config.write_text(
            SETTINGS.format(
                radius=radius, secret=SECRET, ldap=slapd.url, ca=slapd.ca_file, people=PEOPLE,
                service=SERVICE_DN, service_password=SERVICE_PASSWORD, deadline=DEADLINE, hash=hashed,
            )
        )  # fmt: skip
        server = lab.start("radius-push", RADIUS_PUSH, "serve", "--config", str(config))
        server.wait_until_it_says("ready:")
        yield Site(lab, slapd, server, radius)
    finally:
        lab.stop()
        slapd.stop()


def test_while_ldap_is_stopped_emergency_people_get_in_and_all_recover_without_a_restart(site: Site) -> None:
    site.everybody_gets_in()
    site.slapd.stop()
    assert site.login("alice", ALICE_PASSWORD, wait=4)[0] == "silence"
    assert site.login("zed", PASSWORD)[0] == "Access-Accept"
    assert site.login("zed", "not it")[0] == "Access-Reject"
    assert site.login("robot", PASSWORD, source="127.0.0.2")[0] == "Access-Accept"
    assert "reason=directory_down" in site.server.said()
    site.slapd.resume()
    site.everybody_gets_in()


def test_while_slapd_is_frozen_others_notice_nothing_and_emergency_people_wait_for_its_deadline(
    site: Site,
) -> None:
    site.everybody_gets_in()
    site.slapd.freeze()
    try:
        asked = [site.login("robot", PASSWORD, source="127.0.0.2")[0] for _ in range(5)]
        assert asked == ["Access-Accept"] * 5
        verdict, seconds = site.login("zed", PASSWORD)
        assert verdict == "Access-Accept"
        assert seconds < DEADLINE + 2  # its deadline, the password's hash and the processes around
        verdict, seconds = site.login("robot", PASSWORD, source="127.0.0.2")
        assert (verdict, seconds < DEADLINE) == ("Access-Accept", True)
    finally:
        site.slapd.thaw()
    site.everybody_gets_in()
