"""FreeRADIUS's radclient agrees with us, and the verbs play a whole login in processes of their own."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
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
    authentication: ["127.0.0.1:{radius}", "[::1]:{radius}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  strict: {{addresses: [127.0.0.1, "::1"], secret: "{secret}", profiles: [staff-push], patience: 60s}}
  lenient:
    addresses: [127.0.0.2]
    secret: "{secret}"
    profiles: [staff-push]
    patience: 60s
    require_message_authenticator: no
authentication_profiles:
  staff:
    type: local
    users:
      alice: {{password_hash: "{hash}", department: IT}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 30s}}
policies:
  - name: IT
    profile: staff-push
    authentication_profile: staff
    attribute: department
    values: [IT]
    reply: {{Filter-Id: "{{department}}", Session-Timeout: 3600}}
"""


@dataclass
class Site:
    lab: Lab
    server: Program
    config: Path
    radius: int
    phone: Path

    def verb(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [RADIUS_PUSH, *words], input=stdin, capture_output=True, text=True, timeout=60, check=False
        )

    def radclient(
        self, *options: str, password: str = PASSWORD, secret: str = SECRET, server: str = "127.0.0.1",
        source: str = "", signed: bool = True, user: str = "alice",
    ) -> Program:  # fmt: skip
        """A login from an address of its own: no two are tries of one attempt."""
        attributes = [
            f'User-Name="{user}"',
            f'User-Password="{password}"',
            f'Calling-Station-Id="203.0.113.{len(self.lab.programs)}"',
        ]
        if signed:
            attributes.append("Message-Authenticator=0x00")
        if source:
            attributes.append(f"Packet-Src-IP-Address={source}")
        packet = self.lab.folder / f"packet-{len(self.lab.programs)}.txt"
        packet.write_text(", ".join(attributes) + "\n")
        where = f"[{server}]" if ":" in server else server
        return self.lab.start(
            "radclient",
            "radclient",
            "-x",
            "-f",
            str(packet),
            *options,
            f"{where}:{self.radius}",
            "auth",
            secret,
        )

    def tap(self, answer: str) -> Program:
        return self.lab.start("phone", RADIUS_PUSH, "test-phone", answer, "--phone", str(self.phone))

    def count(self, kind: str) -> int:
        return len(re.findall(rf" {kind} login=", self.server.said()))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    needed("radclient")
    lab = Lab(tmp_path_factory.mktemp("radclient"))
    radius = free_port(socket.SOCK_DGRAM)
    hashed = subprocess.run(
        [RADIUS_PUSH, "hash-password"], input=f"{PASSWORD}\n", capture_output=True, text=True, check=True
    ).stdout.strip()
    config = lab.folder / "radius-push.yaml"
    config.write_text(SETTINGS.format(radius=radius, phone=free_port(), secret=SECRET, hash=hashed))
    try:
        server = lab.start("radius-push", RADIUS_PUSH, "serve", "--config", str(config))
        server.wait_until_it_says("ready:")
        site = Site(lab, server, config, radius, lab.folder / "phone.json")
        enrol(site)
        yield site
    finally:
        lab.stop()


