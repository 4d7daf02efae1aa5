"""The unit file: what systemd thinks of it, and whether the server lives with everything it forbids."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from radius_push.directory.local import hash_password
from tests.observe.hearing import Hearing, hearing
from tests.systemd.unit import UNIT, values

pytestmark = pytest.mark.slow

ROOT = UNIT.parent.parent
VERB = (sys.executable, "-c", "from radius_push.cli import main; main()")
SCORE = re.compile(r"Overall exposure level for radius-push\.service: ([0-9.]+) ")
SETTINGS = """\
server:
  store: sqlite://state/state.db
  listen:
    authentication: ["127.0.0.1:{radius}", "[::1]:0"]
    phone: {{address: "127.0.0.1:{phone}", url: "http://localhost:{phone}"}}
methods: {{push: {{}}}}
clients:
  lab: {{addresses: [127.0.0.2], secret: a-secret-of-22-octets!, profiles: [staff-push]}}
authentication_profiles:
  staff: {{type: local, users: {{alice: {{password_hash: "{hash}", department: IT}}}}}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff]}}
policies:
  - name: IT
    profile: staff-push
    authentication_profile: staff
    attribute: department
    values: ["/I.*/"]
"""


def test_the_score_is_what_the_page_promises() -> None:
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    score = SCORE.search(told)
    assert score is not None, told
    page = (ROOT / "docs" / "how-to" / "install.md").read_text(encoding="utf-8")
    promised = re.search(r"exposure level \*\*([0-9.]+)\*\*", page)
    assert promised is not None
    assert float(score[1]) <= float(promised[1]), told


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8")
    unit = tmp_path / UNIT.name
    # The command is where it was installed: on this machine nowhere.
    unit.write_text(text.replace("/usr/local/bin/radius-push", "/bin/true"))
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    # It reads the machine's other units as well, and has something to say of some.
    ours = [line for line in told.stderr.splitlines() if UNIT.name in line]
    assert (told.returncode, ours) == (0, [])


def test_it_needs_no_capability() -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert values(text, "CapabilityBoundingSet") == values(text, "AmbientCapabilities") == [""]
    assert values(text, "User") == ["radius-push"]


async def test_a_whole_login_in_the_units_jail(tmp_path: Path) -> None:
    config = tmp_path / "radius-push.yaml"
    config.write_text(
        SETTINGS.format(
            radius=free_port(socket.SOCK_DGRAM),
            phone=free_port(socket.SOCK_STREAM),
            hash=hash_password(b"correct horse"),
        )
    )
    with hearing(tmp_path) as systemd:
        async with jailed(config, systemd) as server:
            phone = tmp_path / "phone.json"
            await enrol(config, phone)
            asking = asyncio.create_task(
                say("try-login", "alice", "--config", config, typed="correct horse\n")
            )
            assert (await say("test-phone", "approve", "--phone", phone))[0] == 0
            assert await asking == (0, {"verdict": "accepted"})
            wrong = await say("try-login", "alice", "--config", config, typed="wrong\n")
            assert wrong == (1, {"verdict": "rejected"})
            await systemd.until("WATCHDOG")
            server.terminate()
            assert await server.wait() == 0
            assert (await systemd.until("STOPPING"))["STATUS"] == "draining"
    made = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}


@asynccontextmanager
async def jailed(config: Path, systemd: Hearing) -> AsyncIterator[asyncio.subprocess.Process]:
    """`serve`, told by systemd's variables where to report, and ready."""
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--user", "--map-user=4242", "--map-group=4242"),
        *(sys.executable, "-m", "tests.systemd.jail", str(UNIT)),
        *(*VERB, "serve", "--config", str(config)),
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "NOTIFY_SOCKET": systemd.address,
            "WATCHDOG_USEC": "400000",
        },
    )
    try:
        ready = asyncio.create_task(systemd.until("READY"))
        ended = asyncio.create_task(process.wait())
        await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        assert not ended.done(), f"it ended with {ended.result()} before it was ready"
        ended.cancel()
        assert (await ready)["STATUS"].startswith("RADIUS authentication on 127.0.0.1 port ")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def enrol(config: Path, phone: Path) -> None:
    """A phone for alice, by the verbs that a person would use."""
    inviting = await asyncio.create_subprocess_exec(
        *(*VERB, "enroll", "alice", "--config", str(config), "--no-confirm", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert inviting.stdout is not None
    link = json.loads(await inviting.stdout.readline())["link"]
    assert (await say("test-phone", "enrol", link, "--phone", phone))[0] == 0
    await inviting.communicate()
    assert inviting.returncode == 0


async def say(*words: object, typed: str = "") -> tuple[int | None, dict[str, str]]:
    """A verb's exit code, and the verdict it told."""
    process = await asyncio.create_subprocess_exec(
        *(*VERB, *map(str, words), "--json"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(typed.encode())
    told = json.loads(out.splitlines()[-1]) if out.strip() else {}
    return process.returncode, {key: told[key] for key in ("verdict",) if key in told}


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
