"""radclient reports sessions and asks whether we live; the real server keeps them, and says who is in."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.lab import RADIUS_PUSH, SECRET, Lab, Program, free_port, needed, wait_until

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"
SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["127.0.0.1:{radius}"]
    accounting: ["127.0.0.1:{accounting}", "[::1]:{accounting}"]
clients:
  fw:
    addresses: [127.0.0.1, "::1"]
    secret: ["the-next-secret-of-22!", "{secret}"]
    profiles: [alone]
    otherwise: alone
authentication_profiles:
  staff: {{type: local, users: {{alice: {{password_hash: "{hash}"}}}}}}
profiles:
  alone: {{methods: [none], fallback_auth_profiles: [staff]}}
"""
SESSION = (
    'User-Name="alice"', 'NAS-Identifier="fw-1"', 'Acct-Session-Id="4A7F"', "Framed-IP-Address=10.8.0.7",
    "Calling-Station-Id=203.0.113.7",
)  # fmt: skip


@dataclass
class Site:
    lab: Lab
    server: Program
    config: Path
    radius: int
    accounting: int

    def radclient(
        self, command: str, *attributes: str, port: int | None = None, secret: str = SECRET, host: str = ""
    ) -> str:
        """Exit code 0 and what was received, or an empty text."""
        done = subprocess.run(
            ["radclient", "-x", "-t", "2", "-r", "1", f"{host or '127.0.0.1'}:{port or self.accounting}",
             command, secret],
            input=", ".join(attributes) + "\n", capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        _, received, reply = done.stdout.partition("Received ")
        assert (done.returncode == 0) == bool(received), done.stdout + done.stderr
        return reply

    def report(self, status: str, *more: str) -> str:
        return self.radclient("acct", f"Acct-Status-Type={status}", *SESSION, *more)

    def sessions(self, *words: str) -> list[dict[str, object]]:
        done = subprocess.run(
            [RADIUS_PUSH, "sessions", "--config", str(self.config), "--json", *words],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        return [json.loads(line) for line in done.stdout.splitlines()]

    def serve(self) -> None:
        self.server = self.lab.start("radius-push", RADIUS_PUSH, "serve", "--config", str(self.config))
        self.server.wait_until_it_says("ready:")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    needed("radclient")
    lab = Lab(tmp_path)
    hashed = subprocess.run(
        [RADIUS_PUSH, "hash-password"], input=f"{PASSWORD}\n", capture_output=True, text=True, check=True
    ).stdout.strip()
    radius, accounting = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    config = tmp_path / "radius-push.yaml"
    config.write_text(SETTINGS.format(radius=radius, accounting=accounting, secret=SECRET, hash=hashed))
    try:
        site = Site(lab, None, config, radius, accounting)  # type: ignore[arg-type]
        site.serve()
        yield site
    finally:
        lab.stop()


def test_a_session_from_its_login_to_its_stop_and_over_a_restart(site: Site) -> None:
    login = site.radclient(
        "auth", 'User-Name="alice"', f'User-Password="{PASSWORD}"', "Message-Authenticator=0x00",
        port=site.radius,
    )  # fmt: skip
    assert login.startswith("Access-Accept")
    assert site.report("Start").startswith("Accounting-Response")
    [live] = site.sessions()
    assert (live["user"], live["nas"], live["session"]) == ("alice", "fw-1", "4A7F")
    assert (live["address"], live["framed"], live["person"]) == ("203.0.113.7", ["10.8.0.7"], "staff:alice")
    traced = subprocess.run(
        [RADIUS_PUSH, "trace", str(live["login"]), "--config", str(site.config)],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert "session 4A7F of fw-1: 10.8.0.7" in traced.stdout
    site.server.process.send_signal(signal.SIGKILL)
    site.server.process.wait()
    site.serve()
    assert site.sessions() == [live]
    site.report("Interim-Update", "Acct-Session-Time=300", "Acct-Input-Octets=5", "Acct-Input-Gigawords=1")
    [on] = site.sessions()
    assert (on["seconds"], on["octets_in"]) == (300, (1 << 32) + 5)
    site.report("Stop", "Acct-Session-Time=301", "Acct-Terminate-Cause=User-Request")
    assert site.sessions() == []
    [ended] = site.sessions("--all", "--user", "ALICE")
    assert (ended["ended_by"], ended["cause"], ended["seconds"]) == ("stop", "User-Request", 301)
    # Late, by another packet: it opens nothing.
    assert site.report("Start", "Acct-Delay-Time=302").startswith("Accounting-Response")
    assert site.sessions() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_message_authenticator_in_accounting_is_understood_both_ways(site: Site, host: str) -> None:
    reply = site.radclient(
        "acct", "Acct-Status-Type=Start", *SESSION, "Message-Authenticator=0x00", "Proxy-State=0x01",
        "Proxy-State=0x02", host=host,
    )  # fmt: skip
    lines = [line.strip() for line in reply.splitlines()[1:3]]
    assert lines[0].startswith("Message-Authenticator = 0x")
    assert lines[1].startswith("Proxy-State = 0x01")
    assert len(site.sessions()) == 1


def test_accounting_on_ends_what_was_live(site: Site) -> None:
    site.report("Start")
    other = [text.replace("fw-1", "fw-2") for text in SESSION]
    site.radclient("acct", "Acct-Status-Type=Start", *other)
    reply = site.radclient("acct", "Acct-Status-Type=Accounting-On", 'NAS-Identifier="fw-1"')
    assert reply.startswith("Accounting-Response")
    assert [each["nas"] for each in site.sessions()] == ["fw-2"]


def test_status_server_is_answered_on_both_ports(site: Site) -> None:
    seal = "Message-Authenticator=0x00"
    assert site.radclient("status", seal, port=site.radius).startswith("Access-Accept")
    assert site.radclient("status", seal).startswith("Accounting-Response")
    assert site.radclient("status", seal, secret="another secret of 22 oct") == ""
    assert site.sessions("--all") == []


def test_who_forges_or_asks_the_wrong_port_hears_nothing_and_the_log_says_why(site: Site) -> None:
    start = ("Acct-Status-Type=Start", *SESSION)
    assert site.radclient("acct", *start, secret="another secret of 22 oct") == ""
    assert site.radclient("acct", *start, port=site.radius) == ""
    assert site.sessions("--all") == []
    for line in (
        "another shared secret for accounting",
        f"Accounting-Request is not answered here: let the gateway send it to 127.0.0.1:{site.accounting}",
    ):
        wait_until(lambda line=line: line in site.server.said(), 5, what=line)


def test_while_the_store_is_stuck_nothing_is_answered_and_nothing_is_lost(site: Site) -> None:
    seal = "Message-Authenticator=0x00"
    store = site.config.parent / "state" / "radius-push.db"
    with sqlite3.connect(store, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert site.report("Start") == ""
        assert site.radclient("status", seal) == ""
        other.execute("ROLLBACK")
    assert site.report("Start").startswith("Accounting-Response")
    assert len(site.sessions()) == 1
