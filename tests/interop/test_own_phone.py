"""docs/examples/own_phone.py, which shares no code with us, is a phone from invitation to Access-Accept."""

from __future__ import annotations

import ast
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.lab import RADIUS_PUSH, SECRET, Lab, Program, free_port, needed
from tests.interop.served import PASSWORD, hashed

pytestmark = pytest.mark.slow

OWN_PHONE = Path(__file__).parents[2] / "docs" / "examples" / "own_phone.py"
SETTINGS = """\
server:
  store: sqlite://state/radius-push.db
  listen:
    authentication: ["127.0.0.1:{radius}"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  fw1: {{addresses: [127.0.0.1], secret: "{secret}", profiles: [staff-push], patience: 60s}}
authentication_profiles:
  staff: {{type: local, users: {{alice: {{password_hash: "{hash}"}}}}}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff], timeout: 30s}}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    needed("radclient")
    lab = Lab(tmp_path)
    try:
        yield lab
    finally:
        lab.stop()


def own_phone(lab: Lab, *words: str) -> Program:
    # Its own folder, and nothing of ours to import.
    phone = str(lab.folder / "own-phone.json")
    return lab.start("own-phone", sys.executable, "-I", str(OWN_PHONE), "--phone", phone, *words)


def log_in(lab: Lab, radius: int, *, station: str) -> Program:
    packet = lab.folder / f"packet-{len(lab.programs)}.txt"
    packet.write_text(
        f'User-Name="alice", User-Password="{PASSWORD}", Calling-Station-Id="{station}", '
        "Message-Authenticator=0x00\n"
    )
    words = ("-x", "-t", "40", "-r", "1", "-f", str(packet), f"127.0.0.1:{radius}", "auth", SECRET)
    return lab.start("radclient", "radclient", *words)


def test_the_example_is_added_by_a_link_and_lets_in_and_keeps_out(lab: Lab) -> None:
    radius, phone = free_port(socket.SOCK_DGRAM), free_port()
    config = lab.folder / "radius-push.yaml"
    config.write_text(SETTINGS.format(radius=radius, phone=phone, secret=SECRET, hash=hashed()))
    server = lab.start("radius-push", RADIUS_PUSH, "serve", "--config", str(config))
    server.wait_until_it_says("ready:")
    with subprocess.Popen(
        [RADIUS_PUSH, "enroll", "alice", "--config", str(config), "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as issuer:  # fmt: skip
        assert issuer.stdin
        assert issuer.stdout
        link = json.loads(issuer.stdout.readline())["link"]
        added = own_phone(lab, "add", link, "--name", "Pixel of alice")
        assert added.process.wait(20) == 0, added.said()
        (code,) = re.findall(r"^\d{6}$", added.said(), re.MULTILINE)
        issuer.stdin.write(f"{code}\n")
        issuer.stdin.close()
        assert '"confirmed"' in issuer.stdout.read()
    for answer, reply, station in (
        ("approve", "Access-Accept", "203.0.113.7"),
        ("deny", "Access-Reject", "203.0.113.8"),
    ):
        listening = own_phone(lab, "listen", "--answer", answer, "--once")
        listening.wait_until_it_says("no request")
        login = log_in(lab, radius, station=station)
        assert listening.process.wait(30) == 0, listening.said()
        login.process.wait(30)
        assert f"Received {reply}" in login.said()
        assert f"address: {station} (reported by the gateway)" in listening.said()
    again = own_phone(lab, "add", link)
    assert again.process.wait(20) == 1
    assert "File exists" in again.said()


def test_the_example_says_that_a_link_is_used_up_and_keeps_nothing_of_it(lab: Lab) -> None:
    radius, phone = free_port(socket.SOCK_DGRAM), free_port()
    config = lab.folder / "radius-push.yaml"
    config.write_text(SETTINGS.format(radius=radius, phone=phone, secret=SECRET, hash=hashed()))
    lab.start("radius-push", RADIUS_PUSH, "serve", "--config", str(config)).wait_until_it_says("ready:")
    added = own_phone(lab, "add", f"http://localhost:{phone}/#enrol={'A' * 22}")
    assert added.process.wait(20) == 1
    assert "not valid" in added.said()
    assert not (lab.folder / "own-phone.json").exists()


def test_the_example_imports_nothing_but_the_standard_library_and_cryptography() -> None:
    tree = ast.parse(OWN_PHONE.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert roots == {"cryptography"}
