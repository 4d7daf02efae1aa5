"""What the tests of `enroll` and `devices` share: settings with two directories, and a phone."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from radius_push import enrollment
from radius_push.settings import load
from radius_push.store.keys import keys_folder, load_keys
from radius_push.store.sqlite import SqliteStore
from tests.store.making import open_store

URL = "http://localhost:8443"
KEY = b"\x04" + b"\x01" * 32 + b"\x02" * 32
HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$dhDcBHyhAwpJnJPX9kPFcWYS0ruvMQLSVeLPoPZLWVY"
SETTINGS = f"""\
server:
  store: sqlite://state/state.db
  listen:
    authentication: ["127.0.0.1:0"]
    phone: {{address: "127.0.0.1:8443", url: "{URL}"}}
  enrollment: {{shown_code: 10m, devices_per_user: 2}}
methods: {{push: {{}}}}
clients:
  fw: {{addresses: [127.0.0.1], secret: testing123, profiles: [staff-push]}}
authentication_profiles:
  staff: {{type: local, users: {{alice: {{password_hash: "{HASH}"}}}}}}
  admins: {{type: local, users: {{Alice: {{password_hash: "{HASH}"}}, zoe: {{password_hash: "{HASH}"}}}}}}
profiles:
  staff-push: {{methods: [push], fallback_auth_profiles: [staff, admins], timeout: 20s}}
"""


def write_settings(folder: Path, text: str = SETTINGS) -> Path:
    path = folder / "radius-push.yaml"
    path.write_text(text)
    return path


def open_again(config: Path) -> SqliteStore:
    """The store of these settings, as another process has it."""
    settings = load(config, environ={})
    return open_store(Path(settings.store))


async def redeem(config: Path, store: SqliteStore, secret: str, *, now: float) -> enrollment.Redeemed:
    keys = load_keys(keys_folder(config.parent / "state" / "state.db"), create=False)
    redeemed = await enrollment.redeem(
        store,
        token_or_code=secret,
        public_key=KEY,
        name="Pixel 7",
        device_id="d1",
        pepper=keys.pepper,
        devices_per_user=2,
        origin=URL,
        now=now,
    )
    assert isinstance(redeemed, enrollment.Redeemed)
    return redeemed


class Verb:
    """`radius-push enroll ... --json` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, config: Path, *words: str) -> Verb:
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                "from radius_push.cli import main; main()",
                *("enroll", "--config", str(config), "--json", *words),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "SUDO_USER": "carol"},
            )
        )

    async def value(self) -> dict[str, Any]:
        """The next line of its output."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, await self.end()
        value: dict[str, Any] = json.loads(line)
        return value

    def type(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())

    async def end(self) -> tuple[int | None, str]:
        """Its exit code, and what it said to the person."""
        _, said = await self.process.communicate()
        return self.process.returncode, said.decode()