def enrol(site: Site) -> None:
    with subprocess.Popen(
        [RADIUS_PUSH, "enroll", "alice", "--config", str(site.config), "--json", "--no-confirm"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as issuer:  # fmt: skip
        assert issuer.stdout
        link = json.loads(issuer.stdout.readline())["link"]
        done = site.verb("test-phone", "enrol", link, "--phone", str(site.phone))
        assert done.returncode == 0, done.stderr
        assert json.loads(issuer.stdout.readline())["result"] == "confirmed"
        assert issuer.wait(20) == 0


@pytest.mark.parametrize("server", ["127.0.0.1", "::1"])
def test_an_approved_login_is_accepted(site: Site, server: str) -> None:
    login = site.radclient("-t", "40", "-r", "1", server=server)
    assert site.tap("approve").process.wait(30) == 0
    assert login.process.wait(30) == 0
    assert "Received Access-Accept" in login.said()
    assert 'Filter-Id = "IT"' in login.said()
    assert "Session-Timeout = 3600" in login.said()


def test_a_denied_login_and_a_wrong_password_are_rejected(site: Site) -> None:
    login = site.radclient("-t", "40", "-r", "1")
    assert site.tap("deny").process.wait(30) == 0
    assert login.process.wait(30) == 1
    assert "Received Access-Reject" in login.said()
    wrong = site.radclient("-t", "40", "-r", "1", password="not it")
    assert wrong.process.wait(30) == 1
    assert "Received Access-Reject" in wrong.said()
    assert 'Reply-Message = "Sign-in refused. (' in wrong.said()


def test_ms_chap_of_version_1_is_refused(site: Site) -> None:
    asked = site.count("asked")
    # The last word is its NAS-IP-Address; without one it looks up the name of this machine.
    words = (
        "radtest",
        "-t",
        "mschap",
        "alice",
        PASSWORD,
        f"127.0.0.1:{site.radius}",
        "0",
        SECRET,
        "0",
        "127.0.0.1",
    )
    login = site.lab.start("radtest", *words)
    assert login.process.wait(30) == 1
    assert "Received Access-Reject" in login.said()
    assert "MS-CHAP (version 1) is not spoken here: let the gateway use PAP" in site.server.said()
    assert site.count("asked") == asked


def test_ten_retransmissions_are_one_question_and_one_accept(site: Site) -> None:
    asked, accepted = site.count("asked"), site.count("accepted")
    login = site.radclient("-t", "3", "-r", "10")
    began = time.monotonic()
    # radclient does not print that it sends again: after 7 s it has done so twice.
    wait_until(lambda: time.monotonic() - began > 7, 10, what="two retransmissions")
    assert site.tap("approve").process.wait(30) == 0
    assert login.process.wait(30) == 0
    assert login.said().count("Received Access-Accept") == 1
    assert (site.count("asked") - asked, site.count("accepted") - accepted) == (1, 1)


def test_a_wrong_secret_gets_silence(site: Site) -> None:
    asked = site.count("asked")
    signed = site.radclient("-t", "4", "-r", "1", secret="not-the-secret-of-the-lab")
    assert signed.process.wait(30) == 1
    assert "No reply from server" in signed.said()
    assert "not authentic" in site.server.said()
    assert site.count("asked") == asked


def test_a_client_that_sends_no_message_authenticator_must_be_allowed_to(site: Site) -> None:
    refused = site.radclient("-t", "4", "-r", "1", signed=False)
    assert refused.process.wait(30) == 1
    assert "No reply from server" in refused.said()
    login = site.radclient("-t", "40", "-r", "1", signed=False, source="127.0.0.2")
    assert site.tap("approve").process.wait(30) == 0
    assert login.process.wait(30) == 0


def test_try_login_is_a_login_through_the_real_socket(site: Site) -> None:
    phone = site.tap("approve")
    done = site.verb("try-login", "alice", "--config", str(site.config), "--json", stdin=f"{PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "accepted"
    assert phone.process.wait(30) == 0
    wrong = site.verb("try-login", "alice", "--config", str(site.config), stdin="not it\n")
    assert wrong.returncode == 1
    assert "rejected" in wrong.stdout


def test_reload_serves_by_the_new_file_and_a_wrong_file_changes_nothing(site: Site) -> None:
    text = site.config.read_text()
    try:
        site.config.write_text(text.replace("Session-Timeout: 3600", "Session-Timeout: 60"))
        done = site.verb("reload", "--config", str(site.config))
        assert (done.returncode, "policies.IT: changed (reply)" in done.stdout) == (0, True), done
        login = site.radclient("-t", "40", "-r", "1")
        assert site.tap("approve").process.wait(30) == 0
        assert login.process.wait(30) == 0
        assert "Session-Timeout = 60" in login.said()

        site.config.write_text(text.replace("values: [IT]", "valves: [IT]"))
        done = site.verb("reload", "--config", str(site.config))
        assert done.returncode == 1
        assert "did you mean 'values'?" in done.stdout
        site.server.process.send_signal(signal.SIGHUP)
        site.server.wait_until_it_says("settings_refused")
        site.config.write_text(text.replace("state/", "elsewhere/"))
        assert site.verb("reload", "--config", str(site.config)).returncode == 2  # nothing serves that store
    finally:
        site.config.write_text(text)


def test_a_sighup_while_it_starts_ends_no_server(site: Site) -> None:
    config = site.lab.folder / "second.yaml"
    text = site.config.read_text().replace("state/", "second/")
    ports = {str(site.radius): str(free_port(socket.SOCK_DGRAM)), phone_port(text): str(free_port())}
    for old, new in ports.items():
        text = text.replace(f":{old}", f":{new}")
    config.write_text(text)
    server = site.lab.start("second", RADIUS_PUSH, "serve", "--config", str(config))
    # As early as Python can say what a signal does, and then until it is ready.
    wait_until(lambda: (config.parent / "second").exists(), 20, what="the store's folder")
    while "ready:" not in server.said():
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.02)
    assert server.stop() == 0


def phone_port(text: str) -> str:
    found = re.search(r"http://localhost:(\d+)", text)
    assert found
    return found.group(1)


def test_sigterm_drains_held_logins_get_silence(site: Site) -> None:
    """Last in this file: it stops the server."""
    asked = site.count("asked")
    login = site.radclient("-t", "6", "-r", "1")
    wait_until(lambda: site.count("asked") > asked, 10, what="a question")
    began = time.monotonic()
    assert site.server.stop() == 0
    assert time.monotonic() - began < 5
    assert login.process.wait(30) == 1
    assert "No reply from server" in login.said()
    assert "stopped; 1 held logins got no answer" in site.server.said()
